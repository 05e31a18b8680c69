'use strict';

// What is published on diagnostics_channel, for tools that watch a program without its help. Each is looked at before
// anything is made for it: without subscribers they cost nothing.

const { channel } = require('diagnostics_channel');

module.exports = {
  /** `{ connection }`: it can receive now. */
  open: channel('websocket:connection:open'),
  /** `{ connection, code, description }`: before the event `close`. */
  close: channel('websocket:connection:close'),
  /** `{ connection, error }`: its socket has failed; before the event `error`. */
  error: channel('websocket:connection:error'),
  /** `{ connection, message }`: before the event `message`. */
  message: channel('websocket:connection:message'),
  /** `{ connection, message }`: the program sends a message. */
  send: channel('websocket:connection:send'),
  /** `{ server, request, error }`: before the event `upgradeError`. */
  upgradeError: channel('websocket:server:upgradeError'),
  /** `{ server, connection, topic }`: before the events `subscribe` and `unsubscribe`. */
  subscribe: channel('websocket:server:subscribe'),
  unsubscribe: channel('websocket:server:unsubscribe'),
  /** `{ server, error }`, `{ server, downtime }`, `{ server, error, topic, stage }`: before the events of these names. */
  pubsubLost: channel('websocket:server:pubsubLost'),
  pubsubRestored: channel('websocket:server:pubsubRestored'),
  pubsubError: channel('websocket:server:pubsubError'),
  /** `{ client, error }`: before the event `connectFailed`. */
  connectFailed: channel('websocket:client:connectFailed'),
  /** Opening handshakes; see handshake/watched-handshakes. */
  serverHandshakeStart: channel('websocket:server:handshake:start'),
  serverHandshakeEnd: channel('websocket:server:handshake:end'),
  clientHandshakeStart: channel('websocket:client:handshake:start'),
  clientHandshakeEnd: channel('websocket:client:handshake:end'),
};
