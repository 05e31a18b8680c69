'use strict';

// Looks for memory errors and leaks: builds the core and the addon with AddressSanitizer (LeakSanitizer is part of it) and
// runs their tests, those of the addon under Node. For Linux; needs the C compiler that Rust needs to link with.
//
//   npm run sanitize -- [core|addon|threads] [TEST FILE...]
//
//   core       the Rust tests of the core
//   addon      the JavaScript tests that reach the addon, over the loop, over a worker and over Node's streams
//   threads    the Rust tests in which threads meet, with ThreadSanitizer; only when asked for. The standard library is built
//              for it: `rustup component add rust-src`
//   TEST FILE  these instead
//
// Rust's sanitizer comes as a static library for executables. Node is none of ours, so a shared one is made of it and put
// in front of Node by LD_PRELOAD; the addon, with its calls into the sanitizer, loads nowhere else.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { ROOT, sanitizer, cargo, hostTriple } = require('./internal/rust');

const TARGET = 'address';
const { flags, env } = sanitizer('address');

/** What any report ends a process with; no test expects it. */
const EXIT_CODE = 97;
/** Freed memory is kept from being used again, to notice who still does; 16 MiB of it, since some tests measure memory. */
const OPTIONS = `exitcode=${EXIT_CODE}:quarantine_size_mb=16`;
/**
 * V8's own memory, which it does not free when process.exit() comes in the middle of something, and 40 bytes that napi-rs
 * keeps for each environment. Nothing of ours has these frames.
 */
const NOT_OURS = ['leak:libstdc++.so', 'leak:v8::internal::MemoryChunk::', 'leak:napi::bindgen_runtime::module_register::create_custom_gc'];

/** Tests that measure the memory of a process, which a sanitizer multiplies. */
const MEASURING = new Set(['memory.test.js']);

/** Runs a program with this environment added; throws when it fails. */
function run(file, args, extra, what) {
  const result = spawnSync(file, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...extra } });
  if (result.error) throw new Error(`${file} could not be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${what} failed (${result.signal || result.status}); the report is above`);
}

/** The tests of the core. Those that limit the address space are left out: the sanitizer reserves terabytes of it. */
function testCore() {
  cargo(['test', '--locked', '--no-default-features', '--lib', '--test', 'properties'], {
    flags, env: { ...env, ASAN_OPTIONS: `detect_leaks=1:${OPTIONS}` }, target: TARGET
  });
}

/**
 * What ThreadSanitizer does not see: tokio hands the address of what waits for a socket to the operating system, and gets it back
 * from there on another thread.
 */
const NOT_SEEN = ['race:tokio::runtime::io::scheduled_io', 'race:tokio::runtime::io::driver'];

/**
 * The tests of the drivers, which move connections between threads. One at a time, and
 * without backtraces: they wait for other threads only so long.
 */
function testThreads() {
  const { flags: tsanFlags, env: tsanEnv } = sanitizer('thread');
  const directory = path.join(ROOT, 'target', 'thread');
  fs.mkdirSync(directory, { recursive: true });
  const suppressions = path.join(directory, 'not-seen');
  fs.writeFileSync(suppressions, NOT_SEEN.join('\n'));
  cargo(['test', '-Zbuild-std', '--locked', '--no-default-features', '--features', 'node', '--lib', 'transport::driver'], {
    flags: tsanFlags, env: { ...tsanEnv, RUST_TEST_THREADS: '1', RUST_BACKTRACE: '0', TSAN_OPTIONS: `exitcode=${EXIT_CODE}:suppressions=${suppressions}` }, target: 'thread'
  });
}

