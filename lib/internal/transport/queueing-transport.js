'use strict';

// Large messages are compressed on a thread of libuv's pool. Until that is done, whatever else the connection sends waits
// behind it: for that time its transport is one that queues. Nothing can be lost on the way: whoever needs to be sure of
// what was sent (a Close frame, a frame of the program's own, write() and end() of the socket, the end of the process) has the
// queue settled first, which takes no longer than compressing on the spot would have.

const { AsyncResource } = require('async_hooks');
const binding = require('../addon/binding');
const { callBack } = require('../base/arguments');
const { noop } = require('../../utils');
const { highWaterMarkOf } = require('./backpressure');
const { routeChanged } = require('../topics/route');

/** Transports under way, to be settled when the process ends. */
const underWay = new Set();
let watchesExit = false;

function settleAll() {
  for (const transport of underWay) transport.settle();
}

class QueueingTransport {
  /** See stream-transport for what the methods do. */
  constructor(connection, inner) {
    this._connection = connection;
    /** Who moves the bytes. */
    this.inner = inner;
    this._queue = [];
    this._queuedBytes = 0;
    this._started = null;
    /** Whether the program has been told to wait for a `drain`. */
    this._owesDrain = false;
    /** Takes back what settleBefore() has done. */
    this._unwatchSocket = noop;
  }

  get name() { return this.inner.name; }

  /** Has a message compressed; it is sent when that is done. */
  start(opcode, payload, threshold, cb) {
    const connection = this._connection;
    this._started = { opcode, threshold, cb: bind(cb) };
    this._queuedBytes += payload.length;
    connection._transport = this;
    this._watchSocket();
    routeChanged(connection);
    underWay.add(this);
    if (!watchesExit) {
      watchesExit = true;
      process.on('exit', settleAll);
    }
    binding.startCompression(connection._compressor.use(), payload).then(() => this.settle());
    return this._hasRoom();
  }

  /** Has what the program does with the socket itself come behind what waits. Taken-over sockets see to that themselves. */
  _watchSocket() {
    if (this.inner.name === 'stream') this._unwatchSocket = settleBefore(this._connection);
  }

  /** Somebody else moves the bytes from now on. */
  changeInner(inner) {
    this.inner = inner;
    this._watchSocket();
  }

  /** What a call that sends returns. */
  _hasRoom() {
    const connection = this._connection;
    const room = this.bufferedAmount(connection) < highWaterMarkOf(connection);
    if (!room) this._owesDrain = true;
    connection.outputBufferFull = !room;
    return room;
  }

  /** Sends all that waits, now. */
  settle() {
    if (!underWay.delete(this)) return;
    const connection = this._connection;
    const { opcode, threshold, cb } = this._started;
    const queue = this._queue;
    connection._transport = this.inner;
    this._unwatchSocket();
    routeChanged(connection);
    this.inner.sendFinished(connection, opcode, threshold, cb);
    // Another large message among them is begun at once, and the rest waits for that.
    for (const [method, ...args] of queue) {
      if (method === 'sendCompressed') sendCompressed(connection, ...args);
      else connection._transport[method](connection, ...args);
    }
    if (!connection._transport.isBackedUp(connection)) connection._sendWaitingPong();
    if (!this._owesDrain) return;
    if (connection._transport instanceof QueueingTransport) connection._transport._owesDrain = true;
    // Unless so much waits now that the socket will say so itself.
    else if (!connection.outputBufferFull) process.nextTick(emitDrain, connection);
  }

  _enqueue(method, args, bytes) {
    this._queue.push([method, ...args]);
    this._queuedBytes += bytes;
    return this._hasRoom();
  }

  sendText(connection, opcode, text, threshold, cb) {
    return this._enqueue('sendText', [opcode, text, threshold, bind(cb)], Buffer.byteLength(text));
  }

