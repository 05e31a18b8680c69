import { createRequire } from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';

const suite = createRequire(import.meta.url)('./suite.js');

afterEach(() => vi.useRealTimers());

suite({
  test,
  expect,
  fake: () => vi.useFakeTimers(),
  advance: (ms) => vi.advanceTimersByTime(ms),
  real: () => vi.useRealTimers()
});
