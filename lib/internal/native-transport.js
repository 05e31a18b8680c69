'use strict';

// The transport for plain TCP and Unix sockets: the addon reads and writes their descriptors itself. Everything that a
// wake-up of the event loop brings, for all connections, comes in one call; what is sent meanwhile leaves in one write
// for each connection.

const net = require('net');
const { AsyncResource } = require('async_hooks');
const { getSystemErrorName } = require('util');
const binding = require('./binding');
const { runInContext, runInRoot, watchedResource } = require('./context');
const { frameLimit } = require('./encode');
const { highWaterMarkOf } = require('./backpressure');
const { KIND, ROW, eventValue } = require('./events');
const { StreamReceiver } = require('./stream-receiver');
const { LazySocket } = require('./lazy-socket');
const { UpgradeRequest } = require('./upgrade-request');
const { GONE, becomeTakenOver, becomeOrdinary, afterDrain, changeAlive, counts, nativeIdOf } = require('./taken-over-socket');

// Lent to the addon for as long as this thread lives; src/binding/native.rs says how it is used.
const SLAB_LENGTH = 1024 * 1024;
const ROWS = 128 * 1024;

/** Rows that hold whatever a worker may have read ahead. */
const MAX_AHEAD = 128 * 1024;

/** How the addon counts the values of the option `io`. */
const IO = { auto: 0, loop: 1, threads: 2 };

/** The part of an id that is the connection's place; the rest tells apart those that had the place in turn. */
const PLACE_MASK = (1 << 22) - 1;

const NO_BYTES = Buffer.alloc(0);

/** Methods of net.Socket that somebody who spies on a socket replaces; their originals. */
const ORIGINALS = ['write', 'end', 'destroy', 'pause', 'resume', 'read', 'push', '_read', '_write']
  .map((name) => [name, net.Socket.prototype[name]]);

let slab = null;
let rows = null;
/** Whether sockets can be taken over here; unknown until the first one. */
let available = process.platform !== 'win32' && process.versions.bun === undefined &&
  typeof globalThis.Deno === 'undefined' && typeof binding.nativeStart === 'function' ? undefined : false;

/** Connections by their place. */
const connections = [];

/** What is to be done with requests, by the number of the listener. */
const listeners = [];

/** The batch under way: its next row (the first is no event), the number of its last one, and its values. */
let nextRow = 1;
let lastRow = 0;
let batchValues = null;
let takenBatch = 0;
/** When the batch came, by performance.now(). */
let batchTime = 0;
let flushScheduled = false;
let currentIo = 'auto';
let exiting = false;

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

/** The second number of the first row. */
function drivenByWorker() {
  return rows !== null && rows[1] === 1;
}

/**
 * Called with each batch; true asks for another call, in another async resource.
 *
 * Between two events Node runs what the program has queued with process.nextTick() and promises. Node does that by itself
 * at the end of the call, which is therefore the end of the last event.
 */
function dispatch(count, values) {
  if (rows[2] === takenBatch) return false;
  lastRow = count;
  batchValues = values;
  if (nextRow === 1) batchTime = performance.now();
  while (nextRow <= count) {
    const at = ROW * nextRow++;
    const id = rows[at];
    const connection = connections[id & PLACE_MASK];
    const kind = rows[at + 1];
    if (kind === KIND.REQUEST) {
      if (!deliver(new PendingConnection(id), kind, eventValue(rows, at, values, slab))) return true;
    } else if (connection !== undefined && connection._nativeId === id) {
      if (!deliver(connection, kind, eventValue(rows, at, values, slab))) return true;
    } else {
      // Later events of a connection that the program has closed meanwhile are nobody's.
      continue;
    }
    if (nextRow <= count && !runTicks()) return true;
  }
  takenBatch = rows[2];
  nextRow = 1;
  lastRow = 0;
  batchValues = null;
  return false;
}

/** Whether a listener has left something in the async resource of the batch. */
let resourceIsUsed = false;

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
  // Node before 16 had it and after 26 may not: then each event is a call of its own.
  if (typeof process._tickCallback !== 'function') return false;
  try {
    process._tickCallback();
  } catch (error) {
    return uncaught(error);
  }
  if (!resourceIsUsed) return true;
  binding.nativeSetResource(newResource());
  return false;
}

/** Ends the process unless the program handles it. Node forgets then what it was in the midst of. */
function uncaught(error) {
  binding.nativeReport(error);
  return false;
}

