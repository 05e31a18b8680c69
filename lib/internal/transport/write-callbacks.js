'use strict';

// The callbacks of what is written through Node's streams: in order, each by itself. When a socket is destroyed, Node calls those
// of what it had not begun to write before those of what was on its way; and what a callback throws keeps Node from calling the
// next.

const { Duplex } = require('stream');
const { throwLater } = require('../base/arguments');

/** Those of one connection: a list of `{ callback, next, isSettled, error }`, from the oldest on. */
class WriteCallbacks {
  constructor() {
    this._first = null;
    this._last = null;
  }

  /** A function for Node to call, in place of `callback`. */
  add(callback) {
    const entry = { callback, next: null, isSettled: false, error: undefined };
    if (this._first === null) this._first = entry;
    else this._last.next = entry;
    this._last = entry;
    return (error) => this._settle(entry, error);
  }

  _settle(entry, error) {
    if (entry.isSettled) return;
    // What comes before it was written before it, whatever has kept Node from saying so.
    if (!error) for (let one = this._first; one !== entry; one = one.next) one.isSettled = true;
    entry.isSettled = true;
    entry.error = error;
    while (this._first !== null && this._first.isSettled) {
      const { callback, error: reason, next } = this._first;
      this._first = next;
      try {
        callback(reason);
      } catch (thrown) {
        throwLater(thrown);
      }
    }
  }
}

/**
 * Writes to the socket of a connection; `callback` is called after those of everything written before.
 * @returns {boolean} what the socket returns
 */
function writeWithCallback(connection, bytes, callback) {
  const { socket } = connection;
  // What is no stream of Node's may never call back.
  if (!(socket instanceof Duplex)) return socket.write(bytes, callback);
  if (connection._writeCallbacks === null) connection._writeCallbacks = new WriteCallbacks();
  return socket.write(bytes, connection._writeCallbacks.add(callback));
}

module.exports = { writeWithCallback };
