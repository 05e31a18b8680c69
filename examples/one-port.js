'use strict';

// WebSockets and an Express application on one port, at which the WebSocket server listens: it hands every other request to
// the application (option `fallback`). Each message of a client is answered, and counted on the page:
//
//   node examples/one-port.js              on http://127.0.0.1:8080/ and ws://127.0.0.1:8080/echo
//   PORT=9000 node examples/one-port.js    on another port (0 picks a free one)

const http = require('http');
const express = require('express'); // npm install express
const { server: WebSocketServer } = require('../'); // in your own project: require('websocket')
const { choosePort, whenListening } = require('./listen');

let messages = 0;

const app = express();
app.disable('x-powered-by');
app.get('/', (request, response) => {
  response.json({ connections: wsServer.connections.length, messages });
});

// In place of httpServer.listen(port).
const httpServer = http.createServer(app);
const where = { port: choosePort(), host: '127.0.0.1' };
const wsServer = new WebSocketServer({ ...where, path: '/echo', fallback: httpServer });

wsServer.on('request', (request) => {
  const connection = request.accept();
  connection.on('message', (message) => {
    messages++;
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
});

whenListening(wsServer, where, (authority) => {
  console.log(`Express on http://${authority}/, echo on ws://${authority}/echo`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    wsServer.shutDown();
    httpServer.close();
  });
}
