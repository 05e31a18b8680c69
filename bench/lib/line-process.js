'use strict';

const { spawn, spawnSync } = require('child_process');
const readline = require('readline');

/** A child process that prints lines of JSON and reads lines: a peer or the load generator. */
class LineProcess {
  /**
   * @param {{ file: string, args: string[], env?: object }} command
   * @param {number|null} [cpuNumber] pins the process to one CPU
   */
  constructor(command, cpuNumber = null) {
    const pin = cpuNumber === null ? [] : ['taskset', '-c', String(cpuNumber)];
    const [file, ...args] = [...pin, command.file, ...command.args];
    this.child = spawn(file, args, { stdio: 'pipe', env: { ...process.env, ...command.env } });
    this.errors = '';
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.errors += text; });
    this.child.stdin.on('error', () => {}); // It may have ended; its exit code tells.
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.exit = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.errors += error.message;
        resolve(-1);
      });
      this.child.once('close', (code, signal) => resolve(signal || code));
    });
  }

  /** The next line, within so many seconds. */
  async next(seconds = 30) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000);
    });
    try {
      // A command that cannot be started prints nothing and never ends its output.
      const failed = this.exit.then((code) => { if (code === -1) throw new Error(this.complaint()); });
      const line = await Promise.race([this.lines.next(), late, failed.then(() => late)]);
      if (line.done) {
        const code = await this.exit;
        throw new Error(this.complaint() || `it ended with ${code}`);
      }
      return JSON.parse(line.value);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a line; with an answer expected, `ask`. */
  tell(line = '') {
    this.child.stdin.write(`${line}\n`);
  }

  ask(question) {
    this.tell(question);
    return this.next();
  }

  /** What it said on stderr, in a line: the message of an error, else the last line. */
  complaint() {
    const lines = this.errors.trim().split('\n');
    return lines.find((line) => /^(\w*Error|websocket-load)\b.*: /.test(line)) || lines[lines.length - 1];
  }

  /** Ends its input, which ends it, and waits; a process that stays is killed. */
  async end() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    const code = await this.exit;
    clearTimeout(timer);
    return code;
  }
}

/** Whether processes can be pinned here. */
function canPin() {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}

module.exports = { LineProcess, canPin };
