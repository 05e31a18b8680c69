'use strict';

// The time that delivery may take before timers and other handles of the loop have theirs.

const { performance } = require('perf_hooks');

/** Milliseconds. */
const LENGTH = 4;

/** The most events between two looks at the clock, which cost as much as a small event. */
const MOST_UNTIMED = 64;

class Slice {
  constructor() {
    /** When it began, by performance.now(); 0 when there is none. */
    this.start = 0;
    this._done = 0;
    this._timedAt = 0;
  }

  begin() {
    this.start = performance.now();
    this._done = 0;
    this._timedAt = 1;
  }

  end() {
    this.start = 0;
  }

  /** Called before each event: whether that has to wait for another slice. Never before the first one. */
  isOver() {
    if (this._done++ < this._timedAt) return false;
    const passed = performance.now() - this.start;
    if (passed >= LENGTH) return true;
    const left = (LENGTH - passed) / (passed / this._done);
    // Events differ: look again when half of those have passed that would fit in.
    this._timedAt = this._done + Math.max(1, Math.min(MOST_UNTIMED, Math.floor(left / 2)));
    return false;
  }
}

module.exports = { Slice };
