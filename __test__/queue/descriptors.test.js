'use strict';

// A server that comes to the limit of descriptors (`ulimit -n`). More clients than it has descriptors for connect; when they have
// gone, it serves others as before, whatever the program does with the sockets meanwhile.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { startScenario } = require('../helpers/under-test/child');
const { requestHead, encodeFrame, OPCODE } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { USES } = require('./scenarios');
const { WAYS, sleep } = require('./ways');

const LIMIT = 64;
const CLIENTS = 120;
const file = require.resolve('./scenarios.js');
const mask = Buffer.alloc(4);
const question = encodeFrame({ opcode: OPCODE.TEXT, payload: 'a', mask });
const answer = encodeFrame({ opcode: OPCODE.TEXT, payload: 'a', mask: false });

/** A client that asks a question as soon as it is accepted. */
function client(port) {
  const socket = net.connect(port, '127.0.0.1');
  const one = { socket, answered: false };
  let got = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    if (got.length === 0) socket.write(question);
    got = Buffer.concat([got, chunk]);
    one.answered = got.subarray(-answer.length).equals(answer);
  });
  socket.write(requestHead());
  return one;
}

async function comesToTheLimit(t, way, config, use) {
  const run = startScenario(t, file, 'echo', { args: { way, config: { keepalive: false, ...config }, use }, limit: LIMIT });
  const { port } = await run.report('port');
  let asked = 0;
  const figures = async () => {
    asked++;
    run.tell('figures');
    return (await run.report(`figures${asked}`))[`figures${asked}`];
  };
  const clients = [];
  t.after(() => clients.forEach(({ socket }) => socket.destroy()));
  // What is opened once for all comes with the first connection.
  const first = client(port);
  clients.push(first);
  await eventually(() => first.answered, 'the first echo', 10000);
  first.socket.destroy();
  let before = await figures();
  for (const deadline = Date.now() + 5000; before.connections > 0 && Date.now() < deadline;) before = await figures();
  for (let i = 0; i < CLIENTS; i++) {
    clients.push(client(port));
    await sleep(3);
  }
  await sleep(700);
  const served = clients.filter(({ answered }) => answered).length;
  for (const { socket } of clients) socket.destroy();
  // Those that have waited in the backlog are accepted and found dead, some every quarter of a second; until then there may be
  // no descriptor for others.
  await sleep(2000);
  const others = Array.from({ length: 10 }, () => client(port));
  clients.push(...others);
  for (const deadline = Date.now() + 5000; others.some((one) => !one.answered) && Date.now() < deadline;) await sleep(10);
  assert.deepStrictEqual([run.ended, run.stderr], [null, '']);
  assert.strictEqual(others.filter((one) => one.answered).length, 10, `served afterwards (${served} of ${CLIENTS} before)`);
  assert.ok(served > 0, 'some are served at the limit');
  for (const { socket } of others) socket.destroy();
  let after = await figures();
  for (const deadline = Date.now() + 5000; (after.connections > 0 || after.fds > before.fds + 2) && Date.now() < deadline;) {
    await sleep(50);
    after = await figures();
  }
  assert.strictEqual(after.connections, 0, 'connections that are left');
  // A worker, once there is one, has a descriptor for the readiness set.
  assert.ok(after.fds <= before.fds + 2, `${after.fds} descriptors are left of ${before.fds}`);
}

const servers = WAYS.filter(({ role }) => role === 'server');
const cases = [...USES.map((use) => [`with ${use}`, {}, use]), ['with useNativeKeepalive', { keepalive: true, useNativeKeepalive: true }, 'nothing'],
  ['with disableNagleAlgorithm: false', { disableNagleAlgorithm: false }, 'nothing'], ['with perMessageDeflate', { perMessageDeflate: true }, 'nothing']];

const skip = process.platform === 'win32' ? 'there is no such limit' : false;

for (const way of servers) {
  // They mostly wait.
  describe(`${way.name}: the limit of descriptors is reached, and gone again`, { skip, concurrency: 4 }, () => {
    for (const [what, config, use] of cases) test(what, { timeout: 60000 }, (t) => comesToTheLimit(t, way, config, use));
  });
}
