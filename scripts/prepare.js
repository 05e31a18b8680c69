'use strict';

// Builds the native addon for this machine with cargo and puts it into the package's root as
// websocket.<platform>-<arch>[-<abi>].node. npm runs it as `prepare` in a checkout (npm install, npm ci, npm pack),
// never in an installed package. Needs nothing but Node and Rust.
//
//   node scripts/prepare.js [--force] [--debug]
//
//   --force   build even when the addon is newer than every source
//   --debug   cargo's dev profile; such an addon never counts as fresh

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const ROOT = path.join(__dirname, '..');
const CRATE = 'websocket';
/** What the addon is made of, relative to the root; directories count with everything in them. */
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', '.cargo', 'src', 'scripts/prepare.js'];

/** An error that is shown without a stack: its message is meant for the person at the terminal. */
class BuildError extends Error {}

/** The newest modification time (ms) below a file or directory, 0 when there is none. */
function newest(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  // The directory's own time counts: it changes when a file is removed.
  return fs.readdirSync(file).reduce((time, name) => Math.max(time, newest(path.join(file, name))), stat.mtimeMs);
}

/** Whether the addon is there and was built after the last change of every source. */
function isFresh(addon) {
  const stat = fs.statSync(addon, { throwIfNoEntry: false });
  return stat !== undefined && SOURCES.every((source) => newest(path.join(ROOT, source)) < stat.mtimeMs);
}

/** The cargo to use: CARGO, the one on the PATH, the one rustup installs when the PATH lacks it; null without any. */
function findCargo() {
  const home = process.env.CARGO_HOME || path.join(os.homedir(), '.cargo');
  const candidates = [process.env.CARGO, 'cargo', path.join(home, 'bin', 'cargo')].filter(Boolean);
  return candidates.find((file) => spawnSync(file, ['--version'], { cwd: ROOT, stdio: 'ignore' }).status === 0) || null;
}

/** The `rust-version` of Cargo.toml for the advice, when it has one. */
function rustVersion() {
  const match = /^rust-version\s*=\s*"([^"]+)"/m.exec(fs.readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8'));
  return match ? ` ${match[1]} or newer` : '';
}

/** Flags for rustc from the environment, which cargo takes from one of two variables. */
function givenFlags({ CARGO_ENCODED_RUSTFLAGS: encoded, RUSTFLAGS: plain }) {
  if (encoded) return encoded.split('\x1f');
  return (plain || '').split(/\s+/).filter(Boolean);
}

/**
 * Flags that take the directories of this machine out of the binary: panics name the source files. When several
 * prefixes fit, the compiler takes the last one.
 */
function pathFlags() {
  const home = os.homedir();
  const prefixes = [[home, '/home'], [ROOT, '/websocket'], [process.env.CARGO_HOME || path.join(home, '.cargo'), '/cargo']];
  if (process.env.CARGO_TARGET_DIR) prefixes.push([path.resolve(ROOT, process.env.CARGO_TARGET_DIR), '/target']);
  return prefixes.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

/**
 * Runs cargo and returns the file name of the library it made. The name comes from cargo itself, so that a
 * target directory or target set by environment or configuration is honoured.
 */
function build(cargo, { debug, musl }) {
  const args = ['build', '--lib', '--locked', '--message-format=json-render-diagnostics'];
  if (!debug) args.push('--release');
  const flags = [...givenFlags(process.env), ...pathFlags()];
  // Rust links musl statically unless told otherwise, and a static library cannot be a plug-in.
  if (musl) flags.push('-Ctarget-feature=-crt-static');
  const env = { ...process.env, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') };
  const result = spawnSync(cargo, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024
  });
  if (result.error) throw new BuildError(`cargo could not be run: ${result.error.message}`);
  if (result.status !== 0) {
    const how = result.signal ? `was ended by ${result.signal}` : `exited with code ${result.status}`;
    throw new BuildError(`\`cargo ${args.join(' ')}\` ${how}; its output is above.`);
  }
  let library = null;
  for (const line of result.stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line);
    if (message.reason !== 'compiler-artifact' || message.target.name !== CRATE) continue;
    library = message.filenames.find((file) => /\.(so|dylib|dll)$/.test(file)) || library;
  }
  if (!library) throw new BuildError(`cargo made no dynamic library; does Cargo.toml name the crate "${CRATE}" and a cdylib?`);
  return library;
}

/**
 * Puts the library in place. The file appears under its name in one step and is a new file: a process that has the
 * old one loaded keeps it undisturbed.
 */
function install(library, addon, mtime) {
  const temporary = `${addon}.${process.pid}.tmp`;
  try {
    fs.copyFileSync(library, temporary);
    fs.utimesSync(temporary, mtime, mtime);
    check(temporary);
    try {
      fs.renameSync(temporary, addon);
    } catch (error) {
      // Windows does not replace a loaded library, but lets it be moved out of the way.
      if (process.platform !== 'win32') throw error;
      fs.renameSync(addon, path.join(path.dirname(library), `${path.basename(addon)}.${process.pid}.old`));
      fs.renameSync(temporary, addon);
    }
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** Loads the library in a process of its own: one that cannot be loaded must not replace one that can. */
function check(library) {
  const script = 'process.dlopen({ exports: {} }, process.argv[1])';
  const result = spawnSync(process.execPath, ['-e', script, library], { encoding: 'utf8' });
  if (result.status === 0) return;
  const reason = (/^Error: (.*)/m.exec(result.stderr) || [])[1] || result.signal || result.stderr;
  throw new BuildError(`cargo made a library that Node.js ${process.versions.node} does not load: ${reason}`);
}

function main(args) {
  const force = args.includes('--force');
  const debug = args.includes('--debug');
  const unknown = args.filter((arg) => arg !== '--force' && arg !== '--debug');
  if (unknown.length > 0) throw new BuildError(`unknown argument ${unknown.join(' ')}; there are --force and --debug`);

  if (!fs.existsSync(path.join(ROOT, 'Cargo.toml'))) return;
  const platform = require('../lib/internal/addon/platform');
  const triple = platform.triple();
  const addon = path.join(ROOT, `websocket.${triple}.node`);
  if (!force && isFresh(addon)) return;

  const cargo = findCargo();
  if (!cargo) {
    throw new BuildError(
      `cargo was not found. Install Rust${rustVersion()} (https://rustup.rs, or your system's rustc and cargo packages)\n` +
        'and make sure that `cargo --version` works, then run `npm run build`.'
    );
  }
  // The time of the start, so that a source saved while cargo is at work makes the addon stale.
  const started = new Date();
  const library = build(cargo, { debug, musl: triple.endsWith('-musl') });
  install(library, addon, debug ? new Date(0) : started);
  console.log(`websocket: built ${path.basename(addon)}${debug ? ' (debug)' : ''} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`websocket: the native addon was not built: ${error.message}`);
  process.exitCode = 1;
}
