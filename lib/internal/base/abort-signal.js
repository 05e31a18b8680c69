'use strict';

// AbortSignals. However many sockets wait for one signal, it gets one listener: Node warns of a leak at more than ten.

const { websocketError } = require('./errors');

/** What to call for each signal, as long as anybody waits for it. */
const waiting = new WeakMap();

function isAbortSignal(value) {
  return typeof value === 'object' && value !== null &&
    typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function';
}

/** The error of an operation that an AbortSignal has ended, as Node makes it. */
function abortError(signal) {
  return websocketError('ABORT_ERR', 'The operation was aborted', { name: 'AbortError', cause: signal.reason });
}

/**
 * Calls `callback()` when `signal` is aborted. The callback must not throw.
 * @param {AbortSignal} signal one that is not aborted yet
 * @param {() => void} callback
 * @returns {() => void} to be called when nobody waits any more
 */
function onAbort(signal, callback) {
  let entry = waiting.get(signal);
  if (entry === undefined) {
    entry = { callbacks: new Set(), listener: null };
    const { callbacks } = entry;
    entry.listener = () => {
      waiting.delete(signal);
      for (const waits of callbacks) waits();
    };
    waiting.set(signal, entry);
    signal.addEventListener('abort', entry.listener, { once: true });
  }
  const { callbacks, listener } = entry;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || waiting.get(signal) !== entry) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

module.exports = { abortError, isAbortSignal, onAbort };
