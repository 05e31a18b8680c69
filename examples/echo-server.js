'use strict';

// The smallest useful server: sends every message back.
//
//   node examples/echo-server.js            on ws://127.0.0.1:8080/
//   PORT=9000 node examples/echo-server.js  on another port (0 picks a free one)

const http = require('http');
const { server: WebSocketServer } = require('../'); // in your own project: require('websocket')
const { listen } = require('./listen');

const server = http.createServer((request, response) => {
  response.writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' });
  response.end('This server speaks WebSocket only.\n');
});

const wsServer = new WebSocketServer({ httpServer: server });

wsServer.on('request', (request) => {
  // An echo gives nothing away, so it may be used from everywhere. A server that knows its users, by cookies for example,
  // has to compare request.origin with its own sites here and call request.reject(403) for all others.
  const connection = request.accept(null, request.origin);
  console.log(`+ ${connection.remoteAddress}`);

  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
    // Whoever sends without reading the answers is not read from until they have taken them.
    if (connection.outputBufferFull) connection.pause();
  });
  connection.on('drain', () => connection.resume());

  connection.on('close', (code, description) => {
    console.log(`- ${connection.remoteAddress} (${code} ${description})`);
  });
});

listen(server, {}, (authority) => console.log(`Echo server on ws://${authority}/`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    wsServer.shutDown(); // closes the WebSockets with a closing handshake
    server.close();
  });
}
