'use strict';

// How the test runners of other projects are recognised, started and read.

const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { cleanEnv } = require('./npm');

/** Longest time one test file or suite may take. */
const TIMEOUT = 300000;

/** One test's outcome; `id` is the same in every run of the suite. */
const outcome = (file, name, status, detail = '') => ({ id: `${file} > ${name}`, file, name, status, detail });

/** JavaScript files directly in a directory of the checkout, relative to the checkout. */
function filesIn(directory, folder) {
  const full = path.join(directory, folder);
  if (!fs.existsSync(full)) return [];
  return fs
    .readdirSync(full)
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** Runs a program in the copy with this very node in front of the PATH (the suites start `node` by name). */
function execute(args, cwd, extra = {}) {
  return new Promise((resolve) => {
    const PATH = `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`;
    const env = cleanEnv({ PATH, NO_COLOR: '1', FORCE_COLOR: '0', ...extra });
    delete env.NODE_TEST_CONTEXT;
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '', code: null, late: false };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    const timer = setTimeout(() => {
      output.late = true;
      child.kill('SIGKILL');
    }, TIMEOUT);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      output.code = code === null ? signal : code;
      resolve(output);
    });
  });
}

/** Says why a process that should have ended with 0 did not. */
function complaint(what, { code, late, stderr }) {
  const how = late ? `had not ended after ${TIMEOUT / 1000} s` : `ended with ${code}`;
  return `${what} ${how}${stderr ? `\n${stderr.trimEnd().slice(-2000)}` : ''}`;
}

/**
 * Reads tape's TAP output: a comment line opens a test, the assertions after it belong to it. A test without an
 * assertion of its own (one that only holds subtests, or cleans up) is not reported.
 */
function readTap(file, text) {
  const results = [];
  let current = null;
  let detail = null;
  for (const line of text.split('\n')) {
    if (/^1\.\.\d+/.test(line)) break;
    const comment = /^# (SKIP )?(.*)/.exec(line);
    const assertion = /^(not )?ok \d+ ?(.*)/.exec(line);
    if (comment) {
      current = outcome(file, comment[2], comment[1] ? 'skip' : 'none');
      results.push(current);
    } else if (assertion && current) {
      if (assertion[1]) {
        current.status = 'fail';
        current.detail += `${line}\n`;
      } else if (current.status === 'none') {
        current.status = /# SKIP/.test(line) ? 'skip' : 'pass';
      }
    }
    if (/^ {2}---/.test(line)) detail = current;
    else if (/^ {2}\.\.\./.test(line)) detail = null;
    else if (detail) detail.detail += `${line}\n`;
  }
  return results.filter((test) => test.status !== 'none');
}

