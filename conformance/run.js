'use strict';

// The conformance tester. README.md describes it.
//
//   node conformance/run.js                              this package, in both roles, over every transport
//   node conformance/run.js --transport loop,stream      over these
//   node conformance/run.js --peers                      ws, websocket@1.0.35 and undici: a check on the tester itself
//   node conformance/run.js --server ws://HOST:PORT/     any echo server
//   node conformance/run.js --client 'COMMAND {url}'     any client that speaks the protocol of Autobahn's fuzzing server
//
//   --cases 1.*,6.2.*    only these            --exclude 9.*       not these
//   --out DIRECTORY      default: reports/conformance
//   --patience MS        how long to wait for what should come at once (default: 3000)
//   --all                list every case that is not OK, INFORMATIONAL ones too
//
// The exit code is 0 when every case is OK, INFORMATIONAL or UNIMPLEMENTED, or a deviation listed in deviations.js, and
// all of those listed are found.

const { spawn } = require('child_process');
const path = require('path');
const { parseArgs } = require('util');
const { cases, FAMILIES, select } = require('./cases');
const { OURS, PEERS } = require('./targets');
const DEVIATIONS = require('./deviations');
const { testServer } = require('./lib/server-role');
const { testClient } = require('./lib/client-role');
const { runTarget } = require('./lib/run-target');
const { compare } = require('./lib/deviations');
const { table, explain } = require('./lib/report/terminal');
const { writeReport } = require('./lib/report/files');
const { GOOD } = require('./lib/verdict');

const ROOT = path.join(__dirname, '..');
const TITLES = new Map(cases.map(({ id, title }) => [id, title]));

const list = (text) => text.split(',').map((item) => item.trim()).filter(Boolean);

function readArguments() {
  const { values } = parseArgs({
    options: {
      server: { type: 'string' },
      client: { type: 'string' },
      peers: { type: 'boolean', default: false },
      transport: { type: 'string' },
      cases: { type: 'string', default: '*' },
      exclude: { type: 'string', default: '' },
      out: { type: 'string', default: path.join(ROOT, 'reports', 'conformance') },
      patience: { type: 'string', default: '3000' },
      all: { type: 'boolean', default: false },
    },
  });
  const patience = Number(values.patience);
  if (!(patience >= 100 && patience <= 600000)) throw new Error(`--patience is a number of milliseconds from 100 to 600000, not ${values.patience}`);
  if (values.server && !/^wss?:\/\//.test(values.server)) throw new Error(`--server is a URL of the scheme ws or wss, not ${values.server}`);
  if (values.client && !values.client.includes('{url}')) throw new Error('--client is a command with {url} where the URL of the tester belongs');
  return { ...values, patience, patterns: { include: list(values.cases), exclude: list(values.exclude) } };
}

/** The targets the arguments name, each with a function that runs cases. */
function targets({ server, client, peers, transport }) {
  const given = [];
  if (server) given.push({ name: `server ${server}`, role: 'server', run: async (some, options) => ({ results: await testServer(server, some, options), problem: null }) });
  if (client) {
    const start = (url) => spawn(client.replaceAll('{url}', url), { shell: true, stdio: 'inherit' });
    given.push({ name: `client ${client}`, role: 'client', run: async (some, options) => ({ results: await testClient(start, some, options), problem: null }) });
  }
  if (given.length > 0) return given;
  const wanted = transport && list(transport);
  const known = [...new Set(OURS.map((target) => target.transport))];
  const wrong = wanted && wanted.find((name) => !known.includes(name));
  if (wrong) throw new Error(`--transport is one or some of ${known.join(', ')}, not ${wrong}`);
  const chosen = peers ? PEERS : OURS.filter((target) => !wanted || wanted.includes(target.transport));
  return chosen.map((target) => ({ ...target, run: (some, options) => runTarget(target, some, options) }));
}

/** Prints what a run came to and returns whether that is good. */
function conclude({ name, results, problem }, { all, custom }) {
  const outcome = compare(results, custom ? [] : DEVIATIONS[name]);
  console.log(`\n${name}: ${results.length} cases\n${table(results, FAMILIES)}`);
  const print = (heading, some) => {
    if (some.length > 0) console.log(`${heading}\n${some.map((result) => explain(result, TITLES.get(result.id))).join('\n')}`);
  };
  print('Not as it should be:', outcome.unexpected);
  print('Known deviations that were not found (deviations.js is wrong about them):',
    outcome.missing.map((result) => ({ ...result, why: `expected: ${result.expected}, ${result.known}` })));
  if (all) print('Neither OK nor a fault:', results.filter(({ verdict }) => verdict !== 'OK' && GOOD.has(verdict)));
  if (outcome.known.length > 0) console.log(`${outcome.known.length} known deviations`);
  if (problem) console.log(problem);
  for (const { id, known } of outcome.known) results.find((result) => result.id === id).known = known;
  return results.length > 0 && !problem && outcome.unexpected.length === 0 && outcome.missing.length === 0;
}

async function main() {
  const options = readArguments();
  const runs = [];
  let good = true;
  for (const target of targets(options)) {
    const started = performance.now();
    const some = select(target.role, options.patterns);
    if (some.length === 0) {
      console.log(`\n${target.name}: --cases and --exclude leave no case for the role of a ${target.role}`);
      continue;
    }
    const run = { name: target.name, role: target.role, ...await target.run(some, { patience: options.patience }) };
    runs.push(run);
    if (!conclude(run, { all: options.all, custom: Boolean(options.server || options.client) })) good = false;
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  if (runs.length === 0) throw new Error('nothing was run');
  console.log(`\nreport: ${path.relative(process.cwd(), writeReport(options.out, runs, cases, FAMILIES))}`);
  console.log(good ? 'conformance: passed' : 'conformance: FAILED');
  if (!good) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`test:conformance: ${error.message}`);
  process.exitCode = 1;
});
