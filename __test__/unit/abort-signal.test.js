'use strict';

// Waiting for AbortSignals.

const { test } = require('node:test');
const assert = require('node:assert');
const { isAbortSignal, onAbort } = require('../../lib/internal/base/abort-signal');

test('all who wait are called once, in order; who does not wait any more is not', () => {
  const controller = new AbortController();
  const calls = [];
  const forget = onAbort(controller.signal, () => calls.push('forgotten'));
  onAbort(controller.signal, () => calls.push('a'));
  onAbort(controller.signal, () => calls.push('b'));
  forget();
  forget();
  controller.abort();
  assert.deepStrictEqual(calls, ['a', 'b']);
});

test('who is forgotten by one before is not called', () => {
  const controller = new AbortController();
  const calls = [];
  onAbort(controller.signal, () => forget());
  const forget = onAbort(controller.signal, () => calls.push('forgotten'));
  controller.abort();
  assert.deepStrictEqual(calls, []);
});

test('a signal gets one listener for all, and none is left when nobody waits', (t) => {
  const { signal } = new AbortController();
  const added = t.mock.method(signal, 'addEventListener');
  const removed = t.mock.method(signal, 'removeEventListener');
  for (let round = 1; round <= 2; round++) {
    const forgets = Array.from({ length: 20 }, () => onAbort(signal, () => {}));
    assert.strictEqual(added.mock.callCount(), round);
    for (const forget of forgets) forget();
    assert.strictEqual(removed.mock.callCount(), round);
  }
});

test('what is a signal', () => {
  assert.ok(isAbortSignal(new AbortController().signal));
  for (const value of [undefined, null, {}, 'abort', { aborted: true }, new EventTarget()]) assert.ok(!isAbortSignal(value));
});
