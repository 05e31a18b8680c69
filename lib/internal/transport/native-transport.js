'use strict';

// The transport for plain TCP and Unix sockets: the addon reads and writes their descriptors itself. Everything that a
// wake-up of the event loop brings, for all connections, comes in one call; what is sent meanwhile leaves in one write
// for each connection.

const net = require('net');
const { getSystemErrorName } = require('util');
const binding = require('../addon/binding');
const { BoundFunction } = require('../base/context');
const { refuseAfterEnd } = require('./after-end');
const { frameLimit } = require('./encode');
const { highWaterMarkOf } = require('./backpressure');
const { KIND } = require('../addon/rows');
const {
  mayBeAvailable, isAvailable, onEvent, batchTime, drivenByWorker, leave, leaveLater,
} = require('./native-batches');
const { PLACE_MASK, connections, isPending } = require('./connections-by-id');
const { GONE, becomeTakenOver, afterDrain, counts, nativeIdOf } = require('./taken-over-socket');
const { mayCloseHandle, closeHandle } = require('./closed-handle');
const { giveBack, stopped } = require('./giving-back');
const { DRAIN, tellWhenWritten, promiseDrain, callBound, endCallbacks } = require('./send-callbacks');

/** How the addon counts the values of the option `io`. */
const IO = { auto: 0, loop: 1, threads: 2 };

const NO_BYTES = Buffer.alloc(0);

/** Methods of net.Socket that somebody who spies on a socket replaces; their originals. */
const ORIGINALS = ['write', 'end', 'destroy', 'pause', 'resume', 'read', 'push', '_read', '_write']
  .map((name) => [name, net.Socket.prototype[name]]);

let currentIo = 'auto';
function happen(connection, kind, value) {
  switch (kind) {
    case KIND.DRAINED:
      drained(connection, value);
      return;
    case KIND.ERROR:
      connection.socket.destroy(socketError(value));
      return;
    case KIND.REQUEST:
      connection.requested(value);
      return;
    case KIND.TLS_FAILED:
      connection.tlsFailed(value);
      return;
    case KIND.STOPPED:
      stopped(connection);
      return;
    case KIND.PASSED:
      connection.passed(value);
      return;
    default:
      if (connection.socket.timeout) connection.socket._unrefTimer();
      connection._arrive(kind, value, batchTime());
  }
}

/** The error that Node would have reported, that of a session of TLS, or one of the addon's own, which has no code. */
function socketError(reason) {
  if (typeof reason === 'string') {
    const [code, message] = reason.split('\n');
    return Object.assign(new Error(message), { code: code || 'ERR_WEBSOCKET_INTERNAL' });
  }
  const number = reason;
  const code = getSystemErrorName(-number);
  const syscall = code === 'EPIPE' ? 'write' : 'read';
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -number, code, syscall });
}

/** All that waited has been written, which answers as many requests as `count`, in order. */
function drained(connection, count) {
  const asked = connection._sendCallbacks || [];
  connection._sendCallbacks = asked.length > count ? asked.slice(count) : null;
  // The last request is that of the socket, when it ends.
  if (count > asked.length) afterDrain(connection.socket);
  let drain = false;
  for (let i = 0; i < count && i < asked.length; i++) {
    if (asked[i] === DRAIN) drain = true;
    else process.nextTick(callBound, asked[i]);
  }
  if (drain) {
    connection._needDrain = false;
    connection.socket.emit('drain');
  }
}

/** Whether a socket is one of the addon's own, or a plain socket that nobody else reads, writes or watches. */
function mayTakeOver(socket) {
  if (isPending(nativeIdOf(socket))) return true;
  const handle = socket._handle;
  return mayBeAvailable() && Object.getPrototypeOf(socket) === net.Socket.prototype &&
    Boolean(handle) && handle.fd >= 0 && typeof handle.readStop === 'function' &&
    !socket.destroyed && !socket.connecting && !socket.readableEnded && !socket.writableEnded &&
    socket.writableLength === 0 && socket.readableEncoding === null &&
    socket.listenerCount('data') === 0 && socket.listenerCount('readable') === 0 &&
    ORIGINALS.every(([name, original]) => socket[name] === original);
}

/**
 * Takes the socket of a connection over. What was read from it already is delivered first, in a later turn of the
 * event loop.
 * @param {WebSocketConnection} connection
 * @param {'auto'|'loop'|'threads'} [io] who is to drive
 * @param {number} maskPolicy one of MASK_POLICY in ../addon/rows
 * @param {object} config as of StreamReceiver
 * @param {number[]|null} [limits] as of StreamReceiver
 * @returns {boolean} false when the socket has to stay with Node; nothing has changed then
 */
