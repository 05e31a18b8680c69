'use strict';

// The randomized model test on the command line; README.md in this directory says what it does.

const path = require('path');
const { parseArgs } = require('util');
const { describeProgram } = require('./program');
const { IOS, PeerThread, runSeed } = require('./runner');
const { LISTENERS } = require('./servers');
const { runLanes } = require('./lanes');

const USAGE = `node __test__/model/run.js [options]
  --seed N            one program, printed with all that happens, in this process
  --seeds FROM..TO    many programs, in several processes (default 1..300)
  --minutes N         as many as take this long, from FROM on
  --io NAME           ${IOS.join(', ')}: all of them by default
  --listener NAME     ${LISTENERS.join(', ')}: all of them by default
  --repeat N          with --seed: up to N times, until there is a fault
  --quiet             with --seed: no trace
  --lanes N           processes at a time (default 6)
  --patience MS       how long nothing may happen before what is owed counts as lost (default 6000)
  --sabotage NAME     breaks something in the test itself, to see that it is noticed
  --package DIR       the package under test (default: this one)`;

const OPTIONS = {
  seed: { type: 'string' }, seeds: { type: 'string' }, minutes: { type: 'string' }, io: { type: 'string' }, listener: { type: 'string' },
  repeat: { type: 'string' }, quiet: { type: 'boolean' }, lanes: { type: 'string' }, patience: { type: 'string' }, sabotage: { type: 'string' },
  package: { type: 'string' }, help: { type: 'boolean' },
};

function chosen(all, name, value) {
  if (value === undefined) return all;
  const list = value.split(',');
  const unknown = list.find((one) => !all.includes(one));
  if (unknown !== undefined) throw new Error(`--${name} is one of ${all.join(', ')}, not ${unknown}`);
  return list;
}

/** All transports on all listeners; a server that listens itself with `io: 'stream'` is one behind an HTTP server. */
function combinations(values) {
  const ios = chosen(IOS, 'io', values.io);
  const listeners = chosen(LISTENERS, 'listener', values.listener);
  const all = ios.flatMap((io) => listeners.map((listener) => ({ io, listener })));
  return values.io || values.listener ? all : all.filter(({ io, listener }) => !(io === 'stream' && listener === 'port'));
}

async function one(values, common) {
  const [{ io, listener }] = combinations({ ...values, io: values.io || 'loop', listener: values.listener || 'http' });
  const peers = new PeerThread();
  await peers.start();
  let failed = false;
  for (let left = Number(values.repeat || 1); left > 0 && !failed; left--) {
    const { faults, program, trace, totals } = await runSeed({ ...common, seed: Number(values.seed), io, listener }, peers);
    failed = faults.length > 0;
    if (!failed && left > 1) continue;
    if (!values.quiet) console.log(`${describeProgram(program)}\n\n${trace.join('\n')}\n`);
    console.log(`--io ${io} --listener ${listener}: ${JSON.stringify(totals)}`);
    for (const { number, kind, text } of faults) console.log(`FAULT ${kind}${number === null ? '' : `, connection ${number}`}: ${text}`);
    if (!failed) console.log('no fault');
  }
  process.exitCode = failed ? 1 : 0;
  await peers.stop();
}

async function many(values, common) {
  const [from, to] = (values.seeds || '1..300').split('..').map(Number);
  const until = values.minutes === undefined ? null : Date.now() + 60000 * Number(values.minutes);
  const { faults, totals, runs } = await runLanes({
    ...common, combinations: combinations(values), from, to: until === null ? to : Infinity, until, lanes: Number(values.lanes || 6),
    onFault: (line) => console.log(line),
  });
  const kinds = {};
  for (const fault of faults) {
    const name = `${fault.io} ${fault.listener} ${fault.kind}`;
    kinds[name] = (kinds[name] || []).concat(fault.seed);
  }
  console.log(`${runs} runs, ${JSON.stringify(totals)}`);
  for (const name of Object.keys(kinds).sort()) console.log(`${name}: ${kinds[name].length} (seeds ${kinds[name].slice(0, 12).join(' ')})`);
  console.log(faults.length === 0 ? 'no fault' : `${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const common = {
    packageDirectory: path.resolve(values.package || path.join(__dirname, '..', '..')),
    ...(values.patience && { patience: Number(values.patience) }),
    ...(values.sabotage && { sabotage: values.sabotage }),
  };
  await (values.seed === undefined ? many : one)(values, common);
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 2;
});
