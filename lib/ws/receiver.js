'use strict';

// Frames to events, as a Writable: for programs that use the receiver of ws by itself. Connections do without it.

const { Writable } = require('stream');
const { Inbox } = require('../internal/connection/inbox');
const { KIND, INFLATION, MASK_POLICY, TEXT_FORM } = require('../internal/addon/rows');
const { StreamReceiver } = require('../internal/transport/stream-receiver');
const { DEFLATE, NO_BYTES } = require('./constants');
const { receiveError, closeFrameError } = require('./errors');
const { inForm } = require('./data');

class Receiver extends Writable {
  /**
   * @param {object} [options] `binaryType`, `extensions`, `isServer`, `maxFragments`, `maxPayload`, `skipUTF8Validation`
   */
  constructor({ binaryType = 'nodebuffer', extensions = {}, isServer, maxFragments, maxPayload, skipUTF8Validation } = {}) {
    super();
    this._binaryType = binaryType;
    this._inbox = new Inbox();
    const most = maxPayload > 0 ? maxPayload : Infinity;
    const config = {
      maxFrameSize: most,
      maxMessageSize: most,
      assemble: true,
      text: skipUTF8Validation ? TEXT_FORM.UNCHECKED_BYTES : TEXT_FORM.CHECKED_BYTES,
      inflation: extensions[DEFLATE] === undefined ? INFLATION.NONE : INFLATION.CONTEXT_TAKEOVER,
    };
    this._frames = new StreamReceiver(isServer ? MASK_POLICY.REQUIRED : MASK_POLICY.FORBIDDEN, config,
      maxFragments > 0 ? [maxFragments, Infinity, Infinity] : null);
    this._frames.whenReceived = () => this._goOn();
    this._done = null;
    this._concluded = false;
  }

  _write(chunk, encoding, callback) {
    if (this._concluded) {
      callback();
      return;
    }
    this._done = callback;
    this._frames.receive(chunk, this._inbox);
    this._goOn();
  }

  /** Emits what has come; when all of the chunk was looked at, the next one may come. */
  _goOn() {
    do {
      while (this._inbox.length > 0 && this._done !== null) this._tell(this._inbox.kind, this._inbox.shift());
      this._frames.receiveHeld(this._inbox);
    } while (this._inbox.length > 0 && this._done !== null);
    if (!this._frames.hasMore) this._finishWrite(null);
  }

  _finishWrite(error) {
    const done = this._done;
    this._done = null;
    if (done !== null) done(error);
  }

  _tell(kind, value) {
    switch (kind) {
      case KIND.TEXT_BYTES:
        this.emit('message', value, false);
        break;
      case KIND.BINARY:
        this.emit('message', inForm(value, this._binaryType), true);
        break;
      case KIND.PING:
        this.emit('ping', value);
        break;
      case KIND.PONG:
        this.emit('pong', value);
        break;
      case KIND.CLOSE:
        this._conclude(closeFrameError(value), value);
        break;
      default:
        this._conclude(receiveError(value));
    }
  }

  _conclude(failure, close = undefined) {
    this._concluded = true;
    if (failure !== null) {
      this._finishWrite(Object.assign(failure.error, { closeCode: failure.closeCode }));
      return;
    }
    this.emit('conclude', close.code, close.reason === '' ? NO_BYTES : Buffer.from(close.reason));
    this._finishWrite(null);
    this.end();
  }

  _destroy(error, callback) {
    this._frames.release();
    callback(error);
  }
}

module.exports = { Receiver };
