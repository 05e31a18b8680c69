'use strict';

// An echo server for the tester. Prints its port and ends on SIGTERM.
//
//   node server.js KIND   KIND: the name of one of the servers below

const http = require('http');

const MAX = 64 * 1024 * 1024;

const notFound = () => http.createServer((request, response) => response.writeHead(404).end());

/** A server of WebSocket-Node's interface, from this or any other package, that echoes. */
function webSocketNode(moduleName, options) {
  const { server: WebSocketServer } = require(moduleName);
  const wsServer = new WebSocketServer({
    maxReceivedFrameSize: MAX, maxReceivedMessageSize: MAX, fragmentOutgoingMessages: false, perMessageDeflate: { threshold: 0 }, ...options,
  });
  wsServer.on('request', (request) => {
    const connection = request.accept(null, request.origin);
    connection.on('error', () => {});
    connection.on('message', (message) => {
      if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
      else connection.sendBytes(message.binaryData);
    });
  });
  return wsServer;
}

function onHttpServer(moduleName) {
  const httpServer = notFound();
  webSocketNode(moduleName, { httpServer });
  listen(httpServer);
}

function ws() {
  const { WebSocketServer } = require('ws');
  const httpServer = notFound();
  const wsServer = new WebSocketServer({ server: httpServer, perMessageDeflate: { threshold: 0 }, maxPayload: MAX });
  wsServer.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  listen(httpServer);
}

/** Listens, and says where. */
function listen(httpServer) {
  httpServer.listen(0, '127.0.0.1', () => console.log(httpServer.address().port));
}

const SERVERS = {
  websocket: () => onHttpServer('../..'),
  /** The server that listens itself. */
  'websocket, listening': () => {
    const wsServer = webSocketNode('../..', { port: 0, host: '127.0.0.1' });
    wsServer.on('listening', () => console.log(wsServer.address().port));
  },
  'websocket@1.0.35': () => onHttpServer('websocket-1.0.35'),
  ws,
};

const kind = process.argv[2];
if (!Object.hasOwn(SERVERS, kind)) throw new Error(`there is no server ${kind}; there are ${Object.keys(SERVERS).join(', ')}`);
process.on('SIGTERM', () => process.exit(0));
SERVERS[kind]();
