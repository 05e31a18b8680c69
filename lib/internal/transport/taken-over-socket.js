'use strict';

// What a net.Socket becomes when the addon reads and writes in its place: the same object, with these methods in
// front of those of net.Socket, so that whatever a program does with `connection.socket` means what it always meant.

const net = require('net');
const { Duplex } = require('stream');
const binding = require('../addon/binding');
const { asBuffer } = require('../base/arguments');
const { BoundFunction } = require('../base/context');
const { kId, PLACE_MASK, connections, connectionOf } = require('./connections-by-id');
const { openHandle } = require('./closed-handle');
const { leave } = require('./native-batches');
const { settleFor } = require('./queueing-transport');
const { tellWhenWritten, promiseDrain } = require('./send-callbacks');

const GONE = 0xffffffff;

const kCounts = Symbol('counts');
const kFinal = Symbol('final');
const kUnref = Symbol('unref');
const kGiveBack = Symbol('giveBack');

// Taken-over sockets that keep the process alive; Node's own handle does not, because it does not read.
let alive = 0;

function changeAlive(by) {
  alive += by;
  if ((alive === 1 && by === 1) || (alive === 0 && by === -1)) binding.nativeKeepAlive(alive > 0);
}

const base = net.Socket.prototype;
// Bun, where no socket is taken over, has no such accessors.
const baseBytesRead = Object.getOwnPropertyDescriptor(base, 'bytesRead')?.get;
const baseBytesWritten = Object.getOwnPropertyDescriptor(base, 'bytesWritten')?.get;
const { get: baseWritableLength } = Object.getOwnPropertyDescriptor(Duplex.prototype, 'writableLength');
const { get: baseNeedDrain } = Object.getOwnPropertyDescriptor(Duplex.prototype, 'writableNeedDrain');

class TakenOverSocket extends net.Socket {
  // The addon reads.
  _read() {}

  // What a program writes past the connection keeps its place among the frames. Here comes what it gives to end().
  _write(data, encoding, callback) {
    sendPlain(this, [{ chunk: data, encoding }], callback);
  }

  _writev(chunks, callback) {
    sendPlain(this, chunks, callback);
  }

  _final(callback) {
    finishWhenWritten(this, callback);
  }

  _destroy(error, callback) {
    letGo(this);
    base._destroy.call(this, error, callback);
  }

  end(...args) {
    settleFor(connectionOf(this[kId]));
    return super.end(...args);
  }

  resetAndDestroy() {
    // Without a descriptor for it, ending the socket is the next best.
    return openHandle(this) === null ? this.destroy() : base.resetAndDestroy.call(this);
  }

  ref() {
    if (this[kUnref] && this[kId] !== null) changeAlive(1);
    this[kUnref] = false;
    return base.ref.call(this);
  }

  unref() {
    if (!this[kUnref] && this[kId] !== null) changeAlive(-1);
    this[kUnref] = true;
    return base.unref.call(this);
  }

  // Whoever wants to see or change the bytes gets a socket that Node reads.

  on(event, listener) {
    if (event === 'data' || event === 'readable') this[kGiveBack]();
    return base.on.call(this, event, listener);
  }

  addListener(event, listener) {
    return this.on(event, listener);
  }

  prependListener(event, listener) {
    if (event === 'data' || event === 'readable') this[kGiveBack]();
    return base.prependListener.call(this, event, listener);
  }

  emit(event, ...args) {
    if (event === 'data') this[kGiveBack]();
    return base.emit.call(this, event, ...args);
  }

  get write() {
    return write;
  }

  set write(replacement) {
    // Node replaces it itself when the peer has closed its direction.
    if (!this.readableEnded) this[kGiveBack]();
    Object.defineProperty(this, 'write', { value: replacement, writable: true, enumerable: true, configurable: true });
  }

  get writableLength() {
    return baseWritableLength.call(this) + counts(this)[0];
  }

  get bufferSize() {
    return this.writableLength;
  }

  get writableNeedDrain() {
    const id = this[kId];
    return baseNeedDrain.call(this) || (id !== null && connectionOf(id)?._needDrain === true);
  }

  get bytesRead() {
    return baseBytesRead.call(this) + counts(this)[1];
  }

  get bytesWritten() {
    return (baseBytesWritten.call(this) || 0) + counts(this)[2] + counts(this)[0];
  }
}

// For those who look: it is a net.Socket.
Object.defineProperty(TakenOverSocket.prototype, 'constructor', { value: net.Socket });

/** `write()` of a taken-over socket. */
function write(data, encoding, callback) {
  if (this[kId] === null || this.writableEnded || !(typeof data === 'string' || data instanceof Uint8Array)) {
    // Node has the errors for that.
    return base.write.call(this, data, encoding, callback);
  }
  if (this.timeout) this._unrefTimer();
  return writeRaw(this, data, encoding, callback);
}

/**
 * Sends bytes as they are, behind everything that was sent before.
 * @returns {boolean} as that of Writable.write(); if false, `drain` is emitted once everything is written
 */
