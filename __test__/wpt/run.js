'use strict';

// Runs the web-platform-tests for WebSocket against w3cwebsocket. The tests are not a part of this repository: get
// https://github.com/web-platform-tests/wpt and name its folder `websockets`.
//
//   npm run test:wpt -- DIR [--files PATTERN] [--record]
//
//   --files   only files whose path contains this
//   --record  write the results to docs/wpt.md
//
// The exit code is 0 when every test passes but those that known-failures.js lists with a reason, and those do fail.

const fs = require('fs');
const path = require('path');
const { execFile } = require('child_process');
const { parseArgs } = require('util');
const { pool } = require('../../conformance/lib/pool');
const { startServer } = require('./server');
const { notRun, variants, timeout } = require('./selection');
const { reasonFor } = require('./known-failures');
const { markdown } = require('./record');

const PAGE = path.join(__dirname, 'page.js');
const DOCUMENT = path.join(__dirname, '..', '..', 'docs', 'wpt.md');
const FILE_TIMEOUT = 120000;
/** Pages at a time: most of them wait. */
const WIDTH = 8;

/** All files below a folder, relative to it. */
function filesBelow(directory, below = '') {
  return fs.readdirSync(path.join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(below, entry.name);
    return entry.isDirectory() ? filesBelow(directory, file) : [file];
  }).sort();
}

/** Runs a file in one of its variants: `[{ name, status, message }]`. */
function runPage(page) {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [PAGE, JSON.stringify(page)], { env, timeout: FILE_TIMEOUT, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve([{ name: 'the file as a whole', status: 'FAIL', message: `${error ? error.message : 'no results'} ${stderr}`.slice(0, 500) }]);
      }
    });
  });
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { files: { type: 'string' }, record: { type: 'boolean', default: false } },
  });
  return { directory: positionals[0] || process.env.WPT_DIR, ...values };
}

async function main() {
  const { directory, files, record } = readArguments();
  if (!directory || !fs.existsSync(path.join(directory, 'constants.sub.js'))) {
    const what = directory ? `there is no constants.sub.js in ${directory}` : 'no folder was named';
    console.log(`SKIPPED: ${what}. Get https://github.com/web-platform-tests/wpt and run: npm run test:wpt -- wpt/websockets`);
    return;
  }
  const whole = path.resolve(directory);
  const chosen = filesBelow(whole).filter((file) => !files || file.includes(files));
  const skipped = chosen.map((file) => ({ file, why: notRun(file) })).filter(({ why }) => why !== null);
  const pages = chosen.filter((file) => notRun(file) === null).flatMap((file) => {
    const text = fs.readFileSync(path.join(whole, file), 'utf8');
    return variants(text).map((search) => ({ file, search, timeout: timeout(text) }));
  });

  const server = await startServer();
  const results = [];
  await pool(pages, WIDTH, async ({ file, search, timeout: milliseconds }) => {
    const tests = await runPage({ directory: whole, file, search, ports: server.ports, timeout: milliseconds });
    results.push({ file, search, tests: tests.map((test) => ({ ...test, known: test.status === 'PASS' ? null : reasonFor(file) })) });
  });
  server.close();
  results.sort((a, b) => (a.file + a.search < b.file + b.search ? -1 : 1));

  const all = results.flatMap(({ file, search, tests }) => tests.map((test) => ({ file, search, ...test })));
  const failed = all.filter(({ status }) => status !== 'PASS');
  const unexpected = failed.filter(({ known }) => known === null);
  const surprising = all.filter(({ file, status }) => status === 'PASS' && reasonFor(file) !== null);
  for (const { file, search, name, status, message } of unexpected) console.log(`${status}  ${file}${search}\n      ${name}\n      ${message}`);
  for (const { file, search, name } of surprising) console.log(`passes, but known-failures.js lists it: ${file}${search}: ${name}`);
  console.log(`${all.length} tests in ${results.length} pages: ${all.length - failed.length} passed, ${failed.length - unexpected.length} known failures, ` +
    `${unexpected.length} unexpected; ${skipped.length} files not run`);
  if (record) fs.writeFileSync(DOCUMENT, markdown(results, skipped));
  if (all.length === 0) throw new Error('no test was run');
  if (unexpected.length > 0 || surprising.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`test:wpt: ${error.message}`);
  process.exitCode = 1;
});