function takeOver(connection, io, maskPolicy, { maxFrameSize, maxMessageSize, assemble, inflation, text = 0 }, limits = null) {
  const { socket } = connection;
  const known = nativeIdOf(socket);
  if (isPending(known)) {
    if (!binding.nativeBegin(known, maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation, text)) socket.destroy();
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
  const closes = mayCloseHandle(socket);
  const id = binding.nativeAdd(handle.fd, maskPolicy, maxFrameSize, maxMessageSize, assemble, inflation, text, early,
    handle.constructor.name === 'Pipe', !closes);
  if (id === -1) {
    // No descriptors left, most likely: Node goes on.
    if (early.length > 0) socket.unshift(early);
    handle.reading = true;
    handle.readStart();
    return false;
  }
  becomeTakenOver(socket, id, () => giveBack(connection));
  if (closes) closeHandle(socket);
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

/** Whether the program has ended the socket. */
function hasEnded({ socket }) {
  return socket.writableEnded;
}

/** Bookkeeping after something was sent; `waiting` is how many bytes wait to be written then. */
function sent(connection, waiting, cb, whenToLeave = leave) {
  if (waiting === GONE) {
    if (typeof cb === 'function') {
      process.nextTick(cb, Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    }
    return false;
  }
  if (typeof cb === 'function') tellWhenWritten(connection, new BoundFunction(cb));
  if (connection.socket.timeout) connection.socket._unrefTimer();
  const full = waiting >= highWaterMarkOf(connection);
  if (full) promiseDrain(connection);
  connection.outputBufferFull = full;
  whenToLeave(connection);
  return !full;
}

onEvent(happen);

/** The methods of stream-transport, for connections that were taken over. */
module.exports = {
  mayTakeOver,
  takeOver,
  giveBack,

  /** The addon can send without JavaScript. */
  isDirect: true,

  get name() { return drivenByWorker() ? 'threads' : 'loop'; },

  sendText(connection, opcode, text, threshold, cb) {
    if (hasEnded(connection)) return refuseAfterEnd(cb);
    const waiting = binding.nativeSendText(connection._nativeId, text, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return sent(connection, waiting, cb);
  },

  sendBytes(connection, opcode, payload, threshold, cb) {
    if (hasEnded(connection)) return refuseAfterEnd(cb);
    const waiting = binding.nativeSendBytes(connection._nativeId, opcode, payload, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return sent(connection, waiting, cb);
  },

  sendCompressed(connection, opcode, data, threshold, cb) {
    if (hasEnded(connection)) return refuseAfterEnd(cb);
    const { _nativeId: id, _compressor: compressor, maskOutgoingPackets: masked } = connection;
    const limit = frameLimit(threshold);
    const waiting = typeof data === 'string'
      ? binding.nativeSendCompressedText(id, compressor.use(), data, limit, masked)
      : binding.nativeSendCompressedBytes(id, compressor.use(), opcode, data, limit, masked);
    return sent(connection, waiting, cb);
  },

  sendFinished(connection, opcode, threshold, cb) {
    const { _nativeId: id, _compressor: compressor, maskOutgoingPackets: masked } = connection;
    const limit = frameLimit(threshold);
    if (hasEnded(connection)) {
      // The compressor has its context back only when somebody has taken the message.
      binding.encodeFinished(compressor.use(), opcode, limit, masked);
      return refuseAfterEnd(cb);
    }
    return sent(connection, binding.nativeSendFinished(id, compressor.use(), opcode, limit, masked), cb);
  },

  sendControl(connection, opcode, payload) {
    if (hasEnded(connection)) return;
    sent(connection, binding.nativeSendControl(connection._nativeId, opcode, payload, connection.maskOutgoingPackets));
  },

  /** The response to an opening handshake: it leaves with what the program sends in the same tick, in one write. */
  sendResponse(connection, response) {
    sent(connection, binding.nativeSendRaw(connection._nativeId, Buffer.from(response, 'latin1')), undefined, leaveLater);
  },

  sendRaw(connection, bytes, cb) {
    if (hasEnded(connection)) return refuseAfterEnd(cb);
    return sent(connection, binding.nativeSendRaw(connection._nativeId, bytes), cb);
  },

  isBackedUp(connection) {
    return connection._needDrain;
  },

  /** Whether the peer does not take what waits. */
  isSlow(connection) {
    const mark = highWaterMarkOf(connection);
    // Some of it may merely have had no chance yet.
    return this.bufferedAmount(connection) >= mark && this.flush(connection) >= mark;
  },

  /** So much waits that a `drain` has to follow. */
  promiseDrain(connection) {
    connection.outputBufferFull = true;
    promiseDrain(connection);
  },

  /** Calls `callback` when everything sent so far is written. */
  whenWritten(connection, callback) {
    if (hasEnded(connection)) return;
    tellWhenWritten(connection, new BoundFunction(callback));
    leaveLater();
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
    if (connection._sendCallbacks === null) return;
    // What the system takes at this last moment was sent after all, as it would have been by Node's socket.
    binding.nativeFlushOne(connection._nativeId);
    endCallbacks(connection, counts(connection.socket)[0]);
  },
};
