'use strict';

// Writes THIRD-PARTY-LICENSES: the licence notices of every crate that is linked into a published addon, and of Rust's
// standard library.
//
//   node scripts/third-party-licenses.js [--check]
//
//   --check   write nothing; fail when the file is not what would be written

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const ROOT = path.join(__dirname, '..');
const FILE = path.join(ROOT, 'THIRD-PARTY-LICENSES');

/** The platforms of lib/internal/addon/platform.js, as rustc names them. */
const TARGETS = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc'
};

const NOTICE = /^(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?$/i;

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

const NAPI = `MIT License\n\nCopyright (c) 2020 LongYinan\nCopyright (c) 2018 GitHub\n\n${MIT}`;

/** Notices of crates whose archives contain none, from their repositories; the licence is that of their Cargo.toml. */
const MISSING = { napi: NAPI, 'napi-sys': NAPI };

const INTRODUCTION = `The native addon of this package contains the software listed here. The list holds for all platforms together; some of
it is only in the addon for some of them.

This file is made by scripts/third-party-licenses.js.
`;

/** The standard library comes with the compiler, as a binary; cargo does not list it. */
const STANDARD_LIBRARY = `Rust standard library
Licence: MIT OR Apache-2.0
https://github.com/rust-lang/rust

It contains, among others, addr2line, backtrace, compiler-builtins, gimli, hashbrown, libc, memchr, miniz_oxide, object
and rustc-demangle, which are available under the same licences (memchr: Unlicense OR MIT; miniz_oxide: MIT OR Zlib OR
Apache-2.0).

Copyright (c) The Rust Project Contributors

${MIT}`;

/** What cargo knows of the crates for one platform. */
function metadata(target) {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', target];
  // Most often everything has been downloaded for a build.
  for (const more of [['--offline'], []]) {
    const { status, stdout, stderr, error } = spawnSync('cargo', [...args, ...more], { cwd: ROOT, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
    if (status === 0) return JSON.parse(stdout);
    if (error || more.length === 0) throw new Error(`cargo metadata failed: ${error ? error.message : stderr}`);
  }
  return null;
}

/** The crates that are linked for one platform: not those that only run while it is built. */
function linkedCrates(target) {
  const { packages, resolve } = metadata(target);
  const packageOf = new Map(packages.map((entry) => [entry.id, entry]));
  const nodeOf = new Map(resolve.nodes.map((node) => [node.id, node]));
  const own = packages.find((entry) => path.dirname(entry.manifest_path) === ROOT).id;
  const linked = new Map();
  const visit = (id) => {
    const crate = packageOf.get(id);
    if (linked.has(id) || crate.targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.set(id, crate);
    for (const { pkg, dep_kinds: kinds } of nodeOf.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(own);
  linked.delete(own);
  return [...linked.values()];
}

/** The texts that have to go with a crate. Where its licence is a choice that has MIT, the Apache licence is left out. */
function notices({ name, version, license, manifest_path: manifest }) {
  const directory = path.dirname(manifest);
  const files = fs.readdirSync(directory).filter((file) => NOTICE.test(file) && fs.statSync(path.join(directory, file)).isFile());
  const choice = /\bOR\b|\//.test(license);
  const mit = files.some((file) => /mit$/i.test(file));
  const wanted = files.filter((file) => !(choice && mit && /(apache|apache-2\.0|unlicense|zlib)(\.\w+)?$/i.test(file))).sort();
  const texts = wanted.map((file) => fs.readFileSync(path.join(directory, file), 'utf8'));
  if (MISSING[name]) texts.push(MISSING[name]);
  if (texts.length === 0) throw new Error(`${name} ${version} (${license}) has no licence file; add its notice to MISSING`);
  // The same text with other line ends or margins is the same text.
  return texts.map((text) => text.replace(/\r/g, '').replace(/[ \t]+$/gm, '').replace(/^\n+|\n+$/g, ''));
}

/** The content of the file. */
function generate() {
  const crates = new Map();
  for (const target of Object.values(TARGETS)) {
    for (const crate of linkedCrates(target)) crates.set(`${crate.name} ${crate.version}`, crate);
  }
  const groups = new Map();
  for (const [title, crate] of [...crates].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = notices(crate).join('\n\n');
    const head = `${title}\nLicence: ${crate.license}${crate.repository ? `\n${crate.repository}` : ''}`;
    groups.set(text, [...(groups.get(text) || []), head]);
  }
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const parts = [...groups].map(([text, heads]) => `${heads.join('\n\n')}\n\n${text}\n`);
  return [INTRODUCTION, ...parts, `${STANDARD_LIBRARY}\n`].join(rule);
}

if (require.main === module) {
  try {
    const text = generate();
    if (!process.argv.includes('--check')) {
      fs.writeFileSync(FILE, text);
    } else if (!fs.existsSync(FILE) || fs.readFileSync(FILE, 'utf8').replace(/\r/g, '') !== text) {
      throw new Error('THIRD-PARTY-LICENSES is out of date; run `node scripts/third-party-licenses.js`');
    }
  } catch (error) {
    console.error(`third-party-licenses: ${error.message}`);
    process.exitCode = 1;
  }
}

module.exports = { TARGETS, FILE, generate };
