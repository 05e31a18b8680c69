'use strict';

const { VERDICTS } = require('../verdict');

/** How many results of each verdict: `{ OK: n, … }`. */
function count(results) {
  const counts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0]));
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** A table of families by verdicts. */
function table(results, families) {
  const rows = new Map();
  for (const result of results) {
    const family = Number(result.id.split('.')[0]);
    rows.set(family, [...(rows.get(family) || []), result]);
  }
  const line = (name, counts) => name.padEnd(42) + VERDICTS.map((verdict) => String(counts[verdict] || '-').padStart(15)).join('');
  return [
    ' '.repeat(42) + VERDICTS.map((verdict) => verdict.padStart(15)).join(''),
    ...[...rows].map(([family, some]) => line(`${family}.* ${families.get(family)}`, count(some))),
    line('all', count(results)),
  ].join('\n');
}

/** A result in a line. */
function explain({ id, verdict, why, seen }, title) {
  return `  ${id.padEnd(8)} ${verdict.padEnd(13)} ${title}\n           ${[why, ...(seen || [])].filter(Boolean).join(' | ').slice(0, 300)}`;
}

module.exports = { count, table, explain };
