'use strict';

// Names the machine the way the addon's files and packages are named: linux-x64-gnu, darwin-arm64, win32-x64-msvc.
// Used by the loader, by the build script and by the script that makes the per-platform packages.

const fs = require('fs');

/** The triples binaries are published for. Others can be built from source. */
const PUBLISHED = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc'
];

let detected;

/**
 * The C library this process runs on.
 * @returns {{name: 'glibc'|'musl'|'unknown', version: string}|null} null on systems other than Linux
 */
function libc() {
  if (process.platform !== 'linux') return null;
  if (detected === undefined) detected = libcFromReport(true) || libcFromLdd() || libcFromReport(false) || { name: 'unknown', version: '' };
  return detected;
}

/**
 * Asks the diagnostic report, which speaks for the running executable and not just for the distribution.
 * @param {boolean} quick only when the report can be had without its network section, which resolves the names of
 *   all connected peers and may block on DNS (Node before 20.13 has no way to leave it out)
 */
function libcFromReport(quick) {
  const report = process.report;
  if (!report || typeof report.getReport !== 'function') return null;
  if (quick && !('excludeNetwork' in report)) return null;
  const before = report.excludeNetwork;
  try {
    report.excludeNetwork = true;
    const parsed = report.getReport();
    const { header, sharedObjects } = typeof parsed === 'string' ? JSON.parse(parsed) : parsed;
    if (header && header.glibcVersionRuntime) return { name: 'glibc', version: header.glibcVersionRuntime };
    if (Array.isArray(sharedObjects) && sharedObjects.some((file) => /libc\.musl-|ld-musl-/.test(file))) {
      return { name: 'musl', version: '' };
    }
  } catch {
    // A runtime may offer the function and refuse to run it; the next way of finding out is tried.
  } finally {
    if (before === undefined) delete report.excludeNetwork;
    else report.excludeNetwork = before;
  }
  return null;
}

/** `ldd` is a script that names its C library (on some musl systems it is the library itself). */
function libcFromLdd() {
  let text;
  try {
    text = fs.readFileSync('/usr/bin/ldd', 'latin1');
  } catch {
    return null;
  }
  if (text.includes('musl')) return { name: 'musl', version: '' };
  if (/GNU C Library|GNU libc|GLIBC/.test(text)) return { name: 'glibc', version: '' };
  return null;
}

/** The name of this platform in file and package names. */
function triple() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'win32') return `${base}-msvc`;
  if (process.platform !== 'linux') return base;
  return `${base}-${libc().name === 'musl' ? 'musl' : 'gnu'}`;
}

/** The platform in words, for messages: `linux-x64 (glibc 2.36), Node.js 20.20.2`. */
function describe() {
  const c = libc();
  const words = c ? ` (${c.name === 'unknown' ? 'unknown C library' : `${c.name} ${c.version}`.trim()})` : '';
  return `${process.platform}-${process.arch}${words}, Node.js ${process.versions.node}`;
}

module.exports = { PUBLISHED, libc, triple, describe };
