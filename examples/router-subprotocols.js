'use strict';

// One server, several services: the router picks the handler by the path of the URL and the subprotocol the client asks for.
//
//   node examples/router-subprotocols.js              on ws://127.0.0.1:8080/
//   PORT=9000 node examples/router-subprotocols.js    on another port (0 picks a free one)
//
//   path        subprotocol     service
//   /text       upper-case      sends texts back in capital letters
//   /text       reverse         sends texts back from the last character to the first
//   /clock/N    any or none     sends the time every N milliseconds, N from 10 to 99999
//
// All else is refused with 404 by the router itself.

const http = require('http');
const { server: WebSocketServer, router: WebSocketRouter } = require('../'); // in your own project: require('websocket')
const { listen } = require('./listen');

const server = http.createServer((request, response) => {
  response.writeHead(404);
  response.end();
});

const wsServer = new WebSocketServer({ httpServer: server });
const router = new WebSocketRouter({ server: wsServer });

// A client may offer several subprotocols in the order of its preference: the first one with a handler is taken.
router.mount('/text', 'upper-case', (request) => answer(request, (text) => text.toUpperCase()));
router.mount('/text', 'reverse', (request) => answer(request, (text) => [...text].reverse().join('')));

function answer(request, change) {
  const connection = request.accept(request.origin); // the router has chosen request.protocol
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(change(message.utf8Data));
    else connection.close(1003, 'Only text, please.');
  });
}

// The path may be a regular expression. Protocol '*' takes every subprotocol, and a missing one is mounted as ''.
router.mount(/^\/clock\/[1-9]\d{1,4}$/, '*', clock);
router.mount(/^\/clock\/[1-9]\d{1,4}$/, '', clock);

function clock(request) {
  const interval = Number(request.resourceURL.pathname.split('/')[2]);
  const connection = request.accept(request.origin);
  const timer = setInterval(() => {
    // Who does not read misses a tick instead of piling them up here.
    if (!connection.outputBufferFull) connection.sendUTF(new Date().toISOString());
  }, interval);
  connection.on('close', () => clearInterval(timer));
}

listen(server, {}, (authority) => console.log(`Router on ws://${authority}/`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    wsServer.shutDown();
    server.close();
  });
}
