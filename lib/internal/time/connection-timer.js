'use strict';

// The timers of connections. Those on real sockets, of which there may be many thousands, share one timer of Node for each
// duration; mock sockets get timers of their own, which tests look at and simulate.

const { Duplex } = require('stream');
const { runInContext } = require('../base/context');
const { deadlinesOf } = require('./deadlines');

/** Callbacks, of which there are few, as they are called in the async context of any connection. */
const inContext = new Map();

function contextual(callback) {
  let bound = inContext.get(callback);
  if (bound === undefined) {
    bound = (connection) => {
      if (connection._context) runInContext(connection, callback);
      else callback(connection);
    };
    inContext.set(callback, bound);
  }
  return bound;
}

class SharedTimer {
  constructor(connection, ms, callback) {
    this._list = deadlinesOf(ms);
    this._entry = this._list.add(connection, contextual(callback));
  }

  /** Starts it anew; `now` is the present by `performance.now()`, if the caller knows it. */
  refresh(now) {
    this._list.refresh(this._entry, now);
  }

  stop() {
    this._list.remove(this._entry);
  }
}

/**
 * Calls `callback(connection)`, a function that many connections share, in `ms` milliseconds.
 * @returns {SharedTimer|NodeJS.Timeout} for `stopTimer()`; both have a method `refresh`
 */
function startTimer(connection, ms, callback) {
  if (connection.socket instanceof Duplex) return new SharedTimer(connection, ms, callback);
  return setTimeout(() => callback(connection), ms);
}

function stopTimer(timer) {
  if (timer instanceof SharedTimer) timer.stop();
  else clearTimeout(timer);
}

module.exports = { startTimer, stopTimer };
