'use strict';

// How a socket that the addon reads and writes becomes Node's again, because the program starts to use its bytes.
//
// Sending changes hands at once: what waits is written by Node's socket, and everything after it. Reading changes hands when
// everything that the addon has read was delivered, which the addon says with an event of its own behind all others. Until
// then nobody reads, so no byte is lost or comes out of order.

const binding = require('../addon/binding');
const { throwLater } = require('../base/arguments');
const { BoundFunction } = require('../base/context');
const { scheduleDelivery } = require('../connection/delivery');
const { StreamReceiver } = require('./stream-receiver');
const { PLACE_MASK, connections } = require('./connections-by-id');
const { DRAIN, tellWhenWritten, endCallbacks } = require('./send-callbacks');
const { kTls } = require('../tls/session');
const { isSecure, becomePlaintext, unwrap } = require('../tls/secure-socket');
const { openHandle, countBefore } = require('./closed-handle');
const { writeWithCallback } = require('./write-callbacks');
const { becomeOrdinary, readAgain, changeAliveFor } = require('./taken-over-socket');

const NO_BYTES = Buffer.alloc(0);

/** Has Node write the socket of a connection from now on, and read it when `stopped` is called. */
function giveBack(connection) {
  const { socket, _nativeId: id } = connection;
  if (isSecure(socket)) {
    // Nobody but the addon can write it.
    becomePlaintext(socket);
    binding.nativeStop(id, true);
    connection._earlyChunks = [];
    connection._becomeStream();
    return;
  }
  if (openHandle(socket) === null) {
    socket.destroy(Object.assign(new Error('dup EMFILE'), { code: 'EMFILE', syscall: 'dup' }));
    return;
  }
  if (!becomeOrdinary(socket)) return;
  // Nothing can be written to a stream that has ended: what waits is written by the addon.
  const keepsWriting = socket.writableEnded;
  const unsent = binding.nativeStop(id, keepsWriting);
  if (keepsWriting) {
    connection._earlyChunks = [];
    connection._becomeStream();
    return;
  }
  const callbacks = connection._sendCallbacks;
  connection._sendCallbacks = null;
  // Before anything that waits in the transport.
  if (unsent !== null && unsent.length > 0) socket.write(unsent);
  if (callbacks !== null) {
    writeWithCallback(connection, NO_BYTES, (error) => {
      for (const callback of callbacks) if (callback !== DRAIN) callAlone(callback, error);
      // Unless so much waits that the socket says so itself.
      if (!error && callbacks.includes(DRAIN) && !socket.writableNeedDrain) socket.emit('drain');
    });
  }
  connection._earlyChunks = [];
  connection._becomeStream();
}

/** Calls one of several callbacks: what it throws does not keep the others from being called. */
function callAlone(callback, error) {
  try {
    callback.call(error);
  } catch (thrown) {
    throwLater(thrown);
  }
}

/** Everything that the addon has read was delivered: Node reads from now on. */
function stopped(connection) {
  if (connection._earlyChunks === null) return;
  if (isSecure(connection.socket)) {
    receivePlaintext(connection);
    return;
  }
  // Those who wait for what the addon still writes are told first.
  if (binding.nativeFlushOne(connection._nativeId) > 0 || connection._sendCallbacks !== null) {
    tellWhenWritten(connection, new BoundFunction(() => stopped(connection)));
    return;
  }
  const chunks = connection._earlyChunks;
  const left = forget(connection, binding.nativeRelease);
  if (left === null) {
    scheduleDelivery(connection);
    return;
  }
  if (left.unread.length > 0) chunks.unshift(left.unread);
  connection._receiveAsStream(StreamReceiver.from(left.receiver), chunks);
  if (!connection.socket.destroyed) readAgain(connection.socket);
  // What was received, and the end of the socket if that has waited for it.
  scheduleDelivery(connection);
}

/** The same for a connection with TLS, whose plaintext the addon passes on. */
function receivePlaintext(connection) {
  const { socket, _earlyChunks: chunks } = connection;
  const left = unwrap(socket);
  connection._nativeId = null;
  connection._earlyChunks = null;
  if (left === null) {
    scheduleDelivery(connection);
    return;
  }
  if (left.unread.length > 0) chunks.unshift(left.unread);
  connection._receiveAsStream(StreamReceiver.from(left.receiver), chunks);
  // As the handle of a socket begins to read.
  socket.read(0);
  scheduleDelivery(connection);
}

/** The connection has ended before everything was delivered. */
function abandon(connection) {
  if (connection._earlyChunks === null) return;
  if (connection.socket[kTls]) {
    // Its socket has let go of it, with all that waited.
    connection._earlyChunks = null;
    connection._nativeId = null;
    return;
  }
  endCallbacks(connection, binding.nativeFlushOne(connection._nativeId));
  forget(connection, binding.nativeRemove);
}

/** Forgets a stopped connection, of which `release` has the addon let go. */
function forget(connection, release) {
  const id = connection._nativeId;
  connections[id & PLACE_MASK] = undefined;
  connection._nativeId = null;
  connection._earlyChunks = null;
  const { socket } = connection;
  changeAliveFor(socket, -1);
  const counters = binding.nativeCounters(id);
  if (counters !== null && socket._handle) countBefore(socket, counters[1], counters[2]);
  return release(id);
}

module.exports = { giveBack, stopped, abandon };
