'use strict';

// connection.stream(): the messages of a WebSocketConnection as a Duplex.

const { isAbortSignal } = require('../base/abort-signal');
const { optionError, websocketError } = require('../base/errors');
const { shown } = require('../options/kinds');
const { MessageStream } = require('./message-stream');

/** Codes of a close after which nothing is missing: the peer has sent what it wanted to send. */
const COMPLETE = new Set([1000, 1005]);

function closeError({ remoteAddress, closeReasonCode: closeCode, closeDescription: closeReason }, cause) {
  return websocketError('ERR_WEBSOCKET_STREAM_CLOSED', `The connection to ${remoteAddress} was closed with ${closeCode} ` +
    `(${closeReason}): messages may be missing.`, { closeCode, closeReason, ...(cause && { cause }) });
}

/** Calls `cb` once, at the first call of what it returns. */
function once(cb) {
  let called = false;
  return (error) => {
    if (called) return;
    called = true;
    cb(error);
  };
}

/** A connection as the endpoint of a MessageStream. */
class ConnectionEndpoint {
  constructor(connection) {
    this._connection = connection;
    this._onMessage = null;
  }

  subscribe(handlers) {
    const connection = this._connection;
    this._onMessage = ({ type, utf8Data, binaryData }) => handlers.message(type === 'utf8' ? utf8Data : binaryData);
    let failure = null;
    const listeners = {
      message: this._onMessage,
      error: (error) => { failure = error; },
      close: () => {
        const complete = connection._closedCleanly && COMPLETE.has(connection.closeReasonCode);
        handlers.end(complete ? null : closeError(connection, failure));
      },
    };
    for (const [event, listener] of Object.entries(listeners)) connection.on(event, listener);
    if (connection.closeEventEmitted) process.nextTick(listeners.close);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) connection.removeListener(event, listener);
      if (connection._lateMessage === this._onMessage) connection._lateMessage = null;
    };
  }

  pause() {
    // Also when it has been paused before: somebody else may have resumed it since.
    if (!this._connection.inputPaused) this._connection.pause();
  }

  resume() {
    this._connection.resume();
  }

  send(data, cb) {
    const done = once(cb);
    const method = typeof data === 'string' ? 'sendUTF' : 'sendBytes';
    if (this._connection[method](data, done)) done();
  }

  close(cb) {
    const connection = this._connection;
    if (connection.closeEventEmitted) {
      cb();
      return;
    }
    const done = once(cb);
    connection.once('close', () => done());
    // RFC 6455 section 5.5.1: the peer may send what it has begun to send before it answers with its own Close frame.
    connection._lateMessage = this._onMessage;
    connection.close(1000, undefined, done);
  }

  drop(error) {
    const connection = this._connection;
    if (connection.closeEventEmitted) return;
    if (error && error.name !== 'AbortError') connection.drop(1011, 'The stream of this connection has failed.');
    else connection.drop(1001, 'The stream of this connection was destroyed.');
  }
}

const SIZES = ['highWaterMark', 'readableHighWaterMark', 'writableHighWaterMark'];
const MODES = ['objectMode', 'readableObjectMode', 'writableObjectMode'];

/** The options of stream() that Duplex knows as well, and `signal`. */
function readStreamOptions(given) {
  if (typeof given !== 'object' || given === null) throw optionError(`The options of a stream are an object, not ${shown(given)}.`);
  const options = {};
  for (const name of SIZES) {
    const value = given[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 0) {
      throw optionError(`The option ${name} must be an integer of at least 0, not ${shown(value)}.`);
    }
    options[name] = value;
  }
  for (const name of MODES) if (given[name] !== undefined) options[name] = Boolean(given[name]);
  const { signal } = given;
  if (signal === undefined || signal === null) return options;
  if (!isAbortSignal(signal)) throw optionError(`The option signal must be an AbortSignal, not ${String(signal)}.`);
  return { ...options, signal };
}

/** Methods of WebSocketConnection. */
const methods = {
  /**
   * The messages from now on, as a Duplex. Its end closes the connection, and the other way round.
   * @param {object} [options]
   * @param {boolean} [options.objectMode=false] texts are read as strings, and strings are sent as texts; also
   *   `readableObjectMode` and `writableObjectMode`
   * @param {number} [options.highWaterMark] bytes (or messages, in object mode) that may wait in each direction; also
   *   `readableHighWaterMark` and `writableHighWaterMark`
   * @param {AbortSignal} [options.signal] destroys the stream
   * @returns {Duplex}
   * @throws {Error} for options that mean nothing, and for a connection that does not assemble messages
   */
  stream(options = {}) {
    const read = readStreamOptions(options);
    if (!this.assembleFragments) {
      throw optionError('stream() needs the option assembleFragments: without it, messages of several frames are not put together.');
    }
    return new MessageStream(new ConnectionEndpoint(this), read);
  },
};

module.exports = { methods };
