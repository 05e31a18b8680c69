'use strict';

// The real net.Sockets of connections with TLS. The addon has the session, so Node can never read or write their
// descriptors. When the program starts to use the bytes, the addon goes on to decrypt and encrypt, and passes plaintext.

const net = require('net');
const binding = require('../addon/binding');
const { BoundFunction } = require('../base/context');
const { KIND } = require('../addon/rows');
const { kId, PLACE_MASK, connections, connectionOf } = require('../transport/connections-by-id');
const { tellWhenWritten } = require('../transport/send-callbacks');
const { TakenOverSocket, becomeRaw, counts, finishWhenWritten, letGo } = require('../transport/taken-over-socket');
const { kTls, defineTlsProperties } = require('./session');

/** A socket whose frames the addon reads and writes. */
class SecureSocket extends TakenOverSocket {}

/** A socket whose plaintext the program reads and writes. */
class PlaintextSocket extends net.Socket {
  _read() {
    if (this[kId] !== null) binding.nativePause(this[kId], false);
  }

  _write(data, encoding, callback) {
    this._writev([{ chunk: data, encoding }], callback);
  }

  _writev(chunks, callback) {
    const id = this[kId];
    const owner = id === null ? undefined : connectionOf(id);
    if (owner === undefined) {
      callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
      return;
    }
    if (this.timeout) this._unrefTimer();
    for (const { chunk, encoding } of chunks) {
      binding.nativeSendRaw(id, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    }
    // Behind what was sent before; the stream keeps what comes meanwhile.
    tellWhenWritten(owner, new BoundFunction(callback));
    binding.nativeFlushOne(id);
  }

  _final(callback) {
    finishWhenWritten(this, callback);
  }

  _destroy(error, callback) {
    letGo(this);
    super._destroy(error, callback);
  }

  get bytesRead() { return counts(this)[1]; }
  get bytesWritten() { return counts(this)[2] + counts(this)[0]; }
}

for (const { prototype } of [SecureSocket, PlaintextSocket]) {
  defineTlsProperties(prototype);
  // For those who look: it is a net.Socket.
  Object.defineProperty(prototype, 'constructor', { value: net.Socket });
}

/** What has the place of a connection whose plaintext belongs to the program. */
class PlaintextOwner {
  constructor(id, socket) {
    this._nativeId = id;
    this._context = null;
    this._sendCallbacks = null;
    this._needDrain = false;
    this.remoteAddress = socket.remoteAddress;
    this.socket = socket;
  }

  _arrive(kind, value) {
    const { socket, _nativeId: id } = this;
    if (kind === KIND.END) socket.push(null);
    else if (kind === KIND.BINARY && !socket.push(value)) binding.nativePause(id, true);
  }
}

/** Whether a socket is one of a connection with TLS that the addon reads and writes. */
function isSecure(socket) {
  return Boolean(socket[kTls]) && socket[kId] !== null;
}

/** In place of a method of a handle. */
function succeed() { return 0; }

/** Has `write()` and the like be those of a stream; what comes is not passed on before unwrap(). */
function becomePlaintext(socket) {
  becomeRaw(socket, PlaintextSocket.prototype);
  const { _handle: handle } = socket;
  if (!handle) return;
  // Node's HTTP server reads handles itself. It has a mark for those that somebody reads already, and starts them all the same.
  handle._consumed = true;
  handle.readStart = succeed;
  handle.readStop = succeed;
}

/**
 * The addon passes on plaintext from now on.
 * @returns {{ receiver: number, unread: Buffer }|null} what it has received; null when the connection is gone
 */
function unwrap(socket) {
  const id = socket[kId];
  if (id === null) return null;
  const owner = new PlaintextOwner(id, socket);
  const before = connectionOf(id);
  if (before !== undefined) {
    // Somebody may wait for what was written before.
    owner._sendCallbacks = before._sendCallbacks;
    before._sendCallbacks = null;
  }
  connections[id & PLACE_MASK] = owner;
  return binding.nativeUnwrap(id);
}

module.exports = { SecureSocket, isSecure, becomePlaintext, unwrap };
