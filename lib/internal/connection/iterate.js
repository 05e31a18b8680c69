'use strict';

// `for await (const message of connection)`: messages at the program's own pace. When more of them wait than it keeps up
// with, the connection is paused, and so, sooner or later, is the peer.

/** Messages, or bytes of them, that may wait before the connection is paused. */
const MAX_MESSAGES = 64;
const MAX_BYTES = 1 << 20;

function sizeOf(message) {
  return message.type === 'utf8' ? message.utf8Data.length : message.binaryData.length;
}

class MessageIterator {
  constructor(connection) {
    this._connection = connection;
    this._messages = [];
    this._bytes = 0;
    /** Resolvers and rejecters of calls of next() that have got nothing yet. */
    this._waiting = [];
    this._paused = false;
    this._over = false;
    this._error = null;
    this._listeners = {
      message: (message) => this._onMessage(message),
      error: (error) => { this._error = error; },
      close: () => this._end(),
    };
    for (const [event, listener] of Object.entries(this._listeners)) connection.on(event, listener);
    if (connection.closeEventEmitted) this._end();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** The next message. Done when the connection is closed; rejected once if its socket has failed. */
  next() {
    if (this._messages.length > 0) {
      const message = this._messages.shift();
      this._bytes -= sizeOf(message);
      if (this._messages.length === 0) this._resume();
      return Promise.resolve({ value: message, done: false });
    }
    if (!this._over) return new Promise((resolve, reject) => this._waiting.push({ resolve, reject }));
    const error = this._error;
    this._error = null;
    return error === null ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }

  /** Ends the loop early. The connection stays open, and goes on receiving for its listeners. */
  return(value) {
    this._messages = [];
    this._bytes = 0;
    this._error = null;
    this._end();
    this._resume();
    return Promise.resolve({ value, done: true });
  }

  _onMessage(message) {
    if (this._waiting.length > 0) {
      this._waiting.shift().resolve({ value: message, done: false });
      return;
    }
    this._messages.push(message);
    this._bytes += sizeOf(message);
    if ((this._messages.length >= MAX_MESSAGES || this._bytes >= MAX_BYTES) && !this._paused &&
        !this._connection.inputPaused) {
      this._paused = true;
      this._connection.pause();
    }
  }

  _resume() {
    if (!this._paused) return;
    this._paused = false;
    this._connection.resume();
  }

  _end() {
    if (this._over) return;
    this._over = true;
    for (const [event, listener] of Object.entries(this._listeners)) this._connection.removeListener(event, listener);
    for (const { resolve, reject } of this._waiting.splice(0)) {
      const error = this._error;
      this._error = null;
      if (error === null) resolve({ value: undefined, done: true });
      else reject(error);
    }
  }
}

/** Methods of WebSocketConnection. */
const methods = {
  /** Iterates over the messages that come from now on. */
  [Symbol.asyncIterator]() {
    return new MessageIterator(this);
  },
};

module.exports = { methods };
