'use strict';

// A peer that never closes its end would keep a socket alive for ever.

const { Duplex } = require('stream');

/**
 * Destroys a socket that is still open `ms` milliseconds after our end of it was closed. What it still sends is
 * thrown away. Objects that are no streams are left alone.
 */
function destroyAfter(socket, ms) {
  if (!(socket instanceof Duplex) || socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), ms);
  // The socket keeps the process alive if it is meant to.
  if (typeof timer.unref === 'function') timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

module.exports = { destroyAfter };
