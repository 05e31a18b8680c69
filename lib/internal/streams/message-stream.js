'use strict';

// A Duplex whose chunks are messages. It knows no connection: an endpoint moves the messages. So it can be put on anything that
// sends and receives them.

const { Duplex } = require('stream');
const { abortError, onAbort } = require('../base/abort-signal');
const { asBuffer } = require('../base/arguments');
const { websocketError } = require('../base/errors');

/**
 * What a MessageStream needs.
 * @typedef {object} Endpoint
 * @property {(handlers: Handlers) => () => void} subscribe tells the handlers of all that comes from now on, in later ticks; returns
 *   a function that ends this
 * @property {() => void} pause no message follows until `resume()`
 * @property {() => void} resume
 * @property {(data: string|Buffer, cb: (error?: Error) => void) => void} send sends text or bytes as one message; calls `cb` as
 *   soon as the next may follow, or with an Error if this one cannot be sent
 * @property {(cb: (error?: Error) => void) => void} close ends the connection in an orderly way, behind all that was sent; calls
 *   `cb` when nothing waits to be sent any more
 * @property {(error: Error|null) => void} drop ends the connection at once; does nothing when it is over
 *
 * @typedef {object} Handlers
 * @property {(data: string|Buffer) => void} message
 * @property {(error: Error|null) => void} end no message follows; an Error if some may be missing
 */

class MessageStream extends Duplex {
  /**
   * @param {Endpoint} endpoint
   * @param {import('stream').DuplexOptions} [options] with `objectMode` (or one for each direction) texts are read as strings
   */
  constructor(endpoint, { signal, ...options } = {}) {
    // A connection that has ended in one direction has ended in both.
    super({ allowHalfOpen: false, ...options });
    this._endpoint = endpoint;
    /** Whether the endpoint is paused until somebody reads. */
    this._waitsForReader = false;
    this._forgetSignal = null;
    this._unsubscribe = endpoint.subscribe({
      message: (data) => this._onMessage(data),
      end: (error) => this._onEnd(error),
    });
    if (!signal) return;
    if (signal.aborted) this.destroy(abortError(signal));
    else this._forgetSignal = onAbort(signal, () => this.destroy(abortError(signal)));
  }

  _onMessage(data) {
    const chunk = typeof data === 'string' && !this.readableObjectMode ? Buffer.from(data) : data;
    if (this.push(chunk)) return;
    this._waitsForReader = true;
    this._endpoint.pause();
  }

  _onEnd(error) {
    if (error !== null) {
      // Who has sent everything and has never read misses nothing, and may have stopped to listen for errors.
      this.destroy(this.writableFinished && this.readableFlowing === null ? null : error);
      return;
    }
    this.push(null);
    // Where nobody reads and nothing waits to be read, this is the end; the other direction ends with it.
    this.read(0);
  }

  _read() {
    if (!this._waitsForReader) return;
    this._waitsForReader = false;
    this._endpoint.resume();
  }

  _write(chunk, encoding, cb) {
    const data = typeof chunk === 'string' ? chunk : asBuffer(chunk);
    if (data !== null) this._endpoint.send(data, cb);
    else cb(websocketError('ERR_WEBSOCKET_DATA', `A stream of messages takes strings and bytes, not ${typeof chunk}.`, {}, TypeError));
  }

  _final(cb) {
    this._endpoint.close(cb);
  }

  _destroy(error, cb) {
    this._unsubscribe();
    if (this._forgetSignal !== null) this._forgetSignal();
    this._endpoint.drop(error);
    cb(error);
  }
}

module.exports = { MessageStream };
