'use strict';

// Results as Markdown tables, aligned so that they read as well on a terminal.

const { PEERS } = require('./peers');

/** What is shown of a figure: three significant digits. */
function figure(value) {
  if (value === null || value === undefined) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(3)));
}

/** A Markdown table; the first column left, the others right. */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

/** Peers that have figures in these workloads, in the order of the registry. */
function peersOf(workloads) {
  return Object.keys(PEERS).filter((peer) => workloads.some((workload) => workload.peers[peer]));
}

/** One metric of all workloads: a row each, a column per peer. */
function metricTable(workloads, metric) {
  const peers = peersOf(workloads);
  const rows = workloads.map((workload) => [
    workload.title, ...peers.map((peer) => figure(workload.peers[peer] && workload.peers[peer][metric]))
  ]);
  return table(['workload', ...peers], rows);
}

const GOAL_METRICS = { cpu: 'CPU', main: 'JS thread', rss: 'memory' };

/** What a goal asks for, in words. */
function describe(goal) {
  const metric = `${goal.of}: ${GOAL_METRICS[goal.metric]}`;
  if (goal.atMost !== undefined) return `${metric} ≤ ${figure(goal.atMost)}${goal.metric === 'rss' ? ' B' : ' µs'}`;
  const than = [goal.than].flat();
  return `${metric} ≤ ${goal.ratio} × ${than.length > 1 ? `the better of ${than.join(' and ')}` : than[0]}`;
}

/** Every goal with what was reached. */
function goalTable(workloads) {
  const rows = workloads.flatMap((workload) => workload.goals.map((goal) => {
    const reached = goal.met === null ? `– (${goal.why})` : figure(goal.reached);
    const verdict = goal.met === null ? 'not compared' : goal.met ? 'met' : 'NOT MET';
    return [workload.title, describe(goal), reached, verdict];
  }));
  return table(['workload', 'goal', 'reached', ''], rows);
}

/** Everything in one document, headings included. */
function report(results) {
  const { machine, options, workloads, unavailable, faults } = results;
  const timed = workloads.filter(({ mode }) => mode !== 'idle');
  const idle = workloads.filter(({ mode }) => mode === 'idle');
  const sections = [`${machine.system}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load} at the start, Node ${machine.node}. `
    + `Medians of ${options.rounds} rounds.`];
  const versions = Object.entries(results.versions).map(([peer, version]) => `${peer} ${version}`);
  sections.push(`Versions: ${versions.join(', ')}.`);
  const add = (title, list, metric) => {
    const known = list.filter((workload) => Object.values(workload.peers).some((peer) => typeof peer[metric] === 'number'));
    if (known.length > 0) sections.push(`## ${title}`, metricTable(known, metric));
  };
  add('CPU per message, µs (user + system, whole process)', timed, 'cpu');
  add('CPU per message of the JS thread alone, µs', timed, 'main');
  add('Messages per second', timed, 'rate');
  add('Latency, median, µs', timed, 'p50');
  add('Latency, 99th percentile, µs', timed, 'p99');
  add('Resident memory per idle connection, bytes', idle, 'rss');
  add('JS heap and external memory per idle connection, bytes', idle, 'heap');
  sections.push('## Goals', goalTable(workloads));
  if (Object.keys(unavailable).length > 0) {
    sections.push('## Left out', ...Object.entries(unavailable).map(([peer, why]) => `- ${peer}: ${why}`));
  }
  if (results.incomplete) sections.push('## Incomplete', results.incomplete);
  if (faults.length > 0) {
    sections.push('## Faults', ...faults.map(({ peer, workload, round, message }) => `- ${peer}, ${workload}, round ${round}: ${message}`));
  }
  return `${sections.join('\n\n')}\n`;
}

module.exports = { report, figure };
