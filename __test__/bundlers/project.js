'use strict';

// Projects for the tests of bundlers: a directory into which this package and a bundler are installed, and others into
// which a bundle is copied and run, as a deployment does.

const { spawn, spawnSync } = require('child_process');
const { once } = require('events');
const assert = require('node:assert');
const { after } = require('node:test');
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const WebSocket = require('ws');
const { npm } = require('../../scripts/internal/npm');
const { makePackages } = require('../../scripts/npm-packages');
const { isNewer } = require('../../scripts/internal/release');
const { triple } = require('../../lib/internal/addon/platform');
const { ROOT, BINARY, temporaryDirectory, pack, packRoot, install } = require('../packaging/project');

const FIXTURES = path.join(__dirname, 'fixtures');
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network/;

/** The tarballs of a release: the main package, and the one with this platform's addon. */
function packRelease(directory) {
  const artefacts = path.join(directory, 'artefacts');
  fs.mkdirSync(artefacts);
  fs.copyFileSync(path.join(ROOT, BINARY), path.join(artefacts, BINARY));
  const out = path.join(directory, 'release');
  return makePackages(artefacts, out, { rehearsal: true }).map((name) => pack(path.join(out, name), directory));
}

/**
 * Makes a project with this package and with packages from the registry.
 * @param {string[]} packages
 * @param {object} [options]
 * @param {boolean} [options.release] install this package as a release has it, with the addon in a package of its own,
 *   and not as one tarball
 * @param {string} [options.since] the oldest Node that these packages run on
 * @returns {{directory: string, skip: string|false}} `skip` says why the tests cannot run here
 */
function makeProject(packages, { release = false, since = '18.0' } = {}) {
  if (isNewer(since, process.versions.node)) {
    return { directory: '', skip: `${packages.join(' ')} needs Node.js ${since}, this is ${process.versions.node}` };
  }
  const base = temporaryDirectory(after);
  const directory = path.join(base, 'project');
  const tarballs = release ? packRelease(base) : [packRoot(base)];
  try {
    install(directory, {}, tarballs);
  } catch (error) {
    // What this package depends on comes from the registry too. Any other fault is one of this package.
    if (!OFFLINE.test(error.message)) throw error;
    return { directory, skip: `the registry cannot be reached: ${npmReason(error)}` };
  }
  fs.cpSync(FIXTURES, directory, { recursive: true });
  try {
    npm(['install', '--ignore-scripts', '--prefer-offline', ...packages], { cwd: directory });
  } catch (error) {
    return { directory, skip: `${packages.join(' ')} could not be installed: ${npmReason(error)}` };
  }
  return { directory, skip: false };
}

/** The line of npm's output that says what went wrong. */
function npmReason(error) {
  const match = /npm error (?!code|errno|syscall|A complete log)(.*)/.exec(error.message);
  return match ? match[1] : error.message.split('\n', 1)[0];
}

/** The environment of a user's shell: without what the test runner puts there. */
function environment(extra) {
  const env = { ...process.env, ...extra };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_PATH', 'WEBSOCKET_NATIVE_PATH']) {
    if (!extra || !(name in extra)) delete env[name];
  }
  return env;
}

/** Runs a script of an installed package, for example the command of a bundler; returns what it wrote. */
function runScript(directory, script, args, { env } = {}) {
  const file = path.join(directory, 'node_modules', script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: directory, env: environment(env), encoding: 'utf8', timeout: 300000
  });
  assert.strictEqual(status, 0, `${script} failed:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Where the addon lies in a project's node_modules. */
function addonOf(directory) {
  const modules = path.join(directory, 'node_modules');
  const found = ['websocket', `websocket-native-${triple()}`].map((name) => path.join(modules, name, BINARY));
  return found.find((file) => fs.existsSync(file));
}

/** Copies a bundle to a directory of its own, far from the project, as a deployment does. */
function deploy(from) {
  const directory = path.join(temporaryDirectory(after), 'deployed');
  fs.cpSync(from, directory, { recursive: true, verbatimSymlinks: true });
  return directory;
}

/**
 * Starts a server from a bundle, sends it a text and a binary message and compares what comes back.
 * @param {string[]} command
 * @param {object} options
 * @param {string} options.cwd
 * @param {object} [options.env]
 * @returns {Promise<{addon: string[], version: string}>} what the server said of itself
 */
async function echo([file, ...args], { cwd, env }) {
  const child = spawn(file, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => { errors += data; });
  try {
    const lines = readline.createInterface({ input: child.stdout });
    const first = await Promise.race([once(lines, 'line'), once(child, 'close')]);
    assert.ok(typeof first[0] === 'string' && first[0].startsWith('{'), `the server did not start:\n${first[0]}\n${errors}`);
    const answer = JSON.parse(first[0]);
    const socket = new WebSocket(`ws://127.0.0.1:${answer.port}/`);
    await once(socket, 'open');
    socket.send('hello');
    assert.strictEqual(String((await once(socket, 'message'))[0]), 'hello');
    const bytes = Buffer.from([1, 2, 3]);
    socket.send(bytes);
    assert.ok((await once(socket, 'message'))[0].equals(bytes));
    socket.close();
    await once(socket, 'close');
    return answer;
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, 'close');
    }
  }
}

module.exports = { BINARY, makeProject, runScript, addonOf, deploy, echo, environment };
