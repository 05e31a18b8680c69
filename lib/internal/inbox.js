'use strict';

// What a connection has received and its program has not seen yet: the JavaScript end of the Rust receiver.

const binding = require('./binding');

/** Kinds of entries; the first seven are those of the binding. */
const KIND = { TEXT: 0, BINARY: 1, PING: 2, PONG: 3, CLOSE: 4, FAILED: 5, FRAME: 6, PROCESS_FRAME: 7 };

/** How the payload of a Close frame was, as the binding tells. */
const CLOSE_VALIDITY = { VALID: 0, INVALID_CODE: 1, INVALID_REASON: 2 };

/** Which frames have to be masked, as the binding counts. */
const MASK_POLICY = { FORBIDDEN: 0, REQUIRED: 1, EITHER: 2 };

const NO_OFFSET = 0xffffffff;

// Memory lent to the binding for the length of a call. One chunk of a socket is 64 KiB at most.
const slab = Buffer.allocUnsafeSlow(64 * 1024);
const rows = new Uint32Array(4 * 1024);
const rowBytes = Buffer.from(rows.buffer);
const values = [];

// Frees the receiver of a connection that was forgotten without being closed.
const forgotten = new FinalizationRegistry((id) => binding.releaseReceiver(id));

/** A queue of received events in order of arrival, fed with chunks of bytes. */
class Inbox {
  /**
   * @param {number} maskPolicy one of MASK_POLICY
   * @param {object} limits
   * @param {number} limits.maxFrameSize bytes; NaN is no limit
   * @param {number} limits.maxMessageSize bytes; NaN is no limit
   * @param {boolean} limits.assemble whether frames are put together to messages
   */
  constructor(maskPolicy, { maxFrameSize, maxMessageSize, assemble }) {
    this._maxFrameSize = maxFrameSize;
    this._maxMessageSize = maxMessageSize;
    this._id = binding.createReceiver(maskPolicy, maxFrameSize, maxMessageSize, assemble);
    forgotten.register(this, this._id, this);
    /** Whether a delivery is on its way. */
    this.scheduled = false;
    this._entries = [];
    this._next = 0;
  }

  /** The number of entries waiting. */
  get length() {
    return (this._entries.length - this._next) / 2;
  }

  /** Changes the limits, should the program have changed them. */
  setLimits(maxFrameSize, maxMessageSize) {
    if (Object.is(maxFrameSize, this._maxFrameSize) && Object.is(maxMessageSize, this._maxMessageSize)) return;
    this._maxFrameSize = maxFrameSize;
    this._maxMessageSize = maxMessageSize;
    if (this._id !== null) binding.setReceiverLimits(this._id, maxFrameSize, maxMessageSize);
  }

  /** Takes bytes in and queues what they contain. */
  push(chunk) {
    let offset = 0;
    while (offset < chunk.length && this._id !== null) {
      const count = binding.receive(this._id, chunk, offset, slab, rowBytes, values);
      offset = rows[0];
      for (let i = 0; i < count; i++) this._add(4 + 4 * i, values[i]);
      // Hold on to nothing: the entries have what is theirs.
      if (values.length > 0) values.length = 0;
    }
  }

  _add(row, value) {
    const kind = rows[row];
    switch (kind) {
      case KIND.TEXT:
        this._entries.push(kind, value);
        break;
      case KIND.BINARY:
      case KIND.PING:
      case KIND.PONG:
        this._entries.push(kind, payload(row, value));
        break;
      case KIND.FRAME: {
        const frame = { first: rows[row + 3] >> 8, masked: (rows[row + 3] & 0x80) !== 0, payload: payload(row, value) };
        this._entries.push(kind, frame);
        break;
      }
      case KIND.CLOSE:
        this._entries.push(kind, { code: rows[row + 1], validity: rows[row + 2], reason: value });
        break;
      default:
        this._entries.push(kind, { code: rows[row + 1], reason: value });
    }
  }

  /** The kind of the first entry. */
  get kind() {
    return this._entries[this._next];
  }

  /** Takes the first entry off the queue and returns its value. */
  shift() {
    const value = this._entries[this._next + 1];
    this._entries[this._next + 1] = undefined;
    this._next += 2;
    if (this._next === this._entries.length) {
      this._entries = [];
      this._next = 0;
    }
    return value;
  }

  /** Puts an entry in front of all others. */
  unshift(kind, value) {
    if (this._next === 0) {
      this._entries.unshift(kind, value);
    } else {
      this._next -= 2;
      this._entries[this._next] = kind;
      this._entries[this._next + 1] = value;
    }
  }

  /** Drops all entries and the receiver; later chunks are ignored. */
  release() {
    this._entries = [];
    this._next = 0;
    if (this._id === null) return;
    forgotten.unregister(this);
    binding.releaseReceiver(this._id);
    this._id = null;
  }
}

/** The payload of the event in `row`, as a Buffer that shares no memory with the slab. */
function payload(row, value) {
  const offset = rows[row + 1];
  if (offset === NO_OFFSET) return value;
  return Buffer.from(slab.subarray(offset, offset + rows[row + 2]));
}

module.exports = { Inbox, KIND, CLOSE_VALIDITY, MASK_POLICY };
