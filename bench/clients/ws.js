'use strict';

const { drive } = require('./support/drive');
const WebSocket = require('ws');

drive((url, { open, message, end }) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('open', () => open((text) => socket.send(text), () => socket.close()));
  socket.on('message', (data) => message(data.toString()));
  socket.on('close', () => end());
  socket.on('error', end);
});
