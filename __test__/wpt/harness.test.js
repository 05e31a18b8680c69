'use strict';

// The harness and the runner for web-platform-tests: what passes, what fails, and how they say so.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { execFile } = require('child_process');
const { createHarness } = require('./harness');
const { notRun, variants, timeout } = require('./selection');

/** Runs tests written for the harness: `[[name, status, message], …]`. */
async function run(define, milliseconds = 200) {
  const harness = createHarness({ title: 'title', timeout: milliseconds });
  define(harness.globals, harness);
  return (await harness.results()).map(({ name, status, message }) => [name, status, message]);
}

test('a test that throws fails, one that does not passes, and a title stands for a name', async () => {
  const results = await run(({ test: it, assert_true: isTrue }) => {
    it(() => isTrue(true), 'good');
    it(() => isTrue(1, 'one is'), 'bad');
    it(() => { throw new RangeError('no'); });
  });
  assert.deepStrictEqual(results, [['good', 'PASS', ''], ['bad', 'FAIL', 'one is: expected true, got 1'], ['title', 'FAIL', 'RangeError: no']]);
});

test('an asynchronous test ends with done(), with the first step that throws, or with the time', async () => {
  const results = await run(({ async_test: begin, assert_unreached: unreached }) => {
    begin((t) => setImmediate(t.step_func_done(() => {})), 'done');
    begin((t) => setImmediate(t.step_func(() => unreached('here'))), 'thrown');
    begin((t) => setImmediate(t.unreached_func('never')), 'unreached');
    begin(() => {}, 'late');
    const later = begin('without a function');
    setImmediate(() => later.done());
  });
  assert.deepStrictEqual(results, [['done', 'PASS', ''], ['thrown', 'FAIL', 'here'], ['unreached', 'FAIL', 'never'],
    ['late', 'TIMEOUT', 'not done in time'], ['without a function', 'PASS', '']]);
});

test('steps after the end count for nothing, and `this` is the test or what was given', async () => {
  const receivers = [];
  const results = await run(({ async_test: begin }) => {
    begin((t) => {
      t.step_func(function first() { receivers.push(this === t); })();
      t.step_func(function second() { receivers.push(this.given); }, { given: 'other' })();
      t.done();
      t.step(() => { throw new Error('too late'); });
    }, 'ended');
  });
  assert.deepStrictEqual(receivers, [true, 'other']);
  assert.deepStrictEqual(results, [['ended', 'PASS', '']]);
});

test('promise tests run one after the other and fail with what rejects', async () => {
  const order = [];
  const results = await run(({ promise_test: begin }) => {
    begin(async () => {
      order.push('first begins');
      await new Promise(setImmediate);
      order.push('first ends');
    }, 'first');
    begin(async () => {
      order.push('second');
      throw new Error('rejected');
    }, 'second');
  });
  assert.deepStrictEqual(order, ['first begins', 'first ends', 'second']);
  assert.deepStrictEqual(results, [['first', 'PASS', ''], ['second', 'FAIL', 'Error: rejected']]);
});

test('cleanups run at the end, and an error that nobody has caught fails what is open', async () => {
  let cleaned = 0;
  const results = await run(({ async_test: begin }, harness) => {
    begin((t) => {
      t.add_cleanup(() => cleaned++);
      t.done();
    }, 'ended');
    begin(() => {}, 'open');
    harness.uncaught(new Error('lost'));
  });
  assert.strictEqual(cleaned, 1);
  assert.deepStrictEqual(results, [['ended', 'PASS', ''], ['open', 'FAIL', 'uncaught Error: lost']]);
});

const ASSERTIONS = [
  ['assert_equals', [NaN, NaN], [0, -0]],
  ['assert_not_equals', [1, 2], [1, 1]],
  ['assert_false', [false], [0]],
  ['assert_greater_than', [2, 1], [1, 1]],
  ['assert_greater_than_equal', [1, 1], [0, 1]],
  ['assert_less_than', [1, 2], [2, 2]],
  ['assert_regexp_match', ['abc', /b/], ['abc', /x/]],
  ['assert_in_array', [1, [1, 2]], [3, [1, 2]]],
  ['assert_array_equals', [[1, NaN], [1, NaN]], [[1], [1, 2]]],
  ['assert_throws_js', [TypeError, () => null.x], [TypeError, () => { throw new Error('other'); }]],
  ['assert_throws_js', [TypeError, () => null.x], [TypeError, () => {}]],
  ['assert_throws_dom', ['SYNTAX_ERR', () => { throw new DOMException('x', 'SyntaxError'); }], ['SYNTAX_ERR', () => { throw new SyntaxError('x'); }]],
  ['assert_throws_dom', ['SyntaxError', DOMException, () => { throw new DOMException('x', 'SyntaxError'); }], ['SyntaxError', () => {}]],
];
for (const [name, good, bad] of ASSERTIONS) {
  test(`${name} takes ${String(good)} and not ${String(bad)}`, () => {
    const { globals } = createHarness({ title: '', timeout: 1 });
    globals[name](...good);
    assert.throws(() => globals[name](...bad));
  });
}

