'use strict';

// Packs this package and installs the tarball into throw-away projects, the way a user's machine would see it.

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const { npm } = require('../../scripts/internal/npm');
const { triple } = require('../../lib/internal/addon/platform');

const ROOT = path.join(__dirname, '..', '..');
const BINARY = `websocket.${triple()}.node`;

/** Makes a temporary directory that is removed after the calling suite (`after` is node:test's). */
function temporaryDirectory(after) {
  // The real path: npm and require() report real paths, and on some systems the temporary directory is a link.
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-packaging-')));
  after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/**
 * Packs a directory without running its scripts and returns the tarball's path.
 * @param {string} directory
 * @param {string} destination
 */
function pack(directory, destination) {
  const into = fs.mkdtempSync(path.join(destination, 'pack-'));
  npm(['pack', '--ignore-scripts', '--pack-destination', into], { cwd: directory });
  const tarballs = fs.readdirSync(into).filter((name) => name.endsWith('.tgz'));
  if (tarballs.length !== 1) throw new Error(`npm pack made ${tarballs.length} tarballs`);
  return path.join(into, tarballs[0]);
}

/** Packs this package; the addon has to be built. */
function packRoot(destination) {
  if (!fs.existsSync(path.join(ROOT, BINARY))) throw new Error(`${BINARY} is not built; run \`npm run build\``);
  return pack(ROOT, destination);
}

/** The names of the files in a .tgz, without the leading `package/`. */
function filesInTarball(tarball) {
  const tar = zlib.gunzipSync(fs.readFileSync(tarball));
  const names = [];
  let long = null;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from, length) => tar.toString('utf8', at + from, at + from + length).replace(/\0[\s\S]*$/, '');
    const size = parseInt(text(124, 12), 8);
    const type = text(156, 1);
    const body = tar.toString('utf8', at + 512, at + 512 + size);
    if (type === 'x') {
      const match = /^\d+ path=(.*)$/m.exec(body);
      long = match ? match[1] : null;
    } else if (type === '0' || type === '') {
      const prefix = text(345, 155);
      names.push((long || (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100))).replace(/^package\//, ''));
      long = null;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names.sort();
}

/**
 * Makes a project and installs into it without running any script.
 * @param {string} directory made when missing
 * @param {object} manifest the project's package.json
 * @param {string[]} [packages] arguments for `npm install`
 */
function install(directory, manifest, packages = []) {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ private: true, ...manifest }, null, 2));
  npm(['install', '--ignore-scripts', '--prefer-offline', ...packages], { cwd: directory });
}

/**
 * Runs a piece of JavaScript in a project, in a process of its own, and returns what it wrote.
 * @param {string} cwd
 * @param {string} code
 * @param {object} [options]
 * @param {boolean} [options.module] run it as an ES module
 * @param {object} [options.env]
 * @returns {{status: number, stdout: string, stderr: string}}
 */
function run(cwd, code, { module = false, env = {} } = {}) {
  const environment = { ...process.env, ...env };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_PATH']) delete environment[name];
  if (!('WEBSOCKET_NATIVE_PATH' in env)) delete environment.WEBSOCKET_NATIVE_PATH;
  const args = module ? ['--input-type=module', '-e', code] : ['-e', code];
  return spawnSync(process.execPath, args, { cwd, env: environment, encoding: 'utf8', timeout: 30000 });
}

/** Like run(), for code that must succeed and writes one JSON value. */
function evaluate(cwd, code, options) {
  const { status, signal, stdout, stderr } = run(cwd, code, options);
  if (status !== 0) throw new Error(`ended with ${status === null ? signal : status}\n${stderr}`);
  return JSON.parse(stdout);
}

module.exports = { ROOT, BINARY, temporaryDirectory, pack, packRoot, filesInTarball, install, run, evaluate };
