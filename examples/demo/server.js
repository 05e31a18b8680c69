'use strict';

// `npm start`: a page that talks to this server over two WebSocket subprotocols, "echo" and "chat".
//
//   PORT=8081 npm start        another port (0 picks a free one)
//   HOST=0.0.0.0 npm start     reachable from other machines, not only from this one

const fs = require('fs');
const http = require('http');
const path = require('path');
const {
  server: WebSocketServer,
  router: WebSocketRouter,
  connection: WebSocketConnection,
} = require('../../'); // in your own project: require('websocket')
const { listen } = require('../listen');
const { ChatRoom } = require('./chat-room');

// ---- The page ----------------------------------------------------------------------------------

// Only these four paths are answered, from memory: no file name ever comes from a request.
const pages = new Map([
  ['/', file('index.html', 'text/html; charset=utf-8')],
  ['/app.js', file('app.js', 'text/javascript; charset=utf-8')],
  ['/style.css', file('style.css', 'text/css; charset=utf-8')],
  ['/icon.svg', file('icon.svg', 'image/svg+xml')],
]);

function file(name, type) {
  return { type, body: fs.readFileSync(path.join(__dirname, 'public', name)) };
}

const securityHeaders = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // A page isolated from other origins gets the precise clock that times round trips of less than 0.1 ms.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const server = http.createServer((request, response) => {
  const page = pages.get(request.url.split('?')[0]);
  const readOnly = request.method === 'GET' || request.method === 'HEAD';
  const status = !readOnly ? 405 : page ? 200 : 404;
  const body = status === 200 ? page.body : `${http.STATUS_CODES[status]}\n`;
  response.writeHead(status, {
    ...securityHeaders,
    ...(status === 405 && { Allow: 'GET, HEAD' }),
    'Content-Type': status === 200 ? page.type : 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-cache',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
});

// ---- The WebSockets ----------------------------------------------------------------------------

const wsServer = new WebSocketServer({
  httpServer: server,
  maxReceivedFrameSize: 0x100000, // 1 MiB, so that the echo takes a long text as well
});
const router = new WebSocketRouter({ server: wsServer });
const room = new ChatRoom();

router.mount('/', 'echo', (request) => ifAllowed(request, echo));
router.mount('/', '', (request) => ifAllowed(request, echo)); // clients that ask for no subprotocol
router.mount('/', 'chat', (request) => ifAllowed(request, (connection) => room.add(connection)));

/** Browsers let every page open a WebSocket to every server, so it is the server that has to look where they come from. */
function ifAllowed(request, handler) {
  if (!isOwnOrigin(request)) {
    request.reject(403, 'Only the page of this server may connect from a browser.');
    return;
  }
  handler(request.accept(request.origin));
}

function isOwnOrigin({ origin, httpRequest }) {
  if (!origin) return true; // not a browser
  try {
    return new URL(origin).host === httpRequest.headers.host;
  } catch {
    return false;
  }
}

/** Sends every message back as it came. */
function echo(connection) {
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
    // A peer that sends and does not read would fill our memory: stop reading until it has taken what it asked for.
    if (connection.outputBufferFull) connection.pause();
  });
  connection.on('drain', () => connection.resume());
}

// ---- Start and stop ----------------------------------------------------------------------------

listen(server, { host: process.env.HOST || '127.0.0.1' }, (authority) => {
  console.log(`Echo and chat on http://${authority}/ (stop with Ctrl+C)`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  // Once: whoever presses Ctrl+C a second time does not want to wait.
  process.once(signal, () => {
    console.log('Stopping: saying goodbye to the connections.');
    server.close();
    server.closeIdleConnections(); // browsers keep HTTP connections open for the next request
    wsServer.unmount();
    for (const connection of [...wsServer.connections]) {
      connection.close(WebSocketConnection.CLOSE_REASON_GOING_AWAY, 'The server is stopping.');
    }
  });
}
