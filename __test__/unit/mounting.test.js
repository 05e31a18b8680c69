'use strict';

// mount(), unmount() and close(), in any order and more than once.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const websocket = require('../..');
const { startHttpServer, rawClient, openRawClient } = require('../helpers/under-test/endpoints');

const statusOf = async (t, port, path = '/') => {
  const peer = await rawClient(port, { path });
  t.after(() => peer.destroy());
  await peer.until(() => peer.head !== null, 'an answer');
  return peer.status;
};

describe('a server that was never mounted', () => {
  for (const method of ['unmount', 'close', 'closeAllConnections', 'shutDown', 'broadcast', 'broadcastUTF', 'address', 'stats']) {
    test(`${method}() does nothing`, () => {
      const server = new websocket.server();
      server[method]('text');
      assert.strictEqual(server.config, undefined);
    });
  }

  test('close(callback) calls back', async () => {
    await new Promise((resolve) => new websocket.server().close(resolve));
  });

  test('can be mounted afterwards', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const server = new websocket.server();
    server.close();
    server.mount({ httpServer, autoAcceptConnections: true });
    assert.strictEqual(await statusOf(t, port), 101);
  });
});

describe('mount() twice', () => {
  test('on the same HTTP server handles each request once, with the later options', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const server = new websocket.server({ httpServer, path: '/a', closeTimeout: 1 });
    server.mount({ httpServer, path: '/b', closeTimeout: 2 });
    assert.strictEqual(httpServer.listenerCount('upgrade'), 1);
    const requests = [];
    server.on('request', (request) => {
      requests.push(request.resource);
      assert.strictEqual(request.accept().closeTimeout, 2);
    });
    assert.strictEqual(await statusOf(t, port, '/b'), 101);
    assert.strictEqual(await statusOf(t, port, '/a'), 404);
    assert.deepStrictEqual(requests, ['/b']);
    server.unmount();
    assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
  });

  test('on two HTTP servers handles requests of both, until unmount()', async (t) => {
    const first = await startHttpServer(t);
    const second = await startHttpServer(t);
    const server = new websocket.server({ httpServer: first.httpServer, autoAcceptConnections: true });
    server.mount({ httpServer: second.httpServer, autoAcceptConnections: true });
    assert.strictEqual(await statusOf(t, first.port), 101);
    assert.strictEqual(await statusOf(t, second.port), 101);
    assert.deepStrictEqual(server.config.httpServer, [second.httpServer]);
    server.unmount();
    for (const { httpServer } of [first, second]) assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
  });

  test('brings a listener back that the program has removed', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const config = { httpServer, autoAcceptConnections: true };
    const server = new websocket.server(config);
    httpServer.removeAllListeners('upgrade');
    server.mount(config);
    assert.strictEqual(await statusOf(t, port), 101);
  });
});

describe('a mount() that fails leaves the server as it was', () => {
  const mistakes = {
    'without an httpServer': {},
    'with httpServer: null': { httpServer: null },
    'with a path that is none': { httpServer: http.createServer(), path: 'chat' },
    'with httpServer and noServer': { httpServer: http.createServer(), noServer: true },
    'with httpServer and port': { httpServer: http.createServer(), port: 0 },
    'with a port that is none': { port: 'http' },
    'with an origin that is none': { httpServer: http.createServer(), allowedOrigins: 'example' },
    'with a proxy that is none': { httpServer: http.createServer(), trustProxy: 'proxy' },
  };
  for (const [what, config] of Object.entries(mistakes)) {
    test(`${what}, mounted before`, async (t) => {
      const { httpServer, port } = await startHttpServer(t);
      const server = new websocket.server({ httpServer, path: '/a', autoAcceptConnections: true });
      const before = { ...server, config: { ...server.config } };
      assert.throws(() => server.mount(config));
      assert.deepStrictEqual({ ...server, config: { ...server.config } }, before);
      if (config.httpServer) assert.strictEqual(config.httpServer.listenerCount('upgrade'), 0);
      (await openRawClient(port, { path: '/a' })).destroy();
      assert.strictEqual(await statusOf(t, port, '/b'), 404);
    });

    test(`${what}, not mounted before`, () => {
      const server = new websocket.server();
      assert.throws(() => server.mount(config));
      assert.strictEqual(server.config, undefined);
      server.close();
    });
  }
});
