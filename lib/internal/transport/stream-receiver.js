'use strict';

// Chunks of any JavaScript stream to events: the JavaScript end of a receiver of the Rust core.
//
// No more than a portion of events is made at a time; the rest of a chunk waits until the program has seen them. What takes
// long to inflate goes to a thread of libuv's pool, with the receiver.

const binding = require('../addon/binding');
const { LEFT, ROW, TEXT_FORM, eventValue } = require('../addon/rows');

// Memory lent to the binding for the length of a call. One chunk of a socket is 64 KiB at most.
const slab = Buffer.allocUnsafeSlow(64 * 1024);
const rows = new Uint32Array(ROW * (1 + 256));
const rowBytes = Buffer.from(rows.buffer);
const values = [];

/** With this many events waiting, the rest of a chunk waits as it came: small frames take a hundred times their size as events. */
const MOST_WAITING = 1024;

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
   * @param {number} [config.text] one of TEXT_FORM there
   * @param {number[]|null} [limits] the most fragments of a message, messages and bytes a second
   */
  constructor(maskPolicy, { maxFrameSize, maxMessageSize, assemble, inflation, text = TEXT_FORM.STRINGS }, limits = null) {
    this._adopt(binding.createReceiver(maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation, text));
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
    /** Called when it is not any more; its events are in their inbox then. */
    this.whenReceived = () => {};
    // Chunks that wait, each with the offset of what is left of it.
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
    if (this.hasMore) this.hold(chunk);
    else if (this._id !== null) this._parse({ chunk, offset: 0, isNew: true }, inbox);
  }

  /** Keeps bytes for `receiveHeld()`. */
  hold(chunk) {
    if (this._id !== null) this._held.push({ chunk, offset: 0, isNew: true });
  }

  /** Whether something was received of which the events are not in the inbox yet: nothing should be read until they are. */
  get hasMore() {
    return this._job !== null || this._held.length > 0;
  }

  /** Goes on with what was held back, up to the next event; for an empty inbox. */
  receiveHeld(inbox) {
    while (this._held.length > 0 && inbox.length === 0 && this._job === null) this._parse(this._held.shift(), inbox);
  }

  /** Waits for what is under way. */
  settle() {
    if (this._job === null) return;
    const { inbox } = this._job;
    this._job = null;
    const rest = binding.finishInflation(this._id);
    this._parse({ chunk: rest, offset: 0, isNew: false }, inbox);
    this.whenReceived();
  }

  /** Receives a piece, and holds what is left of it: as many events wait as may, or it takes long to inflate. */
  _parse(piece, inbox) {
    const { chunk } = piece;
    let left;
    do {
      const count = binding.receive(this._id, chunk, piece.offset, piece.isNew, slab, rowBytes, values);
      piece.isNew = false;
      piece.offset = rows[0];
      left = rows[1];
      for (let i = 1; i <= count; i++) inbox.push(rows[ROW * i + 1], eventValue(rows, ROW * i, values, slab));
      // Hold on to nothing: the events have what is theirs.
      if (values.length > 0) values.length = 0;
      if (left === LEFT.HEAVY) {
        // Another time, if it has brought events: one portion is enough.
        if (inbox.length > 0) this._held.unshift(piece);
        else this._inflate(chunk.subarray(piece.offset), inbox);
        return;
      }
    } while ((left !== LEFT.NOTHING || piece.offset < chunk.length) && inbox.length < MOST_WAITING);
    if (left !== LEFT.NOTHING || piece.offset < chunk.length) this._held.unshift(piece);
  }

  _inflate(rest, inbox) {
    const job = { inbox };
    this._counters = binding.receiverCounters(this._id);
    this._job = job;
    binding.startInflation(this._id, rest).then(() => { if (this._job === job) this.settle(); });
  }

  /** The number of frames received, and of payload bytes of compressed messages. */
  get counters() {
    return this._id === null || this._job !== null ? this._counters : binding.receiverCounters(this._id);
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
    this.whenReceived();
  }
}

module.exports = { StreamReceiver };
