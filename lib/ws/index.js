'use strict';

// The interface of ws 8 on the connections of this package; docs/ws.md says what differs.

const { PerMessageDeflate } = require('./deflate');
const { extension, subprotocol } = require('./header-fields');
const { Receiver } = require('./receiver');
const { Sender } = require('./sender');
const { WebSocketServer } = require('./server');
const { createWebSocketStream } = require('./stream');
const { WebSocket } = require('./websocket');

module.exports = Object.assign(WebSocket, {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  Server: WebSocketServer,
  subprotocol,
  WebSocket,
  WebSocketServer,
});
