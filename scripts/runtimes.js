'use strict';

// Runs the behavioural tests under Bun and Deno, file by file, and compares what fails with what is known to
// (__test__/runtimes/deviations). The runtimes come from npm; nothing of them is kept in this repository.
//
//   npm run test:runtimes -- [DIRECTORY] [--runtime NAME=EXECUTABLE...] [--files TEXT...] [--record FILE]
//
//   DIRECTORY  where the runtimes are installed, and kept (default: a temporary one)
//   --runtime  use this executable for `bun`, `deno` or `node`, and run no other; `node` shows that the runner is right
//   --files    only files whose path contains one of these
//   --record   write the numbers, as JSON
//
// The exit code is 0 when every test passes but those that are known to fail, and those do fail; 77 when there is no runtime.

const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const readline = require('readline');
const { parseArgs } = require('util');
const { npm } = require('./internal/npm');

const ROOT = path.join(__dirname, '..');
const TESTS = path.join(ROOT, '__test__');
const RUNNER = path.join(TESTS, 'runtimes', 'file.js');
const FOLDERS = ['unit', 'conformance', 'differential', 'faults', 'hostile', 'interop', 'lifecycle'];
const PREFIX = '\u0001result ';

/** Milliseconds for a file, and for its process to end when all of its tests have. */
const FILE_TIMEOUT = 300000;
const END_TIMEOUT = 10000;
/** What .ci/run takes for a section that had nothing to do. */
const SKIPPED = 77;
/** What is reported of a file beside its tests. */
const LOADING = 'the file as a whole';
const ENDING = 'the process ends by itself';

const platform = `${process.platform}-${process.arch}`;
/** The versions whose deviations are listed: a newer one may have more or fewer. */
const RUNTIMES = {
  bun: { spec: `@oven/bun-${platform}@1.4.5`, file: `@oven/bun-${platform}/bin/bun`, args: [] },
  deno: { spec: `@deno/${platform}-glibc@2.9.6`, file: `@deno/${platform}-glibc/deno`, args: ['run', '--allow-all'] },
  node: { args: [] },
};

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: 'string', multiple: true, default: [] },
      files: { type: 'string', multiple: true, default: [''] },
      record: { type: 'string' },
    },
  });
  const given = values.runtime.map((one) => {
    const [, name, executable] = /^(bun|deno|node)=(.+)$/.exec(one) || [];
    if (!name) throw new Error(`--runtime ${one} is not bun=, deno= or node= and an executable`);
    return { name, executable: path.resolve(executable) };
  });
  return { directory: positionals[0], given, files: values.files, record: values.record };
}

/** Installs Bun and Deno as far as they exist for this platform: `[{ name, executable }]`. */
function install(directory) {
  return ['bun', 'deno'].flatMap((name) => {
    const { spec, file } = RUNTIMES[name];
    const folder = path.join(directory, name);
    fs.mkdirSync(folder, { recursive: true });
    try {
      npm(['install', '--prefix', folder, '--ignore-scripts', '--no-save', spec], { cwd: folder });
    } catch (error) {
      console.log(`SKIPPED: ${name} could not be installed: ${error.message}`);
      return [];
    }
    return [{ name, executable: path.join(folder, 'node_modules', file) }];
  });
}

function testFiles(patterns) {
  return FOLDERS
    .flatMap((folder) => fs.readdirSync(path.join(TESTS, folder)).filter((name) => name.endsWith('.test.js')).sort().map((name) => `${folder}/${name}`))
    .filter((file) => patterns.some((pattern) => file.includes(pattern)));
}

/** What is known of a runtime: `{ failing: [{ reason, tests: { file: [name] }, sometimes? }] }`. */
function deviationsOf(name) {
  const file = path.join(TESTS, 'runtimes', 'deviations', `${name}.js`);
  return fs.existsSync(file) ? require(file) : { failing: [] };
}

/** Ends what runs at the moment. */
let killAll = () => {};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

