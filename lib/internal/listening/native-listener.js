'use strict';

// Connections that the addon accepts itself, from their request to accept().

const { maxHeaderSize } = require('http');
const net = require('net');
const { getSystemErrorName } = require('util');
const binding = require('../addon/binding');
const { KIND } = require('../addon/rows');
const { LazySocket, prepareLazySockets } = require('./lazy-socket');
const { PLACE_MASK, connections, connectionOf, isPending } = require('../transport/connections-by-id');
const { onRequest } = require('../transport/native-batches');
const { becomeOrdinary, changeAlive, changeAliveFor, nativeIdOf, readAgain } = require('../transport/taken-over-socket');
const { giveBack } = require('../transport/giving-back');
const { parseSession } = require('../tls/session');
const { isSecure, becomePlaintext, unwrap } = require('../tls/secure-socket');
const { UpgradeRequest } = require('./upgrade-request');

/** What is to be done with requests and failed handshakes, by the id of the listener. */
const listeners = new Map();

/** What has the place of a connection from its request to accept(). */
class PendingConnection {
  constructor(id) {
    this._nativeId = id;
    this.isPending = true;
    this._context = null;
    this._sendCallbacks = null;
    this._needDrain = false;
    this.socket = null;
  }

  /** Its request has arrived. */
  requested({ listener, lines, address, port, tls }) {
    const id = this._nativeId;
    // Nobody listens any more, or the connection has gone again.
    const hosted = listeners.get(listener);
    if (hosted === undefined || !binding.nativeKnow(id)) {
      binding.nativeRemove(id);
      return;
    }
    connections[id & PLACE_MASK] = this;
    this.socket = new LazySocket(id, address, port, hooks, tls === null ? null : parseSession(tls));
    hosted.onRequest(new UpgradeRequest(this.socket, lines), this.socket);
  }

  /** There will be none. */
  tlsFailed({ listener, address, port, code, message }) {
    const hosted = listeners.get(listener);
    if (hosted === undefined) return;
    hosted.onTlsError(Object.assign(new Error(message), { code }), { address, family: familyOf(address), port });
  }

  // No frames are read before accept().
  _arrive(kind) {
    if (kind === KIND.END) this.socket.push(null);
  }
}

onRequest((id) => new PendingConnection(id));

/** What the sockets need of the transport. */
const hooks = {
  forget(id) {
    if (isPending(id)) connections[id & PLACE_MASK] = undefined;
  },

  giveBack(socket) {
    const id = nativeIdOf(socket);
    const owner = id === null ? undefined : connectionOf(id);
    if (owner !== undefined && !owner.isPending) {
      giveBack(owner);
      return;
    }
    if (isSecure(socket)) {
      becomePlaintext(socket);
      const left = unwrap(socket);
      if (left === null) return;
      binding.releaseReceiver(left.receiver);
      if (left.unread.length > 0) socket.unshift(left.unread);
      return;
    }
    if (owner !== undefined) connections[id & PLACE_MASK] = undefined;
    if (!becomeOrdinary(socket)) return;
    changeAliveFor(socket, -1);
    // Nothing was read behind the request, so nothing is on its way.
    const unsent = binding.nativeStop(id, false);
    const left = binding.nativeRelease(id);
    if (left === null) return;
    binding.releaseReceiver(left.receiver);
    readAgain(socket);
    if (left.unread.length > 0) socket.unshift(left.unread);
    if (unsent !== null && unsent.length > 0) socket.write(unsent);
  },
};

function familyOf(address) {
  return net.isIPv6(address) ? 'IPv6' : 'IPv4';
}

/**
 * Listens at an IP address.
 * @param {string} address
 * @param {number} port 0 lets the operating system choose
 * @param {number} timeout milliseconds that a request may take to arrive
 * @param {object|null} tls of the addon, from prepareTls(); null for plain TCP
 * @param {(request: UpgradeRequest, socket: net.Socket) => void} onRequest called with each request
 * @param {(error: Error, address: net.AddressInfo) => void} onTlsError called with each handshake that has failed
 * @returns {{ address(): net.AddressInfo, secure(tls: object): void, close(): void }}
 * @throws {Error} that of the operating system
 */
function listen(address, port, timeout, tls, onRequest, onTlsError) {
  prepareLazySockets();
  const bound = binding.nativeListen(address, port, timeout, maxHeaderSize, tls);
  if (bound.error !== 0) {
    const code = getSystemErrorName(-bound.error);
    throw Object.assign(new Error(`listen ${code}: ${address}:${port}`),
      { code, errno: -bound.error, syscall: 'listen', address, port });
  }
  listeners.set(bound.listener, { onRequest, onTlsError });
  changeAlive(1);
  const info = { address: bound.address, family: familyOf(bound.address), port: bound.port };
  let open = true;
  return {
    address: () => ({ ...info }),
    secure: (context) => binding.nativeSecureListener(bound.listener, context),
    close() {
      if (!open) return;
      open = false;
      listeners.delete(bound.listener);
      binding.nativeCloseListener(bound.listener);
      changeAlive(-1);
    },
  };
}

module.exports = { listen };
