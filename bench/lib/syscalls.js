'use strict';

// How many system calls a server makes for one message (delivery, connection): what `strace -c -f` counts while the load runs.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { once } = require('events');
const { spawn, spawnSync } = require('child_process');
const { underLoad } = require('./measure');

/** Calls that a unit has less than this of are left out of the list. */
const FEW = 0.05;

/** Whether strace is here. */
function canCount() {
  return spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
}

/** Attaches strace to all threads of a process. Returns a function that detaches it and gives its report. */
async function attach(pid) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-syscalls-'));
  const file = path.join(directory, 'report');
  const strace = spawn('strace', ['-c', '-f', '-p', String(pid), '-o', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(strace, 'close');
  let said = '';
  strace.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
  while (!/attached/.test(said)) {
    const over = await Promise.race([once(strace.stderr, 'data'), exit.then(() => null)]);
    if (over === null) throw new Error(`strace: ${said.trim()}`);
  }
  return async () => {
    strace.kill('SIGINT');
    await exit;
    const report = fs.readFileSync(file, 'utf8');
    fs.rmSync(directory, { recursive: true });
    return report;
  };
}

/** The numbers of calls in a report of `strace -c`, by name. */
function parse(report) {
  const calls = {};
  for (const line of report.split('\n')) {
    // % time, seconds, µs a call, calls, errors (if there are any), name
    const [, count, name] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$/.exec(line) || [];
    if (name && name !== 'total') calls[name] = Number(count);
  }
  return calls;
}

/**
 * Counts the system calls of one peer in one workload.
 * @returns {Promise<{ total: number, calls: object }>} per unit
 */
async function countCalls(peer, workload, context) {
  let detach;
  let report;
  const result = await underLoad(peer, workload, { ...context, warmup: 0 }, {
    before: async (server) => { detach = await attach(server.child.pid); },
    after: async () => { report = await detach(); }
  });
  const counted = Object.entries(parse(report)).map(([name, count]) => [name, count / result.messages]);
  return {
    total: counted.reduce((sum, [, count]) => sum + count, 0),
    calls: Object.fromEntries(counted.filter(([, count]) => count >= FEW).sort(([, a], [, b]) => b - a))
  };
}

/** One line of the table. */
function row(workload, peer, { total, calls }) {
  const list = Object.entries(calls).map(([name, count]) => `${count.toFixed(count < 10 ? 2 : 0)} ${name}`).join(', ');
  return `${workload.id.padEnd(14)} ${peer.padEnd(13)} ${total.toFixed(total < 100 ? 1 : 0).padStart(6)}  ${list}\n`;
}

module.exports = { canCount, countCalls, row };
