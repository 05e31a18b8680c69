'use strict';

// What a scenario gets to work with: servers, peers and mocks on one of the two packages, and the trace.

const http = require('http');
const net = require('net');
const { once } = require('events');
const raw = require('../helpers/raw');
const { formatFrame } = require('./format');
const { Trace } = require('./trace');
const { MockSocket } = require('./mock-socket');
const watch = require('./watch');
const { reference } = require('./packages');

/** Whether servers of the package under test listen themselves, where the scenario has no HTTP server of its own. */
const LISTENS_ITSELF = process.env.WEBSOCKET_TEST_LISTENER === 'native';
// Time for what crosses threads: two hops, on a busy machine.
const SETTLE = process.env.WEBSOCKET_IO === 'threads' ? 60 : 2;
const WAIT = 4000;

/** A complete server configuration as a WebSocketServer would make it, for objects made by hand. */
const CONNECTION_CONFIG = {
  maxReceivedFrameSize: 0x10000,
  maxReceivedMessageSize: 0x100000,
  fragmentOutgoingMessages: true,
  fragmentationThreshold: 0x4000,
  keepalive: false,
  keepaliveInterval: 20000,
  dropConnectionOnKeepaliveTimeout: true,
  keepaliveGracePeriod: 10000,
  useNativeKeepalive: false,
  assembleFragments: true,
  autoAcceptConnections: false,
  ignoreXForwardedFor: false,
  parseCookies: true,
  parseExtensions: true,
  disableNagleAlgorithm: true,
  closeTimeout: 5000,
};

class Context {
  constructor(pkg) {
    this.pkg = pkg;
    this.lib = pkg.lib;
    this.deep = pkg.deep;
    this.recorder = new Trace(watch.namer(pkg));
    this._cleanups = [];
    this.trace = this.lane('main');
    // Scenarios take the methods apart from the object.
    for (const name of Object.getOwnPropertyNames(Context.prototype)) {
      if (name !== 'constructor') this[name] = this[name].bind(this);
    }
  }

  /** A function that writes lines into another lane. */
  lane(name) {
    return (label, ...values) => this.recorder.add(name, label, values);
  }

  hide(value, label) { this.recorder.hide(value, label); }
  name(object, name) { return this.recorder.name(object, name); }
  onCleanup(action) { this._cleanups.push(action); }

  /** Calls `fn` and notes what it returns or throws. */
  call(label, fn) {
    let result;
    try {
      result = fn();
    } catch (error) {
      this.trace(`${label} throws`, error);
      return undefined;
    }
    this.trace(`${label} returns`, result);
    return result;
  }

  sleep(ms) { return new Promise((resolve) => setTimeout(resolve, ms)); }

