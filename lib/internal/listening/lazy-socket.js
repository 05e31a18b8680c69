'use strict';

// The socket of a connection that the addon has accepted itself. It does what the package and most programs do with a
// socket without being a whole one; when somebody wants more than that, it becomes a real net.Socket, the same object.

const net = require('net');
const { EventEmitter } = require('events');
const { Duplex, Readable, Writable, Stream } = require('stream');
const binding = require('../addon/binding');
const { BoundFunction } = require('../base/context');
const { Listeners } = require('../base/listener-store');
const { kId, connectionOf } = require('../transport/connections-by-id');
const { kTls, tlsProperties } = require('../tls/session');
const { SecureSocket } = require('../tls/secure-socket');
const { settleFor } = require('../transport/queueing-transport');
const { tellWhenWritten } = require('../transport/send-callbacks');
const {
  kCounts, kFinal, kUnref, becomeTakenOver, changeAlive, counts, letGo, writeRaw,
} = require('../transport/taken-over-socket');

const kAddress = Symbol('address');
const kPort = Symbol('port');
const kHooks = Symbol('hooks');
/** The peer has closed its direction; we have closed ours; it is over. */
const kGotEnd = Symbol('gotEnd');
const kEnding = Symbol('ending');
const kDestroyed = Symbol('destroyed');
/** As `readableFlowing` of a stream. */
const kFlowing = Symbol('flowing');

const HIGH_WATER_MARK = new Writable().writableHighWaterMark;

/**
 * To be used after `prepareLazySockets()`.
 * @param {number} id of the connection within the addon
 * @param {string} address
 * @param {number} port
 * @param {{ forget(id: number): void, giveBack(socket: net.Socket): void }} hooks of the listener
 * @param {object|null} tls what was agreed on, if the connection is one of TLS; see ../tls/session
 */
function LazySocket(id, address, port, hooks, tls) {
  // The constructor of net.Socket is called when what it makes is needed.
  this._events = new Listeners();
  this._eventsCount = 0;
  this[kId] = id;
  this[kAddress] = address;
  this[kPort] = port;
  this[kHooks] = hooks;
  this[kTls] = tls;
  this[kCounts] = null;
  this[kFinal] = null;
  this[kUnref] = false;
  this[kGotEnd] = false;
  this[kEnding] = false;
  this[kDestroyed] = false;
  this[kFlowing] = null;
  changeAlive(1);
}

const emitter = EventEmitter.prototype;

