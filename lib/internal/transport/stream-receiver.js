'use strict';

// Chunks of any JavaScript stream to events: the JavaScript end of a receiver of the Rust core.
//
// What takes long to inflate goes to a thread of libuv's pool, with the receiver; chunks that come in the meantime wait.

const binding = require('../addon/binding');
const { ROW, eventValue } = require('../addon/rows');

// Memory lent to the binding for the length of a call. One chunk of a socket is 64 KiB at most.
const slab = Buffer.allocUnsafeSlow(64 * 1024);
const rows = new Uint32Array(ROW * 1024);
const rowBytes = Buffer.from(rows.buffer);
const values = [];
const NO_BYTES = Buffer.alloc(0);

// What the binding says is left of a chunk.
const NOTHING_LEFT = 0;
const LEFT_IS_HEAVY = 2;

/**
 * With more events than this waiting, chunks wait as they came: small frames take a hundred times their size as events.
 * Node runs ticks, and so delivers, after each chunk; Deno reads up to 32 before it does.
 */
const MOST_WAITING = 16 * 1024;

// Frees the receiver of a connection that was forgotten without being closed.
const forgotten = new FinalizationRegistry((id) => binding.releaseReceiver(id));

class StreamReceiver {
  /**
   * @param {number} maskPolicy one of MASK_POLICY in ../addon/rows
   * @param {object} config
   * @param {number} config.maxFrameSize bytes; NaN is no limit
   * @param {number} config.maxMessageSize bytes; NaN is no limit
   * @param {boolean} config.assemble whether frames are put together to messages
   * @param {number} config.inflation one of INFLATION in ../addon/rows
   * @param {number[]|null} [limits] the most fragments of a message, messages and bytes a second
   */
  constructor(maskPolicy, { maxFrameSize, maxMessageSize, assemble, inflation }, limits = null) {
    this._adopt(binding.createReceiver(maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation));
    if (limits !== null) binding.limitReceiver(this._id, ...limits);
  }

  /** A receiver that exists already, in the middle of a message perhaps. */
  static from(id) {
    const receiver = Object.create(StreamReceiver.prototype);
    receiver._adopt(id);
    return receiver;
  }

  _adopt(id) {
    this._id = id;
    // Those of a receiver that is released or busy.
    this._counters = null;
    // What is being inflated on another thread.
    this._job = null;
    /** Called when it is not any more; all events are in their inbox then. */
    this.whenDone = () => {};
    // Chunks that wait.
    this._held = [];
    forgotten.register(this, id, this);
  }

  /** Changes limits and mode; they hold from the next frame on. */
  configure({ maxFrameSize, maxMessageSize, assemble }) {
    this.settle();
    if (this._id !== null) binding.configureReceiver(this._id, maxFrameSize, maxMessageSize, assemble);
  }

  /** Takes bytes in and adds the events they contain to `inbox`, now or when that is empty. */
  receive(chunk, inbox) {
    if (this.hasMore || inbox.length > MOST_WAITING) this._held.push(chunk);
    else this._parse(chunk, inbox);
  }

  /** Whether something is under way that takes long; nothing should be read until `whenDone` is called. */
  get isBusy() {
    return this._job !== null;
  }

  /** Whether there may be events that are not in the inbox yet. */
  get hasMore() {
    return this._job !== null || this._held.length > 0;
  }

  /** Goes on with what was held back, up to the next event; for an empty inbox. */
  receiveHeld(inbox) {
    while (this._held.length > 0 && inbox.length === 0 && !this.isBusy) this._parse(this._held.shift(), inbox);
  }

  /** Waits for what is under way. */
  settle() {
    if (this._job === null) return;
    const { inbox } = this._job;
    this._job = null;
    binding.finishInflation(this._id);
    this._take(NO_BYTES, inbox);
    this.whenDone();
  }

  _parse(chunk, inbox) {
    if (this._id === null) return;
    const left = this._take(chunk, inbox);
    if (left.length > 0) this._inflate(left, inbox);
  }

  /** Receives, and returns what takes long to inflate. */
  _take(chunk, inbox) {
    let offset = 0;
    let left;
    do {
      const count = binding.receive(this._id, chunk, offset, slab, rowBytes, values);
      offset = rows[0];
      left = rows[1];
      for (let i = 1; i <= count; i++) inbox.push(rows[ROW * i + 1], eventValue(rows, ROW * i, values, slab));
      // Hold on to nothing: the events have what is theirs.
      if (values.length > 0) values.length = 0;
      if (left === LEFT_IS_HEAVY) return chunk.subarray(offset);
    } while (left !== NOTHING_LEFT || offset < chunk.length);
    return NO_BYTES;
  }

  _inflate(rest, inbox) {
    const job = { inbox };
    this._counters = binding.receiverCounters(this._id);
    this._job = job;
    binding.startInflation(this._id, rest).then(() => { if (this._job === job) this.settle(); });
  }

  /** The number of frames received, and of payload bytes of compressed messages. */
  get counters() {
    return this._id === null || this.isBusy ? this._counters : binding.receiverCounters(this._id);
  }

  /** Frees the receiver; later chunks are ignored. */
  release() {
    if (this._id === null) return;
    forgotten.unregister(this);
    this._counters = this.counters;
    binding.releaseReceiver(this._id);
    this._id = null;
    this._held = [];
    if (this._job === null) return;
    this._job = null;
    this.whenDone();
  }
}

module.exports = { StreamReceiver };
