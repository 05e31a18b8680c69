'use strict';

const { setImmediate } = require('../time/immediate');

/**
 * Asks again and again whether the engine is there. A connection that swallows bytes, and a server that has stopped without
 * closing its sockets, can be seen in no other way.
 */
class Heartbeat {
  #interval;
  #send;
  #missed;
  #timer = null;
  #due = 0;
  /** The number of the last beat, and of the last that has come back. */
  #sent = 0;
  #seen = 0;
  #sentAt = 0;

  /**
   * @param {number} interval milliseconds
   * @param {object} options
   * @param {(number: number) => boolean} options.send false if nothing can be sent now
   * @param {() => void} options.missed a beat has not come back within about one interval
   */
  constructor(interval, { send, missed }) {
    this.#interval = interval;
    this.#send = send;
    this.#missed = missed;
  }

  start() {
    this.#due = performance.now() + this.#interval;
    this.#timer = setInterval(() => this.#tick(), this.#interval);
    this.#timer.unref();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Sends one now. Those that were sent before do not count any more. */
  beat() {
    this.#seen = this.#sent;
    if (!this.#send(this.#sent + 1)) return;
    this.#sent += 1;
    this.#sentAt = performance.now();
  }

  /** @returns {boolean} whether it is the last one that was sent */
  cameBack(number) {
    if (number !== this.#sent) return false;
    this.#seen = number;
    return true;
  }

  #tick() {
    const now = performance.now();
    const isLate = now - this.#due > this.#interval / 2;
    this.#due = now + this.#interval;
    if (this.#sent === this.#seen) {
      this.beat();
      return;
    }
    // A beat that was sent since the last tick has more time; and if this process was blocked, the answer may be there and
    // was not read yet.
    if (isLate || now - this.#sentAt < this.#interval * 0.9) return;
    const number = this.#sent;
    // First what has arrived is read.
    setImmediate(() => {
      if (this.#seen >= number || this.#timer === null) return;
      this.#missed();
      this.beat();
    });
  }
}

module.exports = Heartbeat;
