'use strict';

// What connections hold, and who may use them: memory, threads, processes.

const { test } = require('node:test');
const assert = require('node:assert');
const { openRawClient } = require('../helpers/under-test/endpoints');
const { startScenario, runScenario } = require('../helpers/under-test/child');
const { encodeFrame, OPCODE } = require('../helpers/raw');

const scenarios = require.resolve('./scenarios.js');

for (const how of ['client close()', 'server close()', 'client drop()', 'server drop()', 'server socket.destroy()', 'a reset by the client']) {
  test(`connections are garbage after ${how}`, async (t) => {
    const { code, reports } = await runScenario(t, scenarios, 'collect', {
      args: { how, count: 12 }, execArgv: ['--expose-gc'],
    });
    assert.strictEqual(code, 0);
    const { made, alive } = reports[0];
    assert.strictEqual(made, 36);
    assert.ok(alive.length <= 3, `${alive.length} of ${made} are still held: ${alive}`);
  });
}

test('twenty threads connect and echo, half of them terminated in the middle', async (t) => {
  const result = await runScenario(t, scenarios, 'threads', { args: { count: 20, together: 5 }, timeout: 20000 });
  assert.deepStrictEqual([result.code, result.signal, result.stderr], [0, null, '']);
  const [counts, { lived }] = result.reports;
  assert.deepStrictEqual(counts, { finished: 10, terminated: 10, echoes: 400, main: 'still here' });
  assert.ok(lived < 1500, `lived on for ${lived} ms`);
});

test('the workers of a cluster share a port', async (t) => {
  const { code, signal, stderr, reports } = await runScenario(t, scenarios, 'cluster', { args: { connections: 12 }, timeout: 10000 });
  assert.deepStrictEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  const find = (key) => reports.find((report) => key in report);
  const { answers, ports } = find('answers');
  assert.strictEqual(ports[0], ports[1]);
  assert.strictEqual(answers.length, 12);
  assert.deepStrictEqual([...new Set(answers)].sort(), ['1', '2']);
  assert.strictEqual(find('closed').closed, 12);
  assert.deepStrictEqual(find('exits').exits, [[0, null], [0, null]]);
});

test('a connection the program has paused does not read a flood into memory', async (t) => {
  const run = startScenario(t, scenarios, 'paused', { execArgv: ['--expose-gc'] });
  const { port } = await run.report('port');
  const peer = await openRawClient(port);
  t.after(() => peer.destroy());
  const one = encodeFrame({ opcode: OPCODE.BINARY, payload: 'x' });
  const chunk = Buffer.alloc(one.length * 20000, one);
  const write = () => {
    while (peer.socket.bytesWritten < 96 << 20 && peer.socket.write(chunk));
  };
  peer.socket.on('drain', write);
  write();
  const { grown, grownRss, messages } = await run.report('grown');
  assert.strictEqual(messages, 1);
  assert.ok(grown < 8 << 20, `${grown} bytes more in use`);
  assert.ok(grownRss < 48 << 20, `${grownRss} bytes more resident`);
});
