'use strict';

// Peers that made 1.0.35 end the process, or refuse what is right. COMPATIBILITY: W1, W2, W3, W9.

const { test } = require('node:test');
const assert = require('node:assert');
const { startServer, openClient, rawClient, openRawClient, rawServer, eventually } = require('../helpers/under-test/endpoints');
const { startScenario } = require('../helpers/under-test/child');
const { requestHead, OPCODE } = require('../helpers/raw');

const scenarios = require.resolve('./scenarios.js');

for (const [what, order, accepted] of [
  ['and is noticed, then accept()', ['wait', 'accept'], true],
  ['and is noticed, then reject()', ['wait', 'reject'], false],
  ['right before accept()', ['stand', 'accept'], true],
  ['right before reject()', ['stand', 'reject'], false],
  ['and nobody ever answers', ['wait'], false],
  ['right after reject()', ['reject', 'stand'], false],
]) {
  test(`W1: the process survives when a pending request is reset ${what}`, async (t) => {
    const run = startScenario(t, scenarios, 'reset', { args: { order } });
    const { port } = await run.report('port');
    const peer = await rawClient(port);
    assert.strictEqual((await run.report('pending')).pending, 1);
    peer.socket.resetAndDestroy();
    await peer.close();
    run.tell('go on');
    assert.deepStrictEqual((await run.report('left')).left, [0, 0]);
    if (accepted) {
      const { events } = run.reports.find((report) => report.events);
      assert.strictEqual(events.filter(([event]) => event === 'close').length, 1);
      assert.deepStrictEqual(events[events.length - 1].slice(0, 2), ['close', 1006]);
      if (order[0] === 'wait') {
        assert.deepStrictEqual(events, [['close', 1006, 'TCP connection lost before handshake completed.']]);
      }
    }
    assert.deepStrictEqual(await run.exit(), { code: 0, signal: null });
    assert.strictEqual(run.stderr, '');
  });
}

/** Sends one request; resolves with the status of the answer. The server must still be there afterwards. */
async function statusAndSurvival(t, headers) {
  const run = startScenario(t, scenarios, 'acceptAll');
  const { port } = await run.report('port');
  const bad = await rawClient(port, { headers });
  await bad.until(() => bad.head !== null || bad.closed, 'an answer');
  const good = await openRawClient(port);
  assert.strictEqual(good.status, 101);
  assert.strictEqual(run.ended, null);
  good.destroy();
  return { status: bad.status, run, head: bad.head };
}

for (const protocol of ['a@b', 'two words', 'curly{', '"quoted"', 'tab\there', '(comment)', 'a/b', 'umlaut\u00e4']) {
  test(`W2: the subprotocol ${JSON.stringify(protocol)} is refused with a status and upgradeError, not with a crash`, async (t) => {
    const { status, run } = await statusAndSurvival(t, { 'Sec-WebSocket-Protocol': protocol });
    assert.ok(status === 400 || status === 500, `status ${status}`);
    await run.report('upgradeError');
  });
}

test('W3: an auto-accepting server accepts the subprotocol __proto__', async (t) => {
  const { status, head } = await statusAndSurvival(t, { 'Sec-WebSocket-Protocol': '__proto__' });
  assert.strictEqual(status, 101);
  assert.match(head, /^sec-websocket-protocol: __proto__\r$/im);
});

/** A server whose program calls `answer(request)`; what it throws is kept. */
async function answeringServer(t, answer) {
  const thrown = [];
  const started = await startServer(t, {
    onRequest: (request) => {
      try {
        answer(request);
      } catch (error) {
        thrown.push(error);
      }
    },
  });
  return { ...started, thrown };
}

test('W3: accept() with the subprotocol __proto__ that was requested succeeds', async (t) => {
  const { url, thrown } = await answeringServer(t, (request) => request.accept('__proto__'));
  const connection = await openClient(t, url, { protocols: ['other', '__proto__'] });
  assert.strictEqual(connection.protocol, '__proto__');
  assert.deepStrictEqual(thrown, []);
});

test('W3: accept() with the subprotocol constructor that was not requested answers 500 and throws the usual Error', async (t) => {
  const { port, thrown } = await answeringServer(t, (request) => request.accept('constructor'));
  const peer = await rawClient(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
  await peer.until(() => peer.head !== null, 'an answer');
  assert.strictEqual(peer.status, 500);
  assert.strictEqual(thrown[0].message, 'Specified protocol was not requested by the client.');
});

for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
  test(`W3: accept() sets a cookie called ${name}`, async (t) => {
    const { port, thrown } = await answeringServer(t, (request) => request.accept(null, null, [{ name, value: '1' }]));
    const peer = await rawClient(port);
    await peer.until(() => peer.head !== null, 'an answer');
    assert.deepStrictEqual(thrown, []);
    assert.match(peer.head, new RegExp(`^set-cookie: ${name}=1\r$`, 'im'));
  });
}

