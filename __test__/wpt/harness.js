'use strict';

// As much of the interface of testharness.js as the tests for WebSocket need, written for them: tests that are functions,
// asynchronous tests with steps, promise tests that run one after the other, and assertions.

const util = require('util');

/** Legacy names of DOMExceptions that the tests use. */
const NAMES = {
  SYNTAX_ERR: 'SyntaxError', INVALID_ACCESS_ERR: 'InvalidAccessError', INVALID_STATE_ERR: 'InvalidStateError', SECURITY_ERR: 'SecurityError',
};

class AssertionError extends Error {}

const show = (value) => util.inspect(value, { depth: 1, breakLength: Infinity });

function check(condition, message, description) {
  if (!condition) throw new AssertionError(description ? `${description}: ${message}` : message);
}

const same = (a, b) => Object.is(a, b);

function throwsDom(error, type, description) {
  const name = NAMES[type] || type;
  check(error instanceof DOMException && error.name === name,
    `expected a DOMException called ${name}, got ${error instanceof Error ? `${error.constructor.name} ${error.name}: ${error.message}` : show(error)}`, description);
}

function thrownBy(func, description) {
  try {
    func();
  } catch (error) {
    return error;
  }
  throw new AssertionError(`${description ? `${description}: ` : ''}nothing was thrown`);
}

async function rejectionOf(promise, description) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new AssertionError(`${description ? `${description}: ` : ''}the promise was not rejected`);
}

const assertions = {
  assert_true: (actual, description) => check(actual === true, `expected true, got ${show(actual)}`, description),
  assert_false: (actual, description) => check(actual === false, `expected false, got ${show(actual)}`, description),
  assert_equals: (actual, expected, description) => check(same(actual, expected), `expected ${show(expected)}, got ${show(actual)}`, description),
  assert_not_equals: (actual, expected, description) => check(!same(actual, expected), `got ${show(actual)}`, description),
  assert_greater_than: (actual, limit, description) => check(actual > limit, `expected more than ${limit}, got ${show(actual)}`, description),
  assert_greater_than_equal: (actual, limit, description) => check(actual >= limit, `expected at least ${limit}, got ${show(actual)}`, description),
  assert_less_than: (actual, limit, description) => check(actual < limit, `expected less than ${limit}, got ${show(actual)}`, description),
  assert_regexp_match: (actual, expected, description) => check(expected.test(actual), `${show(actual)} does not match ${expected}`, description),
  assert_in_array: (actual, list, description) => check(list.includes(actual), `${show(actual)} is not in ${show(list)}`, description),
  assert_array_equals(actual, expected, description) {
    check(actual.length === expected.length && Array.from(expected).every((value, i) => same(actual[i], value)),
      `expected ${show(expected)}, got ${show(actual)}`, description);
  },
  assert_unreached(description) {
    throw new AssertionError(description || 'reached what must not be reached');
  },
  // With the constructor of another realm as the second argument, or without.
  assert_throws_dom(type, ...args) {
    const [func, description] = typeof args[1] === 'function' ? args.slice(1) : args;
    throwsDom(thrownBy(func, description), type, description);
  },
  assert_throws_js(constructor, func, description) {
    const error = thrownBy(func, description);
    check(error.constructor === constructor, `expected a ${constructor.name}, got ${show(error)}`, description);
  },
  async promise_rejects_dom(test, type, promise, description) {
    throwsDom(await rejectionOf(promise, description), type, description);
  },
  async promise_rejects_js(test, constructor, promise, description) {
    const error = await rejectionOf(promise, description);
    check(error.constructor === constructor, `expected a ${constructor.name}, got ${show(error)}`, description);
  },
  async promise_rejects_exactly(test, expected, promise, description) {
    check(await rejectionOf(promise, description) === expected, 'rejected with something else', description);
  },
};

class Test {
  constructor(name, harness) {
    this.name = name;
    this.harness = harness;
    this.status = null;
    this.message = '';
    this.cleanups = [];
    this.finished = new Promise((resolve) => { this._resolve = resolve; });
    this.timer = setTimeout(() => this._finish('TIMEOUT', 'not done in time'), harness.timeout);
  }

  _finish(status, message = '') {
    if (this.status !== null) return;
    this.status = status;
    this.message = message;
    clearTimeout(this.timer);
    for (const cleanup of this.cleanups) {
      try {
        cleanup();
      } catch (error) {
        if (status === 'PASS') Object.assign(this, { status: 'FAIL', message: `in a cleanup: ${error.message}` });
      }
    }
    this._resolve();
  }

  /** Runs a part of the test; what it throws fails the test. */
  step(func, receiver = this, ...args) {
    if (this.status !== null) return undefined;
    try {
      return func.apply(receiver, args);
    } catch (error) {
      this._finish('FAIL', error && error.message ? `${error instanceof AssertionError ? '' : `${error.name}: `}${error.message}` : show(error));
      return undefined;
    }
  }

  step_func(func, receiver) {
    const test = this;
    return function stepFunction(...args) {
      return test.step(func, receiver === undefined ? test : receiver, ...args);
    };
  }

  step_func_done(func, receiver) {
    return (...args) => {
      if (func) this.step(func, receiver === undefined ? this : receiver, ...args);
      this.done();
    };
  }

  unreached_func(description) {
    return this.step_func(() => assertions.assert_unreached(description));
  }

  step_timeout(func, milliseconds, ...args) {
    return setTimeout(this.step_func(func), milliseconds, ...args);
  }

  add_cleanup(func) {
    this.cleanups.push(func);
  }

  done() {
    this._finish('PASS');
  }
}

/**
 * Makes the functions that a test file finds as globals.
 * @param {{ title: string, timeout: number }} options `timeout`: milliseconds for each test
 */
function createHarness({ title, timeout }) {
  const harness = { timeout, tests: [] };
  let promiseTests = Promise.resolve();

  const begin = (name) => {
    const test = new Test(name === undefined ? title : name, harness);
    harness.tests.push(test);
    return test;
  };
  const globals = {
    ...assertions,
    test(func, name) {
      const test = begin(name);
      test.step(func, test, test);
      test.done();
    },
    async_test(func, name) {
      const test = begin(typeof func === 'function' ? name : func);
      if (typeof func === 'function') test.step(func, test, test);
      return test;
    },
    promise_test(func, name) {
      const test = begin(name);
      clearTimeout(test.timer);
      promiseTests = promiseTests.then(() => {
        test.timer = setTimeout(() => test._finish('TIMEOUT', 'not done in time'), harness.timeout);
        Promise.resolve(test.step(func, test, test)).then(() => test.done(), (error) => test.step(() => { throw error; }));
        return test.finished;
      });
    },
    setup(func) {
      if (typeof func === 'function') func();
    },
    done() {},
    step_timeout: (func, milliseconds, ...args) => setTimeout(func, milliseconds, ...args),
    format_value: show,
  };
  return {
    globals,
    /** An error that no step has caught fails what has not ended. */
    uncaught(error) {
      const message = `uncaught ${error && error.stack ? error.stack.split('\n')[0] : show(error)}`;
      const open = harness.tests.filter(({ status }) => status === null);
      for (const test of open) test._finish('FAIL', message);
      if (open.length === 0) harness.tests.push({ name: `${title}: outside of tests`, status: 'FAIL', message });
    },
    /** Resolves with `[{ name, status, message }]` when all tests have ended. */
    async results() {
      for (let i = 0; i < harness.tests.length; i++) await harness.tests[i].finished;
      return harness.tests.map(({ name, status, message }) => ({ name, status, message }));
    },
  };
}

module.exports = { createHarness };
