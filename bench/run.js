'use strict';

// The benchmark: `npm run bench`. README.md says how it measures and how to read it.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const { WORKLOADS, AUTO_NOISE } = require('./workloads');
const { PEERS, QUICK, canRun, versionOf } = require('./lib/peers');
const { canPin } = require('./lib/line-process');
const { installPeers, buildLoader } = require('./lib/prepare');
const { measure, Unavailable } = require('./lib/measure');
const { canCount, countCalls, row } = require('./lib/syscalls');
const { evaluate } = require('./lib/evaluate');
const { report, figure } = require('./lib/tables');
const { writeCharts } = require('./lib/charts');

const HELP = `Usage: npm run bench -- [options]

  --quick            a selection of peers and workloads, two short rounds; ends within two minutes (plus building)
  --workloads LIST   only these: ${WORKLOADS.map(({ id }) => id).join(', ')}
  --peers LIST       only these: ${Object.keys(PEERS).join(', ')}
  --rounds N         how often each pair is measured, default 5 (quick 2)
  --duration S       seconds per measurement, default 2 (quick 0.6)
  --warmup S         seconds before it, default 0.7 (quick 0.4)
  --messages N       so many messages instead of --duration
  --connections N    how many idle connections, for the workload idle
  --syscalls         system calls of the servers for one message (delivery, connection) in place of times; needs strace
  --pin              server on CPU 0, load generator on CPU 1; not for servers with several threads
  --json             results as JSON on stdout instead of tables
  --out DIRECTORY    where results.json, results.md and the charts go, default bench/results (bench/results/quick)
`;

/** What --quick may take, in seconds from the first measurement, with room to write the results. */
const QUICK_SECONDS = 110;

/** Units of which --syscalls counts the calls. */
const UNITS = 1000;

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
      pin: { type: 'boolean', default: false }, syscalls: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
      workloads: { type: 'string' }, peers: { type: 'string' }, out: { type: 'string' },
      rounds: { type: 'string' }, duration: { type: 'string' }, warmup: { type: 'string' },
      messages: { type: 'string' }, connections: { type: 'string' }
    }
  });
  const { quick } = values;
  const number = (name, normal) => {
    if (values[name] === undefined) return normal;
    const value = Number(values[name]);
    if (!(value > 0) && !(name === 'warmup' && value === 0)) throw new Error(`--${name} needs a number, not ${values[name]}`);
    return value;
  };
  return {
    quick,
    json: values.json,
    help: values.help,
    pin: values.pin,
    syscalls: values.syscalls,
    rounds: number('rounds', quick ? 2 : 5),
    duration: number('duration', quick ? 0.6 : 2),
    warmup: number('warmup', quick ? 0.4 : 0.7),
    messages: number('messages'),
    connections: number('connections', quick ? 1000 : undefined),
    workloads: choose('workload', values.workloads, WORKLOADS.map(({ id }) => id), WORKLOADS.filter((w) => !quick || w.quick).map(({ id }) => id)),
    peers: choose('peer', values.peers, Object.keys(PEERS), quick ? QUICK : Object.keys(PEERS)),
    out: path.resolve(values.out || path.join(__dirname, 'results', quick ? 'quick' : ''))
  };
}

/** The names of a list on the command line, checked. */
function choose(what, list, known, normal) {
  if (list === undefined) return normal;
  const names = list.split(',').map((name) => name.trim()).filter(Boolean);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown ${what}: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

/** What the figures were taken on. */
function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0] ? cpus[0].model.trim() : 'unknown CPU',
    cores: cpus.length,
    memory: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    load: os.loadavg()[0].toFixed(2),
    date: new Date().toISOString()
  };
}

/**
 * Measures every workload with every peer, round by round, so that what happens to the machine happens to all.
 * @returns {Promise<{ samples: object[], unavailable: object, faults: object[], incomplete?: string }>}
 */
