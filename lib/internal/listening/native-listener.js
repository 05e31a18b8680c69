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
const { UpgradeRequest } = require('./upgrade-request');

/** What is to be done with requests, by the id of the listener: `{ answer, handOver }`. */
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
  requested({ listener, lines, address, port }) {
    const id = this._nativeId;
    // Nobody listens any more, or the connection has gone again.
    const known = listeners.get(listener);
    if (known === undefined || !binding.nativeKnow(id)) {
      binding.nativeRemove(id);
      return;
    }
    connections[id & PLACE_MASK] = this;
    this.socket = new LazySocket(id, address, port, hooks);
    known.answer(new UpgradeRequest(this.socket, lines), this.socket);
  }

  /** Something else than an opening handshake has arrived. */
  passed({ listener, bytes }) {
    const known = listeners.get(listener);
    if (known === undefined) {
      binding.nativeRemove(this._nativeId);
      return;
    }
    const fd = binding.nativeHandOver(this._nativeId);
    if (fd !== -1) known.handOver(fd, bytes);
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

/**
 * Listens at an IP address.
 * @param {string} address
 * @param {number} port 0 lets the operating system choose
 * @param {number} timeout milliseconds that a request may take to arrive
 * @param {(request: UpgradeRequest, socket: net.Socket) => void} answer called with each request
 * @param {{ maxHeadLength?: number, handOver?: (fd: number, bytes: Buffer) => void }} [more] `handOver` gets connections with
 *   anything else than an opening handshake, and what was read of them; without it, the addon refuses them
 * @returns {{ address(): net.AddressInfo, close(): void, ref(): void, unref(): void }}
 * @throws {Error} that of the operating system
 */
function listen(address, port, timeout, answer, { maxHeadLength = maxHeaderSize, handOver } = {}) {
  prepareLazySockets();
  const bound = binding.nativeListen(address, port, timeout, maxHeadLength, handOver !== undefined);
  if (bound.error !== 0) {
    const code = getSystemErrorName(-bound.error);
    throw Object.assign(new Error(`listen ${code}: ${address}:${port}`),
      { code, errno: -bound.error, syscall: 'listen', address, port });
  }
  listeners.set(bound.listener, { answer, handOver });
  changeAlive(1);
  const info = { address: bound.address, family: net.isIPv6(bound.address) ? 'IPv6' : 'IPv4', port: bound.port };
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
