'use strict';

// Servers whose sockets are streams and nothing more: tunnels, multiplexers, test doubles. And Node 26 hands out such a stream for
// an upgrade whose request has a body.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { Duplex } = require('stream');
const { once } = require('events');
const websocket = require('../..');
const { RawPeer, requestHead, OPCODE, closePayload } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');

/** Two streams, each of which reads what is written to the other. */
function duplexPair() {
  const make = () => new Duplex({
    read() {},
    write(chunk, encoding, callback) {
      setImmediate(() => { if (!this.other.destroyed) this.other.push(chunk); });
      callback();
    },
    final(callback) {
      setImmediate(() => { if (!this.other.destroyed) this.other.push(null); });
      callback();
    },
  });
  const [a, b] = [make(), make()];
  a.other = b;
  b.other = a;
  // The client's end closes when the server's does.
  b.on('end', () => b.end());
  return [a, b];
}

/** Ways in which an upgrade on a plain stream comes to a server. */
const WAYS = {
  'an HTTP server that was given the stream': (server, httpServer, stream) => {
    server.mount({ ...server.config, noServer: false, httpServer });
    httpServer.emit('connection', stream);
  },
  'handleUpgrade()': (server, httpServer, stream) => {
    httpServer.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    httpServer.emit('connection', stream);
  },
  'handleUpgrade() with a request made by hand': (server, httpServer, stream) => {
    stream.once('data', () => {
      server.handleUpgrade({
        url: '/',
        method: 'GET',
        headers: {
          host: 'a', upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      }, stream);
    });
  },
};

function connect(config, way) {
  const server = new websocket.server({ noServer: true, ...config });
  const [near, far] = duplexPair();
  const peer = new RawPeer(far);
  way(server, http.createServer(), near);
  peer.write(requestHead());
  return { server, peer, near };
}

for (const [name, way] of Object.entries(WAYS)) {
  describe(`a plain Duplex, by ${name}`, () => {
    test('carries a connection from its opening to its end', async () => {
      const { server, peer, near } = connect({}, way);
      const [request] = await once(server, 'request');
      assert.strictEqual(request.remoteAddress, undefined);
      const connection = request.accept();
      assert.strictEqual(connection.socket, near);
      connection.on('message', (message) => connection.sendUTF(`${message.utf8Data}!`));
      await peer.until(() => peer.status === 101, 'the answer');
      peer.send({ opcode: OPCODE.TEXT, payload: 'hello' });
      assert.strictEqual(String((await peer.frame()).payload), 'hello!');
      const closed = once(connection, 'close');
      peer.send({ opcode: OPCODE.CLOSE, payload: closePayload(1000) });
      const [code] = await closed;
      assert.strictEqual(code, 1000);
      await eventually(() => server.connections.length === 0, 'the end');
    });

    test('can be rejected', async () => {
      const { server, peer } = connect({}, way);
      server.on('request', (request) => request.reject(401, 'no'));
      await peer.until(() => peer.status === 401, 'the refusal');
    });

    test('with keepalive, timeouts and limits', async () => {
      const { server, peer } = connect({
        keepaliveInterval: 20, keepaliveGracePeriod: 20, handshakeTimeout: 1000, maxConnectionsPerAddress: 5, disableNagleAlgorithm: false,
        autoAcceptConnections: true, trustProxy: ['unix:', '10.0.0.0/8'],
      }, way);
      const [connection] = await once(server, 'connect');
      const closed = once(connection, 'close');
      await peer.until(() => peer.frames.some((frame) => frame.opcode === OPCODE.PING), 'a Ping');
      assert.deepStrictEqual(await closed, [1006, 'Peer not responding.']);
    });

    test('that is destroyed takes the connection with it', async () => {
      const { server, near } = connect({ autoAcceptConnections: true }, way);
      const [connection] = await once(server, 'connect');
      const errors = [];
      connection.on('error', (error) => errors.push(error.message));
      const closed = new Promise((resolve) => connection.on('close', resolve));
      near.destroy(new Error('gone'));
      assert.strictEqual(await closed, 1006);
      assert.deepStrictEqual(errors, ['gone']);
    });
  });
}
