'use strict';

// Runs the test suites of packages that use ws, from checkouts outside this directory, with `websocket/ws` in the place of ws.
//
//   npm run test:ws-dependents -- DIR... [--original] [--keep]
//
//   DIR         a checkout of engine.io (or of socket.io, which has it), graphql-ws or @fastify/websocket; it is copied, never
//               changed
//   --original  leave ws where it is: what the suites say without us
//   --keep      leave the copies for inspection
//
// Tests that cannot pass are listed in docs/ws.md, each with the reason. The run fails when another one does, and when one of
// these passes. Exit code 77: nothing was run, because nothing could be installed.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawnSync } = require('child_process');
const { parseArgs } = require('util');
const { copyCheckout } = require('./internal/checkout');
const { compareWithList } = require('./internal/listed-failures');
const { npm } = require('./internal/npm');
const { runSuites } = require('./internal/upstream-runners');
const { findDependent, manifestOf } = require('./internal/ws-dependents');

const ROOT = path.resolve(__dirname, '..');
const DOCS = path.join(ROOT, 'docs', 'ws.md');
const NOTHING_RUN = 77;

/** The reasons in docs/ws.md that are not about this package. */
const WITH_WS_AS_WELL = /^fails with ws as well/;
const UNSTEADY = /^fails with ws as well, at times/;

/** The tests of a package that docs/ws.md lists: those that fail always, and those that may. */
function listedFailures(name, original) {
  const text = fs.readFileSync(DOCS, 'utf8');
  const listed = new Set();
  const unsteady = new Set();
  for (const [, dependent, quoted, test, why] of text.matchAll(/^\| ([\w@./-]+) \| (?:`` (.+?) ``|`([^`]+)`) \| (.+) \|$/gm)) {
    if (dependent !== name || (original && !WITH_WS_AS_WELL.test(why))) continue;
    (UNSTEADY.test(why) ? unsteady : listed).add(quoted || test);
  }
  return { listed, unsteady };
}

/** The directories of ws 8 below a node_modules: clients in the tests may have one of their own. */
function findWs(modules) {
  const found = [];
  for (const entry of fs.readdirSync(modules, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const directory = path.join(modules, entry.name);
    if (entry.name.startsWith('@')) {
      found.push(...findWs(directory));
      continue;
    }
    if (entry.name === 'ws') {
      const { version } = JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8'));
      if (version.startsWith('8.')) found.push({ directory, version });
    }
    const nested = path.join(directory, 'node_modules');
    if (fs.existsSync(nested)) found.push(...findWs(nested));
  }
  return found;
}

/** Puts a package made of the façade where ws is: the one that docs/ws.md shows. */
function replaceWs({ directory, version }) {
  fs.rmSync(directory, { recursive: true });
  fs.mkdirSync(directory);
  const file = (name) => JSON.stringify(path.join(ROOT, name));
  const files = {
    'package.json': JSON.stringify({
      name: 'ws', version, main: 'index.js', exports: { '.': { import: './index.mjs', require: './index.js' } },
    }),
    'index.js': `module.exports = require(${file('ws.js')});\n`,
    'index.mjs': `export * from ${file('ws.mjs')};\nexport { default } from ${file('ws.mjs')};\n`,
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), text);
}

/** Runs a file of node_modules whose outcome the tests will show: the compiler of engine.io complains of types, and compiles. */
function build(copy, file) {
  const { stdout } = spawnSync(process.execPath, [path.join(copy, 'node_modules', file)], { cwd: copy, encoding: 'utf8' });
  if (stdout) console.log(stdout.trimEnd().replace(/^/gm, '  '));
}

/** Runs the suite of one checkout. Returns whether all is as it should be; null when it could not be installed. */
async function runCheckout(checkout, { original, keep }) {
  const { dependent, directory } = findDependent(checkout);
  const manifest = manifestOf(dependent, checkout, directory);
  const title = `${dependent.name} ${manifest.version}`;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-dependents-'));
  try {
    const copy = path.join(root, path.basename(directory));
    copyCheckout(directory, copy);
    fs.writeFileSync(path.join(copy, 'package.json'), JSON.stringify(manifest, null, 2));
    try {
      npm(['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline'], { cwd: copy });
    } catch (error) {
      console.log(`\nSKIPPED: ${title}: what its tests need cannot be installed\n${error.message.replace(/^/gm, '  ')}`);
      return null;
    }
    const modules = path.join(copy, 'node_modules');
    if (dependent.build) for (const file of dependent.build) build(copy, file);
    const found = findWs(modules);
    if (found.length === 0) throw new Error(`${title} does not use ws 8`);
    if (!original) found.forEach(replaceWs);
    console.log(`\n${title}, with ${original ? `ws ${found.map(({ version }) => version).join(', ')}` : 'websocket/ws'}`);
    const { results, problems } = await runSuites(dependent.runners(copy), { copy, modules, before: async () => {} });
    const { listed, unsteady } = listedFailures(dependent.name, original);
    return compareWithList(results, problems, listed, { unsteady });
  } finally {
    if (keep) console.log(`kept: ${root}`);
    else fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { original: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
  });
  if (positionals.length === 0) {
    console.log('usage: npm run test:ws-dependents -- DIR... [--original] [--keep]');
    console.log('DIR is a checkout of https://github.com/socketio/socket.io (for engine.io), https://github.com/enisdenjo/graphql-ws');
    console.log('or https://github.com/fastify/fastify-websocket.');
    process.exitCode = 2;
    return;
  }
  const outcomes = [];
  for (const directory of positionals) outcomes.push(await runCheckout(path.resolve(directory), values));
  if (outcomes.includes(false)) process.exitCode = 1;
  else if (outcomes.every((outcome) => outcome === null)) process.exitCode = NOTHING_RUN;
}

main().catch((error) => {
  console.error(`test:ws-dependents: ${error.message}`);
  process.exitCode = 1;
});