function error(code, syscall) {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

function emitClose(socket, cause) {
  try {
    if (cause) socket.emit('error', cause);
  } finally {
    socket.emit('close', Boolean(cause));
  }
}

/** The peer has closed its direction, and everything before has been delivered. */
function emitEnd(socket) {
  if (socket[kDestroyed] || !socket[kGotEnd] || socket[kFlowing] === false) return;
  try {
    socket.emit('end');
  } finally {
    if (socket[kEnding]) destroyWhenWritten(socket);
  }
}

function emitResume(socket) {
  if (!socket[kFlowing] || socket[kDestroyed]) return;
  try {
    socket.emit('resume');
  } finally {
    emitEnd(socket);
  }
}

/** Both directions are closed: that is the end of the socket, once what waits has been written. */
function destroyWhenWritten(socket) {
  if (socket[kDestroyed]) return;
  if (binding.nativeFlushOne(socket[kId]) === 0) {
    socket.destroy();
    return;
  }
  socket[kFinal] = () => socket.destroy();
  binding.nativeNotify(socket[kId]);
}

const methods = {
  on(event, listener) {
    if (event === 'data' || event === 'readable') return materialize(this).on(event, listener);
    return emitter.on.call(this, event, listener);
  },

  prependListener(event, listener) {
    if (event === 'data' || event === 'readable') return materialize(this).prependListener(event, listener);
    return emitter.prependListener.call(this, event, listener);
  },

  removeListener: emitter.removeListener,
  off: emitter.removeListener,
  removeAllListeners: emitter.removeAllListeners,

  emit(event, ...args) {
    if (event === 'data') return materialize(this).emit(event, ...args);
    return emitter.emit.call(this, event, ...args);
  },

  write(data, encoding, callback) {
    if (!this[kDestroyed] && !this[kEnding] && this[kId] !== null) return writeRaw(this, data, encoding, callback);
    const cb = typeof encoding === 'function' ? encoding : callback;
    if (typeof cb === 'function') process.nextTick(cb, error('EPIPE', 'write'));
    return false;
  },

  end(data, encoding, callback) {
    if (data !== undefined && data !== null && typeof data !== 'function') this.write(data, encoding);
    const cb = [data, encoding, callback].find((argument) => typeof argument === 'function');
    if (this[kEnding] || this[kDestroyed]) {
      if (cb) process.nextTick(cb);
      return this;
    }
    settleFor(connectionOf(this[kId]));
    this[kEnding] = true;
    if (cb) tellWhenWritten(connectionOf(this[kId]), new BoundFunction(cb));
    if (this[kGotEnd]) process.nextTick(destroyWhenWritten, this);
    else binding.nativeFinish(this[kId]);
    return this;
  },

  destroy(cause) {
    if (this[kDestroyed]) return this;
    this[kDestroyed] = true;
    this[kHooks].forget(this[kId]);
    letGo(this);
    process.nextTick(emitClose, this, cause);
    return this;
  },

  destroySoon() {
    this.end();
    destroyWhenWritten(this);
  },

  /** What the transport says when the peer has closed its direction. */
  push(chunk) {
    if (chunk !== null) return materialize(this).push(chunk);
    this[kGotEnd] = true;
    process.nextTick(emitEnd, this);
    return false;
  },

  pause() {
    if (this[kFlowing] !== false) {
      this[kFlowing] = false;
      this.emit('pause');
    }
    return this;
  },

  resume() {
    if (this[kFlowing] !== true) {
      this[kFlowing] = true;
      process.nextTick(emitResume, this);
    }
    return this;
  },

  isPaused() { return this[kFlowing] === false; },

  // The addon sets TCP_NODELAY when it accepts.
  setNoDelay(enable) {
    return enable === undefined || enable ? this : materialize(this).setNoDelay(enable);
  },

  // There is none before somebody sets one.
  setTimeout(ms, callback) {
    return ms === 0 ? this : materialize(this).setTimeout(ms, callback);
  },

  ref() {
    if (this[kUnref] && !this[kDestroyed]) changeAlive(1);
    this[kUnref] = false;
    return this;
  },

  unref() {
    if (!this[kUnref] && !this[kDestroyed]) changeAlive(-1);
    this[kUnref] = true;
    return this;
  },
};

const properties = {
  remoteAddress() { return this[kAddress]; },
  remotePort() { return this[kPort]; },
  remoteFamily() { return net.isIPv6(this[kAddress]) ? 'IPv6' : 'IPv4'; },
  destroyed() { return this[kDestroyed]; },
  readable() { return !this[kDestroyed] && !this[kGotEnd]; },
  readableEnded() { return this[kGotEnd]; },
  readableFlowing() { return this[kFlowing]; },
  readableLength() { return 0; },
  readableHighWaterMark() { return HIGH_WATER_MARK; },
  writable() { return !this[kDestroyed] && !this[kEnding]; },
  writableEnded() { return this[kEnding]; },
  writableLength() { return counts(this)[0]; },
  writableHighWaterMark() { return HIGH_WATER_MARK; },
  bufferSize() { return counts(this)[0]; },
  writableNeedDrain() { return this[kId] !== null && connectionOf(this[kId])?._needDrain === true; },
  bytesRead() { return counts(this)[1]; },
  bytesWritten() { return counts(this)[0] + counts(this)[2]; },
  pending() { return false; },
  connecting() { return false; },
  timeout() { return undefined; },
  ...tlsProperties,
  readyState() {
    const { readable, writable } = this;
    if (readable) return writable ? 'open' : 'readOnly';
    return writable ? 'writeOnly' : 'closed';
  },
};

/** Makes it a net.Socket like any other of a connection that was taken over. */
function materialize(socket) {
  if (!(socket instanceof LazySocket)) return socket;
  const {
    [kId]: id, [kHooks]: hooks, [kGotEnd]: gotEnd, [kEnding]: ending, [kDestroyed]: destroyed, [kFlowing]: flowing, [kUnref]: unref,
  } = socket;
  const fd = destroyed ? -1 : binding.nativeDuplicate(id);
  Object.setPrototypeOf(socket, net.Socket.prototype);
  if (fd === -1) {
    if (!destroyed) {
      hooks.forget(id);
      letGo(socket);
    }
    net.Socket.call(socket);
    // No descriptor is left for it: nobody could do anything with this connection.
    if (destroyed) socket.destroyed = true;
    else socket.destroy(error('EMFILE', 'dup'));
    return socket;
  }
  net.Socket.call(socket, { fd, readable: true, writable: true, allowHalfOpen: true, manualStart: true });
  socket._handle.reading = false;
  if (!unref) changeAlive(-1);
  becomeTakenOver(socket, id, () => hooks.giveBack(socket));
  if (socket[kTls] !== null) Object.setPrototypeOf(socket, SecureSocket.prototype);
  if (unref) socket.unref();
  if (flowing === true) socket.readableFlowing = true;
  else if (flowing === false) socket.pause();
  if (gotEnd) socket.push(null);
  if (ending) socket.end();
  return socket;
}

/** Whatever else a net.Socket has makes it one. */
function defineTriggers(prototype) {
  const known = new Set(['constructor', '_events', '_eventsCount', '_maxListeners', 'listenerCount', 'domain',
    ...Object.keys(methods), ...Object.keys(properties)]);
  const sample = new net.Socket();
  sample.destroy();
  const holders = [net.Socket.prototype, Duplex.prototype, Writable.prototype, Readable.prototype, Stream.prototype, sample];
  for (const name of new Set(holders.flatMap((holder) => Object.getOwnPropertyNames(holder)))) {
    if (known.has(name)) continue;
    Object.defineProperty(prototype, name, {
      configurable: true,
      get() { return materialize(this)[name]; },
      set(value) { materialize(this)[name] = value; },
    });
  }
}

let prepared = false;

/** Makes the class what it is: a matter of a millisecond, for those who need it. */
function prepareLazySockets() {
  if (prepared) return;
  prepared = true;
  Object.setPrototypeOf(LazySocket.prototype, net.Socket.prototype);
  defineTriggers(LazySocket.prototype);
  for (const [name, light] of Object.entries({ ...methods, addListener: methods.on })) {
    // Somebody may have taken the method from the socket before it became another.
    const method = function method(...args) {
      const prototype = Object.getPrototypeOf(this);
      return (prototype === LazySocket.prototype ? light : prototype[name]).apply(this, args);
    };
    Object.defineProperty(LazySocket.prototype, name, {
      configurable: true,
      get() { return method; },
      // Somebody spies on it, and wants to see the calls of a real socket.
      set(replacement) { materialize(this)[name] = replacement; },
    });
  }
  for (const [name, get] of Object.entries(properties)) {
    Object.defineProperty(LazySocket.prototype, name, {
      configurable: true,
      get,
      set(value) { materialize(this)[name] = value; },
    });
  }
  // For those who look: it is a net.Socket.
  Object.defineProperty(LazySocket.prototype, 'constructor', { value: net.Socket });
}

module.exports = { LazySocket, materialize, prepareLazySockets };
