'use strict';

// The echo server the Autobahn suite tests. Prints the port it listens on and ends on SIGTERM.
//
//   node server.js [MODULE]   MODULE: what to require instead of this package
//
// With WEBSOCKET_TEST_LISTENER=native it listens without an HTTP server, with =tls so that it speaks TLS.

const http = require('http');
const path = require('path');
const { server: WebSocketServer } = require(process.argv[2] || path.join(__dirname, '..', '..'));

const options = {
  autoAcceptConnections: true,
  maxReceivedFrameSize: 64 * 1024 * 1024,
  maxReceivedMessageSize: 64 * 1024 * 1024,
  fragmentOutgoingMessages: false,
  // Sections 12 and 13; the others do not offer it.
  perMessageDeflate: { threshold: 0 },
  keepalive: false,
  disableNagleAlgorithm: false
};

function echo(connection) {
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
  // Broken peers are what the suite consists of.
  connection.on('error', () => {});
}

const { WEBSOCKET_TEST_LISTENER: listener } = process.env;
if (listener === 'native' || listener === 'tls') {
  const tls = listener === 'tls' ? require('../helpers/certificates').server : null;
  const wsServer = new WebSocketServer({ ...options, port: 0, host: '127.0.0.1', tls });
  wsServer.on('connect', echo);
  wsServer.on('listening', () => console.log(wsServer.address().port));
  process.on('SIGTERM', () => {
    wsServer.shutDown();
    wsServer.close(() => process.exit(0));
  });
} else {
  const httpServer = http.createServer((request, response) => {
    response.writeHead(404);
    response.end();
  });
  const wsServer = new WebSocketServer({ ...options, httpServer });
  wsServer.on('connect', echo);
  httpServer.listen(0, '127.0.0.1', () => console.log(httpServer.address().port));
  process.on('SIGTERM', () => {
    wsServer.shutDown();
    httpServer.close(() => process.exit(0));
  });
}