/** Makes the shared library of the sanitizer and returns its path. */
function runtime(directory) {
  const { stdout } = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' });
  const libraries = path.join(stdout.trim(), 'lib', 'rustlib', hostTriple(), 'lib');
  const name = fs.readdirSync(libraries).find((file) => /^librustc-.*_rt\.asan\.a$/.test(file));
  if (!name) throw new Error(`this Rust has no AddressSanitizer: no librustc-*_rt.asan.a in ${libraries}`);
  // Under its usual name the sanitizer would take itself for a second, conflicting one.
  const library = path.join(directory, 'libsanitizer.so');
  const archive = path.join(directory, 'sanitizer.a');
  fs.copyFileSync(path.join(libraries, name), archive);
  // What only an executable can have.
  run('ar', ['d', archive, 'asan_preinit.cpp.o'], {}, 'ar');
  run('cc', ['-shared', '-o', library, '-Wl,--whole-archive', archive, '-Wl,--no-whole-archive', '-lpthread', '-ldl', '-lrt', '-lm', '-lresolv'],
    {}, 'linking the sanitizer');
  return library;
}

/** The test files of some directories. */
function testFiles(directories) {
  return directories.flatMap((directory) => {
    const files = fs.readdirSync(path.join(ROOT, '__test__', directory)).filter((file) => file.endsWith('.test.js'));
    return files.filter((file) => !MEASURING.has(file)).map((file) => path.join('__test__', directory, file));
  });
}

/** Runs test files; prints how many passed, and what failed with its report. */
function runTests(files, variables, io) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
    cwd: ROOT, env: { ...process.env, ...variables }, encoding: 'utf8', maxBuffer: 1 << 28
  });
  console.log(stdout.slice(stdout.search(/^ℹ tests /m)) + stderr);
  if (status !== 0) throw new Error(`WEBSOCKET_IO=${io} failed (${signal || status}); the report is above`);
}

/** Optimised, since some tests have limits of time, but with assertions, and with names for the reports. */
const PROFILE = {
  CARGO_PROFILE_RELEASE_LTO: 'off', CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16', CARGO_PROFILE_RELEASE_STRIP: 'none',
  CARGO_PROFILE_RELEASE_DEBUG: '1', CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: 'true', CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS: 'true'
};

function testAddon(files) {
  const directory = path.join(cargo(['build', '--release', '--locked', '--lib'], { flags, env: { ...env, ...PROFILE }, target: TARGET }), 'release');
  const addon = path.join(directory, 'websocket.node');
  fs.copyFileSync(path.join(directory, 'libwebsocket.so'), addon);
  const suppressions = path.join(directory, 'leaks-of-node');
  fs.writeFileSync(suppressions, NOT_OURS.join('\n'));
  const environment = {
    WEBSOCKET_NATIVE_PATH: addon, LD_PRELOAD: runtime(directory), LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`
  };
  // Processes that end in the middle of everything, as those of lifecycle/, leave memory of Node's behind.
  const groups = files ? [[1, files]] : [[1, testFiles(['unit', 'conformance', 'faults', 'hostile', 'stress'])], [0, testFiles(['lifecycle'])]];
  for (const io of ['loop', 'threads', 'stream']) {
    for (const [leaks, group] of groups) {
      console.log(`\naddon with AddressSanitizer${leaks ? ' and LeakSanitizer' : ''}, WEBSOCKET_IO=${io}, ${group.length} files`);
      const variables = { ...environment, WEBSOCKET_IO: io, ASAN_OPTIONS: `detect_leaks=${leaks}:${OPTIONS}` };
      runTests(group, variables, io);
    }
  }
}

function main() {
  const { positionals } = parseArgs({ allowPositionals: true, options: {} });
  const parts = positionals.filter((word) => ['core', 'addon', 'threads'].includes(word));
  const files = positionals.filter((word) => !parts.includes(word));
  if (process.platform !== 'linux') throw new Error('this script knows how to do it on Linux only');
  const wanted = (part) => parts.includes(part) || (parts.length === 0 && (part === 'addon' || files.length === 0));
  if (wanted('core')) testCore();
  if (parts.includes('threads')) testThreads();
  if (wanted('addon')) testAddon(files.length > 0 ? files : null);
}

try {
  main();
} catch (error) {
  console.error(`sanitize: ${error.message}`);
  process.exitCode = 1;
}
