'use strict';

// Some hundreds of seeded programs on every transport; `npm run test:model` runs thousands. A seed that fails is printed with the
// arguments that run it again: node __test__/model/run.js …

const { test } = require('node:test');
const assert = require('node:assert');
const path = require('path');
const { runLanes } = require('./lanes');

const COMBINATIONS = ['loop', 'threads', 'auto', 'mixed', 'stream']
  .flatMap((io) => ['http', 'port', 'hand'].map((listener) => ({ io, listener })))
  .filter(({ io, listener }) => !(io === 'stream' && listener === 'port'));

test('programs of random operations lose, double and forget nothing, on every transport', { timeout: 240000 }, async () => {
  const lines = [];
  const { runs, totals } = await runLanes({
    packageDirectory: path.join(__dirname, '..', '..'),
    combinations: COMBINATIONS,
    from: 1,
    to: 25,
    until: Date.now() + 75000,
    lanes: 6,
    runsPerLane: 9,
    onFault: (line) => lines.push(line),
  });
  console.log(`${runs} runs: ${JSON.stringify(totals)}`);
  for (const name of ['received', 'sent', 'callbacks', 'drains', 'answers']) assert.ok(totals[name] > runs / 4, `hardly any ${name}`);
  assert.deepStrictEqual(lines, [], lines.join('\n'));
});
