'use strict';

// What a connection has received and its program has not seen yet: the JavaScript end of the Rust receiver.

const binding = require('./binding');
const { ROW, eventValue } = require('./events');

// Memory lent to the binding for the length of a call. One chunk of a socket is 64 KiB at most.
const slab = Buffer.allocUnsafeSlow(64 * 1024);
const rows = new Uint32Array(ROW * 1024);
const rowBytes = Buffer.from(rows.buffer);
const values = [];

// Frees the receiver of a connection that was forgotten without being closed.
const forgotten = new FinalizationRegistry((id) => binding.releaseReceiver(id));

/** A queue of received events in order of arrival, fed with chunks of bytes. */
class Inbox {
  /**
   * @param {number} maskPolicy one of MASK_POLICY in ./events
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
      for (let i = 1; i <= count; i++) this.add(rows[ROW * i + 1], eventValue(rows, ROW * i, values, slab));
      // Hold on to nothing: the entries have what is theirs.
      if (values.length > 0) values.length = 0;
    }
  }

  /** Queues an event. */
  add(kind, value) {
    this._entries.push(kind, value);
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

module.exports = { Inbox };
