'use strict';

// The option `fallback`: an HTTP server of the program at a port where the addon listens. To the HTTP server and the program it
// looks as if the HTTP server listened there: `listening`, `address()`, `close()`, 'listening' and its limits are Node's own.
// For that, an object stands where Node has the handle that listens. Node does the same in the workers of a cluster.

const fs = require('fs');
const net = require('net');
const { noop } = require('../../utils');

const NO_BYTES = Buffer.alloc(0);

/** The handle of each HTTP server that listens because of the option. */
const ours = new WeakMap();

/** Node's class of handles of TCP sockets. */
let TCP = null;

/** Stands for the addon's listening sockets of one HTTP server. The methods up to `unref` are called by Node. */
class ListeningHandle {
  constructor() {
    this._ports = new Set();
    /** The property in which Node keeps what a handle belongs to. */
    this._owner = undefined;
    /** Set by Node: takes each new connection. */
    this.onconnection = noop;
    this.getsockname = undefined;
  }

  listen() { return 0; }

  /** The program closes the HTTP server: nobody listens any more. */
  close() {
    const ports = [...this._ports];
    this._ports.clear();
    for (const port of ports) port.close();
  }

  ref() {
    for (const port of this._ports) port.ref();
  }

  unref() {
    for (const port of this._ports) port.unref();
  }

  isInstalled() { return this._owner !== undefined; }

  has(port) { return this._ports.has(port); }

  add(port) {
    this._ports.add(port);
    this._update();
  }

  remove(port) {
    this._ports.delete(port);
    this._update();
  }

  /** Without this method, `address()` of the HTTP server is null. */
  _update() {
    const [port] = this._ports;
    this.getsockname = port && ((out) => {
      Object.assign(out, port.address());
      return 0;
    });
  }

  /** The HTTP server gets a connection with all that was read from it. From here on it is like those that Node accepts. */
  handOver(fd, bytes) {
    const handle = openHandle(fd);
    if (handle === null) return;
    try {
      this.onconnection(0, handle);
    } finally {
      // A listener of the program may have thrown.
      const socket = handle[this._owner];
      // There is none if the HTTP server has too many. The socket flows from a tick on that comes before this one; what comes of
      // the bytes must not pause it earlier. Nothing else can have been read meanwhile: that takes another turn of the loop.
      if (socket) process.nextTick(putInFront, socket, bytes);
    }
  }
}

/**
 * The HTTP server gets a connection with TLS, whose plaintext this socket has. Node takes connections as handles, and there is none
 * for plaintext: what it would do with the connection is done here.
 * @param {import('http').Server} httpServer
 * @param {net.Socket} socket
 * @param {Buffer} bytes that were read already
 */
function handOverStream(httpServer, socket, bytes) {
  const { maxConnections } = httpServer;
  if (maxConnections && httpServer._connections >= maxConnections) {
    const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
    socket.destroy();
    httpServer.emit('drop', { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily });
    return;
  }
  httpServer._connections++;
  socket.once('close', () => {
    httpServer._connections--;
    httpServer._emitCloseIfDrained();
  });
  socket.server = httpServer;
  if (bytes.length > 0) socket.unshift(bytes);
  httpServer.emit('connection', socket);
}

function putInFront(socket, bytes) {
  if (!socket.destroyed) socket.unshift(bytes);
}

/** A handle of Node for a connected socket; null if the operating system does not want it any more. */
function openHandle(fd) {
  if (TCP === null) return firstHandle(fd);
  const handle = new TCP(0);
  if (handle.open(fd) === 0) return handle;
  handle.close();
  fs.closeSync(fd);
  return null;
}

/** Node does not give the class of handles away, but a socket has one. */
function firstHandle(fd) {
  let socket;
  try {
    socket = new net.Socket({ fd, readable: true, writable: true, manualStart: true });
  } catch {
    fs.closeSync(fd);
    return null;
  }
  const { _handle: handle } = socket;
  socket._handle = null;
  TCP = handle.constructor;
  return handle;
}

/** Whether this version of Node lets an object stand where it has the handle that listens. */
function canShare(httpServer) {
  return typeof httpServer._listen2 === 'function' && '_handle' in httpServer;
}

/** Whether an HTTP server listens, and not because of the option. */
function listensElsewhere(httpServer) {
  return httpServer.listening && ours.get(httpServer) !== httpServer._handle;
}

