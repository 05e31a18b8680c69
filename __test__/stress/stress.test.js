'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { run } = require('./run');

for (const io of ['auto', 'loop', 'stream']) {
  test(`every byte arrives while connections come, go, pause and break, with io: '${io}'`, { timeout: 60000 }, async () => {
    const seed = Date.now() % 1000000007;
    const { fault, totals } = await run({ io, seconds: 4, connections: 60, seed });
    assert.strictEqual(fault, null, `seed ${seed}: ${fault}`);
    assert.ok(totals.messages > 100 && totals.sessions > 20 && totals.pauses > 0, `hardly anything was done: ${JSON.stringify(totals)}`);
  });
}
