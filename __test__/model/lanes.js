'use strict';

// Many runs: some processes at a time, each with one transport and one run after another. In each of them nothing but its run
// happens, so that nothing else wakes what the package has forgotten to wake.

const path = require('path');
const { fork } = require('child_process');

/** Runs of a process, after which it has to end by itself. */
const RUNS_PER_LANE = 20;

/** A process that says nothing for so long is frozen. */
const FROZEN_AFTER = 60000;

/** Gives each lane its seeds: those of all combinations in turn. */
class Seeds {
  constructor({ combinations, from, to, until, runsPerLane }) {
    this._until = until;
    this._to = to;
    this._runsPerLane = runsPerLane;
    this._queues = combinations.map((combination) => ({ ...combination, next: from }));
  }

  /** Seeds of one combination for one lane, or null when all is done. */
  take() {
    if (this._until !== null && Date.now() > this._until) return null;
    const queue = this._queues.reduce((least, one) => (one.next < least.next ? one : least));
    if (queue.next > this._to) return null;
    const seeds = [];
    while (seeds.length < this._runsPerLane && queue.next <= this._to) seeds.push(queue.next++);
    return { io: queue.io, listener: queue.listener, seeds };
  }
}

/**
 * Runs one lane to its end. `onResult(seed, { faults, totals })` is told of each run. Resolves with the seeds that were not run,
 * because the process has crashed or frozen. With `stopAt`, the first fault of one of these kinds is the end.
 */
function runLane({ io, listener, seeds, ...common }, onResult) {
  return new Promise((resolve) => {
    const child = fork(path.join(__dirname, 'lane.js'), [JSON.stringify({ io, listener, seeds, ...common })], { execArgv: [] });
    const left = [...seeds];
    let killed = null;
    let timer = null;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        killed = left.length > 0 ? 'frozen' : 'no-exit';
        child.kill('SIGKILL');
      }, left.length > 0 ? FROZEN_AFTER : 10000);
    };
    watch();
    child.on('message', (result) => {
      if (result === 'done') left.length = 0;
      else onResult(left.shift(), result);
      watch();
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const kind = killed !== null ? killed : 'crashed';
      const text = killed === 'no-exit' ? 'the process has not ended by itself 10 s after its last run'
        : killed === 'frozen' ? `the process has said nothing for ${FROZEN_AFTER / 1000} s` : `the process has ended with ${code} ${signal}`;
      if (left.length > 0) onResult(left.shift(), { faults: [{ number: null, kind, text }], totals: {} });
      else if (killed !== null || code !== 0) onResult(seeds[seeds.length - 1], { faults: [{ number: null, kind, text }], totals: {} });
      resolve(left);
    });
  });
}

/**
 * @param {object} options
 * @param {{ io: string, listener: string }[]} options.combinations
 * @param {number} options.from the first seed
 * @param {number} options.to the last one
 * @param {number|null} options.until when no more are to be begun, by Date.now()
 * @param {number} options.lanes processes at a time
 * @param {number} [options.runsPerLane]
 * @param {(line: string) => void} [options.onFault]
 */
async function runLanes({
  combinations, from, to, until = null, lanes, runsPerLane = RUNS_PER_LANE, onFault = () => {}, ...common
}) {
  const seeds = new Seeds({ combinations, from, to, until, runsPerLane });
  const faults = [];
  const totals = {};
  let runs = 0;
  const lane = async () => {
    for (let share = seeds.take(); share !== null; share = seeds.take()) {
      const { io, listener } = share;
      const onResult = (seed, result) => {
        runs++;
        for (const [name, count] of Object.entries(result.totals)) totals[name] = (totals[name] || 0) + count;
        for (const fault of result.faults) {
          faults.push({ io, listener, seed, ...fault });
          onFault(`--io ${io} --listener ${listener} --seed ${seed}: ${fault.kind}` +
            `${fault.number === null ? '' : `, connection ${fault.number}`}: ${fault.text}`);
        }
      };
      let left = share.seeds;
      while (left.length > 0) left = await runLane({ ...common, until, io, listener, seeds: left }, onResult);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { faults, totals, runs };
}

module.exports = { runLane, runLanes };
