'use strict';

// WebSockets beside an Express application on one port. What is posted to /publish reaches all subscribers:
//
//   node examples/express.js               on http://127.0.0.1:8080/
//   PORT=9000 node examples/express.js     on another port (0 picks a free one)
//
//   curl -H 'Content-Type: application/json' -d '{"text":"Hello"}' http://127.0.0.1:8080/publish

const http = require('http');
const express = require('express'); // npm install express
const { server: WebSocketServer } = require('../'); // in your own project: require('websocket')
const { listen } = require('./listen');

const app = express();
app.disable('x-powered-by');

app.get('/', (request, response) => {
  response.json({ subscribers: wsServer.connections.length });
});

// JSON only: that is what another site's page cannot post here behind its reader's back.
app.post('/publish', express.json({ limit: '10kb' }), (request, response) => {
  const text = request.body?.text;
  if (typeof text !== 'string') {
    response.status(400).json({ error: 'Post {"text": "…"} as application/json.' });
    return;
  }
  wsServer.broadcastUTF(JSON.stringify({ text }));
  response.json({ delivered: wsServer.connections.length });
});

// Express is a function for the 'request' event of an http.Server; the WebSocket server takes the 'upgrade' event of the
// same one. So the server is made here instead of by app.listen().
const server = http.createServer(app);
const wsServer = new WebSocketServer({ httpServer: server });

wsServer.on('request', (request) => {
  if (request.resourceURL.pathname !== '/events') {
    request.reject(404, 'Subscribe at /events.');
    return;
  }
  request.accept(null, request.origin);
});

listen(server, {}, (authority) => {
  console.log(`Express on http://${authority}/, events on ws://${authority}/events`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    wsServer.shutDown();
    server.close();
    server.closeIdleConnections();
  });
}
