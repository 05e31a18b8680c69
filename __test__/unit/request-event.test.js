'use strict';

// Listeners for `request` that fail before they have answered: the client is not left waiting.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const websocket = require('../..');
const { startHttpServer, rawClient, eventually } = require('../helpers/under-test/endpoints');

/** Collects rejections that nobody handles, as `unhandledRejection` reports them. */
function collectRejections(t) {
  const reasons = [];
  const listener = (reason) => reasons.push(reason);
  // The test runner has a listener of its own, which would fail the test.
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', listener);
  t.after(() => {
    process.removeListener('unhandledRejection', listener);
    for (const other of others) process.on('unhandledRejection', other);
  });
  return reasons;
}

async function serve(t, ...listeners) {
  const { httpServer, port } = await startHttpServer(t);
  const server = new websocket.server({ httpServer });
  const errors = [];
  server.on('upgradeError', (error) => errors.push(error));
  for (const listener of listeners) server.on('request', listener);
  const ask = async (path = '/') => {
    const peer = await rawClient(port, { path });
    t.after(() => peer.destroy());
    await peer.until(() => peer.head !== null, 'an answer');
    return peer;
  };
  return { server, errors, ask };
}

const boom = new Error('boom');
const fail = async () => {
  await null;
  throw boom;
};

describe('a listener for request that returns a rejected promise', () => {
  const failures = {
    'after a while': fail,
    'at once': () => Promise.reject(boom),
    'much later': () => new Promise((resolve, reject) => setTimeout(reject, 20, boom)),
  };
  for (const [when, listener] of Object.entries(failures)) {
    test(`${when}: the client gets 500, the rejection is Node's`, async (t) => {
      const reasons = collectRejections(t);
      const { server, errors, ask } = await serve(t, listener);
      const peer = await ask();
      assert.strictEqual(peer.status, 500);
      await eventually(() => reasons.length > 0, 'the rejection');
      assert.deepStrictEqual(reasons, [boom]);
      assert.strictEqual(errors.length, 1);
      const [error] = errors;
      assert.strictEqual(error.message, 'A listener for the event request has failed before the request was answered.');
      assert.strictEqual(error.code, 'ERR_WEBSOCKET_REQUEST_LISTENER');
      assert.strictEqual(error.httpCode, 500);
      assert.strictEqual(error.cause, boom);
      assert.deepStrictEqual(server.pendingRequests, []);
    });
  }

  test('which was added by once()', async (t) => {
    const reasons = collectRejections(t);
    const { server, ask } = await serve(t);
    server.once('request', fail);
    assert.strictEqual((await ask()).status, 500);
    assert.strictEqual((await ask()).status, 404, 'nobody listens any more');
    assert.deepStrictEqual(reasons, [boom]);
  });

  test('which is a handler of a router', async (t) => {
    const reasons = collectRejections(t);
    const { server, ask } = await serve(t);
    const router = new websocket.router({ server });
    router.mount('/a', null, fail);
    router.mount('/b', null, (request) => request.accept());
    assert.strictEqual((await ask('/a')).status, 500);
    assert.strictEqual((await ask('/b')).status, 101);
    assert.deepStrictEqual(reasons, [boom]);
  });

  test('after it has accepted: the connection lives, the rejection is still Node\'s', async (t) => {
    const reasons = collectRejections(t);
    const { server, errors, ask } = await serve(t, async (request) => {
      request.accept();
      throw boom;
    });
    assert.strictEqual((await ask()).status, 101);
    await eventually(() => reasons.length > 0, 'the rejection');
    assert.deepStrictEqual([reasons, errors], [[boom], []]);
    assert.strictEqual(server.connections[0].connected, true);
  });

  test('because accept() has thrown: the 500 of accept() is the answer', async (t) => {
    const reasons = collectRejections(t);
    const { errors, ask } = await serve(t, async (request) => { request.accept('unasked'); });
    assert.strictEqual((await ask()).status, 500);
    await eventually(() => reasons.length > 0, 'the rejection');
    assert.match(reasons[0].message, /was not requested/);
    assert.deepStrictEqual(errors, []);
  });

  test('when another listener answers later: it is told that it is too late', async (t) => {
    collectRejections(t);
    let thrown;
    const { ask } = await serve(t, fail, (request) => setTimeout(() => {
      try {
        request.accept();
      } catch (error) {
        thrown = error;
      }
    }, 20));
    assert.strictEqual((await ask()).status, 500);
    await eventually(() => thrown, 'the exception');
    assert.match(thrown.message, /one time/);
  });

  test('ends the process as it would without us, after the answer', () => {
    const script = `
      const http = require('http');
      const net = require('net');
      const { server } = require(${JSON.stringify(require.resolve('../..'))});
      const { requestHead } = require(${JSON.stringify(require.resolve('../helpers/raw'))});
      const httpServer = http.createServer();
      new server({ httpServer }).on('request', async () => { await null; throw new Error('boom'); });
      httpServer.listen(0, '127.0.0.1', () => net.connect(httpServer.address().port, '127.0.0.1').write(requestHead()));
    `;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20000 });
    assert.strictEqual(status, 1);
    assert.match(stderr, /Error: boom/);
  });
});

test('what is returned and is no promise is left alone: a query may begin when then() is called', async (t) => {
  let calls = 0;
  const { ask } = await serve(t, (request) => {
    request.accept();
    return { then() { calls++; } };
  });
  assert.strictEqual((await ask()).status, 101);
  assert.strictEqual(calls, 0);
});

test('an emit() of the program\'s own is called', async (t) => {
  const { server, ask } = await serve(t, (request) => request.accept());
  const emitted = [];
  const { emit } = server;
  server.emit = function ownEmit(...args) {
    emitted.push(args[0]);
    return emit.apply(this, args);
  };
  assert.strictEqual((await ask()).status, 101);
  assert.ok(emitted.includes('request'));
});
