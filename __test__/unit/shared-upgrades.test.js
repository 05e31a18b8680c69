'use strict';

// Several WebSocket servers on one HTTP server whose `upgrade` listeners somebody else has a hand in: instrumentation wraps
// them, custom servers take them off and call them themselves.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { EventEmitter, once } = require('events');
const websocket = require('../..');
const { startHttpServer, rawClient } = require('../helpers/under-test/endpoints');

/** Has every listener of an HTTP server wrapped, as agents for monitoring do. Wrappers may or may not be found again. */
function wrapListeners(httpServer, { removable = false } = {}) {
  const { on, removeListener } = EventEmitter.prototype;
  const wrappers = new Map();
  httpServer.on = function wrapped(name, listener) {
    const wrapper = function wrapper(...args) { return listener.apply(this, args); };
    wrappers.set(listener, wrapper);
    return on.call(this, name, wrapper);
  };
  if (removable) {
    httpServer.removeListener = function remove(name, listener) {
      return removeListener.call(this, name, wrappers.get(listener) || listener);
    };
  }
}

/** Takes the listeners off, as custom servers do, and calls those of them that `choose` picks. */
function dispatch(httpServer, choose = (listeners) => listeners) {
  const listeners = httpServer.listeners('upgrade');
  httpServer.removeAllListeners('upgrade');
  httpServer.on('upgrade', (request, socket, head) => {
    for (const listener of choose(listeners, request)) listener(request, socket, head);
  });
}

/** Mounts servers that say who they are, on an HTTP server that `prepare` was given before. */
async function mounted(t, configs, prepare = () => {}) {
  const { httpServer, port } = await startHttpServer(t);
  prepare(httpServer);
  const answers = [];
  const errors = [];
  const servers = configs.map((config, i) => {
    const server = new websocket.server({ httpServer, ...config });
    server.on('request', (request) => {
      answers.push(i);
      if (config.path || request.resource === config.expects || config.expects === undefined) request.accept();
    });
    server.on('upgradeError', (error) => errors.push([i, error.httpCode]));
    return server;
  });
  const ask = async (path) => {
    answers.length = 0;
    const peer = await rawClient(port, { path });
    t.after(() => peer.destroy());
    await peer.until(() => peer.head !== null, 'an answer');
    return [peer.status, ...answers];
  };
  return { httpServer, servers, ask, errors };
}

const SITUATIONS = {
  'behind wrapped listeners': { prepare: (httpServer) => wrapListeners(httpServer) },
  'behind wrapped listeners that can be removed': { prepare: (httpServer) => wrapListeners(httpServer, { removable: true }) },
  'called by a custom server': { then: (httpServer) => dispatch(httpServer) },
  'called asynchronously by a custom server': {
    then(httpServer) {
      const listeners = httpServer.listeners('upgrade');
      httpServer.removeAllListeners('upgrade');
      httpServer.on('upgrade', async (request, socket, head) => {
        for (const listener of listeners) await listener.call(undefined, request, socket, head);
      });
    },
  },
  'called by a custom server that was wrapped': {
    prepare: (httpServer) => wrapListeners(httpServer),
    then: (httpServer) => dispatch(httpServer),
  },
};

