'use strict';

// How events of the addon reach this thread: in batches, one call for each, and what has to do with the memory and the moment
// of these calls. What the events mean is the business of native-transport.

const binding = require('../addon/binding');
const { runInContext, runInRoot, watchedResource } = require('../base/context');
const tickCallback = require('../base/tick-callback');
const { KIND, ROW, eventValue } = require('../addon/rows');
const { PendingConnection, hooks } = require('../listening/native-listener');
const { PLACE_MASK, connections } = require('./connections-by-id');

// Lent to the addon for as long as this thread lives; src/binding/native.rs says how it is used.
const SLAB_LENGTH = 1024 * 1024;
const ROWS = 128 * 1024;

let slab = null;
let rows = null;
/** Whether sockets can be taken over here; unknown until the first one. */
let available = process.platform !== 'win32' && process.versions.bun === undefined &&
  typeof globalThis.Deno === 'undefined' && typeof binding.nativeStart === 'function' ? undefined : false;

/** The batch under way: its next row (the first is no event), the number of its last one, and its values. */
let nextRow = 1;
let lastRow = 0;
let batchValues = null;
let takenBatch = 0;
/** When the batch came, by performance.now(). */
let time = 0;
let flushScheduled = false;
let exiting = false;
/** Whether a listener has left something in the async resource of the calls. */
let resourceIsUsed = false;
let happen = null;

function start() {
  slab = Buffer.allocUnsafeSlow(SLAB_LENGTH);
  rows = new Uint32Array(ROWS * ROW);
  if (!binding.nativeStart(slab, Buffer.from(rows.buffer), dispatch, newResource())) return false;
  // The end of the process comes before the end of the tick: what was sent leaves now, and at once from now on.
  process.on('exit', () => {
    exiting = true;
    binding.nativeFlushNow();
  });
  return true;
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

/** When the batch under way came, by performance.now(). */
function batchTime() {
  return time;
}

/** The second number of the first row says who drives. */
function drivenByWorker() {
  return rows !== null && rows[1] === 1;
}

/**
 * Called with each batch; true asks for another call, in another async resource.
 *
 * Between two events Node runs what the program has queued with process.nextTick() and promises. Node does that by itself
 * at the end of the call, which is therefore the end of the last event.
 */
function dispatch(count, ...list) {
  if (rows[2] === takenBatch) return false;
  if (resourceIsUsed) {
    binding.nativeSetResource(newResource());
    return true;
  }
  // Many of them come as one array.
  const values = rows[3] === 1 ? list : list[0];
  lastRow = count;
  batchValues = values;
  if (nextRow === 1) time = performance.now();
  while (nextRow <= count) {
    const at = ROW * nextRow++;
    const id = rows[at];
    const kind = rows[at + 1];
    const connection = kind === KIND.REQUEST ? new PendingConnection(id) : connections[id & PLACE_MASK];
    // Later events of a connection that the program has closed meanwhile are nobody's.
    if (connection === undefined || connection._nativeId !== id) continue;
    if (!deliver(connection, kind, eventValue(rows, at, values, slab))) return true;
    if (nextRow <= count && !runTicks()) return true;
  }
  takenBatch = rows[2];
  nextRow = 1;
  lastRow = 0;
  batchValues = null;
  return false;
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

/** Passes on what the batch under way still has for a connection. */
function forEachLeft(id, callback) {
  for (let row = nextRow; row <= lastRow; row++) {
    const at = ROW * row;
    if (rows[at] === id) callback(rows[at + 1], eventValue(rows, at, batchValues, slab));
  }
}

/** What was sent outside of a batch leaves at the end of the current tick. */
function scheduleFlush() {
  if (exiting) binding.nativeFlushNow();
  if (rows[0] !== 0 || flushScheduled) return;
  flushScheduled = true;
  process.nextTick(flush);
}

function flush() {
  flushScheduled = false;
  binding.nativeFlush();
}

hooks.scheduleFlush = scheduleFlush;

module.exports = {
  mayBeAvailable, isAvailable, onEvent, batchTime, drivenByWorker, forEachLeft, scheduleFlush,
};
