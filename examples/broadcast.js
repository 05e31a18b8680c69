'use strict';

// What one client sends, all clients get, and so do they get every line typed into this terminal.
//
//   node examples/broadcast.js               on ws://127.0.0.1:8080/
//   PORT=9000 node examples/broadcast.js     on another port (0 picks a free one)

const http = require('http');
const readline = require('readline');
const { server: WebSocketServer } = require('../'); // in your own project: require('websocket')
const { listen } = require('./listen');

const server = http.createServer((request, response) => {
  response.writeHead(404);
  response.end();
});

const wsServer = new WebSocketServer({ httpServer: server });

wsServer.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  connection.on('message', (message) => {
    if (message.type === 'utf8') wsServer.broadcastUTF(message.utf8Data);
    else wsServer.broadcastBytes(message.binaryData);
  });
});

// The events of the server tell about all connections together.
wsServer.on('connect', () => console.log(`${wsServer.connections.length} connected`));
wsServer.on('close', () => console.log(`${wsServer.connections.length} connected`));

// Clients that do not read would make us keep what they miss: leave behind those that are too far behind.
const patience = new WeakMap();
const watch = setInterval(() => {
  for (const connection of [...wsServer.connections]) {
    const seconds = connection.outputBufferFull ? (patience.get(connection) || 0) + 1 : 0;
    patience.set(connection, seconds);
    if (seconds > 10) connection.drop(1008, 'Reading too slowly.');
  }
}, 1000);

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => wsServer.broadcastUTF(line));

listen(server, {}, (authority) => console.log(`Broadcast server on ws://${authority}/`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    lines.close();
    clearInterval(watch);
    wsServer.shutDown();
    server.close();
  });
}
