'use strict';

/** What a connection has received and its program has not seen yet: events in order of arrival. */
class Inbox {
  constructor() {
    /** Whether a delivery is on its way. */
    this.scheduled = false;
    this._entries = [];
    this._next = 0;
  }

  /** The number of events that wait. */
  get length() {
    return (this._entries.length - this._next) / 2;
  }

  /** The kind of the first event. */
  get kind() {
    return this._entries[this._next];
  }

  /** Adds an event behind all others. */
  push(kind, value) {
    this._entries.push(kind, value);
  }

  /** Takes the first event off the queue and returns its value. */
  shift() {
    const value = this._entries[this._next + 1];
    this._entries[this._next + 1] = undefined;
    this._next += 2;
    if (this._next === this._entries.length) this.clear();
    return value;
  }

  /** Puts an event in front of all others. */
  unshift(kind, value) {
    if (this._next === 0) {
      this._entries.unshift(kind, value);
    } else {
      this._next -= 2;
      this._entries[this._next] = kind;
      this._entries[this._next + 1] = value;
    }
  }

  /** Forgets all events. */
  clear() {
    this._entries = [];
    this._next = 0;
  }
}

module.exports = { Inbox };
