'use strict';

// What carries the bytes between the package under test and its raw peer: plain TCP, or, with the environment variable
// WEBSOCKET_TEST_TRANSPORT=tls, TLS. The tests of conformance/ and reentrancy.test.js, and of faults/ those for framing,
// closing and sending, run over both. Pre-shared keys take the place of certificates, so there are none to keep. Servers
// that listen themselves with the option tls have certificates (WEBSOCKET_TEST_LISTENER=tls).

const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');
const { once } = require('events');
const raw = require('../raw');
const certificates = require('../certificates');
const { PATIENCE } = require('.');

const secureByDefault = process.env.WEBSOCKET_TEST_TRANSPORT === 'tls';

const psk = Buffer.from('a key both ends of a test know..');
// TLS 1.3 has no cipher suites with a pre-shared key alone.
const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' };
const serverOptions = { ...common, pskCallback: () => psk };
/** What a client of the package under test needs as `tlsOptions`. */
const clientOptions = { ...common, pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined };

/** Ports at which servers of the package listen themselves with TLS. */
const ownPorts = new Set();
const ownTls = certificates.server;
const ownClientOptions = { ca: certificates.ca, servername: 'localhost' };

/** An HTTP or HTTPS server. */
function createHttpServer(listener, secure = secureByDefault) {
  return secure ? https.createServer(serverOptions, listener) : http.createServer(listener);
}

/** As rawClient of ../raw, over TLS too. */
async function rawClient(port, { secure = secureByDefault, head, ...request } = {}) {
  const isOwn = ownPorts.has(port);
  if (!secure && !isOwn) return raw.rawClient(port, { head, ...request });
  const plain = net.connect({ port, host: '127.0.0.1' });
  await once(plain, 'connect');
  const socket = tls.connect({ socket: plain, ...(isOwn ? ownClientOptions : clientOptions) });
  const peer = new raw.RawPeer(socket);
  await once(socket, 'secureConnect');
  // A TLS socket cannot reset a connection, but the one below can.
  socket.resetAndDestroy = () => plain.resetAndDestroy();
  peer.write(head === undefined ? raw.requestHead(request) : head);
  return peer;
}

/** As openRawClient of ../raw, over TLS too. */
async function openRawClient(port, options) {
  const peer = await rawClient(port, options);
  await peer.until(() => peer.head !== null || peer.closed, 'a response head');
  if (peer.status !== 101) throw new Error(`handshake refused: ${peer.head}`);
  return peer;
}

/** Waits for the next peer, but not for ever. */
function impatient(server) {
  const { next } = server;
  server.next = () => {
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('timed out waiting for a connection')), PATIENCE);
    });
    return Promise.race([next.call(server), late]).finally(() => clearTimeout(timer));
  };
  return server;
}

/** As rawServer of ../raw, over TLS too: there, a plain one behind a server that takes the TLS off. */
async function rawServer(onRequest, secure = secureByDefault) {
  const inner = impatient(await raw.rawServer(onRequest));
  if (!secure) return inner;
  const sockets = new Set();
  const outer = tls.createServer(serverOptions);
  outer.on('connection', (plain) => sockets.add(plain));
  outer.on('tlsClientError', () => {});
  // The raw server is never dialled; it is handed the decrypted side of each connection.
  outer.on('secureConnection', (socket) => {
    const [plain] = [...sockets].filter((one) => one.remotePort === socket.remotePort);
    socket.resetAndDestroy = () => plain.resetAndDestroy();
    inner.server.emit('connection', socket);
  });
  outer.listen(0, '127.0.0.1');
  await once(outer, 'listening');
  const { port } = outer.address();
  const { close } = inner;
  return Object.assign(inner, {
    port,
    url: `wss://127.0.0.1:${port}/`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => outer.close(resolve));
      await close.call(inner);
    },
  });
}

module.exports = {
  secureByDefault, clientOptions, ownPorts, ownTls, ownClientOptions, createHttpServer, rawClient, openRawClient, rawServer,
};