  /** Lets everything that is already under way happen: ticks, immediates, and what loopback sockets hold. */
  async settle(rounds = 4) {
    for (let i = 0; i < rounds; i++) await new Promise((resolve) => setImmediate(resolve));
    await this.sleep(SETTLE);
    for (let i = 0; i < rounds; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves with the arguments of the next such event. */
  async event(emitter, name) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), WAIT).unref();
    try {
      return await once(emitter, name, { signal: abort.signal });
    } catch (error) {
      throw abort.signal.aborted ? new Error(`event "${name}" did not come`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async until(condition, what = 'a condition') {
    const start = Date.now();
    while (!condition()) {
      if (Date.now() - start > WAIT) throw new Error(`waited in vain for ${what}`);
      await this.sleep(1);
    }
  }

  /** An http.Server that listens; its sockets end with the scenario. */
  async listen(server = http.createServer((request, response) => response.writeHead(404).end())) {
    const sockets = new Set();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.port = server.address().port;
    this.hide(server.port, 'port');
    this.onCleanup(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    });
    return server;
  }

  /**
   * A WebSocketServer on an http.Server of its own. `on` are listeners, `watch` the events to note.
   * @returns {Promise<{ http: http.Server, ws: object, port: number, url: string }>}
   */
  async server(config = {}, { on = {}, watch: events = ['connect', 'close', 'upgradeError'], httpServer } = {}) {
    if (LISTENS_ITSELF && httpServer === undefined && this.lib !== reference.lib) return this.listeningServer(config, on, events);
    const web = httpServer || await this.listen();
    const ws = new this.lib.server({ httpServer: web, ...config });
    watch.watchServer(this.trace, ws, 'server', events);
    for (const [event, listener] of Object.entries(on)) ws.on(event, listener);
    return { http: web, ws, port: web.port, url: `ws://127.0.0.1:${web.port}/` };
  }

  /** The same with a server that listens itself. */
  async listeningServer(config, on, events) {
    const ws = new this.lib.server({ port: 0, host: '127.0.0.1', ...config });
    watch.watchServer(this.trace, ws, 'server', events);
    for (const [event, listener] of Object.entries(on)) ws.on(event, listener);
    await once(ws, 'listening');
    const { port } = ws.address();
    this.hide(port, 'port');
    this.onCleanup(() => {
      ws.close();
      for (const connection of ws.connections.slice()) connection.socket.destroy();
      for (const request of ws.pendingRequests.slice()) request.socket.destroy();
    });
    return { http: null, ws, port, url: `ws://127.0.0.1:${port}/` };
  }

  /** A raw client whose handshake head was sent; `{ halfOpen: true }` keeps its side open when the server ends. */
  async dial(port, { halfOpen = false, ...options } = {}) {
    let peer;
    if (halfOpen) {
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      peer = new raw.RawPeer(socket);
      await once(socket, 'connect');
      peer.write(options.head === undefined ? raw.requestHead(options) : options.head);
    } else {
      peer = await raw.rawClient(port, options);
    }
    this.onCleanup(() => peer.destroy());
    return peer;
  }

  /** A raw client that was accepted. */
  async open(port, options) {
    const peer = await this.dial(port, options);
    await peer.until(() => peer.head !== null || peer.closed, 'a response head');
    if (peer.status !== 101) throw new Error(`handshake refused: ${peer.head}`);
    return peer;
  }

  /** A raw client for whom only the answer to its handshake matters: notes it, and leaves if it was let in. */
  async refused(port, options, lane = 'peer') {
    const peer = await this.dial(port, options);
    await peer.until(() => peer.head !== null || peer.closed, 'an answer');
    if (peer.status === 101) peer.destroy();
    await peer.close();
    this.lane(lane)('answer', peer.head);
    return peer;
  }

  /**
   * A server with one accepted raw client.
   * @returns {Promise<{ connection: object, peer: raw.RawPeer, ws: object, http: http.Server, request: object }>}
   */
  async pair({ config = {}, client = {}, events, onAccept = () => {}, watchServer = [] } = {}) {
    const server = await this.server(config, { watch: watchServer });
    let connection;
    let request;
    server.ws.on('request', (incoming) => {
      request = incoming;
      connection = incoming.accept(null, incoming.origin);
      watch.watchConnection(this.trace, connection, 'connection', events);
      onAccept(connection);
    });
    const peer = await this.open(server.port, client);
    return { ...server, connection, peer, request };
  }

  /** A TCP server that answers handshakes by hand (see the raw helper). */
  async rawServer(onRequest) {
    const server = await raw.rawServer(onRequest);
    this.hide(server.port, 'port');
    this.onCleanup(() => server.close());
    return server;
  }

  /** A client of the library that notes its events. */
  client(config, events) {
    const client = new this.lib.client(config);
    watch.watchClient(this.trace, client, 'client', events);
    return client;
  }

  /**
   * A connection of the library's client to a raw server.
   * @returns {Promise<{ connection: object, peer: raw.RawPeer, client: object }>}
   */
  async clientPair({ config = {}, events, onConnect = () => {}, onRequest } = {}) {
    const server = await this.rawServer(onRequest);
    const client = new this.lib.client(config);
    const connected = new Promise((resolve, reject) => {
      client.on('connectFailed', reject);
      client.on('connect', (connection) => {
        watch.watchConnection(this.trace, connection, 'connection', events);
        onConnect(connection);
        resolve(connection);
      });
    });
    client.connect(server.url);
    const [connection, peer] = await Promise.all([connected, server.next()]);
    return { connection, peer, client };
  }

  /** Notes the frames a peer received so far and whether its socket closed. */
  wire(peer, lane = 'peer') {
    const line = this.lane(lane);
    for (const frame of peer.frames) line(formatFrame(frame));
    if (peer._rest.length > 0) line('bytes of no whole frame', Buffer.from(peer._rest));
    line(peer.closed ? 'socket closed' : peer.ended ? 'socket ended' : 'socket open');
  }

  /** Waits until the peer's socket has closed, and notes what it received. */
  async wireToEnd(peer, lane = 'peer') {
    await peer.close();
    await this.settle();
    this.wire(peer, lane);
  }

  mock(options = {}) {
    return new MockSocket(this.trace, options);
  }

  /** A connection made by hand on a mock socket. */
  mockConnection({ config = {}, mask = false, socket = this.mock(), events, label, listen = true, Class = this.lib.connection } = {}) {
    const connection = new Class(socket, [], null, mask, { ...CONNECTION_CONFIG, ...config });
    watch.watchConnection(this.trace, connection, label, events);
    if (listen) connection._addSocketEventListeners();
    return { connection, socket };
  }

  async cleanup() {
    this.recorder.end();
    for (const action of this._cleanups.reverse()) await action();
  }
}

for (const name of ['watchConnection', 'watchServer', 'watchRequest', 'watchClient', 'watchW3C']) {
  Context.prototype[name] = function watchWithTrace(...args) { return watch[name](this.trace, ...args); };
}

module.exports = { Context, CONNECTION_CONFIG };
