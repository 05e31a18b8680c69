'use strict';

// Runs a scenario in a child process: a named export of a file, called with a `report` function and its arguments.
// What it reports arrives as objects, in order; what it prints to stderr and how it ended are collected.
//
// As a main module this file is the child: node child.js FILE NAME ARGUMENTS-AS-JSON

const fs = require('fs');
const { spawn } = require('child_process');
const { EventEmitter } = require('events');

const PREFIX = '\u0001report ';

/** Milliseconds a child has for what is waited for: on a busy machine, starting it alone may take seconds. */
const PATIENCE = 20000;

/**
 * Starts a scenario.
 * @param {import('node:test').TestContext} t the child is killed at the end of this test
 * @param {string} file the module that exports the scenario
 * @param {string} name its export
 * @param {object} [options]
 * @param {object} [options.args] handed to the scenario
 * @param {string[]} [options.execArgv] flags for node
 * @param {object} [options.env] further environment
 * @param {number} [options.limit] descriptors it may have (`ulimit -n`)
 */
function startScenario(t, file, name, { args = {}, execArgv = [], env = {}, limit = 0 } = {}) {
  const command = [process.execPath, ...execArgv, __filename, file, name, JSON.stringify(args)];
  if (limit > 0) command.unshift('sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`);
  const child = spawn(command[0], command.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // The runner talks to its test files through these; a scenario is not one of them.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, NODE_V8_COVERAGE: undefined, ...env },
  });
  const news = new EventEmitter();
  const run = { child, reports: [], stderr: '', output: '', ended: null };
  let pending = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop();
    for (const line of lines) {
      if (line.startsWith(PREFIX)) run.reports.push(JSON.parse(line.slice(PREFIX.length)));
      else run.output += `${line}\n`;
    }
    news.emit('news');
  });
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text) => { run.stderr += text; });
  child.stdin.on('error', () => {});
  child.on('close', (code, signal) => {
    run.ended = { code, signal };
    news.emit('news');
  });
  t.after(() => child.kill('SIGKILL'));

  /** Resolves when `condition()` holds; rejects when the time is over or the child ended without it. */
  const until = (condition, what, ms) => new Promise((resolve, reject) => {
    const finish = (error) => {
      clearTimeout(timer);
      news.removeListener('news', check);
      if (error) reject(new Error(`${error}; reports ${JSON.stringify(run.reports)}; stderr: ${run.stderr}`));
      else resolve();
    };
    const check = () => {
      if (condition()) finish();
      else if (run.ended) finish(`${name} ended with ${JSON.stringify(run.ended)} instead of ${what}`);
    };
    const timer = setTimeout(() => finish(`${name}: timed out waiting for ${what}`), ms);
    news.on('news', check);
    check();
  });

  /** Resolves with the first report that has a property called `key`. */
  run.report = async (key, ms = PATIENCE) => {
    await until(() => run.reports.some((report) => key in report), `the report of ${key}`, ms);
    return run.reports.find((report) => key in report);
  };
  /** Resolves with `{ code, signal }` when the child ended by itself. */
  run.exit = async (ms = PATIENCE) => {
    await until(() => run.ended, 'the end of the process', ms);
    return run.ended;
  };
  /** Asks the scenario to go on: it hears an event of this name on `commands`. */
  run.tell = (command) => child.stdin.write(`${command}\n`);
  return run;
}

/** Runs a scenario to its end: `{ code, signal, reports, stderr }`. */
async function runScenario(t, file, name, options = {}) {
  const run = startScenario(t, file, name, options);
  const ended = await run.exit(options.timeout);
  return { ...ended, reports: run.reports, stderr: run.stderr };
}

function main([file, name, args]) {
  const report = (value) => fs.writeSync(1, `${PREFIX}${JSON.stringify(value)}\n`);
  const commands = new EventEmitter();
  /** Listens for what the parent tells; only a scenario that calls it is held open by its stdin. */
  const listen = () => {
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (text) => {
      for (const command of text.split('\n').filter(Boolean)) commands.emit(command);
    });
    return commands;
  };
  require(file)[name]({ report, listen, ...JSON.parse(args) });
}

if (require.main === module) main(process.argv.slice(2));

module.exports = { startScenario, runScenario };
