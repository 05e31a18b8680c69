'use strict';

// Connections that the addon accepts itself, from their request to accept().

const { maxHeaderSize } = require('http');
const net = require('net');
const { getSystemErrorName } = require('util');
const binding = require('../addon/binding');
const { noop } = require('../../utils');
const { KIND } = require('../addon/rows');
const { LazySocket, materialize, prepareLazySockets } = require('./lazy-socket');
const { PLACE_MASK, connections, connectionOf, isPending } = require('../transport/connections-by-id');
const { onRequest } = require('../transport/native-batches');
const { becomeOrdinary, changeAlive, changeAliveFor, nativeIdOf, readAgain } = require('../transport/taken-over-socket');
const { giveBack } = require('../transport/giving-back');
const { parseSession } = require('../tls/session');
const { isSecure, becomePlaintext, unwrap } = require('../tls/secure-socket');
const { UpgradeRequest } = require('./upgrade-request');

/** What is to be done with requests, other connections and failed handshakes, by the id of the listener; see listen(). */
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
    // Nobody listens any more.
    const hosted = listeners.get(listener);
    if (hosted === undefined) {
      binding.nativeRemove(id);
      return;
    }
    connections[id & PLACE_MASK] = this;
    this.socket = new LazySocket(id, address, port, hooks, tls === null ? null : parseSession(tls));
    hosted.onRequest(new UpgradeRequest(this.socket, lines), this.socket);
  }

  /** Something else than an opening handshake has arrived. */
  passed({ listener, bytes, address, port, tls }) {
    const id = this._nativeId;
    const hosted = listeners.get(listener);
    if (hosted === undefined) {
      binding.nativeRemove(id);
      return;
    }
    if (tls === null) {
      const fd = binding.nativeHandOver(id);
      if (fd !== -1) hosted.handOver(fd, bytes);
      return;
    }
    connections[id & PLACE_MASK] = this;
    this.socket = new LazySocket(id, address, port, hooks, parseSession(tls));
    // Without a descriptor for it there is no socket.
    this.socket.on('error', noop);
    const socket = materialize(this.socket);
    if (socket.destroyed) return;
    socket.removeListener('error', noop);
    hooks.giveBack(socket);
    hosted.handOverStream(socket, bytes);
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
 * @param {{
 *   onRequest(request: UpgradeRequest, socket: net.Socket): void,
 *   onTlsError?(error: Error, address: net.AddressInfo): void,
 *   handOver?(fd: number, bytes: Buffer): void,
 *   handOverStream?(socket: net.Socket, bytes: Buffer): void
 * }} hosted called with each request; with each handshake of TLS that has failed; and with connections that bring anything
 *   else than an opening handshake, as a descriptor or, with TLS, as a socket of what was decrypted, and what was read of them.
 *   Without `handOver`, the addon refuses them
 * @param {{ maxHeadLength?: number, reusePort?: boolean, tls?: object|null }} [more] `reusePort`: others listen there who ask for
 *   it as well; `tls`: that of the addon, from prepareTls(); null for plain TCP
 * @returns {{ address(): net.AddressInfo, secure(tls: object): void, close(): void, ref(): void, unref(): void }}
 * @throws {Error} that of the operating system
 */
function listen(address, port, timeout, hosted, { maxHeadLength = maxHeaderSize, reusePort = false, tls = null } = {}) {
  prepareLazySockets();
  const bound = binding.nativeListen(address, port, Boolean(reusePort), timeout, maxHeadLength, hosted.handOver !== undefined, tls);
  if (bound.error !== 0) {
    const code = getSystemErrorName(-bound.error);
    throw Object.assign(new Error(`listen ${code}: ${address}:${port}`),
      { code, errno: -bound.error, syscall: 'listen', address, port });
  }
  listeners.set(bound.listener, hosted);
  changeAlive(1);
  const info = { address: bound.address, family: familyOf(bound.address), port: bound.port };
  let open = true;
  let alive = true;
  const keepAlive = (wanted) => {
    if (open && alive !== wanted) changeAlive(wanted ? 1 : -1);
    alive = wanted;
  };
  return {
    address: () => ({ ...info }),
    ref: () => keepAlive(true),
    unref: () => keepAlive(false),
    secure: (context) => binding.nativeSecureListener(bound.listener, context),
    close() {
      if (!open) return;
      open = false;
      listeners.delete(bound.listener);
      binding.nativeCloseListener(bound.listener);
      if (alive) changeAlive(-1);
    },
  };
}

module.exports = { listen };
