// A router: paths, patterns, subprotocols, and requests answered through the router's own request objects.

import * as http from 'http';
import { router as WebSocketRouter, server as WebSocketServer, IRouterRequest, IRouterHandler } from 'websocket';

const server = new WebSocketServer({ httpServer: http.createServer() });
const router = new WebSocketRouter({ server });

router.mount('/chat', 'chat-protocol', (request) => {
  const connection = request.accept(request.origin, [{ name: 'seen', value: '1' }]);
  connection.sendUTF(String(request.protocol));
});

router.mount(/^\/room\/\d+$/g, '*', (request: IRouterRequest) => {
  request.on('requestRejected', (rejected) => console.log(rejected.resource));
  request.once('requestAccepted', (connection) => connection.close());
  const room: string | undefined = request.resourceURL.pathname?.split('/')[2];
  const accepted: boolean = request.cookies.some((cookie) => cookie.name === 'room' && cookie.value === room);
  if (accepted) request.accept();
  else request.reject(404, 'No such room', { 'X-Room': 'none' });
});

router.mount('*', null, (request) => {
  console.log(request.webSocketRequest.key, request.httpRequest.headers.host, request.webSocketVersion, request.remoteAddress);
  request.accept(null);
});

const handler: IRouterHandler | undefined = router.handlers[0];
const pattern: RegExp = router.pathToRegExp('/chat');
const index: number = router.findHandlerIndex(pattern.toString(), 'chat-protocol');
console.log(handler?.pathString, index, router.server === server);

router.unmount('/chat', 'chat-protocol');
router.unmount('*');
router.detachServer();
router.attachServer(server);

const detached = new WebSocketRouter();
detached.attachServer(server);
server.on('request', (request) => detached.handleRequest(request));
