'use strict';

// Connections that the addon accepts itself, from their request to accept().

const { maxHeaderSize } = require('http');
const net = require('net');
const { getSystemErrorName } = require('util');
const binding = require('../addon/binding');
const { KIND } = require('../addon/rows');
const { LazySocket, prepareLazySockets } = require('./lazy-socket');
const { PLACE_MASK, connections } = require('../transport/connections-by-id');
const { becomeOrdinary, changeAlive, changeAliveFor, nativeIdOf, readAgain } = require('../transport/taken-over-socket');
const { giveBack } = require('../transport/giving-back');
const { UpgradeRequest } = require('./upgrade-request');

/** What is to be done with requests, by the id of the listener. */
const listeners = new Map();

/** What has the place of a connection from its request to accept(). */
class PendingConnection {
  constructor(id) {
    this._nativeId = id;
    this._context = null;
    this._sendCallbacks = null;
    this._needDrain = false;
    this.socket = null;
  }

  /** Its request has arrived. */
  requested({ listener, lines, address, port }) {
    const id = this._nativeId;
    // Nobody listens any more, or the connection has gone again.
    const onRequest = listeners.get(listener);
    if (onRequest === undefined || !binding.nativeKnow(id)) {
      binding.nativeRemove(id);
      return;
    }
    connections[id & PLACE_MASK] = this;
    this.socket = new LazySocket(id, address, port, hooks);
    onRequest(new UpgradeRequest(this.socket, lines), this.socket);
  }

  // No frames are read before accept().
  _arrive(kind) {
    if (kind === KIND.END) this.socket.push(null);
  }
}

/** What the sockets need of the transport; `scheduleFlush` is put in by native-batches, which requires this module. */
const hooks = {
  scheduleFlush: null,

  forget(id) {
    const place = id & PLACE_MASK;
    if (isPending(id) && connections[place]._nativeId === id) connections[place] = undefined;
  },

  giveBack(socket) {
    const owner = connections[nativeIdOf(socket) & PLACE_MASK];
    if (!(owner instanceof PendingConnection)) {
      giveBack(owner);
      return;
    }
    hooks.forget(owner._nativeId);
    if (!becomeOrdinary(socket)) return;
    changeAliveFor(socket, -1);
    // Nothing was read behind the request, so nothing is on its way.
    const unsent = binding.nativeStop(owner._nativeId);
    const left = binding.nativeRelease(owner._nativeId);
    if (left === null) return;
    binding.releaseReceiver(left.receiver);
    readAgain(socket);
    if (left.unread.length > 0) socket.unshift(left.unread);
    if (unsent !== null && unsent.length > 0) socket.write(unsent);
  },
};

/** Whether an id is that of a connection which waits for accept(). */
function isPending(id) {
  return id !== null && connections[id & PLACE_MASK] instanceof PendingConnection;
}

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
  prepareLazySockets();
  const bound = binding.nativeListen(address, port, timeout, maxHeaderSize);
  if (bound.error !== 0) {
    const code = getSystemErrorName(-bound.error);
    throw Object.assign(new Error(`listen ${code}: ${address}:${port}`),
      { code, errno: -bound.error, syscall: 'listen', address, port });
  }
  listeners.set(bound.listener, onRequest);
  changeAlive(1);
  const info = { address: bound.address, family: net.isIPv6(bound.address) ? 'IPv6' : 'IPv4', port: bound.port };
  let open = true;
  return {
    address: () => ({ ...info }),
    close() {
      if (!open) return;
      open = false;
      listeners.delete(bound.listener);
      binding.nativeCloseListener(bound.listener);
      changeAlive(-1);
    },
  };
}

module.exports = { PendingConnection, hooks, isPending, listen };
