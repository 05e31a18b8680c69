'use strict';

// What a process holds over time, and whether that grows.

const fs = require('fs');

/** Number of entries of a directory of this process under /proc, null where there is none. */
function count(name) {
  try {
    return fs.readdirSync(`/proc/self/${name}`).length;
  } catch {
    return null;
  }
}

/** One measurement: seconds since `start`, resident memory and heap in MiB, descriptors, threads. */
function sample(start) {
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    seconds: Math.round((Date.now() - start) / 1000),
    rss: rss / (1 << 20),
    used: (heapUsed + external) / (1 << 20),
    fds: count('fd'),
    threads: count('task')
  };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * What may grow between the middle and the end of a run, in parts of the former and in units beyond that. Descriptors and
 * connections rise and fall together, so the former are counted per connection that is open.
 */
const TOLERANCE = {
  rss: { part: 0.1, more: 24, unit: 'MiB' },
  peersRss: { part: 0.1, more: 24, unit: 'MiB' },
  fdsBeside: { part: 0, more: 24, unit: 'descriptors beside that of each connection' },
  threads: { part: 0, more: 0, unit: 'threads' }
};

/**
 * Compares the second third of the samples after the warm-up with the last third.
 * @param {object[]} samples
 * @param {number} warmUp seconds at the beginning that do not count
 * @returns {{ name: string, before: number, after: number, flat: boolean, unit: string }[]} one entry for each quantity
 */
function flatness(samples, warmUp) {
  const warm = samples.filter(({ seconds }) => seconds >= warmUp);
  const third = Math.floor(warm.length / 3);
  return Object.entries(TOLERANCE).flatMap(([name, { part, more, unit }]) => {
    if (third === 0 || warm.some((one) => typeof one[name] !== 'number')) return [];
    const before = median(warm.slice(third, 2 * third).map((one) => one[name]));
    const after = median(warm.slice(-third).map((one) => one[name]));
    return [{ name, before, after, unit, flat: after <= before * (1 + part) + more }];
  });
}

module.exports = { sample, flatness };
