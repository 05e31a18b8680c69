'use strict';

/* global jest, test, expect, afterEach */

const suite = require('./suite');

afterEach(() => jest.useRealTimers());

suite({
  test,
  expect,
  // Node itself needs these; Vitest leaves the first and last alone unasked.
  fake: () => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }),
  advance: (ms) => jest.advanceTimersByTime(ms),
  real: () => jest.useRealTimers()
});
