'use strict';

// Several WebSocket servers on one HTTP server: which of them an `upgrade` event is for. The listeners that the HTTP server
// has do not tell: instrumentation wraps them, and dispatchers take them off and call them themselves. So the servers that are
// mounted are remembered here. What none of them wants is refused when all have been called.

const { noop } = require('../../utils');
const { isOtherUpgrade } = require('../listening/other-upgrades');
const { setImmediate } = require('../time/immediate');

/** The WebSocket servers that are mounted on an HTTP server, in the order of `mount()`. */
const mounted = new WeakMap();

/** Our listeners, by what stands for them at an HTTP server: they themselves, or wrappers that instrumentation has made. */
const ownListeners = new WeakMap();

/** What has become of requests so far, where it is not clear from the beginning whose they are. */
const offers = new WeakMap();

/** Has a WebSocket server get the `upgrade` events of an HTTP server. */
function mountOn(httpServer, server, listener) {
  const before = listenersOf(httpServer);
  // It may be there already, but also have been removed by the program since.
  if (!before.some((other) => ownListeners.get(other) === listener)) httpServer.on('upgrade', listener);
  for (const added of listenersOf(httpServer)) {
    if (!before.includes(added)) ownListeners.set(added, listener);
  }
  const servers = mounted.get(httpServer) || [];
  mounted.set(httpServer, [...servers.filter((other) => other !== server), server]);
}

/** The opposite of mountOn(). */
function unmountFrom(httpServer, server, listener) {
  httpServer.removeListener('upgrade', listener);
  mounted.set(httpServer, (mounted.get(httpServer) || []).filter((other) => other !== server));
}

function listenersOf(httpServer) {
  return httpServer && typeof httpServer.listeners === 'function' ? httpServer.listeners('upgrade') : [];
}

/** Whether all listeners for `upgrade` are those of WebSocket servers of this package. */
function isOursAlone(httpServer) {
  return listenersOf(httpServer).every((listener) => ownListeners.has(listener));
}

/**
 * Offers an upgrade that the addon has read to all who listen for `upgrade` at the HTTP server, which gets other requests from
 * the same port.
 * @param {import('http').Server} httpServer
 * @param {Function} listener that of the WebSocket server, as for mountOn()
 * @param {(request: object, socket: object) => void} handle called if nobody else listens
 */
function offerUpgrade(httpServer, listener, handle, request, socket) {
  const all = listenersOf(httpServer);
  if (all.length === 1 && ownListeners.get(all[0]) === listener) {
    handle(request, socket);
    return;
  }
  if (!isOursAlone(httpServer)) {
    // Whoever else takes it expects a socket that the HTTP server knows. Without a descriptor for it, there is no such socket.
    socket.on('error', noop);
    socket.server = httpServer;
    if (socket.destroyed) return;
    socket.removeListener('error', noop);
    socket._server = httpServer;
    httpServer._connections++;
  }
  if (!httpServer.emit('upgrade', request, socket, Buffer.alloc(0))) handle(request, socket);
}

/** The HTTP server that has emitted `upgrade`, of those that a WebSocket server is mounted on. */
function emitterOf(httpServers, self, socket) {
  // A dispatcher calls the listener with any `this`; Node notes at the socket whose it is.
  if (httpServers.includes(self)) return self;
  return httpServers.includes(socket.server) ? socket.server : httpServers[0];
}

/** Whether a server gets a request that its HTTP server has emitted. */
function isFor(server, httpServer, request, offer) {
  // Of two with the same path, the first one gets it.
  if (server._filter !== null) return !offer.taken && server._filter(request);
  // Who asks for it by path or host comes before who takes everything.
  return !mounted.get(httpServer).some((other) => other._filter !== null && other._filter(request));
}

/**
 * A listener for `upgrade` events that passes on those which are for the server.
 * @param {WebSocketServer} server with `_mountedOn` and `_filter`
 * @param {(request: object, socket: object, head: Buffer) => void} handle
 * @param {(request: object, socket: object) => void} refuse
 */
function upgradeListener(server, handle, refuse) {
  return function onUpgrade(request, socket, head) {
    // None after unmount(), when a wrapper has not noticed that the listener was removed.
    const httpServer = emitterOf(server._mountedOn, this, request.socket || socket);
    if (isOtherUpgrade(httpServer, request, socket, head, () => isOursAlone(httpServer))) return;
    if (httpServer !== undefined && server._filter === null && mounted.get(httpServer).length === 1) {
      handle(request, socket, head);
      return;
    }
    const offer = offers.get(request) || newOffer(httpServer || this, request, socket);
    if (httpServer !== undefined && isFor(server, httpServer, request, offer)) {
      offer.taken = true;
      handle(request, socket, head);
    } else {
      offer.declined.set(onUpgrade, refuse);
    }
  };
}

function newOffer(httpServer, request, socket) {
  // `declined` has those of our listeners that were called in vain, and how to refuse in their name.
  const offer = { taken: false, declined: new Map(), bytesWritten: socket.bytesWritten };
  offers.set(request, offer);
  // A reset by the peer would end the process while nobody listens.
  socket.on('error', noop);
  // Not in this tick: a dispatcher may be asynchronous.
  setImmediate(() => {
    if (offer.taken) return;
    const answered = socket.destroyed || socket.writableEnded || socket.bytesWritten !== offer.bytesWritten;
    if (answered || hasOtherListeners(httpServer, offer)) {
      // It is somebody else's now.
      socket.removeListener('error', noop);
      return;
    }
    const refuse = [...offer.declined.values()].pop();
    refuse(request, socket);
  });
  return offer;
}

/** Whether there are listeners which are not ours: they have to answer what none of our servers wants. */
function hasOtherListeners(httpServer, { declined }) {
  const owners = listenersOf(httpServer).map((listener) => ownListeners.get(listener));
  const unknown = owners.filter((owner) => owner === undefined).length;
  // Those of ours that were called without being there were taken off by a dispatcher, which is one of the unknown ones.
  const dispatchers = [...declined.keys()].some((listener) => !owners.includes(listener)) ? 1 : 0;
  return unknown > dispatchers;
}

module.exports = { upgradeListener, mountOn, unmountFrom, isOursAlone, offerUpgrade };
