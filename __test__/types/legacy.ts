// A program in the style of those written against @types/websocket 1.0.10. It is compiled against both typings
// (types.test.js), with and without esModuleInterop.

import * as http from 'http';
import * as WebSocket from 'websocket';
import required = require('websocket');
import {
  client, connection, deprecation, frame, request, router, server, version, w3cwebsocket,
  IBinaryMessage, IBufferList, IClientConfig, ICloseEvent, IConfig, ICookie, IExtension, IMessageEvent, IRouterConfig, IRouterHandler,
  IRouterRequest, IServerConfig, IStringified, IUtf8Message, Message,
} from 'websocket';

export const httpServer: http.Server = http.createServer();
const shared: IConfig = { closeTimeout: 100, disableNagleAlgorithm: undefined };
const serverConfig: IServerConfig = { ...shared, httpServer, autoAcceptConnections: false };
const clientConfig: IClientConfig = { ...shared, tlsOptions: { rejectUnauthorized: false } };

const wsServer: server = new WebSocket.server(serverConfig);
export const again: required.server = new required.server();
again.mount(serverConfig);

wsServer.on('request', (req: request): void => {
  const cookie: ICookie = { name: 'a', value: 'b' };
  const extension: string = req.requestedExtensions[0].name;
  const parsed: string[] = req.parseExtensions('x');
  const cookies: ICookie[] | void = req.parseCookies('a=b');
  const spelling: string = req.protocolFullCaseMap.chat;
  console.log(extension, parsed, cookies, spelling, req._resolved, req._socketIsClosing, req.serverConfig.httpServer);
  const conn: connection = req.accept('chat', req.origin, [cookie]);
  conn.addListener('message', onMessage);
  conn.once('message', (text: IUtf8Message) => console.log(text.utf8Data));
  conn.on('frame', (f: frame) => console.log(f.mask + 1));
  conn.once('something of my own', (value: number) => console.log(value));
  conn.emit('something of my own', 1);
  conn.removeListener('message', onMessage);
  conn.off('close', (code: number) => console.log(code));
});
wsServer.once('whatever', (a: string, b: string) => console.log(a + b));
wsServer.handleUpgrade(new http.IncomingMessage(null as any), new http.IncomingMessage(null as any).socket);

function onMessage(message: Message): void {
  if (message.type === 'binary') {
    const binary: IBinaryMessage = message;
    wsServer.broadcastBytes(binary.binaryData);
  } else {
    wsServer.broadcastUTF(message.utf8Data);
  }
}

export function properties(conn: connection): Array<number | string | boolean> {
  const list: IBufferList = conn.bufferList;
  const extensions: IExtension[] = conn.extensions;
  const current: frame = conn.currentFrame;
  return [
    list.length, extensions.length, current.opcode, conn.assembleFragments, conn.bytesWaitingToFlush, conn.fragmentationSize,
    conn.closeDescription, conn.closeReasonCode, conn.protocol, conn.maskOutgoingPackets, conn.state, conn.waitingForCloseResponse,
    conn.receivedEnd, conn.closeTimeout, conn.maxReceivedMessageSize, conn.outputBufferFull, conn.inputPaused, conn.socketHadError,
    conn.remoteAddress, conn.webSocketVersion, conn.connected, conn._pingListenerCount,
  ];
}

// Wrapping methods in functions that return nothing.
export const sendFrame = (conn: connection, f: frame): void => conn.sendFrame(f);
export const sendText = (conn: connection, text: IStringified): void => conn.send(text);
export const closeIt = (conn: connection): void => conn.close(1000, 'bye');

class Overriding extends connection {
  sendBytes(data: Buffer, cb?: (err?: Error) => void): void { super.sendBytes(data, cb); }
  sendFrame(f: frame, cb?: (err?: Error) => void): void { super.sendFrame(f, cb); }
  ping(data: Buffer): void { super.ping(data); }
}
class OwnRequest extends request {
  parseExtensions(header: string): string[] { return super.parseExtensions(header); }
  parseCookies(header: string): ICookie[] | void { return super.parseCookies(header); }
}
class OwnServer extends server {
  handleUpgrade(req: http.IncomingMessage, socket: import('net').Socket): void { super.handleUpgrade(req, socket); }
}
class OwnSocket extends w3cwebsocket {
  onopen = (): void => {};
  onerror = (error: Error): void => console.error(error.message);
}
export const overriding = new Overriding(null as any, [], 'chat', false, shared);
export const ownServer = new OwnServer(serverConfig);
export const ownSocket = new OwnSocket('ws://127.0.0.1/');
new OwnRequest(null as any, null as any, serverConfig).on('requestResolved', (req: OwnRequest) => console.log(req.key));

const wsClient: client = new client(clientConfig);
wsClient.on('connect', (conn: connection) => conn.ping('x'));
wsClient.on('connectFailed', (error: Error) => console.log(error.message));
wsClient.on('httpResponse', (response: http.IncomingMessage, c: client) => console.log(response.statusCode, c));
wsClient.connect('ws://127.0.0.1/', ['a'], 'origin', { a: 'b' }, { agent: false });

const routerConfig: IRouterConfig = { server: wsServer };
const wsRouter: router = new router(routerConfig);
wsRouter.mount('/', null, (req: IRouterRequest) => {
  req.on('requestRejected', (r: IRouterRequest) => console.log(r.resource));
  req.accept('protocol', 'origin', []);
});
export const handlers: IRouterHandler[] = wsRouter.handlers;
export const routePath: string = handlers[0].path;
export const regexps: RegExp[] = [wsRouter.pathToRegExp('/'), wsRouter.pathToRegEx(/a/)];

const socket: w3cwebsocket = new w3cwebsocket('ws://127.0.0.1/', 'chat', undefined, {}, {}, clientConfig);
socket.onopen = (): void => socket.send('x');
socket.onerror = (error: Error): void => console.error(error.message);
socket.onclose = (event: ICloseEvent): void => console.log(event.code, event.reason, event.wasClean);
socket.onmessage = (message: IMessageEvent): void => {
  const data: string | Buffer | ArrayBuffer = message.data;
  console.log(data);
};
socket.onopen();
socket.onclose({ code: 1000, reason: '', wasClean: true });
socket.onmessage({ data: 'x' });
socket.onerror(new Error('x'));
export const form: 'arraybuffer' = socket.binaryType;
export const amount: number = socket.bufferedAmount + socket._bufferedAmount;

const text: IStringified = version;
deprecation.disableWarnings = true;
deprecation.deprecationWarningMap.x = 'y';
deprecation.warn('x');
console.log(text.toString(), new frame().toBuffer(false));
