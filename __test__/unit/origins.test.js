'use strict';

// Which web pages may connect (RFC 6455 section 10.2).

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const websocket = require('../..');
const { compileOriginCheck } = require('../../lib/internal/handshake/origins');
const { startServer, rawClient, turns } = require('../helpers/under-test/endpoints');

describe('allowedOrigins', () => {
  const cases = [
    // option, allowed, refused
    ['https://example.com', ['https://example.com', 'https://EXAMPLE.com', undefined],
      ['http://example.com', 'https://example.com:8443', 'https://a.example.com', 'https://example.com.evil.test', 'null', '']],
    ['https://example.com:443', ['https://example.com'], ['https://example.com:80']],
    ['http://localhost:8080', ['http://localhost:8080'], ['http://localhost', 'https://localhost:8080']],
    [['https://a.test', /^https:\/\/\w+\.b\.test$/], ['https://a.test', 'https://x.b.test'], ['https://b.test', 'https://c.test']],
    [/^https:\/\/\w+\.b\.test$/g, ['https://x.b.test', 'https://x.b.test', 'https://y.b.test'], ['https://b.test']],
    ['chrome-extension://abcdef', ['chrome-extension://abcdef'], ['chrome-extension://abcdeg']],
    [[], [undefined], ['https://example.com']],
  ];
  for (const [option, allowed, refused] of cases) {
    test(`${Array.isArray(option) ? option.join(', ') : option}`, () => {
      const check = compileOriginCheck(option, null);
      for (const origin of allowed) assert.strictEqual(check({ origin }), null, `${origin} is allowed`);
      for (const origin of refused) {
        assert.strictEqual(check({ origin }), `The origin ${origin} is not allowed (allowedOrigins).`);
      }
    });
  }

  for (const wrong of ['example.com', 'https://example.com/', 'https://example.com/path', '*', '', 5, true, {}]) {
    test(`${JSON.stringify(wrong)} is refused with an error that names the option`, () => {
      const httpServer = http.createServer();
      for (const allowedOrigins of [wrong, ['https://fine.test', wrong]]) {
        assert.throws(() => new websocket.server({ httpServer, allowedOrigins }),
          { message: `The option allowedOrigins takes origins such as https://example.com and RegExps, not ${wrong}.` });
      }
      assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
    });
  }

  test('verifyOrigin must be a function', () => {
    assert.throws(() => new websocket.server({ httpServer: http.createServer(), verifyOrigin: 'https://a.test' }),
      { message: 'The option verifyOrigin must be a function, not https://a.test.' });
  });
});

/** The status with which a server answers a request from `origin`, and what it told its program. */
async function answerTo(t, config, origin, during) {
  const requests = [];
  const started = await startServer(t, { config, onRequest: (request) => { requests.push(request); request.accept(); } });
  const peer = await rawClient(started.port, { headers: { Origin: origin } });
  t.after(() => peer.destroy());
  if (during) await during(started, peer);
  await peer.until(() => peer.head !== null || peer.closed, 'an answer');
  return { status: peer.status, head: peer.head, requests, started, peer };
}

describe('a server with allowedOrigins or verifyOrigin', () => {
  test('refuses other pages with 403 before the request event', async (t) => {
    const { status, head, requests, started } = await answerTo(t, { allowedOrigins: 'https://example.com' }, 'https://evil.test');
    assert.strictEqual(status, 403);
    assert.match(head, /X-WebSocket-Reject-Reason: The origin https:\/\/evil\.test is not allowed \(allowedOrigins\)\./);
    assert.deepStrictEqual(requests, []);
    assert.deepStrictEqual(started.upgradeErrors.map(({ httpCode }) => httpCode), [403]);
    assert.deepStrictEqual(started.server.pendingRequests, []);
  });

  test('lets its own pages in', async (t) => {
    const { status } = await answerTo(t, { allowedOrigins: 'https://example.com' }, 'https://example.com');
    assert.strictEqual(status, 101);
  });

  test('protects servers that accept by themselves', async (t) => {
    const started = await startServer(t, { config: { autoAcceptConnections: true, allowedOrigins: 'https://example.com' } });
    const peer = await rawClient(started.port, { headers: { Origin: 'https://evil.test' } });
    await peer.until(() => peer.status === 403, 'a refusal');
    assert.deepStrictEqual(started.connections, []);
  });

  for (const [what, verifyOrigin] of [
    ['a function', (origin) => origin === 'https://example.com'],
    ['an async function', async (origin) => origin === 'https://example.com'],
  ]) {
    test(`asks ${what}`, async (t) => {
      assert.strictEqual((await answerTo(t, { verifyOrigin }, 'https://example.com')).status, 101);
      const { status, head } = await answerTo(t, { verifyOrigin }, 'https://evil.test');
      assert.strictEqual(status, 403);
      assert.match(head, /is not allowed \(verifyOrigin\)/);
    });
  }

  test('gives the function the origin, or undefined, and the request', async (t) => {
    const seen = [];
    const verifyOrigin = (origin, request) => seen.push([origin, request.resource, request.remoteAddress]) > 0;
    await answerTo(t, { verifyOrigin }, 'https://example.com');
    await answerTo(t, { verifyOrigin }, null);
    assert.deepStrictEqual(seen, [['https://example.com', '/', '127.0.0.1'], [undefined, '/', '127.0.0.1']]);
  });

  test('asks the function only about origins that are in the list', async (t) => {
    let asked = 0;
    const verifyOrigin = () => { asked++; return true; };
    const { status } = await answerTo(t, { allowedOrigins: 'https://example.com', verifyOrigin }, 'https://evil.test');
    assert.strictEqual(status, 403);
    assert.strictEqual(asked, 0);
  });

  for (const [what, verifyOrigin] of [
    ['throws', () => { throw new Error('database'); }],
    ['rejects', () => Promise.reject(new Error('database'))],
  ]) {
    test(`refuses with 500 when the function ${what}`, async (t) => {
      const { status, head, requests, started } = await answerTo(t, { verifyOrigin }, 'https://example.com');
      assert.strictEqual(status, 500);
      assert.ok(!head.includes('database'), 'that is nobody else\'s business');
      assert.deepStrictEqual(requests, []);
      assert.strictEqual(started.upgradeErrors[0].cause.message, 'database');
    });
  }

  test('counts requests that are being checked as pending, and refuses them with 408 after handshakeTimeout', async (t) => {
    const { status, started } = await answerTo(t, { verifyOrigin: () => new Promise(() => {}), handshakeTimeout: 50 },
      'https://example.com', async ({ server }, peer) => {
        while (server.pendingRequests.length === 0 && peer.head === null) await turns(1);
      });
    assert.strictEqual(status, 408);
    assert.deepStrictEqual(started.server.pendingRequests, []);
  });

  test('forgets a client that leaves while its origin is being checked', async (t) => {
    let decide;
    const verifyOrigin = () => new Promise((resolve) => { decide = resolve; });
    const requests = [];
    const started = await startServer(t, { config: { verifyOrigin }, onRequest: (request) => requests.push(request) });
    const peer = await rawClient(started.port, { headers: { Origin: 'https://example.com' } });
    while (started.server.pendingRequests.length === 0) await turns(1);
    const [{ socket }] = started.server.pendingRequests;
    // Node looks at a socket that nobody reads for resets only.
    peer.socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    decide(true);
    await turns();
    assert.deepStrictEqual(requests, []);
    assert.deepStrictEqual(started.server.pendingRequests, []);
  });
});
