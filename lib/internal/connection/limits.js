'use strict';

// Limits on a connection beyond those on sizes: how much comes in a time and in how many pieces, and how long it lasts.
// None of them is on by default, and then none of them costs anything.

const { isTime } = require('../time/is-time');
const { runInContext } = require('../base/context');
const { sentOf } = require('./stats');
const { deadlinesOf } = require('../time/deadlines');

/** An idle connection is looked at so many times within `idleTimeout`, instead of noting the time of each message. */
const LOOKS = 4;

/** Those limits of a connection that the receiver of its frames keeps watch over; null when there are none. */
function receiverLimits({ config }) {
  const values = [config.maxFragments, config.maxMessagesPerSecond, config.maxBytesPerSecond];
  const numbers = values.map((value) => (value >= 1 ? Math.floor(value) : Infinity));
  return numbers.some((number) => number !== Infinity) ? numbers : null;
}

/** Starts what ends a connection at some time. */
function startDeadlines(connection) {
  const { maxLifetime, idleTimeout } = connection.config;
  const deadlines = [];
  const start = (ms, callback) => {
    const list = deadlinesOf(ms, { unref: true });
    const entry = list.add(connection, () => runInContext(connection, callback, list, entry));
    deadlines.push({ list, entry });
  };
  if (isTime(maxLifetime)) start(maxLifetime, endLifetime);
  if (isTime(idleTimeout)) {
    connection._idleLooks = 0;
    connection._messagesAtLook = messagesOf(connection);
    start(idleTimeout / LOOKS, lookWhetherIdle);
  }
  connection._deadlines = deadlines.length > 0 ? deadlines : null;
}

/** Messages in both directions so far. */
function messagesOf(connection) {
  return connection._messagesReceived + sentOf(connection)[0];
}

function endLifetime(connection) {
  if (!connection.connected) return;
  connection.close(1001, `The connection has lasted ${connection.config.maxLifetime} ms (maxLifetime).`);
}

function lookWhetherIdle(connection, list, entry) {
  if (!connection.connected) return;
  const messages = messagesOf(connection);
  connection._idleLooks = messages === connection._messagesAtLook ? connection._idleLooks + 1 : 0;
  connection._messagesAtLook = messages;
  if (connection._idleLooks < LOOKS) {
    list.refresh(entry);
    return;
  }
  connection.close(1001, `There was no message for ${connection.config.idleTimeout} ms (idleTimeout).`);
}

/** The connection is over. */
function stopDeadlines(connection) {
  if (connection._deadlines === null) return;
  for (const { list, entry } of connection._deadlines) list.remove(entry);
  connection._deadlines = null;
}

module.exports = { receiverLimits, startDeadlines, stopDeadlines };