/** Runs one file and resolves with its results: `[{ name, status, error? }]`. */
function runFile({ executable, args }, file) {
  const env = { ...process.env, NO_COLOR: '1' };
  for (const variable of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_PATH']) delete env[variable];
  return new Promise((resolve) => {
    const results = [];
    let finished = false;
    let other = '';
    let late = null;
    // A group of its own: what a test has started, and a runtime does not end, ends with it.
    const detached = process.platform !== 'win32';
    const child = spawn(executable, [...args, RUNNER, path.join(TESTS, file)], { cwd: ROOT, env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    killAll = () => {
      try {
        process.kill(detached ? -child.pid : child.pid, 'SIGKILL');
      } catch {
        // There is nobody left.
      }
    };
    const end = (why) => {
      late = why;
      killAll();
    };
    let timer = setTimeout(end, FILE_TIMEOUT, `not finished after ${FILE_TIMEOUT} ms`);
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith(PREFIX)) {
        other += line;
        return;
      }
      const result = JSON.parse(line.slice(PREFIX.length));
      if (!result.finished) {
        results.push(result);
        return;
      }
      finished = true;
      clearTimeout(timer);
      timer = setTimeout(end, END_TIMEOUT, `still running ${END_TIMEOUT} ms after the last test`);
    });
    child.stderr.on('data', (text) => { other += text; });
    child.on('error', (error) => { late = error.message; });
    // Not `close`, which waits for the last of those that have inherited stdout.
    child.on('exit', killAll);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (!finished) {
        const after = results.length > 0 ? `after "${results[results.length - 1].name}"` : 'before the first test';
        results.push({ name: LOADING, status: 'failed', error: `${late || `ended with ${code === null ? signal : code}`} ${after}; ${other.slice(-2000)}` });
      } else if (late && results.every(({ status }) => status !== 'failed')) {
        // What a failed test leaves behind may well keep a process.
        results.push({ name: ENDING, status: 'failed', error: late });
      }
      resolve(results);
    });
  });
}

/** Compares results of a file with the deviations; prints what is not expected and returns how much that is. */
function judge(file, results, failing) {
  const failed = new Set(results.filter(({ status }) => status === 'failed').map(({ name }) => name));
  const known = failing.filter(({ tests }) => file in tests).flatMap(({ tests, sometimes }) => tests[file].map((name) => ({ name, sometimes })));
  let unexpected = 0;
  for (const { name, status, error } of results) {
    if (status !== 'failed' || known.some((one) => one.name === name)) continue;
    unexpected++;
    console.log(`  FAILED  ${file}: ${name}\n          ${String(error).replace(/\n/g, '\n          ')}`);
  }
  for (const { name, sometimes } of known) {
    if (failed.has(name) || sometimes) continue;
    unexpected++;
    console.log(`  listed as a deviation, but does not fail: ${file}: ${name}`);
  }
  return { known: known.filter(({ name }) => failed.has(name)).length, unexpected };
}

async function runAll({ name, executable }, files) {
  const { failing } = deviationsOf(name);
  const total = { passed: 0, failed: 0, skipped: 0, known: 0, unexpected: 0 };
  console.log(`\n${name} (${executable})`);
  for (const file of files) {
    const started = Date.now();
    const results = await runFile({ executable, args: RUNTIMES[name].args }, file);
    const count = (status) => results.filter((result) => result.status === status).length;
    const { known, unexpected } = judge(file, results, failing);
    const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), known, unexpected };
    for (const key of Object.keys(total)) total[key] += counts[key];
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`  ${file}: ${counts.passed} passed, ${counts.failed} failed (${known} known), ${counts.skipped} skipped, ${seconds} s`);
  }
  console.log(`${name}: ${total.passed} passed, ${total.known} failed as known, ${total.unexpected} unexpected, ${total.skipped} skipped`);
  return { name, ...total };
}

async function main() {
  const { directory, given, files: patterns, record } = readArguments();
  const folder = directory ? path.resolve(directory) : fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-runtimes-'));
  try {
    const files = testFiles(patterns);
    if (files.length === 0) throw new Error('no test file was chosen');
    const totals = [];
    const runtimes = given.length > 0 ? given : install(folder);
    if (runtimes.length === 0) process.exitCode = SKIPPED;
    for (const runtime of runtimes) totals.push(await runAll(runtime, files));
    if (record) fs.writeFileSync(record, `${JSON.stringify(totals, null, 2)}\n`);
    if (totals.some(({ passed, unexpected }) => passed === 0 || unexpected > 0)) process.exitCode = 1;
  } finally {
    if (!directory) fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`test:runtimes: ${error.message}`);
  process.exitCode = 1;
});