function writeRaw(socket, data, encoding, callback) {
  const id = socket[kId];
  const done = typeof encoding === 'function' ? encoding : callback;
  const bytes = typeof data === 'string' ? Buffer.from(data, typeof encoding === 'string' ? encoding : 'utf8') : data;
  settleFor(connectionOf(id));
  const waiting = binding.nativeSendRaw(id, asBuffer(bytes));
  const connection = connectionOf(id);
  if (typeof done === 'function') tellWhenWritten(connection, new BoundFunction(done));
  const room = waiting < socket.writableHighWaterMark;
  if (!room) promiseDrain(connection);
  leave(connection);
  return room;
}

function sendPlain(socket, chunks, callback) {
  if (socket[kId] === null) {
    callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    return;
  }
  for (const { chunk, encoding } of chunks) {
    binding.nativeSendRaw(socket[kId], typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
  }
  binding.nativeFlushOne(socket[kId]);
  callback();
}

const NO_COUNTS = [0, 0, 0];

/** Bytes that wait to be written, bytes read, bytes written. */
function counts(socket) {
  return (socket[kId] !== null && binding.nativeCounters(socket[kId])) || socket[kCounts] || NO_COUNTS;
}

/**
 * Turns a `net.Socket` into one that the addon reads and writes, for connection `id`. Calls `giveBack` when the program
 * starts to use its bytes.
 */
function becomeTakenOver(socket, id, giveBack) {
  socket[kId] = id;
  socket[kCounts] = [0, 0, 0];
  socket[kFinal] = null;
  socket[kGiveBack] = giveBack;
  // Whether the program has called unref() before is Node's to know.
  socket[kUnref] = typeof socket._handle.hasRef === 'function' && !socket._handle.hasRef();
  Object.setPrototypeOf(socket, TakenOverSocket.prototype);
  // Node's HTTP server has left its own there; they would hide those of the prototype.
  // Deleting them would make a hash table of the object, which takes several times the memory.
  for (const name of ['on', 'addListener', 'prependListener']) {
    if (Object.hasOwn(socket, name)) socket[name] = TakenOverSocket.prototype[name];
  }
  changeAliveFor(socket, 1);
}

/** Closes the addon's duplicate of the descriptor. */
function letGo(socket) {
  const id = socket[kId];
  if (id === null) return;
  // Events of it that are on their way are nobody's.
  if (connectionOf(id) !== undefined) connections[id & PLACE_MASK] = undefined;
  socket[kId] = null;
  changeAliveFor(socket, -1);
  // What was sent in this tick would have left at once through Node's own socket: it is written first.
  socket[kCounts] = binding.nativeRemove(id) || socket[kCounts];
}

/**
 * Turns the socket into one like any other again, whose handle does not read yet. The caller has the addon stop, and counts
 * it among those that keep the process alive until then.
 * @returns {boolean} false when the addon has let go of it before
 */
function becomeOrdinary(socket) {
  const id = socket[kId];
  socket[kGiveBack] = () => {};
  Object.setPrototypeOf(socket, base);
  for (const name of ['on', 'addListener', 'prependListener']) {
    if (Object.hasOwn(socket, name)) socket[name] = base[name];
  }
  socket[kId] = null;
  // Not before `readAgain`, whatever makes the stream ask for more until then.
  if (socket._handle) socket._handle.reading = true;
  return id !== null;
}

/** Gives the socket the methods of `prototype`. The addon goes on to read and write it, without frames. */
function becomeRaw(socket, prototype) {
  socket[kGiveBack] = () => {};
  Object.setPrototypeOf(socket, prototype);
}

/** Has the handle of such a socket read. */
function readAgain(socket) {
  const handle = socket._handle;
  if (!handle) return;
  handle.reading = true;
  handle.readStart();
  // A stream that flows and was never read does not pass on what comes.
  socket.read(0);
}

/** Counts a socket among those that keep the process alive, or (-1) not any more; unless the program has called unref(). */
function changeAliveFor(socket, by) {
  if (!socket[kUnref]) changeAlive(by);
}

/** Has the addon close our direction of a socket (with TLS, behind a `close_notify`), but not before all that waits has been sent. */
function finishWhenWritten(socket, callback) {
  if (socket[kId] === null || binding.nativeFinish(socket[kId]) === 0) {
    callback();
    return;
  }
  socket[kFinal] = callback;
  binding.nativeNotify(socket[kId]);
}

/** All that waited has been sent, and FIN behind it. */
function afterDrain(socket) {
  const final = socket[kFinal];
  if (!final) return;
  socket[kFinal] = null;
  final();
}

/** The id of the connection that a socket belongs to; null when there is none. */
function nativeIdOf(socket) {
  const id = socket[kId];
  return id === undefined ? null : id;
}

module.exports = {
  TakenOverSocket, becomeRaw, GONE, kCounts, kFinal, kUnref, writeRaw, changeAlive, changeAliveFor, counts, letGo, becomeTakenOver, becomeOrdinary,
  readAgain, finishWhenWritten, afterDrain, nativeIdOf,
};
