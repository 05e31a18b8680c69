'use strict';

// Runs WebSocket-Node's own test suites, from a checkout of that project, against this package.
//
//   npm run test:upstream -- DIR... [--original] [--no-reference] [--keep]
//
//   DIR             a checkout (any branch: tape, vitest and mocha suites are found by themselves); it is copied,
//                   never changed, and lib/, vendor/, index.js and package.json of the copy are this package's
//   --original      run the checkout with its own library instead: what the suites say without us
//   --no-reference  do not run websocket@1.0.35 for comparison; every failing test counts then
//   --keep          leave the copies for inspection
//
// Without options the suites also run against websocket@1.0.35, and the exit code is 1 when a test that passes
// there does not pass with this package. The runners are installed from npm into a temporary directory. The
// suites listen on fixed ports (64321 and 8080): one run at a time.

const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const { copyCheckout } = require('./internal/checkout');
const { npm } = require('./internal/npm');
const { RUNNERS, runSuites } = require('./internal/upstream-runners');

const ROOT = path.join(__dirname, '..');
const REFERENCE = '1.0.35';
const PORTS = [64321, 8080];
/** What of a checkout is the library, and not its tests. */
const LIBRARY = ['lib', 'vendor', 'index.js', 'package.json'];

/** Replaces the library in a copied checkout by the one in another directory, addon included. */
function replaceLibrary(copy, from) {
  for (const name of LIBRARY) {
    fs.rmSync(path.join(copy, name), { recursive: true, force: true });
    fs.cpSync(path.join(from, name), path.join(copy, name), { recursive: true });
  }
  for (const name of fs.readdirSync(from)) {
    if (name.endsWith('.node')) fs.copyFileSync(path.join(from, name), path.join(copy, name));
  }
}

/** Installs what the library in `directory` needs at run time; the runners lie one level above. */
function installDependencies(directory) {
  const file = path.join(directory, 'package.json');
  const text = fs.readFileSync(file, 'utf8');
  const { name, version, dependencies = {}, optionalDependencies = {} } = JSON.parse(text);
  if (Object.keys({ ...dependencies, ...optionalDependencies }).length === 0) return;
  // npm looks up development dependencies even when told to leave them out, and some branches' have long gone.
  fs.writeFileSync(file, JSON.stringify({ name, version, dependencies, optionalDependencies }));
  npm(['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline'], { cwd: directory });
  fs.writeFileSync(file, text);
}

/** Whether nothing listens on a port of the loopback interface. */
function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/** Waits for the suites' fixed ports, which another run may hold for a moment. */
async function waitForPorts() {
  const deadline = Date.now() + 60000;
  for (const port of PORTS) {
    while (!(await isFree(port))) {
      if (Date.now() > deadline) throw new Error(`port ${port} is in use and the suites need it`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Counts results by status. */
function count(results) {
  const counts = { pass: 0, fail: 0, skip: 0 };
  for (const { status } of results.values()) counts[status]++;
  return counts;
}

const words = ({ pass, fail, skip }) => `${pass} passed, ${fail} failed, ${skip} skipped`;

/** Prints every test with its outcome; `reference` (may be null) is what websocket@1.0.35 got. */
function printResults(results, reference) {
  let file = null;
  for (const [, test] of results) {
    if (test.file !== file) console.log(`  ${(file = test.file)}`);
    const before = reference && reference.get(test.id);
    const note = !reference || (before && before.status === test.status) ? '' : ` (${REFERENCE}: ${before ? before.status : 'not run'})`;
    console.log(`    ${test.status.padEnd(4)} ${test.name}${note}`);
    if (test.status === 'fail' && test.detail) console.log(test.detail.trimEnd().replace(/^/gm, '         '));
  }
}

/** The tests that pass with the reference and do not pass here. */
function regressions(results, reference) {
  const lost = [];
  for (const [id, test] of reference) {
    if (test.status !== 'pass') continue;
    const now = results.get(id);
    if (!now || now.status !== 'pass') lost.push(`${test.file}: ${test.name} (${now ? now.status : 'did not run'})`);
  }
  return lost;
}

/** Runs one checkout; returns whether all is as it should be. */
async function runCheckout(directory, options) {
  const title = path.basename(directory);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-upstream-'));
  try {
    const runners = RUNNERS.filter((runner) => runner.applies(directory));
    if (runners.length === 0) throw new Error(`${directory} has no tape, vitest or mocha suite`);
    fs.writeFileSync(path.join(root, 'package.json'), '{ "private": true }\n');
    const packages = [...new Set(runners.flatMap((runner) => runner.packages))];
    if (!options.original && options.reference) packages.push(`websocket-reference@npm:websocket@${REFERENCE}`);
    npm(['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline', ...packages], { cwd: root });

    const run = async (name, library) => {
      const copy = path.join(root, name);
      copyCheckout(directory, copy);
      if (library) replaceLibrary(copy, library);
      installDependencies(copy);
      return runSuites(runners, { copy, modules: path.join(root, 'node_modules'), before: waitForPorts });
    };

    if (options.original) {
      const { results, problems } = await run('original', null);
      console.log(`\n${title}, untouched`);
      printResults(results, null);
      for (const problem of problems) console.log(`  problem: ${problem}`);
      const counts = count(results);
      console.log(`  ${title}: ${words(counts)}`);
      return counts.fail === 0 && counts.pass > 0 && problems.length === 0;
    }

    const reference = options.reference ? await run('reference', path.join(root, 'node_modules', 'websocket-reference')) : null;
    const ours = await run('ours', ROOT);
    console.log(`\n${title}, with this package`);
    printResults(ours.results, reference && reference.results);
    for (const problem of ours.problems) console.log(`  problem: ${problem}`);
    const counts = count(ours.results);
    console.log(`  ${title}: ${words(counts)}`);
    if (!reference) return counts.fail === 0 && counts.pass > 0 && ours.problems.length === 0;

    const expected = count(reference.results);
    console.log(`  websocket@${REFERENCE}: ${words(expected)}`);
    for (const problem of reference.problems) console.log(`  problem with websocket@${REFERENCE}: ${problem}`);
    const lost = regressions(ours.results, reference.results);
    for (const test of lost) console.log(`  LOST ${test}`);
    if (expected.pass === 0) console.log(`  no test passes with websocket@${REFERENCE}: nothing was compared`);
    // A problem outside every test (an unhandled error, a crash) counts unless the reference has it too.
    return lost.length === 0 && expected.pass > 0 && ours.problems.length <= reference.problems.length;
  } finally {
    if (options.keep) console.log(`  kept: ${root}`);
    else fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      original: { type: 'boolean', default: false },
      'no-reference': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  if (values.help || positionals.length === 0) {
    console.log('usage: npm run test:upstream -- DIR... [--original] [--no-reference] [--keep]');
    console.log('DIR is a checkout of https://github.com/theturtle32/WebSocket-Node (branch master, v2, mocha, ...)');
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const options = { original: values.original, reference: !values['no-reference'], keep: values.keep };
  for (const directory of positionals) {
    const good = await runCheckout(path.resolve(directory), options);
    if (!good) process.exitCode = 1;
  }
  console.log(process.exitCode ? '\nupstream suites: FAILED' : '\nupstream suites: passed');
}

main().catch((error) => {
  console.error(`test:upstream: ${error.message}`);
  process.exitCode = 1;
});
