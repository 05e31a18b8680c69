'use strict';

// How events of the addon reach this thread: in portions, one call for each. What the events mean is the business of
// native-transport.

const binding = require('../addon/binding');
const { runInContext, runInRoot, watchedResource } = require('../base/context');
const tickCallback = require('../base/tick-callback');
const { KIND, ROW, eventValue } = require('../addon/rows');
const { Slice } = require('../time/slice');
const { PLACE_MASK, connections } = require('./connections-by-id');

// Lent to the addon for as long as this thread lives; src/binding/sockets/delivery.rs says how it is used.
const SLAB_LENGTH = 1024 * 1024;
const ROWS = 1024 + 1;

/** What the addon is to do: take the rows back; call again at once; call again when others have had their turn. */
const DISPATCHED = { ALL: 0, AGAIN: 1, LATER: 2 };

let slab = null;
let rows = null;
/** Whether sockets can be taken over here; unknown until the first one. */
let available = process.platform !== 'win32' && process.versions.bun === undefined &&
  typeof globalThis.Deno === 'undefined' && typeof binding.nativeStart === 'function' ? undefined : false;

/** The portion under way: its next row (the first is no event), the number of its last one, and its values. */
let nextRow = 1;
let lastRow = 0;
let values = null;
const slice = new Slice();
let flushScheduled = false;
let exiting = false;
/** Whether a listener has left something in the async resource of the calls. */
let resourceIsUsed = false;
let happen = null;
let createPending = null;

function start() {
  slab = Buffer.allocUnsafeSlow(SLAB_LENGTH);
  rows = new Uint32Array(ROWS * ROW);
  if (!binding.nativeStart(slab, Buffer.from(rows.buffer), dispatch, newResource())) return false;
  // The end of the process comes before the end of the tick: what was sent leaves now, and at once from now on.
  process.on('exit', () => {
    exiting = true;
    binding.nativeFlushNow();
  });
  flushBeforeKill();
  return true;
}

/**
 * A signal that a program sends to itself ends the process without any event, in the midst of a turn perhaps. Node's sockets have
 * written by then what was sent. There is no other place to learn of it.
 */
function flushBeforeKill() {
  const original = process.kill;
  process.kill = function kill(pid, signal) {
    // 0 is the group of the process; a signal of 0 only asks.
    if (signal !== 0 && (pid === 0 || Math.abs(pid) === process.pid)) binding.nativeFlushNow();
    return original.call(this, pid, signal);
  };
}

/** Whether sockets can be taken over here, and the addon listen. */
function isAvailable() {
  if (available === undefined) available = start();
  return available;
}

/** The same as far as it is known, without starting anything. */
function mayBeAvailable() {
  return available !== false;
}

/** Has `callback(connection, kind, value)` called for every event. */
function onEvent(callback) {
  happen = callback;
}

/** Has `create(id)` called with the first event of a connection that came in, for what stands for it from then on. */
function onRequest(create) {
  createPending = create;
}

/** When the events came that are delivered now, by performance.now(). */
function batchTime() {
  return slice.start;
}

/** The second number of the first row says who drives. */
function drivenByWorker() {
  return rows !== null && rows[1] === 1;
}

/**
 * Called with each portion of events, and with a count of 0 to go on with the one that is here already.
 *
 * Between two events Node runs what the program has queued with process.nextTick() and promises. Node does that by itself
 * at the end of the call, which is therefore the end of the last event.
 * @returns {number} one of DISPATCHED
 */
function dispatch(count, ...list) {
  if (count > 0) {
    nextRow = 1;
    lastRow = count;
    values = list;
  }
  if (resourceIsUsed) {
    binding.nativeSetResource(newResource());
    return DISPATCHED.AGAIN;
  }
  if (slice.start === 0) slice.begin();
  while (nextRow <= lastRow) {
    if (slice.isOver()) {
      slice.end();
      return DISPATCHED.LATER;
    }
    const at = ROW * nextRow++;
    const id = rows[at];
    const kind = rows[at + 1];
    const isNew = kind === KIND.REQUEST || kind === KIND.PASSED || kind === KIND.TLS_FAILED;
    const connection = isNew ? createPending(id) : connections[id & PLACE_MASK];
    // Later events of a connection that the program has closed meanwhile are nobody's.
    if (connection === undefined || connection._nativeId !== id) continue;
    if (!deliver(connection, kind, eventValue(rows, at, values, slab))) return DISPATCHED.AGAIN;
    if (nextRow <= lastRow && !runTicks()) return DISPATCHED.AGAIN;
  }
  values = null;
  slice.end();
  return DISPATCHED.ALL;
}

function newResource() {
  resourceIsUsed = false;
  return watchedResource(() => { resourceIsUsed = true; });
}

/** Has an event happen; false when the next one needs another call. */
function deliver(connection, kind, value) {
  try {
    // Most programs have nothing in their contexts.
    if (connection._context !== null) runInContext(connection, happen, kind, value);
    else if (runInRoot) runInRoot(happen, connection, kind, value);
    else happen(connection, kind, value);
  } catch (error) {
    return uncaught(error);
  }
  return true;
}

/** Ticks and promise reactions; false when the next event needs another call. */
function runTicks() {
  // A future Node may not have it any more: then each event is a call of its own.
  if (tickCallback === undefined) return false;
  try {
    tickCallback();
  } catch (error) {
    return uncaught(error);
  }
  return !resourceIsUsed;
}

/** Ends the process unless the program handles it. Node forgets then what it was in the midst of. */
function uncaught(error) {
  binding.nativeReport(error);
  return false;
}

/** Frames of a connection that leave at once, each by itself, in a tick outside of a turn. More of them are a burst. */
const SINGLE = 4;

/** The number of the tick, as far as something is sent outside of a turn. */
let tick = 1;
let isLeft = false;

/**
 * Has what a connection has sent leave: at the end of the turn that is under way. Outside of one at once, since nobody knows
 * what the program does next (it may end itself with a signal); what makes a burst leaves in one write at the end of the tick.
 */
function leave(connection) {
  if (exiting) binding.nativeFlushNow();
  if (rows[0] !== 0) return;
  if (connection._sentInTick < tick) connection._sentInTick = tick;
  // A tick has as many numbers as frames that leave at once.
  if (!drivenByWorker() && connection._sentInTick < tick + SINGLE) {
    connection._sentInTick++;
    binding.nativeFlushOne(connection._nativeId);
    if (!flushScheduled) endTickLater();
  } else {
    leaveLater();
  }
}

/** Has everything that was sent outside of a turn leave at the end of the tick. */
function leaveLater() {
  if (exiting) binding.nativeFlushNow();
  if (rows[0] !== 0) return;
  isLeft = true;
  if (!flushScheduled) endTickLater();
}

function endTickLater() {
  flushScheduled = true;
  process.nextTick(endTick);
}

function endTick() {
  flushScheduled = false;
  tick += SINGLE;
  if (!isLeft) return;
  isLeft = false;
  binding.nativeFlush();
}

module.exports = {
  mayBeAvailable, isAvailable, onEvent, onRequest, batchTime, drivenByWorker, leave, leaveLater,
};