const tape = {
  name: 'tape',
  packages: ['tape@4', 'buffer-equal@1'],
  files: (directory) =>
    filesIn(directory, 'test/unit').filter((file) => /require\(['"]tape['"]\)/.test(fs.readFileSync(path.join(directory, file), 'utf8'))),
  applies: (directory) => tape.files(directory).length > 0,
  async run({ copy, modules, before }) {
    const results = [];
    const problems = [];
    for (const file of tape.files(copy)) {
      await before();
      const output = await execute([path.join(modules, 'tape', 'bin', 'tape'), file], copy);
      const read = readTap(file, output.stdout);
      results.push(...read);
      if (output.code !== 0 && !read.some((test) => test.status === 'fail')) problems.push(complaint(file, output));
    }
    return { results, problems };
  }
};

const vitest = {
  name: 'vitest',
  packages: ['vitest@1', 'buffer-equal@1'],
  applies: (directory) => fs.readdirSync(directory).some((name) => /^vitest\.config\./.test(name)),
  async run({ copy, modules, before }) {
    await before();
    const report = path.join(copy, 'vitest-report.json');
    const bin = path.join(modules, 'vitest', 'vitest.mjs');
    const output = await execute([bin, 'run', '--reporter=json', `--outputFile=${report}`], copy);
    if (!fs.existsSync(report)) return { results: [], problems: [complaint('vitest', output)] };
    const { testResults } = JSON.parse(fs.readFileSync(report, 'utf8'));
    const results = [];
    const problems = [];
    const status = { passed: 'pass', failed: 'fail' };
    for (const suite of testResults.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.relative(fs.realpathSync(copy), suite.name).split(path.sep).join('/');
      for (const test of suite.assertionResults) {
        const name = [...test.ancestorTitles, test.title].filter(Boolean).join(' > ');
        results.push(outcome(file, name, status[test.status] || 'skip', (test.failureMessages || []).join('\n')));
      }
      if (suite.assertionResults.length === 0) problems.push(`${file}: ${suite.message || 'no test ran'}`);
    }
    const failed = problems.length > 0 || results.some((test) => test.status === 'fail');
    if (output.code !== 0 && !failed) problems.push(complaint('vitest', output));
    return { results, problems };
  }
};

/** Runs files with mocha, each in a process of its own. */
async function runMocha(files, options, { copy, modules, before }, env) {
  const results = [];
  const problems = [];
  for (const file of files) {
    await before();
    const report = path.join(copy, 'mocha-report.json');
    fs.rmSync(report, { force: true });
    const bin = path.join(modules, 'mocha', 'bin', 'mocha.js');
    const args = [bin, ...options, '--reporter', 'json', '--reporter-option', `output=${report}`, file];
    const output = await execute(args, copy, env);
    if (!fs.existsSync(report)) {
      problems.push(complaint(file, output));
      continue;
    }
    const { passes, failures, pending } = JSON.parse(fs.readFileSync(report, 'utf8'));
    for (const test of passes) results.push(outcome(file, test.fullTitle, 'pass'));
    for (const test of failures) results.push(outcome(file, test.fullTitle, 'fail', test.err.stack || test.err.message));
    for (const test of pending) results.push(outcome(file, test.fullTitle, 'skip'));
  }
  return { results, problems };
}

const mocha = {
  name: 'mocha',
  packages: ['mocha@10', 'expect.js@0.3', 'buffer-equal@1'],
  files: (directory) => filesIn(directory, 'test/mocha'),
  applies: (directory) => mocha.files(directory).length > 0,
  // The gulp task these suites belong to ends the process itself.
  run: (context) => runMocha(mocha.files(context.copy), ['--exit', '--timeout', '2000'], context),
};

/** A runner for `runSuites()` that runs these files with mocha, with these environment variables. */
function mochaFiles(files, options, env) {
  return { run: (context) => runMocha(files, options, context, env) };
}

/** A runner for `runSuites()` that runs these files with the test runner of Node. */
function nodeTestFiles(files, options = []) {
  const reporter = path.join(__dirname, 'node-test-reporter.js');
  return {
    async run({ copy, before }) {
      await before();
      const output = await execute(['--test', `--test-reporter=${reporter}`, ...options, ...files], copy);
      const lines = output.stdout.split('\n').filter((line) => line.startsWith('{'));
      const results = lines.map((line) => {
        const { file, name, status, detail } = JSON.parse(line);
        return outcome(path.relative(fs.realpathSync(copy), file).split(path.sep).join('/'), name, status, detail);
      });
      const failed = results.some((test) => test.status === 'fail');
      return { results, problems: output.code !== 0 && !failed ? [complaint('node --test', output)] : [] };
    },
  };
}

const RUNNERS = [tape, vitest, mocha];

/**
 * Runs suites one after the other in a copied checkout.
 * @param {object[]} runners
 * @param {object} context
 * @param {string} context.copy the checkout
 * @param {string} context.modules the node_modules the runners are in
 * @param {() => Promise<void>} context.before awaited before each start
 * @returns {Promise<{results: Map<string, object>, problems: string[]}>} tests by id, and what went wrong outside tests
 */
async function runSuites(runners, context) {
  const results = new Map();
  const problems = [];
  for (const runner of runners) {
    const done = await runner.run(context);
    problems.push(...done.problems);
    for (const test of done.results) {
      // Tests may share a name; they come in the same order every time.
      const base = test.id;
      for (let n = 2; results.has(test.id); n++) test.id = `${base} #${n}`;
      results.set(test.id, test);
    }
  }
  return { results, problems };
}

module.exports = { RUNNERS, runSuites, mochaFiles, nodeTestFiles, vitest, readTap };
