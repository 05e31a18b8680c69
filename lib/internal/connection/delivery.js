'use strict';

// When received events reach the program: never inside the socket's own event, one at a time, and each only after the
// ticks and promise reactions that the one before has queued. So `await once(connection, 'message')` in a loop sees
// every message although they came in one segment, a handler that throws loses no other message, and close(), drop()
// and pause() take effect before the next one. Each runs in the async context of its connection: what a listener does with
// AsyncLocalStorage is its own affair.
//
// Ticks and promise reactions come before everything else that the loop has to do. So when delivery has lasted for a while,
// the rest of the events waits for the next turn of the loop.

const { Duplex } = require('stream');
const { runInContext } = require('../base/context');
const { setImmediate } = require('../time/immediate');
const { Slice } = require('../time/slice');

/** The time for what streams bring in this turn of the loop. */
const slice = new Slice();

/** Connections for whose events there was no time. */
let waiting = [];

/** Has the events in `connection._inbox` delivered, beginning with the next tick. */
function scheduleDelivery(connection) {
  const inbox = connection._inbox;
  if (inbox.scheduled) return;
  inbox.scheduled = true;
  process.nextTick(deliver, connection);
}

function deliverTo(connection, kind, value) {
  connection._deliver(kind, value);
}

function deliver(connection) {
  const inbox = connection._inbox;
  if (!mayGoOn()) {
    wait(connection);
    return;
  }
  inbox.scheduled = false;
  if (inbox.length === 0) {
    whenEmpty(connection);
    return;
  }
  if (connection.inputPaused) return;
  if (wasDestroyed(connection)) {
    inbox.clear();
    return;
  }
  try {
    const { kind } = inbox;
    runInContext(connection, deliverTo, kind, inbox.shift());
  } finally {
    // Also when the handler has thrown: the exception is the program's, the other messages are still to come.
    if (inbox.length > 0) scheduleNext(connection);
    else whenEmpty(connection);
  }
}

/** Whether the program has destroyed the socket: nothing follows but `close`. */
function wasDestroyed({ socket, receivedEnd }) {
  return socket.destroyed === true && !receivedEnd && socket instanceof Duplex;
}

/** A tick runs before the promise reactions that are queued already; a tick that one of them queues runs after. */
function scheduleNext(connection) {
  const inbox = connection._inbox;
  if (inbox.scheduled) return;
  inbox.scheduled = true;
  queueMicrotask(() => process.nextTick(deliver, connection));
}

/** Has a connection go on in the next turn of the loop, behind those that have waited for longer. */
function wait(connection) {
  if (waiting.length === 0) setImmediate(goOn);
  waiting.push(connection);
}

function goOn() {
  const connections = waiting;
  waiting = [];
  endSlice();
  // One event of each in turn: whoever has more comes again behind the others.
  for (const connection of connections) process.nextTick(deliver, connection);
}

/** Whether there is time left in this turn of the loop. Called for everything that takes some. */
function mayGoOn() {
  if (slice.start === 0) {
    slice.begin();
    setImmediate(endSlice);
  }
  return !slice.isOver();
}

function endSlice() {
  slice.end();
}

/** What had to wait for the program to be told everything. */
function whenEmpty(connection) {
  // The addon has not told it yet; when it has, this is called again.
  if (connection._earlyChunks !== null) return;
  if (connection._receiver !== null && connection._receiver.hasMore) {
    connection._receiveHeld();
    if (connection._inbox.length > 0) scheduleNext(connection);
    if (connection._inbox.length > 0 || connection._receiver.hasMore) return;
  }
  if (connection._endPending) {
    connection._endPending = false;
    connection.handleSocketEnd();
  }
  if (connection._socketClosed) process.nextTick(() => { if (connection._socketClosed) connection._finishClose(); });
}

module.exports = { scheduleDelivery, mayGoOn };
