'use strict';

// The part of node:test that the tests of this repository use. Bun has node:test only within `bun test`, which takes
// uncaught exceptions for itself, and Deno gives tests no timeout; with this one the same code runs the tests everywhere,
// and says of each how it ended as soon as it has. Tests run one at a time.

const { mock } = require('node:test');
// Tests put others in their place.
const { setTimeout, clearTimeout } = globalThis;

/** Milliseconds for a test that asks for no other limit. */
const TIMEOUT = 60000;

const newSuite = (options) => ({ options, children: [], before: [], after: [] });
const root = newSuite({});
let suite = root;
/** Called with what nobody has caught. */
let fail = null;

/** What may be left out of (name, options, body). */
function parse(name, options, body) {
  return typeof options === 'function' ? { name, options: {}, body: options } : { name, options: options || {}, body };
}

function test(...args) {
  suite.children.push(parse(...args));
}

function describe(...args) {
  const { name, options, body } = parse(...args);
  const outer = suite;
  suite = newSuite(options);
  outer.children.push({ name, suite });
  try {
    body();
  } finally {
    suite = outer;
  }
}

/** Runs `body` until it is settled, its time is over or something is uncaught. */
async function attempt(body, timeout) {
  let timer;
  const trouble = new Promise((resolve, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error(`not finished after ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([body(), trouble]);
  } finally {
    clearTimeout(timer);
    // Deno clears none while simulated timers are in place.
    timer.unref();
    fail = null;
  }
}

/** Runs a test and reports it: `{ name, status, error? }`. */
async function runTest({ name, options, body }, report) {
  if (options.skip) {
    report({ name, status: 'skipped' });
    return;
  }
  const { timeout = TIMEOUT } = options;
  const hooks = [];
  let status = 'passed';
  const failures = [];
  const t = {
    name,
    mock,
    after: (hook) => { hooks.push(hook); },
    skip: () => { status = 'skipped'; },
    diagnostic: () => {},
    async test(...args) {
      const inner = [];
      await runTest(parse(...args), (result) => { inner.push(result); report({ ...result, name: `${name} > ${result.name}` }); });
      if (inner.some((result) => result.status === 'failed')) failures.push(new Error('a subtest failed'));
    },
  };
  try {
    await attempt(async () => body(t), timeout);
  } catch (error) {
    failures.push(error);
  }
  for (const hook of hooks) {
    try {
      await attempt(async () => hook(t), timeout);
    } catch (error) {
      failures.push(error);
    }
  }
  mock.reset();
  if (failures.length === 0) report({ name, status });
  else report({ name, status: 'failed', error: failures.map((error) => String((error && error.stack) || error)).join('\n') });
}

async function runSuite({ options, children, before, after }, prefix, skip, report) {
  const skipped = skip || options.skip;
  if (!skipped) for (const hook of before) await attempt(async () => hook(), TIMEOUT);
  for (const child of children) {
    const name = prefix + child.name;
    if (child.suite) await runSuite(child.suite, `${name} > `, skipped, report);
    else await runTest({ ...child, name, options: skipped ? { skip: skipped } : child.options }, report);
  }
  if (!skipped) for (const hook of after) await attempt(async () => hook(), TIMEOUT);
}

/**
 * Runs what has been registered.
 * @param {(result: object) => void} report
 */
async function run(report) {
  const uncaught = (error) => {
    if (fail !== null) fail(error);
    else report({ name: 'between the tests', status: 'failed', error: String((error && error.stack) || error) });
  };
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  await runSuite(root, '', false, report);
}

const hook = (kind) => (body) => { suite[kind].push(body); };
const nodeTest = Object.assign(test, { test, it: test, describe, before: hook('before'), after: hook('after'), mock });

module.exports = { nodeTest, run };
