'use strict';

// A test that cannot fail proves nothing: each of these breaks what the records of a run see, and is noticed.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const path = require('path');
const { makeProgram } = require('./program');
const { runLane } = require('./lanes');
const { SABOTAGES } = require('./sabotage');
const { Sequence } = require('./order');

const packageDirectory = path.join(__dirname, '..', '..');

/** Programs with everything in them that can be broken. */
const SEEDS = [3, 4, 10, 7, 2, 8];

describe('what the oracle notices', { concurrency: 3 }, () => {
  for (const [name, { kinds, io = 'stream' }] of Object.entries(SABOTAGES)) {
    test(name, { timeout: 120000 }, async () => {
      const seen = [];
      await runLane({ io, listener: 'http', seeds: SEEDS, stopAt: kinds, patience: 800, sabotage: name, packageDirectory }, (_seed, { faults }) => {
        seen.push(...faults.map(({ kind }) => kind));
      });
      assert.ok(seen.some((kind) => kinds.includes(kind)), `none of ${kinds} was reported, but ${seen}`);
    });
  }
});

test('the program of a seed is always the same', () => {
  for (const seed of [1, 9, 4711]) assert.deepStrictEqual(makeProgram(seed), makeProgram(seed));
  assert.notDeepStrictEqual(makeProgram(1), makeProgram(2));
});

function sequence(sent, arrived) {
  const result = new Sequence();
  for (const digest of sent) result.expect({ digest: digest.replace('?', ''), sure: !digest.endsWith('?'), label: digest });
  for (const digest of arrived) result.arrive(digest);
  return result;
}

test('what arrives is compared with what was sent', () => {
  const kind = (sent, arrived, whole = true) => {
    const fault = sequence(sent, arrived).fault(whole);
    return fault === null ? null : fault.kind;
  };
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'b', 'c']), null);
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'b']), 'lost');
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'b'], false), null);
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'c'], false), 'lost');
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'c', 'b']), 'order');
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'a', 'b', 'c']), 'twice');
  assert.strictEqual(kind(['a', 'b', 'c'], ['a', 'x', 'c']), 'damaged');
  assert.strictEqual(kind(['a', 'b?', 'c'], ['a', 'c']), null);
  assert.strictEqual(kind(['a', 'b?', 'c?'], ['a']), null);
  assert.strictEqual(kind(['a', 'b?', 'c'], ['a', 'b', 'c']), null);
  assert.strictEqual(kind(['a'], ['a', 'b']), 'damaged');
});
