'use strict';

// What the scripts that build with other compiler flags share.

const { spawnSync } = require('child_process');
const path = require('path');

const ROOT = path.join(__dirname, '..', '..');

/** The triple of this machine, as rustc names it. */
function hostTriple() {
  const { stdout, status } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  if (status !== 0) throw new Error('rustc was not found; Rust comes from https://rustup.rs');
  return /^host: (.+)$/m.exec(stdout)[1];
}

/** Instruments for libFuzzer, all of which the stable compiler has. */
const COVERAGE = [
  '-Cpasses=sancov-module', '-Cllvm-args=-sanitizer-coverage-level=4', '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table', '-Cllvm-args=-sanitizer-coverage-trace-compares', '-Ccodegen-units=1', '--cfg=fuzzing'
];

/**
 * Flags and environment that build with a sanitizer. Naming one takes a nightly compiler, or a stable one that is told to
 * take options for the nightly; the run-time library comes with both.
 * @param {'address'|'leak'|'thread'} name
 */
function sanitizer(name) {
  return { flags: [`-Zsanitizer=${name}`, '-Cforce-frame-pointers=yes'], env: { RUSTC_BOOTSTRAP: '1' } };
}

/**
 * Runs cargo with these compiler flags, for code that runs on this machine but not for build scripts, in a target directory
 * of its own; throws when it fails.
 * @param {string[]} args
 * @param {object} options
 * @param {string[]} options.flags for rustc
 * @param {object} [options.env]
 * @param {string} options.target a directory under target/
 */
function cargo(args, { flags, env = {}, target }) {
  const directory = path.join(ROOT, 'target', target);
  const result = spawnSync('cargo', [...args, '--target', hostTriple(), '--target-dir', directory], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') }
  });
  if (result.error) throw new Error(`cargo could not be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`cargo ${args.join(' ')} failed`);
  return path.join(directory, hostTriple());
}

module.exports = { ROOT, COVERAGE, sanitizer, cargo, hostTriple };
