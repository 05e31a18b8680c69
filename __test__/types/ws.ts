// A program written for ws: with `websocket/ws` in place of `ws` it compiles as it is.

import WebSocket, { WebSocketServer, createWebSocketStream, type RawData } from 'websocket/ws';
import { createServer, IncomingMessage } from 'http';
import { Duplex } from 'stream';

const httpServer = createServer();
const options: WebSocket.ServerOptions = {
  noServer: true,
  clientTracking: false,
  maxPayload: 1024,
  perMessageDeflate: { threshold: 1024, zlibDeflateOptions: { level: 3 }, serverNoContextTakeover: true, concurrencyLimit: 10 },
  verifyClient: ({ origin, secure, req }, callback) => callback(secure && req.url !== origin, 403, 'no', { 'X-Why': 'so' }),
  handleProtocols: (protocols, request) => (request.url === '/' ? [...protocols][0] ?? false : false),
};
const server = new WebSocketServer(options);
const other = new WebSocket.Server({ server: httpServer, path: '/ws' }, () => {});
const third: WebSocket.WebSocketServer = new WebSocket.WebSocketServer({ port: 0 });

class Mine extends WebSocket {
  name = 'mine';
}
const typed = new WebSocketServer({ port: 0, WebSocket: Mine });
typed.on('connection', (websocket) => console.log(websocket.name));

httpServer.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  server.handleUpgrade(request, socket, head, (websocket, req) => server.emit('connection', websocket, req));
});

server.on('connection', function onConnection(websocket, request) {
  this.clients.forEach((client) => client.terminate());
  const url: string | undefined = request.url;
  websocket.on('message', (data: RawData, isBinary: boolean) => {
    if (Array.isArray(data)) return;
    websocket.send(data, { binary: isBinary, compress: false, fin: true, mask: false }, (error?: Error) => console.log(error, url));
  });
  websocket.on('error', console.error).on('ping', (data: Buffer) => websocket.pong(data));
  websocket.once('close', (code: number, reason: Buffer) => console.log(code, reason.toString()));
});
server.on('headers', (headers, request) => headers.push(request.url ?? ''));
server.on('wsClientError', (error, socket) => socket.destroy(error));
other.close((error?: Error) => console.log(error, third.address()));

const client = new WebSocket(new URL('wss://localhost'), ['a', 'b'], {
  headers: { Cookie: 'a=b' }, handshakeTimeout: 1000, followRedirects: true, rejectUnauthorized: false, origin: 'https://example.com',
  finishRequest: (request) => request.end(),
});
client.binaryType = 'arraybuffer';
client.on('open', () => client.send('text'));
client.on('unexpected-response', (request, response) => { response.resume(); request.destroy(); });
client.on('upgrade', (response) => console.log(response.headers));
client.on('redirect', (url, request) => request.setHeader('X-Url', url));
client.onmessage = (event) => console.log(event.data, event.target.readyState === WebSocket.OPEN);
client.addEventListener('close', ({ code, reason, wasClean }) => console.log(code, reason, wasClean), { once: true });
client.removeEventListener('error', (event) => console.log(event.message, event.error));
client.ping(Buffer.alloc(1), true, () => {});
client.pause();
client.resume();
const state: 0 | 1 | 2 | 3 = client.readyState;
const amounts: [number, boolean, string, string] = [client.bufferedAmount, client.isPaused, client.protocol, client.extensions];
client.close(1000, Buffer.from('bye'));

const stream: Duplex = createWebSocketStream(client, { encoding: 'utf8' });
stream.pipe(process.stdout);

const offline: WebSocket = new WebSocket(null);
export { amounts, offline, state };
