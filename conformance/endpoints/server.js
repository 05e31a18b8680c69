'use strict';

// An echo server for the tester. Prints its port and ends on SIGTERM.
//
//   node server.js KIND   KIND: the name of one of the servers below

const http = require('http');

const MAX = 64 * 1024 * 1024;

const notFound = () => http.createServer((request, response) => response.writeHead(404).end());

/** Starts a server of WebSocket-Node's interface, from this or any other package. */
function webSocketNode(moduleName, options = {}) {
  const { server: WebSocketServer } = require(moduleName);
  const httpServer = notFound();
  const wsServer = new WebSocketServer({
    httpServer, autoAcceptConnections: false, maxReceivedFrameSize: MAX, maxReceivedMessageSize: MAX, fragmentOutgoingMessages: false, ...options,
  });
  wsServer.on('request', (request) => {
    const connection = request.accept(null, request.origin);
    connection.on('error', () => {});
    connection.on('message', (message) => {
      if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
      else connection.sendBytes(message.binaryData);
    });
  });
  return httpServer;
}

function ws() {
  const { WebSocketServer } = require('ws');
  const httpServer = notFound();
  const wsServer = new WebSocketServer({ server: httpServer, perMessageDeflate: { threshold: 0 }, maxPayload: MAX });
  wsServer.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return httpServer;
}

const SERVERS = {
  websocket: () => webSocketNode('../..'),
  'websocket@1.0.35': () => webSocketNode('websocket-1.0.35'),
  ws,
};

const kind = process.argv[2];
if (!Object.hasOwn(SERVERS, kind)) throw new Error(`there is no server ${kind}; there are ${Object.keys(SERVERS).join(', ')}`);
const server = SERVERS[kind]();
// Whole cases may wait for one another on a busy machine; that is no reason for a server to give up.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.on('SIGTERM', () => process.exit(0));
