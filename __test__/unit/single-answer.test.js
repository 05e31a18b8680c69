'use strict';

// Several WebSocket servers on one HTTP server, none of which has a path: all see every request, one may answer.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const websocket = require('../..');
const { startHttpServer, rawClient, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

const ANSWERED = {
  code: 'ERR_WEBSOCKET_ALREADY_ANSWERED',
  message: 'The request for /chat was already answered by another WebSocket server on the same HTTP server. ' +
    'Give each server requests of its own (options path and host), or have only one of them answer.',
};

/** Two servers, the peer that asks them for /chat, and what each of them did. */
async function shared(t, first, second, config = {}) {
  const { httpServer, port } = await startHttpServer(t);
  const servers = [first, second].map((onRequest) => {
    const server = new websocket.server({ httpServer, ...config });
    if (onRequest) server.on('request', onRequest);
    return server;
  });
  const ask = async () => {
    const peer = await rawClient(port, { path: '/chat' });
    t.after(() => peer.destroy());
    return peer;
  };
  return { servers, ask, httpServer, port };
}

describe('the second answer to a request throws, and the connection lives', () => {
  const answers = {
    'accept()': (request) => request.accept(),
    'reject()': (request) => request.reject(403),
  };
  for (const [name, answer] of Object.entries(answers)) {
    for (const [when, defer] of [['in the same tick', (fn) => fn()], ['later', (fn) => setTimeout(fn, 10)]]) {
      test(`${name} ${when}`, async (t) => {
        let connection;
        let thrown;
        const { servers, ask } = await shared(t, (request) => { connection = request.accept(); }, (request) => defer(() => {
          try {
            answer(request);
          } catch (error) {
            thrown = error;
          }
        }));
        const peer = await ask();
        await eventually(() => thrown, 'the exception');
        assert.strictEqual(thrown.code, ANSWERED.code);
        assert.strictEqual(thrown.message, ANSWERED.message);
        connection.sendUTF('alive');
        await peer.until(() => peer.frames.length > 0, 'a message');
        assert.strictEqual(peer.status, 101);
        assert.strictEqual(String(peer.frames[0].payload), 'alive');
        assert.deepStrictEqual(servers.map((server) => server.connections.length), [1, 0]);
        assert.deepStrictEqual(servers.map((server) => server.pendingRequests.length), [0, 0]);
      });
    }
  }

  test('accept() after reject()', async (t) => {
    let thrown;
    const { ask } = await shared(t, (request) => request.reject(401), (request) => {
      try {
        request.accept();
      } catch (error) {
        thrown = error;
      }
    });
    const peer = await ask();
    await peer.until(() => peer.closed, 'the refusal');
    assert.strictEqual(peer.status, 401);
    assert.strictEqual(thrown.code, ANSWERED.code);
  });

  test('a WebSocketRequest that the program has made itself counts as well', async (t) => {
    let thrown;
    let config;
    const { httpServer, servers, ask } = await shared(t, (request) => {
      config = request.serverConfig;
      request.accept();
    });
    servers[1].unmount();
    httpServer.on('upgrade', (httpRequest, socket) => {
      try {
        new websocket.request(socket, httpRequest, config).accept();
      } catch (error) {
        thrown = error;
      }
    });
    const peer = await ask();
    await peer.until(() => peer.head !== null, 'the answer');
    await eventually(() => thrown, 'the exception');
    assert.strictEqual(thrown.code, ANSWERED.code);
  });
});

test('answering twice in one server throws what it always has', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const server = new websocket.server({ httpServer });
  const thrown = new Promise((resolve) => server.on('request', (request) => {
    request.accept();
    try {
      request.reject();
    } catch (error) {
      resolve(error);
    }
  }));
  const peer = await rawClient(port);
  t.after(() => peer.destroy());
  assert.strictEqual((await thrown).message, 'WebSocketRequest may only be accepted or rejected one time.');
});

describe('what a server does by itself leaves the answer of another one alone', () => {
  test('shutDown()', async (t) => {
    let connection;
    const { servers, ask } = await shared(t, (request) => setTimeout(() => { connection = request.accept(); }, 10), () => {});
    const peer = await ask();
    await eventually(() => connection, 'the connection');
    servers[1].shutDown();
    await new Promise((resolve) => setTimeout(resolve, 10));
    peer.send({ opcode: OPCODE.PING });
    await peer.until(() => peer.frames.some((frame) => frame.opcode === OPCODE.PONG), 'a Pong');
  });

  test('handshakeTimeout', async (t) => {
    let connection;
    const errors = [];
    const { servers, ask } = await shared(t, (request) => { connection = request.accept(); }, () => {}, { handshakeTimeout: 30 });
    for (const server of servers) server.on('upgradeError', (error) => errors.push(error));
    const peer = await ask();
    await peer.until(() => peer.head !== null, 'the answer');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.strictEqual(connection.connected, true);
    assert.deepStrictEqual(errors, []);
  });

  test('a missing listener, and a router without a handler', async (t) => {
    for (const onRequest of [undefined, (request) => new websocket.router().handleRequest(request)]) {
      const { servers, ask } = await shared(t, (request) => request.accept(), onRequest);
      const peer = await ask();
      await peer.until(() => peer.head !== null, 'the answer');
      assert.strictEqual(peer.status, 101);
      assert.strictEqual(servers[0].connections.length, 1);
      peer.send({ opcode: OPCODE.PING });
      await peer.until(() => peer.frames.some((frame) => frame.opcode === OPCODE.PONG), 'a Pong');
    }
  });

  test('autoAcceptConnections: the second one is told by upgradeError', async (t) => {
    const errors = [];
    const { servers, ask } = await shared(t, undefined, undefined, { autoAcceptConnections: true });
    servers[1].on('upgradeError', (error) => errors.push(error.code));
    const peer = await ask();
    await peer.until(() => peer.head !== null, 'the answer');
    assert.strictEqual(peer.status, 101);
    assert.deepStrictEqual(errors, [ANSWERED.code]);
    assert.deepStrictEqual(servers.map((server) => server.connections.length), [1, 0]);
  });

  test('allowedOrigins', async (t) => {
    const errors = [];
    const { servers, ask } = await shared(t, (request) => request.accept(), () => {});
    servers[1].mount({ httpServer: servers[1].config.httpServer, verifyOrigin: async () => false });
    servers[1].on('upgradeError', (error) => errors.push(error.httpCode));
    const peer = await ask();
    await eventually(() => errors.length > 0, 'the verdict');
    peer.send({ opcode: OPCODE.PING });
    await peer.until(() => peer.frames.some((frame) => frame.opcode === OPCODE.PONG), 'a Pong');
  });
});
