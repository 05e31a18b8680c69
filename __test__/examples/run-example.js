'use strict';

// Runs a program of examples/ in a child process of its own, as a reader of them would.

const assert = require('node:assert');
const path = require('node:path');
const { spawn } = require('node:child_process');

const examples = path.join(__dirname, '..', '..', 'examples');
const LIMIT = 15000; // milliseconds; only ever reached when something is wrong

class RunningExample {
  constructor(child) {
    this.child = child;
    this.stdout = '';
    this.stderr = '';
    this._checks = new Set();
    child.stdout.setEncoding('utf8').on('data', (chunk) => { this.stdout += chunk; this._check(); });
    child.stderr.setEncoding('utf8').on('data', (chunk) => { this.stderr += chunk; });
    /** Resolves with `{ code, signal }` when the program has ended and all its output is here. */
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => { this.over = true; resolve({ code, signal }); this._check(); });
    });
    this.ended.catch(() => {}); // whoever waits for it gets the error
  }

  _check() {
    for (const check of [...this._checks]) check();
  }

  /** Resolves with the match as soon as the standard output matches `pattern`. */
  output(pattern) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${why} before its output matched ${pattern}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`));
      const timer = setTimeout(() => { this._checks.delete(check); fail('Timed out'); }, LIMIT);
      const check = () => {
        const match = pattern.exec(this.stdout);
        if (!match && !this.over) return;
        clearTimeout(timer);
        this._checks.delete(check);
        if (match) resolve(match);
        else fail('The program ended');
      };
      this._checks.add(check);
      check();
    });
  }

  /** The port in the first URL it prints. */
  async port() {
    const match = await this.output(/\b(?:ws|wss|http):\/\/[^\s/]+:(\d+)\//);
    return Number(match[1]);
  }

  /** Waits for the end and checks that it succeeded and complained about nothing. */
  async succeeds() {
    const { code, signal } = await this._endInTime();
    assert.deepStrictEqual({ code, signal, stderr: this.stderr }, { code: 0, signal: null, stderr: '' });
  }

  /** Waits for the end and checks that it failed in an orderly way: exit code 1, no stack trace. */
  async fails() {
    const { code, signal } = await this._endInTime();
    assert.deepStrictEqual({ code, signal }, { code: 1, signal: null }, this.stderr);
    assert.doesNotMatch(this.stderr, /^ +at /m);
  }

  _endInTime() {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), LIMIT);
    return this.ended.finally(() => clearTimeout(timer));
  }

  /** Asks it to stop; on POSIX systems it does so by itself (Windows knows no signals and just ends it). */
  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    if (process.platform === 'win32') await this.ended;
    else await this.succeeds();
  }
}

/**
 * Starts `examples/<file>` and makes sure that it does not outlive the test.
 * @param {import('node:test').TestContext} t
 * @param {string} file
 * @param {{ args?: string[], env?: object }} [options] PORT is 0 unless `env` says otherwise
 * @returns {RunningExample}
 */
function startExample(t, file, { args = [], env = {} } = {}) {
  const child = spawn(process.execPath, [path.join(examples, file), ...args], {
    env: { ...process.env, HOST: '', PORT: '0', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}); // it may end before it has read what a test wrote
  const example = new RunningExample(child);
  t.after(async () => {
    if (!example.over) child.kill('SIGKILL');
    await example.ended.catch(() => {});
  });
  return example;
}

module.exports = { examples, startExample };