test('the variants for HTTP/2 and the files without tests are not run', () => {
  assert.deepStrictEqual(variants('// META: variant=?default\n// META: variant=?wpt_flags=h2\n// META: variant=?wss\n'), ['?default', '?wss']);
  assert.deepStrictEqual(variants('<meta name="variant" content="?wss">'), ['?wss']);
  assert.deepStrictEqual(variants('no variant'), ['']);
  assert.strictEqual(notRun('constants.sub.js'), 'no tests');
  assert.match(notRun('stream/tentative/close.any.js'), /WebSocketStream/);
  assert.strictEqual(notRun('Send-data.any.js'), null);
  assert.deepStrictEqual([timeout('<meta name=timeout content=long>'), timeout('// META: timeout=long'), timeout('')], [30000, 30000, 10000]);
});

/** Runs the runner on a folder with these files. */
function runner(t, files) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'wpt-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), text);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, WPT_DIR: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(__dirname, 'run.js'), directory], { env }, (error, stdout, stderr) => (
      resolve({ code: error ? error.code : 0, output: stdout + stderr })));
  });
}

const CONSTANTS = 'const URL_OF_ECHO = "ws://{{host}}:{{ports[ws][0]}}/echo";';
const META = '// META: script=constants.sub.js\n';

test('a folder without the tests is skipped with a text that says how to get them', async (t) => {
  const { code, output } = await runner(t, {});
  assert.strictEqual(code, 0);
  assert.match(output, /SKIPPED: there is no constants\.sub\.js in .*web-platform-tests\/wpt/);
});

test('a file whose tests pass passes, with w3cwebsocket as WebSocket and the echo server', async (t) => {
  const { code, output } = await runner(t, {
    'constants.sub.js': CONSTANTS,
    'echo.any.js': `${META}async_test((t) => {
      const ws = new WebSocket(URL_OF_ECHO, 'echo');
      ws.onopen = t.step_func(() => ws.send('text'));
      ws.onmessage = t.step_func(({ data }) => { assert_equals(data, 'text'); assert_equals(ws.protocol, 'echo'); ws.close(4000, 'bye'); });
      ws.onclose = t.step_func_done(({ code, reason, wasClean }) => { assert_equals([code, reason, wasClean].join(), '4000,bye,true'); });
    }, 'echo')`,
    'page.html': '<script src=constants.sub.js></script><script>test(() => assert_equals(new WebSocket(URL_OF_ECHO).readyState, 0));</script>',
  });
  assert.match(output, /2 tests in 2 pages: 2 passed/);
  assert.strictEqual(code, 0);
});

test('a test that fails, and a file that cannot be loaded, fail the run and say why', async (t) => {
  const { code, output } = await runner(t, {
    'constants.sub.js': CONSTANTS,
    'bad.any.js': `${META}test(() => assert_equals(1, 2, 'sum'), 'sums');`,
    'lost.any.js': '// META: script=nowhere.js\ntest(() => {}, "never run");',
  });
  assert.strictEqual(code, 1);
  assert.match(output, /FAIL {2}bad\.any\.js\n +sums\n +sum: expected 2, got 1/);
  assert.match(output, /FAIL {2}lost\.any\.js\n +lost\.any\.js: outside of tests\n[^]*nowhere\.js/);
});

test('a test that is known to fail and passes fails the run', async (t) => {
  const { code, output } = await runner(t, { 'constants.sub.js': CONSTANTS, 'Send-null.any.js': 'test(() => {}, "passes now");' });
  assert.strictEqual(code, 1);
  assert.match(output, /passes, but known-failures\.js lists it: Send-null\.any\.js: passes now/);
});
