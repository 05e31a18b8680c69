'use strict';

// Several WebSocket servers on one HTTP server, and servers on none.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const websocket = require('../..');
const { startHttpServer, rawClient, openRawClient } = require('../helpers/under-test/endpoints');

/** Mounts servers that say who they are; returns what asks for a path and resolves with the status and who answered. */
async function mounted(t, ...configs) {
  const { httpServer, port } = await startHttpServer(t);
  const answers = [];
  const errors = [];
  const servers = configs.map((config, i) => {
    const server = new websocket.server({ httpServer, ...config });
    server.on('request', (request) => {
      answers.push(i);
      request.accept();
    });
    server.on('upgradeError', (error) => errors.push([i, error.httpCode]));
    return server;
  });
  const ask = async (path, host = '127.0.0.1') => {
    answers.length = 0;
    const peer = await rawClient(port, { path, headers: { Host: host } });
    t.after(() => peer.destroy());
    await peer.until(() => peer.head !== null, 'an answer');
    return [peer.status, ...answers];
  };
  return { httpServer, port, servers, ask, errors };
}

describe('path', () => {
  test('each server gets the requests for its own', async (t) => {
    const { ask } = await mounted(t, { path: '/a' }, { path: ['/b', '/c'] }, { path: /^\/d\/\d+$/g });
    assert.deepStrictEqual(await ask('/a'), [101, 0]);
    assert.deepStrictEqual(await ask('/a?b=c'), [101, 0]);
    assert.deepStrictEqual(await ask('/b'), [101, 1]);
    assert.deepStrictEqual(await ask('/c'), [101, 1]);
    assert.deepStrictEqual(await ask('/d/1'), [101, 2]);
    assert.deepStrictEqual(await ask('/d/1'), [101, 2]);
  });

  test('what is nobody\'s is refused with 404, by one of them', async (t) => {
    const { ask, errors } = await mounted(t, { path: '/a' }, { path: '/b' });
    assert.deepStrictEqual(await ask('/a/'), [404]);
    assert.deepStrictEqual(await ask('/'), [404]);
    assert.deepStrictEqual(errors, [[1, 404], [1, 404]]);
  });

  test('a server alone refuses what is not its own', async (t) => {
    const { ask, errors } = await mounted(t, { path: '/a' });
    assert.deepStrictEqual(await ask('/b'), [404]);
    assert.deepStrictEqual(errors, [[0, 404]]);
  });

  test('a server without a path takes the rest, wherever it stands', async (t) => {
    for (const [configs, rest] of [[[{}, { path: '/a' }], 0], [[{ path: '/a' }, {}], 1]]) {
      const { ask } = await mounted(t, ...configs);
      assert.deepStrictEqual(await ask('/a'), [101, 1 - rest]);
      assert.deepStrictEqual(await ask('/b'), [101, rest]);
    }
  });

  test('of two for the same path, the first one answers', async (t) => {
    const { ask } = await mounted(t, { path: '/a' }, { path: /a/ });
    assert.deepStrictEqual(await ask('/a'), [101, 0]);
  });

  test('what is not its own is left to other listeners of the HTTP server', async (t) => {
    const { httpServer, ask, errors } = await mounted(t, { path: '/a' });
    httpServer.on('upgrade', (request, socket) => {
      if (request.url !== '/a') socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    assert.deepStrictEqual(await ask('/b'), [418]);
    assert.deepStrictEqual(await ask('/a'), [101, 0]);
    assert.deepStrictEqual(errors, []);
  });

  test('a server that is unmounted asks for nothing any more', async (t) => {
    const { servers, ask } = await mounted(t, { path: '/a' }, {});
    servers[0].unmount();
    assert.deepStrictEqual(await ask('/a'), [101, 1]);
  });

  test('values that are no paths are refused', () => {
    const httpServer = http.createServer();
    for (const path of ['a', '', '/a?b', '/a#b', 5, {}, ['/a', 'b']]) {
      assert.throws(() => new websocket.server({ httpServer, path }),
        { message: `The option path takes paths such as /chat, without a query, and RegExps, not ${[path].flat().at(-1)}.` });
    }
  });
});

describe('host', () => {
  test('each server gets the requests for its own, in any letter case and at any port', async (t) => {
    const { ask } = await mounted(t, { host: 'a.test' }, { host: ['b.test:8080', '[::1]'] }, { host: /^\w+\.c\.test$/ });
    assert.deepStrictEqual(await ask('/', 'a.test'), [101, 0]);
    assert.deepStrictEqual(await ask('/', 'A.TEST:1234'), [101, 0]);
    assert.deepStrictEqual(await ask('/', 'b.test:8080'), [101, 1]);
    assert.deepStrictEqual(await ask('/', '[::1]:80'), [101, 1]);
    assert.deepStrictEqual(await ask('/', 'x.c.test'), [101, 2]);
    for (const host of ['b.test', 'aa.test', 'a.test.evil', 'c.test']) assert.deepStrictEqual(await ask('/', host), [404], host);
  });

  test('path and host are both asked for', async (t) => {
    const { ask } = await mounted(t, { host: 'a.test', path: '/a' });
    assert.deepStrictEqual(await ask('/a', 'a.test'), [101, 0]);
    assert.deepStrictEqual(await ask('/b', 'a.test'), [404]);
    assert.deepStrictEqual(await ask('/a', 'b.test'), [404]);
  });

  test('values that are no hosts are refused', () => {
    for (const host of ['http://a.test', 'a.test/', '', 5]) {
      assert.throws(() => new websocket.server({ httpServer: http.createServer(), host }),
        { message: `The option host takes host names, with or without a port, and RegExps, not ${host}.` });
    }
  });
});

describe('a request target in absolute form, as proxies send it', () => {
  test('matches path and host by what it contains, whatever the Host header says', async (t) => {
    const { ask } = await mounted(t, { path: '/a' }, { path: ['/b', '/'], host: 'b.test' }, { path: '/c', host: 'c.test:8080' });
    assert.deepStrictEqual(await ask('http://127.0.0.1/a'), [101, 0]);
    assert.deepStrictEqual(await ask('http://127.0.0.1:8080/a?x=http://b.test/b'), [101, 0]);
    assert.deepStrictEqual(await ask('HTTP://127.0.0.1/a#top'), [101, 0]);
    assert.deepStrictEqual(await ask('https://127.0.0.1/a'), [101, 0]);
    assert.deepStrictEqual(await ask('ws://127.0.0.1/a'), [101, 0]);
    assert.deepStrictEqual(await ask('http://b.test/b'), [101, 1]);
    assert.deepStrictEqual(await ask('http://B.test:1234/b', 'c.test'), [101, 1]);
    assert.deepStrictEqual(await ask('http://b.test'), [101, 1], 'no path is the path /');
    assert.deepStrictEqual(await ask('http://b.test?x=1'), [101, 1]);
    assert.deepStrictEqual(await ask('http://c.test:8080/c'), [101, 2]);
    assert.deepStrictEqual(await ask('http://c.test:8081/c', 'c.test:8080'), [404]);
    assert.deepStrictEqual(await ask('http://c.test/c', 'b.test'), [404]);
    assert.deepStrictEqual(await ask('http://127.0.0.1/x/a'), [404]);
    assert.deepStrictEqual(await ask('http://x/b', 'b.test'), [404]);
  });

  test('is routed by its path, too', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const server = new websocket.server({ httpServer, path: /^\/(chat|rooms)/ });
    const router = new websocket.router({ server });
    const routed = [];
    router.mount('/chat', null, (request) => {
      routed.push([request.resource, request.resourceURL.pathname, request.resourceURL.query.room]);
      request.accept();
    });
    router.mount(/^\/rooms\/\d+$/, null, (request) => {
      routed.push([request.resource, request.resourceURL.pathname]);
      request.accept();
    });
    for (const path of [`http://127.0.0.1:${port}/chat?room=1`, 'http://a.test/rooms/7']) (await openRawClient(port, { path })).destroy();
    assert.deepStrictEqual(routed, [
      [`http://127.0.0.1:${port}/chat?room=1`, '/chat', '1'],
      ['http://a.test/rooms/7', '/rooms/7'],
    ]);
  });

  test('may begin with two slashes without being one', async (t) => {
    const { ask } = await mounted(t, { path: '//b.test/a' }, { path: '/a' });
    assert.deepStrictEqual(await ask('//b.test/a'), [101, 0]);
  });
});

describe('noServer', () => {
  test('handleUpgrade() is all it takes', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const server = new websocket.server({ noServer: true, autoAcceptConnections: true });
    assert.deepStrictEqual(server.config.httpServer, []);
    httpServer.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    const peer = await openRawClient(port);
    assert.strictEqual(server.connections.length, 1);
    peer.destroy();
    server.shutDown();
  });

  test('a path is asked for here too, and a foreign request refused', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    const server = new websocket.server({ noServer: true, path: '/a', autoAcceptConnections: true });
    httpServer.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    (await openRawClient(port, { path: '/a' })).destroy();
    const peer = await rawClient(port, { path: '/b' });
    await peer.until(() => peer.status === 404, 'a refusal');
    peer.destroy();
  });

  test('together with httpServer it is a mistake', () => {
    assert.throws(() => new websocket.server({ noServer: true, httpServer: http.createServer() }),
      { message: 'The options noServer and httpServer exclude each other: with noServer, call handleUpgrade() yourself.' });
  });

  test('without either it is a mistake as before', () => {
    assert.throws(() => new websocket.server({}), { message: 'You must specify an httpServer on which to mount the WebSocket server.' });
  });
});
