'use strict';

// Makes sure that what the benchmark needs is there: the peers and the load generator.

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { BENCH } = require('./peers');

/** Installs the peers when they are missing or older than the lock file. False, and a word about it, when that fails. */
function installPeers() {
  const lock = fs.statSync(path.join(BENCH, 'package-lock.json'));
  const installed = fs.statSync(path.join(BENCH, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  if (installed && installed.mtimeMs >= lock.mtimeMs) return true;
  process.stderr.write('Installing the peers into bench/node_modules …\n');
  // Every peer brings its binaries; no script of theirs has to run.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: BENCH, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32'
  });
  if (result.status === 0) return true;
  process.stderr.write('The peers could not be installed; those that are missing are left out.\n');
  return false;
}

/** The cargo to use: CARGO, the one on the PATH, the one rustup installs. */
function findCargo() {
  const home = process.env.CARGO_HOME || path.join(os.homedir(), '.cargo');
  const candidates = [process.env.CARGO, 'cargo', path.join(home, 'bin', 'cargo')].filter(Boolean);
  return candidates.find((file) => spawnSync(file, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** Builds the load generator and returns its path, which cargo knows whatever its target directory is. */
function buildLoader() {
  const cargo = findCargo();
  if (!cargo) throw new Error('The load generator is written in Rust, and there is no cargo here.');
  const manifest = path.join(BENCH, 'load', 'Cargo.toml');
  const args = ['build', '--release', '--manifest-path', manifest, '--message-format=json-render-diagnostics'];
  const result = spawnSync(cargo, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error('The load generator could not be built; the output of cargo is above.');
  const messages = result.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const { executable } = messages.find((message) => message.executable && message.target.name === 'websocket-load');
  return executable;
}

module.exports = { installPeers, buildLoader };
