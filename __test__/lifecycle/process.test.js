'use strict';

// How long a process lives, and how it ends. Every test has a process of its own.

const { describe, it: test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { openRawClient, rawServer } = require('../helpers/under-test/endpoints');
const { startScenario, runScenario } = require('../helpers/under-test/child');
const { acceptKey, OPCODE } = require('../helpers/raw');

const scenarios = require.resolve('./scenarios.js');
const { endings } = require('./scenarios.js');

// Most of the time goes into starting processes: several at once.
describe('the life of a process', { concurrency: 3 }, () => {
  /** The child must have ended by itself, soon after it had nothing more to do. */
  function endedByItself(result) {
    assert.deepStrictEqual([result.code, result.signal, result.stderr], [0, null, '']);
    const { lived } = result.reports.find((report) => 'lived' in report);
    assert.ok(lived < 1500, `lived on for ${lived} ms`);
  }

  for (const how of endings) {
    test(`the process ends after ${how}`, async (t) => {
      endedByItself(await runScenario(t, scenarios, 'end', { args: { how } }));
    });
  }

  test('the process ends after connections with keepalive timers are closed', async (t) => {
    const config = { keepalive: true, keepaliveInterval: 60000, dropConnectionOnKeepaliveTimeout: true, keepaliveGracePeriod: 60000 };
    endedByItself(await runScenario(t, scenarios, 'end', { args: { how: 'client close()', config } }));
  });

  test('the process ends after the close() of a W3CWebSocket', async (t) => {
    endedByItself(await runScenario(t, scenarios, 'endOfW3C'));
  });

  test('the process ends after loading the package and making objects without sockets', async (t) => {
    endedByItself(await runScenario(t, scenarios, 'load'));
  });

  test('the process ends after a request was rejected', async (t) => {
    endedByItself(await runScenario(t, scenarios, 'reject'));
  });

  test('the process ends after a connection was refused', async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    endedByItself(await runScenario(t, scenarios, 'fail', { args: { port } }));
  });

  for (const [what, answer] of [
    ['with a status', (peer) => peer.socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')],
    ['with a wrong Accept', (peer) => peer.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey('x')}\r\n\r\n`)],
  ]) {
    test(`the process ends after a handshake failed ${what}`, async (t) => {
      const raw = await rawServer(answer);
      t.after(() => raw.close());
      endedByItself(await runScenario(t, scenarios, 'fail', { args: { port: raw.port } }));
    });
  }

  test('the process ends after abort()', async (t) => {
    const raw = await rawServer(() => {});
    t.after(() => raw.close());
    endedByItself(await runScenario(t, scenarios, 'abort', { args: { port: raw.port } }));
  });

  const moment = () => new Promise((resolve) => setTimeout(resolve, 250));

  test('a listening server keeps the process alive', async (t) => {
    const run = startScenario(t, scenarios, 'listen');
    await run.report('port');
    await moment();
    assert.strictEqual(run.ended, null);
  });

  for (const [what, args] of [['', {}], [' that was unref()ed and ref()ed again', { unref: true, ref: true }]]) {
    test(`an open client connection${what} keeps the process alive until it is closed`, async (t) => {
      const raw = await rawServer();
      t.after(() => raw.close());
      const run = startScenario(t, scenarios, 'stay', { args: { port: raw.port, ...args } });
      await run.report('connected');
      await moment();
      assert.strictEqual(run.ended, null);
      (await raw.next()).socket.end();
      assert.deepStrictEqual(await run.exit(), { code: 0, signal: null });
    });
  }

  test('an open client connection whose socket was unref()ed lets the process end', async (t) => {
    const raw = await rawServer();
    t.after(() => raw.close());
    endedByItself(await runScenario(t, scenarios, 'stay', { args: { port: raw.port, unref: true } }));
  });

  test('an accepted connection keeps the process alive when the server does not', async (t) => {
    const run = startScenario(t, scenarios, 'unreferencedServer', { args: { unref: false } });
    const { port } = await run.report('port');
    const peer = await openRawClient(port);
    await run.report('connected');
    await moment();
    assert.strictEqual(run.ended, null);
    peer.destroy();
    assert.deepStrictEqual(await run.exit(), { code: 0, signal: null });
  });

  test('an accepted connection whose socket was unref()ed lets the process end', async (t) => {
    const run = startScenario(t, scenarios, 'unreferencedServer', { args: { unref: true } });
    const { port } = await run.report('port');
    const peer = await openRawClient(port);
    t.after(() => peer.destroy());
    assert.deepStrictEqual(await run.exit(), { code: 0, signal: null });
  });

  const places = [
    'request', 'requestAccepted', 'server connect', 'server message', 'pong', 'connection close', 'server close',
    'client connect', 'client message', 'ping', 'send callback', 'client close',
  ];
  for (const where of places) {
    test(`process.exit() inside ${where} ends the process with that status`, async (t) => {
      const { code, signal, stderr, reports } = await runScenario(t, scenarios, 'exit', { args: { where, status: 9 } });
      assert.deepStrictEqual({ code, signal, stderr, reports }, { code: 9, signal: null, stderr: '', reports: [] });
    });

    test(`an exception inside ${where} ends the process with status 1 and its text`, async (t) => {
      const { code, signal, stderr } = await runScenario(t, scenarios, 'throw', { args: { where } });
      assert.deepStrictEqual({ code, signal }, { code: 1, signal: null });
      assert.match(stderr, new RegExp(`Error: thrown in ${where}\n`));
    });
  }

  for (const what of ['idle', 'backlog', 'flood', 'closing']) {
    test(`process.exit() with a connection that is ${what} ends the process with that status`, async (t) => {
      const { code, signal, stderr } = await runScenario(t, scenarios, 'exitBusy', { args: { what } });
      assert.deepStrictEqual({ code, signal, stderr }, { code: 5, signal: null, stderr: '' });
    });
  }

  for (const where of ['message', 'timer', 'promise']) {
    for (const what of ['exit', 'drop', 'throw']) {
      test(`what was sent in a ${where} arrives although ${what === 'throw' ? 'an exception' : 'process.exit()'} ends the process ${
        what === 'drop' ? 'after drop()' : 'right after'}`, async (t) => {
        const run = startScenario(t, scenarios, 'sendAndGo', { args: { where, what } });
        const peer = await openRawClient((await run.report('port')).port);
        peer.send({ opcode: OPCODE.TEXT, payload: 'go' });
        await peer.close();
        assert.deepStrictEqual(peer.frames.map((frame) => frame.payload.length), what === 'drop' ? [3, 1000, 5, 7] : [3, 1000, 5]);
        assert.strictEqual((await run.exit()).code, what === 'throw' ? 1 : 0);
      });
    }

    test(`what was sent in a ${where} arrives although the program stands still right after`, async (t) => {
      const run = startScenario(t, scenarios, 'sendAndGo', { args: { where, what: 'stand' } });
      const peer = await openRawClient((await run.report('port')).port);
      peer.send({ opcode: OPCODE.TEXT, payload: 'go' });
      await peer.frame(3);
      assert.strictEqual(run.reports.some((report) => report.over), false);
    });
  }

  test('SIGTERM ends a process with open connections', async (t) => {
    const run = startScenario(t, scenarios, 'listen');
    const { port } = await run.report('port');
    const peer = await openRawClient(port);
    run.child.kill('SIGTERM');
    assert.deepStrictEqual(await run.exit(), { code: null, signal: 'SIGTERM' });
    await peer.close();
  });
});
