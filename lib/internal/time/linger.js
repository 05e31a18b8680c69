'use strict';

// A peer that never closes its end would keep a socket alive for ever.

const { Duplex } = require('stream');
const { deadlinesOf } = require('./deadlines');

function destroy(socket) {
  socket.destroy();
}

/**
 * Destroys a socket that is still open `ms` milliseconds after our end of it was closed. What it still sends is
 * thrown away. Objects that are no streams are left alone.
 */
function destroyAfter(socket, ms) {
  if (!(socket instanceof Duplex) || socket.destroyed) return;
  // The socket keeps the process alive if it is meant to.
  const list = deadlinesOf(ms, { unref: true });
  const entry = list.add(socket, destroy);
  socket.once('close', () => list.remove(entry));
}

module.exports = { destroyAfter };
