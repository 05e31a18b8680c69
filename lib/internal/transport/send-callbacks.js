'use strict';

// What has to be told when everything that was sent has been written: callbacks, and the `drain` that was promised. The addon
// says how many requests it answers; this is the list of them, in order.

const binding = require('../addon/binding');

/** In the list: the `drain` that was promised. */
const DRAIN = null;

/** Queues `entry`, a BoundFunction or `DRAIN`, to be called once everything sent so far has been written. */
function tellWhenWritten(connection, entry) {
  if (connection._sendCallbacks === null) connection._sendCallbacks = [];
  connection._sendCallbacks.push(entry);
  binding.nativeNotify(connection._nativeId);
}

/** Promises a `drain`, unless there is one to come. */
function promiseDrain(connection) {
  if (connection._needDrain) return;
  connection._needDrain = true;
  tellWhenWritten(connection, DRAIN);
}

function callBound(callback, error) {
  callback.call(error);
}

/** The connection has ended: tells all callbacks that are left, with an Error if bytes still waited to be written. */
function endCallbacks(connection, waiting) {
  const callbacks = connection._sendCallbacks;
  if (callbacks === null) return;
  connection._sendCallbacks = null;
  const error = waiting === 0 ? undefined : Object.assign(
    new Error(`The connection to ${connection.remoteAddress} has ended before everything was sent.`),
    { code: 'ERR_WEBSOCKET_CLOSED' });
  for (const callback of callbacks) if (callback !== DRAIN) process.nextTick(callBound, callback, error);
}

module.exports = { DRAIN, tellWhenWritten, promiseDrain, callBound, endCallbacks };
