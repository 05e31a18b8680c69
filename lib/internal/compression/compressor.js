'use strict';

// What compresses the messages of a connection: the JavaScript end of a compressor of the Rust core. It has to do with
// nobody but who sends, so it stays when a socket is taken over or given back.

const binding = require('../addon/binding');

/**
 * Milliseconds between two looks for contexts that are not used; after two of them without a message the memory of a
 * context is given back. The peer need not know: what is sent later just does not refer to what was sent before.
 */
const PERIOD = 5000;

/** Bytes from which the way to another thread pays: half a millisecond's work at level 1, and at others. */
const LARGE = 256 * 1024;
const LARGE_FOR_SLOW_LEVELS = 64 * 1024;

// Frees the compressor of a connection that was forgotten without being closed.
const forgotten = new FinalizationRegistry((id) => binding.releaseCompressor(id));

let timer = null;

/** Has contexts that are not used any more given back, as long as there are any. */
function watchContexts() {
  if (timer !== null) return;
  timer = setInterval(() => {
    if (binding.forgetIdleContexts() > 0) return;
    clearInterval(timer);
    timer = null;
  }, PERIOD);
  timer.unref();
}

class Compressor {
  /**
   * @param {object} settings
   * @param {number} settings.level from 0 to 9
   * @param {number} settings.threshold shorter messages, in bytes, are sent as they are
   * @param {number} windowBits the logarithm of the window's size
   * @param {boolean} contextTakeover whether messages refer to earlier ones
   */
  constructor({ level, threshold }, windowBits, contextTakeover) {
    this._id = binding.createCompressor(level, windowBits, contextTakeover, threshold);
    this._contextTakeover = contextTakeover;
    /** Messages of this many bytes are compressed on another thread; those below the threshold never are. */
    this.largeSize = Math.max(threshold, level > 1 ? LARGE_FOR_SLOW_LEVELS : LARGE);
    /** What all have in common whose output is the same; null when it depends on what was sent before. */
    this.group = contextTakeover ? null : `${level} ${windowBits} ${threshold}`;
    /** Bytes that were compressed for this connection by the compressor of another one. */
    this._others = 0;
    forgotten.register(this, this._id, this);
  }

  /** Payload bytes of compressed messages sent. */
  get bytesSent() {
    return binding.compressorBytes(this._id) + this._others;
  }

  /** Counts bytes that another one has compressed for this connection. */
  addBytes(count) {
    this._others += count;
  }

  /** The id, for those who know that it keeps nothing of a message. */
  get id() {
    return this._id;
  }

  /** The id, for a call that compresses. */
  use() {
    if (this._contextTakeover) watchContexts();
    return this._id;
  }

  /** Frees all that is held. It must not be used any more. */
  release() {
    forgotten.unregister(this);
    binding.releaseCompressor(this._id);
  }
}

module.exports = { Compressor };
