'use strict';

// Servers, clients and connected pairs of the package under test, which a test gets and never has to clean up.

const tls = require('tls');
const { once, EventEmitter } = require('events');
const { websocket, PATIENCE } = require('.');
const { encodeFrame, acceptHead } = require('../raw');
const {
  createHttpServer, clientOptions, ownPorts, ownTls, ownClientOptions, rawServer, openRawClient, rawClient,
} = require('./transport');

/** Whether servers listen themselves where a test has no HTTP server of its own. */
const LISTENS_ITSELF = ['native', 'tls'].includes(process.env.WEBSOCKET_TEST_LISTENER);
/** What such servers are told about TLS. */
const LISTENER_TLS = process.env.WEBSOCKET_TEST_LISTENER === 'tls' ? { tls: ownTls } : {};

/**
 * Resolves with the arguments of the next `event`; rejects when it does not come in time.
 * @param {EventEmitter} emitter
 * @param {string} event
 * @param {number} [ms]
 * @returns {Promise<unknown[]>}
 */
function next(emitter, event, ms = PATIENCE) {
  return new Promise((resolve, reject) => {
    const listener = (...args) => {
      clearTimeout(timer);
      resolve(args);
    };
    const timer = setTimeout(() => {
      emitter.removeListener(event, listener);
      reject(new Error(`no '${event}' event within ${ms} ms`));
    }, ms);
    emitter.once(event, listener);
  });
}

/**
 * Resolves as soon as `condition()` holds, looking after every turn of the event loop.
 * @param {() => unknown} condition
 * @param {string} what
 * @param {number} [ms]
 */
async function eventually(condition, what, ms = PATIENCE) {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets `turns` turns of the event loop pass, with what I/O is ready in each. */
async function turns(count = 5) {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Starts an HTTP server whose sockets are destroyed at the end of the test.
 * @param {import('node:test').TestContext} t
 * @param {import('http').Server} [httpServer]
 */
async function startHttpServer(t, httpServer = createHttpServer((request, response) => {
  response.writeHead(404);
  response.end();
})) {
  const sockets = new Set();
  httpServer.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    if (httpServer.listening) await new Promise((resolve) => httpServer.close(resolve));
  });
  return { httpServer, sockets, port: httpServer.address().port };
}

async function startOnHttpServer(t, options, httpServer) {
  const started = await startHttpServer(t, httpServer);
  return { ...started, server: new websocket.server({ httpServer: started.httpServer, ...options }) };
}

/** A server that listens itself, and has neither an HTTP server nor sockets that anybody knows. */
async function startListening(t, options) {
  const server = new websocket.server({ port: 0, host: '127.0.0.1', ...LISTENER_TLS, ...options });
  await once(server, 'listening');
  const { port } = server.address();
  if (server.config.tls) ownPorts.add(port);
  else ownPorts.delete(port);
  t.after(() => {
    server.close();
    for (const { socket } of [...server.connections, ...server.pendingRequests]) socket.destroy();
  });
  return { server, httpServer: null, sockets: new Set(), port };
}

/**
 * Starts a WebSocketServer. It accepts every connection unless `onRequest` is given.
 * @param {import('node:test').TestContext} t
 * @param {object} [options]
 * @param {object} [options.config] further options of the WebSocketServer; with `port` it listens itself
 * @param {(request: object) => void} [options.onRequest]
 * @param {(connection: object) => void} [options.onConnect]
 */
async function startServer(t, { config = {}, onRequest, onConnect, httpServer } = {}) {
  const options = { autoAcceptConnections: !onRequest, ...config };
  const listens = config.port !== undefined || (LISTENS_ITSELF && !httpServer && !config.httpServer && !config.noServer);
  const { server, ...started } = listens
    ? await startListening(t, options)
    : await startOnHttpServer(t, options, httpServer);
  const connections = [];
  const closes = [];
  const upgradeErrors = [];
  const emitter = new EventEmitter();
  server.on('upgradeError', (error) => upgradeErrors.push(error));
  server.on('connect', (connection) => {
    connections.push(connection);
    if (onConnect) onConnect(connection);
    emitter.emit('connection', connection);
  });
  server.on('close', (connection, code, description) => closes.push({ connection, code, description }));
  if (onRequest) server.on('request', onRequest);
  return {
    ...started,
    server,
    connections,
    closes,
    upgradeErrors,
    url: `${started.httpServer instanceof tls.Server || ownPorts.has(started.port) ? 'wss' : 'ws'}://127.0.0.1:${started.port}/`,
    /** The connection accepted as the `count`th. */
    async connection(count = 1) {
      while (connections.length < count) await next(emitter, 'connection');
      return connections[count - 1];
    },
  };
}