for (const [situation, { prepare, then = () => {} }] of Object.entries(SITUATIONS)) {
  describe(`servers with a path, ${situation}`, () => {
    test('get the requests for their own', async (t) => {
      const { httpServer, ask, errors } = await mounted(t, [{ path: '/chat' }, { path: '/news' }], prepare);
      then(httpServer);
      assert.deepStrictEqual(await ask('/chat'), [101, 0]);
      assert.deepStrictEqual(await ask('/news'), [101, 1]);
      assert.deepStrictEqual(errors, []);
    });

    test('refuse what is nobody\'s with 404, one of them', async (t) => {
      const { httpServer, ask, errors } = await mounted(t, [{ path: '/chat' }, { path: '/news' }], prepare);
      then(httpServer);
      assert.deepStrictEqual(await ask('/other'), [404]);
      assert.deepStrictEqual(errors, [[1, 404]]);
    });

    test('leave the rest to one without a path, wherever it stands', async (t) => {
      for (const [configs, rest] of [[[{}, { path: '/a' }], 0], [[{ path: '/a' }, {}], 1]]) {
        const { httpServer, ask } = await mounted(t, configs, prepare);
        then(httpServer);
        assert.deepStrictEqual(await ask('/a'), [101, 1 - rest]);
        assert.deepStrictEqual(await ask('/b'), [101, rest]);
      }
    });

    test('of two for the same path, the first one answers', async (t) => {
      const { httpServer, ask } = await mounted(t, [{ path: '/a' }, { path: /a/ }], prepare);
      then(httpServer);
      assert.deepStrictEqual(await ask('/a'), [101, 0]);
    });

    test('and servers without one all see the request, as ever', async (t) => {
      const { httpServer, ask } = await mounted(t, [{ expects: '/a' }, { expects: '/b' }], prepare);
      then(httpServer);
      assert.deepStrictEqual(await ask('/a'), [101, 0, 1]);
      assert.deepStrictEqual(await ask('/b'), [101, 0, 1]);
    });

    test('a server alone refuses what is not its own', async (t) => {
      const { httpServer, ask, errors } = await mounted(t, [{ path: '/a' }], prepare);
      then(httpServer);
      assert.deepStrictEqual(await ask('/b'), [404]);
      assert.deepStrictEqual(errors, [[0, 404]]);
    });

    test('a server that is unmounted gets nothing any more', async (t) => {
      const { httpServer, servers, ask } = await mounted(t, [{ path: '/a' }, { path: '/b' }], prepare);
      then(httpServer);
      servers[0].unmount();
      assert.deepStrictEqual(await ask('/a'), [404]);
      assert.deepStrictEqual(await ask('/b'), [101, 1]);
    });

    test('other listeners get what is nobody\'s', async (t) => {
      const { httpServer, ask, errors } = await mounted(t, [{ path: '/a' }, { path: '/b' }], prepare);
      then(httpServer);
      // It takes its time, as proxies do.
      httpServer.on('upgrade', (request, socket) => {
        if (request.url === '/c') setTimeout(() => socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n'), 20);
      });
      assert.deepStrictEqual(await ask('/c'), [418]);
      assert.deepStrictEqual(await ask('/b'), [101, 1]);
      assert.deepStrictEqual(errors, []);
    });
  });
}

describe('a custom server that calls one listener, by path', () => {
  const byPath = (listeners, { url }) => [listeners[url === '/news' ? 1 : 0]];

  test('gets each request to its server', async (t) => {
    const { httpServer, ask } = await mounted(t, [{ path: '/chat' }, { path: '/news' }]);
    dispatch(httpServer, byPath);
    assert.deepStrictEqual(await ask('/chat'), [101, 0]);
    assert.deepStrictEqual(await ask('/news'), [101, 1]);
  });

  test('gets a refusal for what the chosen one does not want', async (t) => {
    const { httpServer, ask, errors } = await mounted(t, [{ path: '/chat' }, { path: '/news' }]);
    dispatch(httpServer, byPath);
    assert.deepStrictEqual(await ask('/other'), [404]);
    assert.deepStrictEqual(errors, [[0, 404]]);
  });

  test('may answer by itself what our servers do not want', async (t) => {
    const { httpServer, ask, errors } = await mounted(t, [{ path: '/chat' }]);
    const [listener] = httpServer.listeners('upgrade');
    httpServer.removeAllListeners('upgrade');
    httpServer.on('upgrade', (request, socket, head) => {
      listener(request, socket, head);
      if (request.url === '/mine') socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    assert.deepStrictEqual(await ask('/mine'), [418]);
    assert.deepStrictEqual(await ask('/chat'), [101, 0]);
    assert.deepStrictEqual(errors, []);
  });
});

test('a server that is mounted again behind wrapped listeners gets each request once', async (t) => {
  const { httpServer, servers, ask } = await mounted(t, [{}], (web) => wrapListeners(web));
  servers[0].mount({ httpServer });
  assert.deepStrictEqual(await ask('/a'), [101, 0]);
  servers[0].unmount();
  assert.deepStrictEqual(await ask('/a'), [404]);
  servers[0].mount({ httpServer });
  assert.deepStrictEqual(await ask('/a'), [101, 0]);
});

test('a server on two HTTP servers shares each with others', async (t) => {
  const first = await startHttpServer(t);
  const second = await startHttpServer(t);
  wrapListeners(first.httpServer);
  const seen = [];
  const both = new websocket.server({ httpServer: [first.httpServer, second.httpServer], path: '/a', autoAcceptConnections: true });
  both.on('connect', () => seen.push('both'));
  const one = new websocket.server({ httpServer: second.httpServer, path: '/b', autoAcceptConnections: true });
  one.on('connect', () => seen.push('one'));
  const ask = async ({ port }, path) => {
    const peer = await rawClient(port, { path });
    t.after(() => peer.destroy());
    await peer.until(() => peer.head !== null, 'an answer');
    return peer.status;
  };
  assert.strictEqual(await ask(first, '/a'), 101);
  assert.strictEqual(await ask(first, '/b'), 404);
  assert.strictEqual(await ask(second, '/a'), 101);
  assert.strictEqual(await ask(second, '/b'), 101);
  assert.deepStrictEqual(seen, ['both', 'both', 'one']);
});

test('a client that resets before it is refused harms nobody', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const server = new websocket.server({ httpServer, path: '/a', autoAcceptConnections: true });
  for (let i = 0; i < 20; i++) {
    const peer = await rawClient(port, { path: '/b' });
    peer.socket.resetAndDestroy();
  }
  const accepted = once(server, 'connect');
  const peer = await rawClient(port, { path: '/a' });
  await accepted;
  peer.destroy();
});