  sendBytes(connection, opcode, payload, threshold, cb) {
    return this._enqueue('sendBytes', [opcode, Buffer.from(payload), threshold, bind(cb)], payload.length);
  }

  sendCompressed(connection, opcode, data, threshold, cb) {
    const payload = Buffer.from(data);
    return this._enqueue('sendCompressed', [opcode, payload, threshold, bind(cb)], payload.length);
  }

  sendControl(connection, opcode, payload) {
    this._enqueue('sendControl', [opcode, Buffer.from(payload)], payload.length);
  }

  sendRaw(connection, bytes, cb) {
    settleFor(connection);
    return connection._transport.sendRaw(connection, bytes, cb);
  }

  isSlow(connection) { return this.inner.isSlow(connection); }

  whenWritten(connection, callback) { this.inner.whenWritten(connection, callback); }

  isBackedUp(connection) { return this.inner.isBackedUp(connection) || this.bufferedAmount(connection) >= highWaterMarkOf(connection); }

  setPaused(connection, paused) { this.inner.setPaused(connection, paused); }

  bufferedAmount(connection) { return this.inner.bufferedAmount(connection) + this._queuedBytes; }

  flush(connection) { return this.inner.flush(connection) + this._queuedBytes; }

  received(connection) { return this.inner.received(connection); }

  bytesWritten(connection) { return this.inner.bytesWritten(connection); }

  configure(connection, config) { this.inner.configure(connection, config); }

  /** The connection is over: what waits is not sent any more. */
  release(connection) {
    underWay.delete(this);
    connection._transport = this.inner;
    this._unwatchSocket();
    const error = Object.assign(new Error(`The connection to ${connection.remoteAddress} has ended before everything ` +
      'was sent.'), { code: 'ERR_WEBSOCKET_CLOSED' });
    // Earlier ones first.
    this.inner.release(connection);
    for (const cb of [this._started.cb, ...this._queue.map((entry) => entry[4])]) callBack(cb, error);
  }
}

/**
 * Has write() and end() of the socket of a connection send first what waits.
 * @returns {() => void} takes it back
 */
function settleBefore(connection) {
  const { socket } = connection;
  const originals = ['write', 'end'].map((name) => [name, socket[name]]);
  const replacements = new Map();
  for (const [name, original] of originals) {
    replacements.set(name, function settled(...args) {
      settleFor(connection);
      return original.apply(this, args);
    });
    socket[name] = replacements.get(name);
  }
  return () => {
    // The program may have put something else there.
    for (const [name, original] of originals) if (socket[name] === replacements.get(name)) socket[name] = original;
  };
}

function emitDrain(connection) {
  if (!connection.closeEventEmitted) connection.emit('drain');
}

/** Callbacks are called in the async context they were given in. */
function bind(cb) {
  return typeof cb === 'function' ? AsyncResource.bind(cb) : undefined;
}

/**
 * Sends a message compressed, if that is worth while; if it is large, it is compressed on another thread. `data` is text or
 * bytes.
 */
function sendCompressed(connection, opcode, data, threshold, cb) {
  const { _transport: transport, _compressor: compressor } = connection;
  if (data.length < compressor.largeSize || transport instanceof QueueingTransport) {
    return transport.sendCompressed(connection, opcode, data, threshold, cb);
  }
  const payload = typeof data === 'string' ? Buffer.from(data) : data;
  return new QueueingTransport(connection, transport).start(opcode, payload, threshold, cb);
}

/** Sends all that waits for a message that is being compressed. */
function settleFor(connection) {
  // Each may begin with the next.
  while (connection?._transport instanceof QueueingTransport) connection._transport.settle();
}

/** Puts another transport in place of the one of a connection, with what waits. */
function changeTransport(connection, transport) {
  if (connection._transport instanceof QueueingTransport) connection._transport.changeInner(transport);
  else connection._transport = transport;
  routeChanged(connection);
}

module.exports = { sendCompressed, settleFor, changeTransport };