function happen(connection, kind, value) {
  switch (kind) {
    case KIND.DRAINED:
      drained(connection);
      return;
    case KIND.ERROR:
      connection.socket.destroy(systemError(value));
      return;
    case KIND.REQUEST:
      requested(connection, value);
      return;
    default:
      if (connection.socket.timeout) connection.socket._unrefTimer();
      connection._arrive(kind, value, batchTime);
  }
}

/** The error that Node would have reported. */
function systemError(number) {
  const code = number === 0 ? 'EPIPE' : getSystemErrorName(-number);
  const syscall = code === 'EPIPE' ? 'write' : 'read';
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -number, code, syscall });
}

function drained(connection) {
  const callbacks = connection._sendCallbacks;
  connection._sendCallbacks = null;
  afterDrain(connection.socket);
  if (callbacks !== null) for (const cb of callbacks) process.nextTick(cb);
  if (connection._needDrain) {
    connection._needDrain = false;
    connection.socket.emit('drain');
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

/** What has the place of a connection from its request to accept(). */
class PendingConnection {
  constructor(id) {
    this._nativeId = id;
    this._context = null;
    this._sendCallbacks = null;
    this._needDrain = false;
    this.socket = null;
  }

  // No frames are read before accept().
  _arrive(kind) {
    if (kind === KIND.END) this.socket.push(null);
  }
}

/** A request has come in on a listener of the addon. */
function requested(pending, { listener, lines, address, port }) {
  const id = pending._nativeId;
  // Nobody listens any more, or the connection has gone again.
  if (listeners[listener] === undefined || !binding.nativeKnow(id)) {
    binding.nativeRemove(id);
    return;
  }
  connections[id & PLACE_MASK] = pending;
  pending.socket = new LazySocket(id, address, port, lazySocketHooks);
  listeners[listener](new UpgradeRequest(pending.socket, lines), pending.socket);
}

const lazySocketHooks = {
  scheduleFlush,

  forget(id) {
    const place = id & PLACE_MASK;
    const owner = connections[place];
    if (owner instanceof PendingConnection && owner._nativeId === id) connections[place] = undefined;
  },

  giveBack(socket) {
    const owner = connections[nativeIdOf(socket) & PLACE_MASK];
    if (!(owner instanceof PendingConnection)) {
      giveBack(owner);
      return;
    }
    lazySocketHooks.forget(owner._nativeId);
    const left = becomeOrdinary(socket, Buffer.alloc(ROW * 4), []);
    if (left === null) return;
    binding.releaseReceiver(left.receiver);
    if (left.unread.length > 0) socket.unshift(left.unread);
    if (left.unsent.length > 0) socket.write(left.unsent);
  },
};

/**
 * Listens at an IP address.
 * @param {string} address
 * @param {number} port 0 lets the operating system choose
 * @param {number} timeout milliseconds that a request may take to arrive
 * @param {(request: UpgradeRequest, socket: net.Socket) => void} onRequest
 * @returns {{ address(): net.AddressInfo, close(): void }}
 * @throws {Error} that of the operating system
 */
function listen(address, port, timeout, onRequest) {
  const bound = binding.nativeListen(address, port, timeout);
  if (bound.error !== 0) {
    const code = getSystemErrorName(-bound.error);
    throw Object.assign(new Error(`listen ${code}: ${address}:${port}`),
      { code, errno: -bound.error, syscall: 'listen', address, port });
  }
  listeners[bound.listener] = onRequest;
  changeAlive(1);
  const info = { address: bound.address, family: net.isIPv6(bound.address) ? 'IPv6' : 'IPv4', port: bound.port };
  let open = true;
  return {
    address: () => ({ ...info }),
    close() {
      if (!open) return;
      open = false;
      listeners[bound.listener] = undefined;
      binding.nativeCloseListener(bound.listener);
      changeAlive(-1);
    },
  };
}

/** Whether sockets can be taken over here, and the addon listen. */
function isAvailable() {
  if (available === undefined) available = start();
  return available;
}

/** Whether a socket is one of the addon's own, or a plain socket that nobody else reads, writes or watches. */
function mayTakeOver(socket) {
  if (isPending(nativeIdOf(socket))) return true;
  const handle = socket._handle;
  return available !== false && Object.getPrototypeOf(socket) === net.Socket.prototype &&
    Boolean(handle) && handle.fd >= 0 && typeof handle.readStop === 'function' &&
    !socket.destroyed && !socket.connecting && !socket.readableEnded && !socket.writableEnded &&
    socket.writableLength === 0 && socket.readableEncoding === null &&
    socket.listenerCount('data') === 0 && socket.listenerCount('readable') === 0 &&
    ORIGINALS.every(([name, original]) => socket[name] === original);
}

/** Whether an id is that of a connection which waits for accept(). */
function isPending(id) {
  return id !== null && connections[id & PLACE_MASK] instanceof PendingConnection;
}

/**
 * Takes the socket of a connection over. What was read from it already is delivered first, in a later turn of the
 * event loop.
 * @param {WebSocketConnection} connection
 * @param {'auto'|'loop'|'threads'} [io] who is to drive
 * @param {number} maskPolicy one of MASK_POLICY in ./events
 * @param {object} config as of StreamReceiver
 * @param {number[]|null} [limits] as of StreamReceiver
 * @returns {boolean} false when the socket has to stay with Node; nothing has changed then
 */
function takeOver(connection, io, maskPolicy, { maxFrameSize, maxMessageSize, assemble, inflation }, limits = null) {
  const { socket } = connection;
  const known = nativeIdOf(socket);
  if (isPending(known)) {
    if (!binding.nativeBegin(known, maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation)) socket.destroy();
    adopt(connection, known, io, limits);
    socket.resume();
    return true;
  }
  if (!mayTakeOver(socket) || !isAvailable()) return false;
  const handle = socket._handle;
  // In this order: taking the last bytes out of a stream makes it ask for more.
  const early = socket.read() || NO_BYTES;
  handle.readStop();
  handle.reading = false;
  const id = binding.nativeAdd(handle.fd, maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation, early);
  if (id === -1) {
    // No descriptors left, most likely: Node goes on.
    if (early.length > 0) socket.unshift(early);
    handle.reading = true;
    handle.readStart();
    return false;
  }
  becomeTakenOver(socket, id, () => giveBack(connection));
  adopt(connection, id, io, limits);
  // As the first `data` listener of a stream would.
  socket.resume();
  return true;
}

/** From now on events of this id are those of the connection. */
function adopt(connection, id, io, limits) {
  connection._nativeId = id;
  connections[id & PLACE_MASK] = connection;
  if (limits !== null) binding.nativeLimit(id, ...limits);
  // The set of this thread is one: whoever was explicit last is obeyed.
  if (io !== undefined && io !== 'auto' && io !== currentIo) {
    currentIo = io;
    binding.nativeSetIo(IO[io]);
  }
}

/** Has Node read and write the socket again: somebody wants to see its bytes. */
function giveBack(connection) {
  const { socket } = connection;
  const id = connection._nativeId;
  const values = [];
  // A worker may have read ahead.
  const ahead = new Uint32Array(ROW * (drivenByWorker() ? MAX_AHEAD : 1));
  const left = becomeOrdinary(socket, Buffer.from(ahead.buffer), values);
  if (left === null) return;
  // What the batch under way still has for the connection would not find it any more.
  for (let row = nextRow; row <= lastRow; row++) {
    const at = ROW * row;
    if (rows[at] === id) connection._inbox.push(rows[at + 1], eventValue(rows, at, batchValues, slab));
  }
  for (let row = 1; row <= ahead[0]; row++) {
    connection._inbox.push(ahead[ROW * row + 1], eventValue(ahead, ROW * row, values, slab));
  }
  connections[id & PLACE_MASK] = undefined;
  connection._nativeId = null;
  const callbacks = connection._sendCallbacks;
  connection._sendCallbacks = null;
  connection._becomeStream(StreamReceiver.from(left.receiver));
  if (left.unread.length > 0) connection.handleSocketData(left.unread);
  if (left.unsent.length > 0) socket.write(left.unsent);
  if (callbacks !== null) socket.write(NO_BYTES, (error) => { for (const cb of callbacks) cb(error); });
  connection.processReceivedData();
}

/** Bookkeeping after something was sent; `waiting` is how many bytes wait to be written then. */
function sent(connection, waiting, cb) {
  if (waiting === GONE) {
    if (typeof cb === 'function') {
      process.nextTick(cb, Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    }
    return false;
  }
  scheduleFlush();
  if (typeof cb === 'function') {
    if (connection._sendCallbacks === null) connection._sendCallbacks = [];
    connection._sendCallbacks.push(AsyncResource.bind(cb));
    binding.nativeNotify(connection._nativeId);
  }
  const full = waiting >= highWaterMarkOf(connection);
  if (full && !connection._needDrain) {
    connection._needDrain = true;
    binding.nativeNotify(connection._nativeId);
  }
  connection.outputBufferFull = full;
  return !full;
}

/**
 * Sends one message to many connections, all of them taken over and unmasked, with compressors of one group or none.
 */
function broadcast(recipients, opcode, payload, threshold) {
  const ids = new Uint32Array(recipients.length);
  for (let i = 0; i < ids.length; i++) ids[i] = recipients[i]._nativeId;
  const [{ _compressor: compressor }] = recipients;
  const places = Buffer.from(ids.buffer);
  if (compressor === null) {
    binding.nativeBroadcast(places, opcode, payload, frameLimit(threshold));
  } else {
    compressor.countForAll(recipients, () => {
      binding.nativeBroadcastCompressed(places, compressor.use(), opcode, payload, frameLimit(threshold));
    });
  }
  // In place of each id stands now what waits for the connection.
  scheduleFlush();
  for (let i = 0; i < ids.length; i++) {
    const connection = recipients[i];
    if (ids[i] < highWaterMarkOf(connection)) connection.outputBufferFull = false;
    else sent(connection, ids[i]);
  }
}

/** The methods of stream-transport, for connections that were taken over. */
module.exports = {
  isAvailable,
  listen,
  mayTakeOver,
  takeOver,
  broadcast,

  get name() { return drivenByWorker() ? 'threads' : 'loop'; },

  sendText(connection, opcode, text, threshold, cb) {
    const waiting = binding.nativeSendText(connection._nativeId, text, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return sent(connection, waiting, cb);
  },

  sendBytes(connection, opcode, payload, threshold, cb) {
    const waiting = binding.nativeSendBytes(connection._nativeId, opcode, payload, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return sent(connection, waiting, cb);
  },

  sendCompressed(connection, opcode, data, threshold, cb) {
    const { _nativeId: id, _compressor: compressor, maskOutgoingPackets: masked } = connection;
    const limit = frameLimit(threshold);
    const waiting = typeof data === 'string'
      ? binding.nativeSendCompressedText(id, compressor.use(), data, limit, masked)
      : binding.nativeSendCompressedBytes(id, compressor.use(), opcode, data, limit, masked);
    return sent(connection, waiting, cb);
  },

  sendFinished(connection, opcode, threshold, cb) {
    const waiting = binding.nativeSendFinished(connection._nativeId, connection._compressor.use(), opcode,
      frameLimit(threshold), connection.maskOutgoingPackets);
    return sent(connection, waiting, cb);
  },

  sendControl(connection, opcode, payload) {
    sent(connection, binding.nativeSendControl(connection._nativeId, opcode, payload, connection.maskOutgoingPackets));
  },

  sendRaw(connection, bytes, cb) {
    return sent(connection, binding.nativeSendRaw(connection._nativeId, bytes), cb);
  },

  isBackedUp(connection) {
    return connection._needDrain;
  },

  setPaused(connection, paused) {
    binding.nativePause(connection._nativeId, paused);
  },

  bufferedAmount(connection) {
    const counters = binding.nativeCounters(connection._nativeId);
    return counters === null ? 0 : counters[0];
  },

  /** What the operating system has taken. */
  bytesWritten(connection) {
    return counts(connection.socket)[2];
  },

  flush(connection) {
    return binding.nativeFlushOne(connection._nativeId);
  },

  received(connection) {
    const [, , , frames = 0, compressedBytes = 0] = counts(connection.socket);
    return [frames, compressedBytes];
  },

  configure(connection, { maxFrameSize, maxMessageSize, assemble }) {
    binding.nativeConfigure(connection._nativeId, maxFrameSize, maxMessageSize, assemble);
  },

  release(connection) {
    const place = connection._nativeId & PLACE_MASK;
    if (connections[place] === connection) connections[place] = undefined;
    const callbacks = connection._sendCallbacks;
    connection._sendCallbacks = null;
    if (callbacks === null) return;
    // What the system takes at this last moment was sent after all, as it would have been by Node's socket.
    const error = binding.nativeFlushOne(connection._nativeId) === 0 ? undefined : Object.assign(
      new Error(`The connection to ${connection.remoteAddress} has ended before everything was sent.`),
      { code: 'ERR_WEBSOCKET_CLOSED' });
    for (const cb of callbacks) process.nextTick(cb, error);
  },
};