test('W3: a request header called __proto__ is sent', async (t) => {
  const raw = await rawServer();
  t.after(() => raw.close());
  await openClient(t, raw.url, { headers: JSON.parse('{ "__proto__": "kept", "X-Other": "1" }') });
  const peer = await raw.next();
  assert.match(peer.head, /^__proto__: kept\r$/m);
});

test('W9: handshakeTimeout answers a pending request with 408 and closes', async (t) => {
  let pending;
  let rejected = 0;
  const started = await startServer(t, {
    config: { handshakeTimeout: 40 },
    onRequest: (request) => {
      pending = request;
      request.on('requestRejected', () => rejected++);
    },
  });
  const before = Date.now();
  const peer = await rawClient(started.port);
  await peer.close();
  assert.strictEqual(peer.status, 408);
  assert.ok(Date.now() - before >= 35, 'too early');
  assert.strictEqual(started.server.pendingRequests.length, 0);
  assert.strictEqual(rejected, 1);
  assert.throws(() => pending.accept(), /one time/);
});

test('W9: handshakeTimeout ends with accept()', async (t) => {
  const started = await startServer(t, {
    config: { handshakeTimeout: 40 },
    onRequest: (request) => {
      if (request.resource === '/accept') request.accept();
    },
  });
  const accepted = await openRawClient(started.port, { path: '/accept' });
  const pending = await rawClient(started.port, { path: '/wait' });
  await pending.close();
  assert.strictEqual(pending.status, 408);
  accepted.send({ opcode: OPCODE.PING });
  assert.strictEqual((await accepted.frame()).opcode, OPCODE.PONG);
});

test('W9: maxConnections refuses one more with 503, names the option and emits upgradeError', async (t) => {
  const started = await startServer(t, { config: { maxConnections: 2 } });
  const first = await openRawClient(started.port);
  await openRawClient(started.port);
  const third = await rawClient(started.port);
  await third.until(() => third.head !== null, 'the answer');
  assert.strictEqual(third.status, 503);
  assert.match(third.head, /maxConnections/);
  await third.close();
  assert.strictEqual(started.upgradeErrors.length, 1);
  assert.match(started.upgradeErrors[0].message, /maxConnections/);
  assert.strictEqual(started.server.connections.length, 2);

  first.destroy();
  await eventually(() => started.server.connections.length === 1, 'the first connection to go');
  const fourth = await openRawClient(started.port);
  assert.strictEqual(fourth.status, 101);
});

test('W9: maxPendingRequests refuses one more with 503, names the option and emits upgradeError', async (t) => {
  const pending = [];
  const started = await startServer(t, { config: { maxPendingRequests: 2 }, onRequest: (request) => pending.push(request) });
  const peers = [await rawClient(started.port), await rawClient(started.port)];
  await eventually(() => pending.length === 2, 'two requests');
  const third = await rawClient(started.port);
  await third.until(() => third.head !== null, 'the answer');
  assert.strictEqual(third.status, 503);
  assert.match(third.head, /maxPendingRequests/);
  assert.strictEqual(started.upgradeErrors.length, 1);
  assert.match(started.upgradeErrors[0].message, /maxPendingRequests/);
  assert.strictEqual(pending.length, 2);

  pending[0].accept();
  await peers[0].until(() => peers[0].head !== null, 'the first answer');
  const fourth = await rawClient(started.port, { head: requestHead({ path: '/fourth' }) });
  await eventually(() => pending.length === 3, 'a third request');
  assert.strictEqual(pending[2].resource, '/fourth');
  fourth.destroy();
});

test('W9: a request that is given up makes room in maxPendingRequests', async (t) => {
  const pending = [];
  const started = await startServer(t, { config: { maxPendingRequests: 1 }, onRequest: (request) => pending.push(request) });
  const first = await rawClient(started.port);
  await eventually(() => pending.length === 1, 'the first request');
  const refused = await rawClient(started.port);
  await refused.until(() => refused.head !== null, 'the refusal');
  assert.strictEqual(refused.status, 503);
  first.socket.resetAndDestroy();
  await eventually(() => started.server.pendingRequests.length === 0, 'the request to be forgotten');
  await rawClient(started.port);
  await eventually(() => pending.length === 2, 'another request');
});
