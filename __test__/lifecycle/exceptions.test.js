'use strict';

// A listener that throws: the exception reaches uncaughtException, and nothing else is lost.

const { describe, it: test } = require('node:test');
const assert = require('node:assert');
const { runScenario } = require('../helpers/under-test/child');

const scenarios = require.resolve('./scenarios.js');
const { later } = require('./scenarios.js');

// Most of the time goes into starting processes: several at once.
describe('exceptions of the program', { concurrency: 3 }, () => {
  for (const [role, event] of [
    ['server', 'message'], ['server', 'frame'], ['server', 'ping'], ['server', 'pong'],
    ['client', 'message'], ['client', 'frame'], ['client', 'ping'], ['client', 'pong'], ['client', 'onmessage'],
  ]) {
    for (const on of [['2'], ['1', '2', '3', '4', '5']]) {
      test(`${role}: what a listener of ${event} throws on ${on} reaches uncaughtException, and all that follows still comes`, async (t) => {
        const { code, signal, reports } = await runScenario(t, scenarios, 'throwAmong', { args: { role, event, on } });
        assert.deepStrictEqual({ code, signal }, { code: 0, signal: null });
        assert.deepStrictEqual(reports, [{ seen: ['1', '2', '3', '4', '5'], caught: on.map((one) => `on ${one}`) }]);
      });
    }
  }

  for (const role of ['server', 'client']) {
    for (const from of later) {
      test(`${role}: what ${from} throws between messages reaches uncaughtException, and all that follows still comes`, async (t) => {
        const { code, signal, reports, stderr } = await runScenario(t, scenarios, 'throwAmong', {
          args: { role, event: 'message', on: ['2', '4', '5'], from },
        });
        assert.deepStrictEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
        assert.deepStrictEqual(reports, [{ seen: ['1', '2', '3', '4', '5'], caught: ['on 2', 'on 4', 'on 5'] }]);
      });
    }
  }

  for (const io of ['auto', 'stream']) {
    test(`${io}: what a listener of resume throws does not keep back what had come before`, async (t) => {
      const { code, reports } = await runScenario(t, scenarios, 'throwOnResume', { args: { io } });
      assert.strictEqual(code, 0);
      assert.deepStrictEqual(reports, [{ seen: ['1', '2', '3', '4', '5'], caught: ['in resume'] }]);
    });
  }

  for (const io of ['auto', 'stream']) {
    test(`${io}: what listeners of pause and resume throw does not keep back what comes later`, async (t) => {
      const { code, reports } = await runScenario(t, scenarios, 'throwOnResumeAmong', { args: { io } });
      assert.strictEqual(code, 0);
      assert.deepStrictEqual(reports, [{ seen: ['1', '2', '3'], caught: ['in resume', 'in pause', 'in resume'] }]);
    });

    for (const highWaterMark of [undefined, 200000]) {
      const name = `${io}${highWaterMark ? ', with a highWaterMark' : ''}`;
      test(`${name}: what callbacks and listeners of drain throw keeps no other callback from being called`, async (t) => {
        const { code, reports } = await runScenario(t, scenarios, 'throwWhenWritten', { args: { io, highWaterMark } });
        assert.strictEqual(code, 0);
        assert.deepStrictEqual(reports, [{ called: Array.from({ length: 200 }, (_, i) => i), caught: ['in a callback', 'in drain'] }]);
      });
    }
  }

  for (const io of ['auto', 'stream']) {
    test(`${io}: what a listener of close throws does not keep it from those who listen to the socket`, async (t) => {
      const { code, reports } = await runScenario(t, scenarios, 'throwOnClose', { args: { io } });
      assert.strictEqual(code, 0);
      assert.deepStrictEqual(reports, [{ socketCloses: 1, caught: ['in close'] }]);
    });

    test(`${io}: what a listener of the socket throws does not keep the connection open`, async (t) => {
      const { code, reports } = await runScenario(t, scenarios, 'throwOnEnd', { args: { io } });
      assert.strictEqual(code, 0);
      assert.deepStrictEqual(reports, [{ closes: [1006], caught: ['in end', 'in close'], left: 0 }]);
    });
  }

  test('a server whose connect listener throws keeps the connection and accepts the next', async (t) => {
    const { code, reports } = await runScenario(t, scenarios, 'throwAround', { args: { where: 'connect' } });
    assert.strictEqual(code, 0);
    assert.deepStrictEqual(reports, [{ echo0: 'echo 0' }, { echo1: 'echo 1' }, { caught: ['in connect'], left: 0 }]);
  });

  test('a server forgets connections whose close listener throws', async (t) => {
    const { code, reports } = await runScenario(t, scenarios, 'throwAround', { args: { where: 'close' } });
    assert.strictEqual(code, 0);
    assert.deepStrictEqual(reports, [{ echo0: 'echo 0' }, { echo1: 'echo 1' }, { caught: ['in close', 'in close'], left: 0 }]);
  });
});
