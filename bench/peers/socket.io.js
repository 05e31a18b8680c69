'use strict';

// Socket.IO on ws, or on this package in its place.

const { Server } = require('socket.io');
const { run, httpServer, MAX_MESSAGE } = require('./support/control');

run((options, listening) => {
  const server = new Server(httpServer(options, listening), {
    serveClient: false,
    transports: ['websocket'],
    maxHttpBufferSize: MAX_MESSAGE,
    // The load generator answers no heartbeat; no run takes so long.
    pingInterval: 3_600_000,
    wsEngine: require(options.engine === 'websocket/ws' ? '../../ws' : options.engine).Server
  });
  server.on('connection', (socket) => {
    socket.on('m', (text) => socket.emit('m', text));
  });
});
