'use strict';

// npm run test:threads -- [COUNT]
//
// COUNT (default 1000) worker threads, eight at a time, each with a server and two clients; every other one is terminated
// in the middle of its traffic. At the end the process must hold no more descriptors and threads than after the first few,
// and hardly more memory. resources.test.js does the same with twenty.

const assert = require('assert');
const { threads } = require('./scenarios');
const { sample } = require('../stress/samples');

const TOGETHER = 8;
/** Bytes that a thread that has ended may leave behind for good, Node's own leaks among them. */
const LEFT_BY_A_THREAD = 64 * 1024;

const count = Number(process.argv[2] || 1000);
if (!(count >= 2 * TOGETHER) || count % TOGETHER !== 0) {
  console.error(`threads: COUNT must be a multiple of ${TOGETHER} and at least ${2 * TOGETHER}, not ${process.argv[2]}`);
  process.exit(2);
}

const start = Date.now();
const reports = [];

/** Runs the scenario with some threads; resolves when it has told its results. */
function run(number) {
  return new Promise((resolve) => {
    threads({
      count: number,
      together: TOGETHER,
      report: (value) => {
        reports.push(value);
        if ('finished' in value) resolve(value);
      }
    });
  });
}

/** A measurement when what the last threads held has gone. */
async function settled() {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  return sample(start);
}

async function main() {
  await run(2 * TOGETHER);
  const before = await settled();
  const results = await run(count);
  const after = await settled();
  console.log(JSON.stringify({ count, seconds: after.seconds, results, before, after }));
  assert.deepStrictEqual(results, { finished: count / 2, terminated: count / 2, echoes: count * 20, main: 'still here' });
  assert.ok(after.fds <= before.fds, `${after.fds - before.fds} descriptors more`);
  assert.ok(after.threads <= before.threads, `${after.threads - before.threads} threads more`);
  const grown = (after.rss - before.rss) * (1 << 20);
  assert.ok(grown < 32 * (1 << 20) + count * LEFT_BY_A_THREAD, `${Math.round(grown / 1024)} KiB more resident`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
