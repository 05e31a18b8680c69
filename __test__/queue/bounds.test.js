'use strict';

// What is held for a program that does not take what its peers send: while it computes, and while it has paused its connections.
// It is a few reads, however fast the peers are, and however small on the wire what they send.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const { startScenario } = require('../helpers/under-test/child');
const { WAYS, sleep } = require('./ways');

const scenarios = require.resolve('./scenarios.js');
const floods = require.resolve('../hostile/floods.js');
const MiB = 1 << 20;
const PEERS = 8;
/** For these peers together. The worker reads into memory of its own, and the allocator keeps some. */
const MORE = 128 * MiB;
/** How long a paused server is watched. */
const WATCHED = 1200;

function residentOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  } catch {
    return 0;
  }
}

/** The most resident memory that a process adds until `over` resolves. It is ended when that is far too much. */
async function growth(child, over) {
  const before = residentOf(child.pid);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentOf(child.pid));
    if (most - before > 20 * MORE) child.kill('SIGKILL');
  }, 20);
  await over.catch(() => {});
  clearInterval(watch);
  return most - before;
}

/** [what peers send, kind of attackers, options of the server, whether it is seen with paused connections as well] */
const sends = [
  ['tiny messages', 'tiny frames', {}, true],
  ['pings', 'pings', {}, false],
  ['messages of 1 MiB', 'uploads in one frame', {}, false],
  ['messages of 1 MiB in fragments', 'uploads in fragments', {}, true],
  ['fragments of 64 KiB, every one of which is delivered', 'uploads in fragments', { assembleFragments: false }, false],
  ['messages of 1 MiB that are 1 KiB on the wire', 'compressed bombs', {}, true],
];

const skip = process.platform !== 'linux' && 'memory is measured on Linux';

for (const way of WAYS.filter(({ role }) => role === 'server')) {
  describe(`${way.name}: ${PEERS} peers are read ahead no further than ${MORE / MiB} MiB`, { skip, concurrency: 2 }, () => {
    for (const [what, kind, config, both] of sends) {
      for (const pauses of both ? [false, true] : [false]) {
        test(`${what}, while the program ${pauses ? 'has paused them' : 'computes'}`, { timeout: 60000 }, async (t) => {
          const server = startScenario(t, scenarios, 'slow', { args: { way, config, pauses } });
          const { port } = await server.report('port');
          const attackers = startScenario(t, floods, 'attackers', { args: { port, count: PEERS, kind } });
          await attackers.report('ready');
          attackers.tell('go');
          if (!pauses) {
            // A worker begins to drive with the first messages.
            await sleep(50);
            server.tell('compute');
          }
          const more = await growth(server.child, pauses ? sleep(WATCHED) : server.report('computed', 15000));
          assert.ok(more < MORE, `${Math.round(more / MiB)} MiB more`);
          assert.deepStrictEqual([server.ended, server.stderr], [null, '']);
        });
      }
    }
  });
}
