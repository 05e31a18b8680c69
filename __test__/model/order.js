'use strict';

/**
 * Compares what was sent with what arrived. Everything arrives once, in order and unharmed; entries that are not `sure` may be
 * missing. What arrives may be noted before what was sent: two threads take notes.
 */
class Sequence {
  constructor() {
    /** What was sent: `{ digest, sure, arrived, label }`. */
    this.entries = [];
    this.arrivals = [];
    this._next = 0;
    this._compared = 0;
    this._blocked = false;
  }

  expect(entry) {
    entry.arrived = false;
    this.entries.push(entry);
    return entry;
  }

  arrive(digest) {
    this.arrivals.push(digest);
  }

  /** Compares as far as it is possible now. */
  compare() {
    while (!this._blocked && this._compared < this.arrivals.length) {
      const arrival = this.arrivals[this._compared];
      let at = this._next;
      while (at < this.entries.length && this.entries[at].digest !== arrival && !this.entries[at].sure) at++;
      if (at === this.entries.length) return;
      if (this.entries[at].digest !== arrival) {
        this._blocked = true;
        return;
      }
      this.entries[at].arrived = true;
      this._next = at + 1;
      this._compared++;
    }
  }

  /** Whether all that is sure to arrive has arrived, and nothing else. */
  get isComplete() {
    this.compare();
    return this._compared === this.arrivals.length && this._missing() === undefined;
  }

  /** Whether something has arrived that cannot be right, whatever comes later. */
  get isBroken() {
    this.compare();
    return this._blocked;
  }

  _missing() {
    for (let at = this._next; at < this.entries.length; at++) if (this.entries[at].sure) return this.entries[at];
    return undefined;
  }

  /**
   * What is wrong: `{ kind, text }`, or null. To be called when nothing arrives any more.
   * @param {boolean} whole whether all has to have arrived; otherwise the end may be missing
   */
  fault(whole) {
    this.compare();
    if (this._compared < this.arrivals.length) return this._mismatch();
    const missing = whole ? this._missing() : undefined;
    if (missing === undefined) return null;
    const count = this.entries.slice(this._next).filter((entry) => entry.sure).length;
    return { kind: 'lost', text: `${count} of ${this.entries.length} have not arrived, the first is ${describe(missing)}` };
  }

  _mismatch() {
    const arrival = this.arrivals[this._compared];
    const where = `number ${this._compared + 1} of ${this.arrivals.length} that arrived (${arrival})`;
    const earlier = this.entries.slice(0, this._next).find((entry) => entry.digest === arrival);
    const later = this.entries.slice(this._next).find((entry) => entry.digest === arrival);
    const expected = this._missing();
    const instead = expected === undefined ? '' : ` instead of ${describe(expected)}`;
    if (later !== undefined) {
      const laterComes = this.arrivals.includes(expected.digest, this._compared);
      return laterComes
        ? { kind: 'order', text: `${where} came${instead}, which came later` }
        : { kind: 'lost', text: `${where} came${instead}, which did not come` };
    }
    if (earlier !== undefined) return { kind: 'twice', text: `${where} came again${instead}` };
    return { kind: 'damaged', text: `${where} is nothing that was sent; it came${instead}` };
  }
}

function describe({ label, digest }) {
  return `${label} (${digest})`;
}

module.exports = { Sequence };
