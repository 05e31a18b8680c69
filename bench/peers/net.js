'use strict';

// No WebSocket at all: what Node's sockets cost. Bytes go back as they come.

const net = require('net');
const { run } = require('./support/control');

run((_options, listening) => {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => {});
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => listening(server.address().port));
});
