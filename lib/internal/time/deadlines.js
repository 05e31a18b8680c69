'use strict';

// Deadlines of many objects behind one timer. Entries of equal duration fall due in the order in which they were started,
// so a list is always sorted, and starting, restarting and removing one costs no more than a few assignments.

const { outsideOfContexts } = require('../base/context');
const { setImmediate } = require('./immediate');

/** The longest delay a timer of Node can have. */
const MAX_DELAY = 0x7fffffff;

/** How a timer of Node starts anew; those of test libraries may have a method of that name that does nothing. */
const probe = setTimeout(() => {}, 1);
clearTimeout(probe);
const { refresh: refreshTimer } = probe;

/** Milliseconds by which a timer is late when the loop has stood still. */
const LATE = 20;

/** How long the loop gets to catch up then: at least some turns, at most some time and many turns. */
const CATCH_UP = { leastTurns: 3, mostTurns: 50, mostTime: 100 };

/** Lists with entries, by whether they keep the process alive and by duration. */
const lists = { ref: new Map(), unref: new Map() };

/** Both an entry and the fixed point of a ring of entries. */
class Link {
  constructor() {
    this.previous = this;
    this.next = this;
  }

  get isAlone() {
    return this.next === this;
  }

  unlink() {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }

  linkBefore(other) {
    this.previous = other.previous;
    this.next = other;
    other.previous.next = this;
    other.previous = this;
  }
}

/** One deadline. It can be started again, also after it has passed. */
class Deadline extends Link {
  constructor(object, callback) {
    super();
    this.object = object;
    this.callback = callback;
    /** When it passes, by `performance.now()`. */
    this.at = 0;
  }

  /** Whether it is still to come. */
  get isPending() {
    return !this.isAlone;
  }
}

class DeadlineList {
  constructor(ms, unref) {
    this._ms = Math.max(1, ms);
    this._unref = unref;
    this._ring = new Link();
    this._timer = null;
    /** When the timer fires, and what it was set to. */
    this._timerAt = 0;
    this._delay = 0;
    this._isCatchingUp = false;
  }

  /**
   * Starts a deadline for an object.
   * @template T
   * @param {T} object
   * @param {(object: T) => void} callback called once the duration has passed, outside of all async contexts
   * @returns {Deadline} for `refresh()` and `remove()`
   */
  add(object, callback) {
    const entry = new Deadline(object, callback);
    this.refresh(entry);
    return entry;
  }

  /**
   * Starts a deadline of this list anew, whether it is pending, has passed or was removed.
   * @param {Deadline} entry
   * @param {number} [now] the present, by `performance.now()`, if the caller knows it
   */
  refresh(entry, now = performance.now()) {
    if (entry.isPending) entry.unlink();
    const isFirst = this._ring.isAlone;
    entry.at = now + this._ms;
    entry.linkBefore(this._ring);
    // Later entries need no timer of their own; that of an earlier time finds out when it fires. The timer of a single entry
    // is always exact, which tests with simulated timers rely on.
    if (isFirst) this._arm(this._ms);
  }

  /** Forgets a deadline; nothing happens if it has passed or was removed before. */
  remove(entry) {
    if (!entry.isPending) return;
    entry.unlink();
    if (this._ring.isAlone) this._disarm();
  }

  _arm(delay) {
    const capped = Math.min(Math.max(1, Math.ceil(delay)), MAX_DELAY);
    this._timerAt = performance.now() + capped;
    if (this._timer !== null && this._delay === capped && this._timer.refresh === refreshTimer) {
      this._timer.refresh();
      return;
    }
    if (this._timer !== null) clearTimeout(this._timer);
    else this._namesakes().set(this._ms, this);
    this._delay = capped;
    this._timer = outsideOfContexts(() => setTimeout(() => this._fire(), capped));
    if (this._unref && typeof this._timer.unref === 'function') this._timer.unref();
  }

  _disarm() {
    if (this._timer !== null) clearTimeout(this._timer);
    this._timer = null;
    const all = this._namesakes();
    if (all.get(this._ms) === this) all.delete(this._ms);
  }

  _namesakes() {
    return lists[this._unref ? 'unref' : 'ref'];
  }

  _fire() {
    this._timer = null;
    const late = performance.now() - this._timerAt;
    if (late > LATE) this._catchUp(late);
    else this._pass();
  }

  /**
   * The loop has stood still. What would have put the deadlines off may have come meanwhile and wait in the kernel: it is read
   * before they pass.
   */
  _catchUp(late) {
    if (this._isCatchingUp) return;
    this._isCatchingUp = true;
    const end = performance.now() + Math.min(late, CATCH_UP.mostTime);
    let turns = 0;
    const turn = () => {
      turns++;
      if (turns < CATCH_UP.leastTurns || (turns < CATCH_UP.mostTurns && performance.now() < end)) {
        setImmediate(turn);
        return;
      }
      this._isCatchingUp = false;
      this._pass();
    };
    setImmediate(turn);
  }

  /** Calls back for all entries that are due. */
  _pass() {
    // A timer may come a little early, and a simulated one comes long before its time: it is right all the same.
    const now = Math.max(performance.now(), this._timerAt);
    const passed = new Link();
    for (let entry = this._ring.next; entry !== this._ring && entry.at <= now; entry = this._ring.next) {
      entry.unlink();
      entry.linkBefore(passed);
    }
    try {
      while (!passed.isAlone) {
        const entry = passed.next;
        entry.unlink();
        entry.callback(entry.object);
      }
    } finally {
      // When a callback has thrown: the others still have their turn.
      while (!passed.isAlone) {
        const entry = passed.previous;
        entry.unlink();
        entry.linkBefore(this._ring.next);
      }
      if (this._ring.isAlone) this._disarm();
      else this._arm(this._ring.next.at - performance.now());
    }
  }
}

/**
 * The list of all deadlines of one duration.
 * @param {number} ms at least 1 is taken
 * @param {object} [options]
 * @param {boolean} [options.unref=false] whether the deadlines let the process end before they pass
 * @returns {DeadlineList}
 */
function deadlinesOf(ms, { unref = false } = {}) {
  return lists[unref ? 'unref' : 'ref'].get(Math.max(1, ms)) || new DeadlineList(ms, unref);
}

module.exports = { deadlinesOf };
