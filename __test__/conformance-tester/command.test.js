'use strict';

// The command line of the tester, against this package and against a server with a fault.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { execFile } = require('child_process');
const { faultyServer } = require('./faulty-server');

const ROOT = path.join(__dirname, '..', '..');
const RUN = path.join(ROOT, 'conformance', 'run.js');

/** Runs the tester; its report goes to a folder that is removed again. */
function run(t, ...args) {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'));
  t.after(() => fs.rmSync(out, { recursive: true, force: true }));
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, '--out', out, ...args], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } }, (error, stdout, stderr) => {
      const read = (name) => fs.readFileSync(path.join(out, name), 'utf8');
      resolve({ code: error ? error.code : 0, stdout, stderr, read });
    });
  });
}

test('this package passes, in both roles, and the report has every case', async (t) => {
  const { code, stdout, read } = await run(t, '--transport', 'stream', '--cases', '1.1.*,5.1.*,15.1.*,16.1.*');
  assert.strictEqual(code, 0, stdout);
  assert.match(stdout, /conformance: passed/);
  const report = JSON.parse(read('report.json'));
  assert.deepStrictEqual(report.runs.map(({ name }) => name), ['server, stream', 'client, stream']);
  assert.strictEqual(report.runs[0].results.length, 64);
  const page = read('index.html');
  assert.match(page, /<!doctype html>/);
  assert.doesNotMatch(page, /(src|href)=/, 'the page needs nothing else');
  assert.strictEqual(page.match(/<\/script>/g).length, 1, 'no case ends the script');
});

test('a server with a fault fails, and the terminal says in which case and why', async (t) => {
  const url = await faultyServer(t, { accept: () => 'Sec-WebSocket-Accept: x' });
  const { code, stdout, read } = await run(t, '--server', url, '--cases', '1.1.2', '--patience', '400');
  assert.strictEqual(code, 1);
  assert.match(stdout, /1\.1\.2 +FAILED[^]*Sec-WebSocket-Accept/);
  assert.ok(JSON.parse(read('report.json')).runs[0].results[0].log.length > 0);
});

test('a client written for Autobahn can be tested', async (t) => {
  const client = path.join(ROOT, '__test__', 'autobahn', 'client.js');
  const { code, stdout } = await run(t, '--client', `"${process.execPath}" "${client}" {url} agent`, '--cases', '1.1.*,16.2.1');
  assert.strictEqual(code, 0, stdout);
  assert.match(stdout, /16 cases/);
});

test('a client that does nothing fails every case', async (t) => {
  const { code, stdout } = await run(t, '--client', `"${process.execPath}" -e 0 {url}`, '--cases', '1.1.1');
  assert.strictEqual(code, 1);
  assert.match(stdout, /has not come for this case/);
});

for (const [args, message] of [
  [['--server', 'http://127.0.0.1/'], /--server is a URL of the scheme ws or wss, not http:/],
  [['--client', 'node client.js'], /--client is a command with \{url\}/],
  [['--transport', 'pigeon'], /--transport is one or some of stream, loop, threads.*, not pigeon/],
  [['--patience', 'x'], /--patience is a number of milliseconds/],
  [['--cases', '99.*', '--transport', 'loop'], /nothing was run/],
  [['--unknown'], /Unknown option '--unknown'/],
]) {
  test(`${args.join(' ')} is refused with a text that says what is wrong`, async (t) => {
    const { code, stderr } = await run(t, ...args);
    assert.strictEqual(code, 1);
    assert.match(stderr, message);
  });
}