async function runAll(options, loader) {
  const context = { ...options, loader };
  const samples = [];
  const unavailable = {};
  const faults = [];
  const workloads = WORKLOADS.filter(({ id }) => options.workloads.includes(id));
  const end = options.quick ? Date.now() + QUICK_SECONDS * 1000 : Infinity;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const workload of workloads) {
      const all = options.peers.filter((peer) => canRun(peer, workload));
      // Another one begins in each round.
      const order = all.map((_, index) => all[(index + round - 1) % all.length]);
      for (const peer of order) {
        const role = workload.mode === 'client' ? `${peer} (client)` : peer;
        const here = `${role} in ${workload.id}`;
        if (unavailable[role] || unavailable[here]) continue;
        if (faults.some((fault) => fault.peer === peer && fault.workload === workload.id)) continue;
        if (Date.now() > end) {
          return { samples, unavailable, faults, incomplete: `Time was up in round ${round} at ${workload.id}, ${peer}.` };
        }
        try {
          const sample = await measure(peer, workload, context);
          samples.push({ workload: workload.id, peer, round, ...sample });
          progress(round, workload, peer, sample);
        } catch (error) {
          if (error instanceof Unavailable) {
            const what = error.everywhere ? role : here;
            unavailable[what] = error.message;
            process.stderr.write(`${what} is left out: ${error.message}\n`);
          } else {
            faults.push({ peer, workload: workload.id, round, message: error.message });
            process.stderr.write(`FAULT of ${here}: ${error.message}\n`);
          }
        }
      }
    }
  }
  return { samples, unavailable, faults };
}

function progress(round, workload, peer, { cpu, main, rate, rss }) {
  const figures = cpu === undefined
    ? `${figure(rss)} B`
    : `${figure(cpu)} µs, JS thread ${figure(main)} µs, ${figure(rate)}/s`;
  process.stderr.write(`round ${round}  ${workload.id.padEnd(16)} ${peer.padEnd(15)} ${figures}\n`);
}

/** Counts system calls: one run of each pair is enough, since a count hardly scatters. */
async function countAll(options, loader) {
  for (const workload of WORKLOADS.filter(({ id, mode }) => options.workloads.includes(id) && !['idle', 'client'].includes(mode))) {
    for (const peer of options.peers.filter((name) => canRun(name, workload))) {
      // What strace costs makes times worthless, and large messages few.
      const messages = options.messages || (workload.load.size >= 1 << 20 ? 50 : UNITS);
      try {
        process.stdout.write(row(workload, peer, await countCalls(peer, workload, { ...options, messages, loader })));
      } catch (error) {
        process.stderr.write(`${peer} in ${workload.id} is left out: ${error.message}\n`);
      }
    }
  }
}

async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (options.pin && !canPin()) throw new Error('--pin needs taskset, which is not here');
  installPeers();
  const loader = buildLoader();
  if (options.syscalls) {
    if (canCount()) await countAll(options, loader);
    else process.stdout.write('SKIPPED: strace is not here, which counts system calls\n');
    return;
  }
  const facts = machine();
  const { samples, ...outcome } = await runAll(options, loader);
  const workloads = WORKLOADS
    .map((workload) => evaluate(workload, samples.filter((sample) => sample.workload === workload.id), AUTO_NOISE))
    .filter((workload) => workload.samples.length > 0);
  const versions = Object.fromEntries(options.peers.map((peer) => [peer, versionOf(peer)]).filter(([, version]) => version));
  const results = { machine: facts, options, versions, ...outcome, workloads };

  fs.mkdirSync(options.out, { recursive: true });
  const text = report(results);
  const { out, ...shown } = options;
  const json = `${JSON.stringify({ ...results, options: shown }, null, 2)}\n`;
  fs.writeFileSync(path.join(out, 'results.json'), json);
  fs.writeFileSync(path.join(out, 'results.md'), text);
  const charts = await writeCharts(workloads, out);
  process.stdout.write(options.json ? json : `\n${text}`);
  process.stderr.write(`\nWritten to ${path.relative(process.cwd(), out) || '.'}: results.json, results.md`
    + `${charts.map((file) => `, ${path.basename(file)}`).join('')}\n`);
  // A peer that answers wrongly, or not at all, cannot be compared: then the figures are not to be trusted as a whole.
  if (outcome.faults.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
});