/** What stands for the addon's listening sockets at an HTTP server; makes it, if there is none. */
function handleOf(httpServer) {
  const { _handle: handle } = httpServer;
  return handle instanceof ListeningHandle ? handle : new ListeningHandle();
}

/** Has Node take the handle for one that listens, which it tells by 'listening'. */
function install(httpServer, handle, { address, family, port }) {
  ours.set(httpServer, handle);
  httpServer._handle = handle;
  httpServer._listen2(address, port, family === 'IPv6' ? 6 : 4);
  handle._owner = Object.getOwnPropertySymbols(handle).find((symbol) => handle[symbol] === httpServer);
}

/**
 * Has the addon listen for an HTTP server.
 * @param {import('http').Server} httpServer
 * @param {(takers: object) => object} listen calls listen() of native-listener with these takers of connections; may throw
 * @returns {{ address(): net.AddressInfo|null, close(): void }}
 */
function share(httpServer, listen) {
  const handle = handleOf(httpServer);
  const bound = listen({
    handOver: (fd, bytes) => handle.handOver(fd, bytes),
    handOverStream: (socket, bytes) => handOverStream(httpServer, socket, bytes),
  });
  handle.add(bound);
  if (!handle.isInstalled()) install(httpServer, handle, bound.address());
  return {
    // The program may have closed the HTTP server.
    address: () => (handle.has(bound) ? bound.address() : null),
    secure: (context) => bound.secure(context),
    close() {
      if (!handle.has(bound)) return;
      handle.remove(bound);
      bound.close();
      closeIdleConnections(httpServer);
    },
  };
}

/**
 * The same where the addon cannot listen, with TLS: a server of Node does it.
 * @param {import('http').Server} httpServer
 * @param {import('tls').Server} tlsServer
 * @param {object} options of its listen()
 * @param {(error: Error|null) => void} done
 */
function shareOverTls(httpServer, tlsServer, options, done) {
  const handle = handleOf(httpServer);
  let closed = false;
  tlsServer.on('secureConnection', (socket) => handOverStream(httpServer, socket, NO_BYTES));
  tlsServer.once('error', done);
  tlsServer.listen(options, () => {
    tlsServer.removeListener('error', done);
    if (closed) {
      tlsServer.close();
      return;
    }
    handle.add(tlsServer);
    if (!handle.isInstalled()) install(httpServer, handle, tlsServer.address());
    done(null);
  });
  return {
    // The program may have closed the HTTP server.
    address: () => (handle.has(tlsServer) ? tlsServer.address() : null),
    secure: (context) => tlsServer.setSecureContext(context),
    close() {
      closed = true;
      if (!handle.has(tlsServer)) return;
      handle.remove(tlsServer);
      tlsServer.close();
      closeIdleConnections(httpServer);
    },
  };
}

/**
 * The same without TLS: the HTTP server does it itself.
 * @param {import('http').Server} httpServer
 * @param {object} options of its listen()
 * @param {(error: Error|null) => void} done
 */
function listenItself(httpServer, options, done) {
  // What is left of the last time.
  if (httpServer._handle instanceof ListeningHandle) httpServer._handle = null;
  let closed = false;
  const onListening = () => settle(null);
  const settle = (error) => {
    httpServer.removeListener('listening', onListening);
    httpServer.removeListener('error', settle);
    if (error !== null) {
      done(error);
      return;
    }
    ours.set(httpServer, httpServer._handle);
    if (closed) stopListening(httpServer);
    else done(null);
  };
  httpServer.once('listening', onListening);
  httpServer.once('error', settle);
  httpServer.listen(options);
  ours.set(httpServer, httpServer._handle);
  return {
    address: () => (closed ? null : httpServer.address()),
    close() {
      closed = true;
      if (!listensElsewhere(httpServer)) stopListening(httpServer);
    },
  };
}

/** Closes the port of an HTTP server; the rest of its close() is the program's to call. */
function stopListening(httpServer) {
  const { _handle: handle } = httpServer;
  if (!canShare(httpServer)) {
    httpServer.close();
  } else if (handle && !(handle instanceof ListeningHandle)) {
    httpServer._handle = new ListeningHandle();
    ours.set(httpServer, httpServer._handle);
    handle.close();
  }
  closeIdleConnections(httpServer);
}

/** Nobody can make another request on them who could not connect again. Bun has no such method. */
function closeIdleConnections(httpServer) {
  if (typeof httpServer.closeIdleConnections === 'function') httpServer.closeIdleConnections();
}

module.exports = { canShare, listensElsewhere, share, shareOverTls, listenItself };
