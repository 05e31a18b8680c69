'use strict';

// Deadlines of many objects behind one timer.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const { AsyncLocalStorage } = require('async_hooks');
const { deadlinesOf } = require('../../lib/internal/time/deadlines');

const FILE = require.resolve('../../lib/internal/time/deadlines');

/** Has timers fire when the test says so. */
function simulateTimers(t) {
  // Node 18 has the list of functions alone.
  if (process.versions.node.startsWith('18.')) t.mock.timers.enable(['setTimeout']);
  else t.mock.timers.enable({ apis: ['setTimeout'] });
}

/** Has timers and clock go by themselves for one test; returns what lets time pass. */
function simulateTime(t) {
  simulateTimers(t);
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  return (ms) => {
    for (let i = 0; i < ms; i++) {
      now++;
      t.mock.timers.tick(1);
    }
  };
}

describe('deadlines', () => {
  test('a callback gets its object when the duration has passed, once', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    const object = { name: 'a' };
    deadlinesOf(100).add(object, (passed) => seen.push(passed));
    pass(99);
    assert.deepStrictEqual(seen, []);
    pass(1);
    assert.deepStrictEqual(seen, [object]);
    assert.strictEqual(seen[0], object);
    pass(1000);
    assert.strictEqual(seen.length, 1);
  });

  test('each passes at its own time, in the order of starting', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    const list = deadlinesOf(100);
    for (const name of ['a', 'b', 'c']) {
      list.add(name, (passed) => seen.push(passed));
      pass(30);
    }
    pass(10);
    assert.deepStrictEqual(seen, ['a']);
    pass(29);
    assert.deepStrictEqual(seen, ['a']);
    pass(1);
    assert.deepStrictEqual(seen, ['a', 'b']);
    pass(30);
    assert.deepStrictEqual(seen, ['a', 'b', 'c']);
  });

  test('refresh() starts one anew and leaves the others alone', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    const list = deadlinesOf(100);
    const first = list.add('first', (passed) => seen.push(passed));
    list.add('second', (passed) => seen.push(passed));
    pass(60);
    list.refresh(first);
    pass(40);
    assert.deepStrictEqual(seen, ['second']);
    pass(59);
    assert.deepStrictEqual(seen, ['second']);
    pass(1);
    assert.deepStrictEqual(seen, ['second', 'first']);
  });

  test('refresh() starts one again that has passed or was removed', (t) => {
    const pass = simulateTime(t);
    let count = 0;
    const list = deadlinesOf(100);
    const entry = list.add(null, () => { count++; });
    pass(100);
    assert.strictEqual(entry.isPending, false);
    list.refresh(entry);
    assert.strictEqual(entry.isPending, true);
    list.remove(entry);
    pass(200);
    assert.strictEqual(count, 1);
    list.refresh(entry);
    pass(100);
    assert.strictEqual(count, 2);
  });

  test('what was removed does not pass, and may be removed twice', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    const list = deadlinesOf(100);
    const entries = ['a', 'b', 'c'].map((name) => list.add(name, (passed) => seen.push(passed)));
    list.remove(entries[1]);
    list.remove(entries[1]);
    pass(100);
    assert.deepStrictEqual(seen, ['a', 'c']);
    list.remove(entries[0]);
  });

  test('callbacks may start, refresh and remove deadlines, those included that pass in the same moment', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    const list = deadlinesOf(100);
    const note = (passed) => seen.push(passed);
    let again = 0;
    const self = list.add('self', (passed) => {
      note(passed);
      list.remove(removed);
      list.refresh(postponed);
      if (++again < 2) list.refresh(self);
    });
    const removed = list.add('removed', note);
    const postponed = list.add('postponed', note);
    pass(100);
    assert.deepStrictEqual(seen, ['self']);
    pass(100);
    assert.deepStrictEqual(seen, ['self', 'postponed', 'self']);
    pass(100);
    assert.deepStrictEqual(seen, ['self', 'postponed', 'self', 'postponed']);
  });

  test('one callback that throws does not keep the others from being called', () => {
    const run = spawnSync(process.execPath, ['-e', `
      const list = require(${JSON.stringify(FILE)}).deadlinesOf(5);
      process.on('uncaughtException', (error) => console.log(error.message));
      list.add('a', () => { throw new Error('thrown'); });
      for (const name of ['b', 'c']) list.add(name, (passed) => console.log(passed));
    `], { encoding: 'utf8' });
    assert.strictEqual(run.stdout, 'thrown\nb\nc\n', run.stderr);
  });

  test('equal durations share a timer, which does not outlive their entries', (t) => {
    const pass = simulateTime(t);
    const set = t.mock.method(globalThis, 'setTimeout');
    const cleared = t.mock.method(globalThis, 'clearTimeout');
    const entries = [];
    for (let i = 0; i < 1000; i++) entries.push(deadlinesOf(100).add(i, () => assert.fail('removed')));
    assert.strictEqual(set.mock.callCount(), 1);
    pass(50);
    for (const entry of entries) deadlinesOf(100).refresh(entry);
    pass(99);
    for (const entry of entries) deadlinesOf(100).remove(entry);
    assert.ok(set.mock.callCount() <= 3, `${set.mock.callCount()} timers`);
    assert.strictEqual(cleared.mock.callCount(), 1);
    pass(1000);
  });

  test('lists of other durations, and those that let the process end, are lists of their own', (t) => {
    const pass = simulateTime(t);
    const seen = [];
    for (const [ms, options] of [[20, undefined], [10, undefined], [10, { unref: true }]]) {
      deadlinesOf(ms, options).add([ms, options], (passed) => seen.push(passed));
    }
    assert.notStrictEqual(deadlinesOf(10), deadlinesOf(10, { unref: true }));
    assert.strictEqual(deadlinesOf(10), deadlinesOf(10));
    pass(10);
    assert.strictEqual(seen.length, 2);
    pass(10);
    assert.deepStrictEqual(seen[2], [20, undefined]);
  });

  test('without a simulated clock a single deadline still follows simulated timers', (t) => {
    simulateTimers(t);
    let count = 0;
    const list = deadlinesOf(60000);
    const entry = list.add(null, () => { count++; });
    t.mock.timers.tick(59999);
    list.refresh(entry);
    t.mock.timers.tick(59999);
    assert.strictEqual(count, 0);
    t.mock.timers.tick(1);
    assert.strictEqual(count, 1);
    list.refresh(entry);
    t.mock.timers.tick(60000);
    assert.strictEqual(count, 2);
  });

  test('durations longer than a timer can be are waited for', (t) => {
    simulateTimers(t);
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    let passed = false;
    deadlinesOf(2 ** 32).add(null, () => { passed = true; });
    for (let i = 0; i < 2; i++) {
      now += 2 ** 31 - 1;
      t.mock.timers.tick(2 ** 31 - 1);
      assert.strictEqual(passed, false);
    }
    now += 2;
    t.mock.timers.tick(2);
    assert.strictEqual(passed, true);
  });

  test('callbacks are not in the async context of whoever has set the timer', async () => {
    const storage = new AsyncLocalStorage();
    const seen = await new Promise((resolve) => {
      storage.run('somebody', () => deadlinesOf(3).add(null, () => resolve(storage.getStore())));
    });
    assert.strictEqual(seen, undefined);
  });

  for (const [unref, outcome] of [[false, 'passed\n'], [true, '']]) {
    test(`unref: ${unref}: the process ${unref ? 'ends before they pass' : 'waits until they pass'}`, () => {
      const run = spawnSync(process.execPath, ['-e', `
        const { deadlinesOf } = require(${JSON.stringify(FILE)});
        deadlinesOf(200, { unref: ${unref} }).add(null, () => console.log('passed'));
      `], { encoding: 'utf8' });
      assert.strictEqual(run.stdout, outcome, run.stderr);
    });
  }

  test('thousands that start, restart and end at random pass at the right time', (t) => {
    const pass = simulateTime(t);
    let random = 12345;
    const next = (below) => {
      random = (random * 1103515245 + 12345) % 2147483648;
      return random % below;
    };
    const list = deadlinesOf(50);
    const due = new Map();
    let clock = 0;
    const entries = Array.from({ length: 500 }, (_, i) => {
      const entry = list.add(i, (passed) => {
        assert.strictEqual(due.get(passed), clock);
        due.delete(passed);
      });
      due.set(i, 50);
      return entry;
    });
    for (let step = 0; step < 300; step++) {
      for (let i = 0; i < 20; i++) {
        const which = next(entries.length);
        if (next(3) === 0) {
          list.remove(entries[which]);
          due.delete(which);
        } else {
          list.refresh(entries[which]);
          due.set(which, clock + 50);
        }
      }
      clock++;
      pass(1);
      for (const at of due.values()) assert.ok(at > clock, 'none is late');
    }
  });
});
