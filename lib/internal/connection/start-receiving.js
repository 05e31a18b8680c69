'use strict';

const { Duplex } = require('stream');

/**
 * Has a connection begin to receive, first of all what came in one segment with the HTTP message of its handshake. The
 * events come in a later tick, so that there is time to add listeners.
 * @param {WebSocketConnection} connection
 * @param {Buffer} [head]
 */
function startReceiving(connection, head) {
  const { socket } = connection;
  const early = Boolean(head) && head.length > 0;
  // A stream that flows passes on at once what it is given back, when nobody listens for the connection yet.
  const takesBack = socket instanceof Duplex && !(socket.readableFlowing && socket.listenerCount('data') > 0);
  if (early && takesBack) socket.unshift(head);
  connection._addSocketEventListeners();
  if (early && !takesBack) connection.handleSocketData(head);
}

module.exports = { startReceiving };