/**
 * Connects a WebSocketClient; rejects with the error of `connectFailed`.
 * @param {import('node:test').TestContext} t
 * @param {string} url
 * @param {object} [options]
 * @returns {Promise<object>} the connection
 */
function openClient(t, url, { config, protocols, origin, headers, requestOptions, onConnect } = {}) {
  const tlsOptions = ownPorts.has(Number(new URL(url).port)) ? ownClientOptions : clientOptions;
  const client = new websocket.client(url.startsWith('wss:') ? { ...config, tlsOptions } : config);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      client.abort();
      reject(new Error('the client neither connected nor failed'));
    }, PATIENCE);
    client.on('connectFailed', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    client.on('connect', (connection) => {
      clearTimeout(timer);
      connection.on('error', () => {});
      t.after(() => connection.socket.destroy());
      if (onConnect) onConnect(connection, client);
      resolve(connection);
    });
    client.connect(url, protocols, origin, headers, requestOptions);
  });
}

/** Everything a connection emits, in order: `log`, and by kind. */
function record(connection) {
  const seen = { log: [], messages: [], pings: [], pongs: [], frames: [], errors: [], closes: [] };
  connection.on('message', (message) => {
    seen.messages.push(message.type === 'utf8' ? message.utf8Data : message.binaryData);
    seen.log.push(['message', message.type, seen.messages[seen.messages.length - 1]]);
  });
  connection.on('pong', (data) => {
    seen.pongs.push(data);
    seen.log.push(['pong', data]);
  });
  connection.on('frame', (frame) => {
    seen.frames.push(frame);
    seen.log.push(['frame', frame]);
  });
  connection.on('error', (error) => {
    seen.errors.push(error);
    seen.log.push(['error', error]);
  });
  connection.on('close', (code, description) => {
    seen.closes.push({ code, description });
    seen.log.push(['close', code, description]);
  });
  return seen;
}

/**
 * A connection of the package under test in the given role, and the raw peer at the other end of its socket.
 * `send` and `encode` mask as the peer's role demands, unless told otherwise.
 * @param {import('node:test').TestContext} t
 * @param {'server'|'client'} role the role of the package under test
 * @param {object} [config]
 * @param {boolean} [secure] TLS or plain TCP
 * @param {string} [extensions] what the raw peer offers, or answers, as Sec-WebSocket-Extensions
 */
async function openPair(t, role, config = {}, secure = undefined, extensions = undefined) {
  let connection;
  let peer;
  let seen;
  let server = null;
  const onConnect = (opened) => { seen = record(opened); };
  if (role === 'server') {
    const listens = config.port !== undefined || (LISTENER_TLS.tls !== undefined && secure === undefined);
    const httpServer = listens ? undefined : createHttpServer(undefined, secure);
    const started = await startServer(t, { httpServer, config: { keepalive: false, ...config }, onConnect });
    peer = await openRawClient(started.port, { secure, headers: { 'Sec-WebSocket-Extensions': extensions } });
    connection = await started.connection();
    ({ server } = started);
  } else {
    const answer = extensions && ((peer) => peer.write(acceptHead(peer.key, { 'Sec-WebSocket-Extensions': extensions })));
    const raw = await rawServer(answer, secure);
    t.after(() => raw.close());
    connection = await openClient(t, raw.url, { config, onConnect });
    peer = await raw.next();
  }
  t.after(() => peer.destroy());
  // Two small writes in a row would otherwise wait for the peer's delayed acknowledgement.
  peer.socket.setNoDelay(true);
  const encode = (frame) => encodeFrame({ mask: role === 'server', ...frame });
  return {
    role,
    server,
    connection,
    peer,
    seen,
    encode,
    send: (...frames) => peer.write(Buffer.concat(frames.map(encode))),
    /** Resolves when the connection has emitted `close`. */
    closed: (ms = PATIENCE) => eventually(() => seen.closes.length > 0, 'the close event', ms).then(() => seen.closes[0]),
    /** Resolves when the connection has emitted `count` messages, or rejects when it was closed instead. */
    messages: (count = 1, ms = PATIENCE) => eventually(
      () => seen.messages.length >= count || seen.closes.length > 0, `${count} message(s)`, ms).then(() => {
      if (seen.messages.length < count) throw new Error(`closed instead: ${JSON.stringify(seen.closes)}`);
      return seen.messages;
    }),
    /** The first frame with this opcode the peer receives (waits for it). */
    received: (opcode, ms = PATIENCE) => peer.until(
      () => peer.frames.some((frame) => frame.opcode === opcode), `a frame with opcode ${opcode}`, ms)
      .then(() => peer.frames.find((frame) => frame.opcode === opcode)),
  };
}

module.exports = {
  next, eventually, turns, startHttpServer, startServer, openClient, record, openPair, rawClient, openRawClient, rawServer,
};
