'use strict';

// npm run soak -- [--minutes 30] [--connections 2000] [--io auto|loop|threads|stream] [--seed N] [--output DIRECTORY]
//
// The load of stress.js, slowed down until thousands of connections fit, for a long time: they connect, echo, get
// broadcasts, ping, pause, close, reset and come again, and every message is verified. Once a second the process is
// measured; memory, descriptors and threads must be flat after the warm-up (a fifth of the time, two minutes at most).
// Writes soak.json and a chart, soak.svg, and exits with 1 on the first fault or when something grows.

const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { run } = require('./run');
const { sample, flatness } = require('./samples');
const { writeSoakChart } = require('../../bench/lib/soak-chart');

/** Milliseconds of an average pause between the steps of a session, for each connection: constant load, then. */
const PACE_PER_CONNECTION = 0.05;

function parse() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      connections: { type: 'string', default: '2000' },
      io: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: String(Date.now() % 1000000007) },
      output: { type: 'string', default: path.join(__dirname, '..', '..', 'bench', 'results') }
    }
  });
  const options = { io: values.io, output: values.output };
  for (const name of ['minutes', 'connections', 'seed']) {
    options[name] = Number(values[name]);
    if (!(options[name] > 0)) throw new Error(`--${name} must be a number above 0, not ${values[name]}`);
  }
  return options;
}

/** Measures once a second until the returned function is called. */
function watchProcess(samples) {
  return (server, observer) => {
    const start = Date.now();
    let messages = 0;
    const timer = setInterval(() => {
      const { load } = observer;
      const connections = server.connections.length;
      const one = { ...sample(start), connections, messages: load.messages - messages, peersRss: load.rss / (1 << 20) };
      one.fdsBeside = one.fds === null ? null : one.fds - connections;
      messages = load.messages;
      samples.push(one);
      if (samples.length % 60 === 0) console.log(JSON.stringify(one, (_, value) => (Number.isFinite(value) ? Math.round(value) : value)));
    }, 1000);
    return () => clearInterval(timer);
  };
}

async function main() {
  const { minutes, connections, io, seed, output } = parse();
  const seconds = minutes * 60;
  console.log(`soak ${JSON.stringify({ minutes, connections, io, seed })}`);
  const samples = [];
  const pace = Math.max(1, connections * PACE_PER_CONNECTION);
  const { fault, totals } = await run({ io, seconds, connections, seed, pace, steady: true, watch: watchProcess(samples) });
  // What comes after the end, when the connections go, is no part of the steady state.
  const steady = samples.filter((one) => one.seconds <= seconds);
  const results = flatness(steady, Math.min(120, seconds / 5));

  fs.mkdirSync(output, { recursive: true });
  const about = { minutes, connections, io, seed, node: process.version, fault, totals, flatness: results };
  fs.writeFileSync(path.join(output, 'soak.json'), `${JSON.stringify({ ...about, samples: thin(steady) }, null, 1)}\n`);
  await writeSoakChart(steady, about, path.join(output, 'soak.svg'));

  for (const { name, before, after, unit, flat } of results) {
    console.log(`${flat ? 'flat ' : 'GROWS'} ${name}: ${before.toFixed(1)}, at the end ${after.toFixed(1)} ${unit}`);
  }
  console.log(JSON.stringify(totals));
  if (fault !== null) console.log(`FAULT with --io ${io} --seed ${seed}: ${fault}`);
  if (results.length === 0) console.log('FAULT: too short to tell whether anything grows');
  if (fault !== null || results.length === 0 || results.some(({ flat }) => !flat)) process.exitCode = 1;
}

/** At most 360 samples, with the digits that mean something: they are kept in the repository. */
function thin(samples) {
  const step = Math.ceil(samples.length / 360);
  const round = (value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value);
  return samples.filter((_, index) => index % step === 0)
    .map((one) => Object.fromEntries(Object.entries(one).map(([name, value]) => [name, round(value)])));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
