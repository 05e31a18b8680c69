'use strict';

// Makes the directories that a release publishes: one package per platform with nothing but its binary, and the
// main package, which names them as optional dependencies (only here: a checkout whose package.json named packages
// that are not published yet could not be installed).
//
//   node scripts/npm-packages.js ARTEFACTS OUT [--rehearsal]
//
//   ARTEFACTS    a directory with websocket.<triple>.node files, at any depth
//   OUT          made anew; gets OUT/websocket and OUT/websocket-native-<triple>
//   --rehearsal  make packages that are not published: with the binaries that are there, whatever glibc they need,
//                and with the placeholders of package.json

const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { PUBLISHED } = require('../lib/internal/addon/platform');
const { GLIBC_FLOOR, glibcNeeded, isNewer, placeholders, withAbsoluteLinks } = require('./internal/release');

const ROOT = path.join(__dirname, '..');
/** Files npm packs without being told to. */
const ALWAYS = ['README.md', 'LICENSE'];
/** What goes with every binary. */
const LICENSES = ['LICENSE', 'THIRD-PARTY-LICENSES'];

/** All files below a directory. */
function filesBelow(directory) {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(full) : [full];
  });
}

/** The platform and processor a library was made for, from its header; null when it is no library. */
function madeFor(file) {
  const head = Buffer.alloc(4096);
  const handle = fs.openSync(file, 'r');
  fs.readSync(handle, head, 0, head.length, 0);
  fs.closeSync(handle);
  if (head.toString('latin1', 0, 4) === '\x7fELF') {
    return { 0x3e: 'linux-x64', 0xb7: 'linux-arm64' }[head.readUInt16LE(18)] || null;
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    return { 0x01000007: 'darwin-x64', 0x0100000c: 'darwin-arm64' }[head.readUInt32LE(4)] || null;
  }
  if (head.toString('latin1', 0, 2) === 'MZ') {
    const at = head.readUInt32LE(60);
    if (at + 6 > head.length || head.toString('latin1', at, at + 4) !== 'PE\0\0') return null;
    return { 0x8664: 'win32-x64', 0xaa64: 'win32-arm64' }[head.readUInt16LE(at + 4)] || null;
  }
  return null;
}

/** The binaries in a directory by triple; throws when one is not what its name says, or is there twice. */
function collect(directory) {
  const binaries = new Map();
  for (const file of filesBelow(directory)) {
    const match = /^websocket\.(.+)\.node$/.exec(path.basename(file));
    if (!match) continue;
    const [, triple] = match;
    if (!PUBLISHED.includes(triple)) throw new Error(`${file}: ${triple} is not a platform binaries are published for`);
    if (binaries.has(triple)) throw new Error(`there are two binaries for ${triple}: ${binaries.get(triple)}, ${file}`);
    const actual = madeFor(file);
    if (!actual || !triple.startsWith(actual)) throw new Error(`${file}: made for ${actual || 'no known platform'}`);
    binaries.set(triple, file);
  }
  return binaries;
}

/** The package.json of a per-platform package. */
function platformManifest(triple, manifest) {
  const [os, cpu, abi] = triple.split('-');
  const file = `websocket.${triple}.node`;
  return {
    name: `websocket-native-${triple}`,
    version: manifest.version,
    description: `The native addon of websocket for ${triple}.`,
    license: manifest.license,
    author: manifest.author,
    repository: manifest.repository,
    homepage: manifest.homepage,
    bugs: manifest.bugs,
    engines: manifest.engines,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: [abi === 'musl' ? 'musl' : 'glibc'] }),
    main: file,
    files: [file, 'THIRD-PARTY-LICENSES'],
    // A binary cannot be loaded from inside an archive.
    preferUnplugged: true
  };
}

/** The main package's package.json as it is published. */
function mainManifest(manifest, triples) {
  const published = { ...manifest };
  delete published.devDependencies;
  delete published.scripts;
  published.files = manifest.files.filter((pattern) => !pattern.endsWith('.node'));
  published.optionalDependencies = {
    ...manifest.optionalDependencies,
    ...Object.fromEntries(triples.map((triple) => [`websocket-native-${triple}`, manifest.version]))
  };
  return published;
}

const writeJson = (file, value) => fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

/** Throws when something must not be published. */
function checkRelease(manifest, binaries) {
  const unset = placeholders(manifest);
  if (unset.length > 0) throw new Error(`package.json still has placeholders in ${unset.join(', ')}`);
  const missing = PUBLISHED.filter((triple) => !binaries.has(triple));
  if (missing.length > 0) throw new Error(`no binary for ${missing.join(', ')}`);
  for (const [triple, file] of binaries) {
    const needed = triple.endsWith('-gnu') ? glibcNeeded(file) : null;
    if (needed && isNewer(needed, GLIBC_FLOOR)) throw new Error(`${file} needs glibc ${needed}, and ${GLIBC_FLOOR} has to be enough`);
  }
}

/** Makes the package with the binary for one platform. */
function makePlatformPackage(triple, binary, out, manifest) {
  const name = `websocket-native-${triple}`;
  const directory = path.join(out, name);
  fs.mkdirSync(directory, { recursive: true });
  fs.copyFileSync(binary, path.join(directory, `websocket.${triple}.node`));
  for (const file of LICENSES) fs.copyFileSync(path.join(ROOT, file), path.join(directory, file));
  fs.writeFileSync(path.join(directory, 'README.md'), `# ${name}\n\nThe native addon of \`websocket\` for ${triple}. Install \`websocket\`, not this.\n`);
  writeJson(path.join(directory, 'package.json'), platformManifest(triple, manifest));
  return name;
}

/** Makes all package directories; returns their names in the order to publish them: the main package last. */
function makePackages(artefacts, out, { rehearsal = false } = {}) {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const binaries = collect(artefacts);
  if (binaries.size === 0) throw new Error(`${artefacts} holds no websocket.<triple>.node`);
  if (!rehearsal) checkRelease(manifest, binaries);

  fs.rmSync(out, { recursive: true, force: true });
  const triples = [...binaries.keys()].sort();
  const names = triples.map((triple) => makePlatformPackage(triple, binaries.get(triple), out, manifest));

  const main = path.join(out, 'websocket');
  const published = mainManifest(manifest, triples);
  fs.mkdirSync(main, { recursive: true });
  for (const name of new Set([...published.files, ...ALWAYS])) {
    fs.cpSync(path.join(ROOT, name), path.join(main, name), { recursive: true });
  }
  // The pages they refer to are not packed.
  for (const name of fs.readdirSync(main).filter((file) => file.endsWith('.md'))) {
    const file = path.join(main, name);
    fs.writeFileSync(file, withAbsoluteLinks(fs.readFileSync(file, 'utf8'), manifest));
  }
  writeJson(path.join(main, 'package.json'), published);
  return [...names, 'websocket'];
}

if (require.main === module) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { rehearsal: { type: 'boolean', default: false } }
    });
    if (positionals.length !== 2) throw new Error('usage: node scripts/npm-packages.js ARTEFACTS OUT [--rehearsal]');
    for (const name of makePackages(positionals[0], positionals[1], values)) console.log(name);
  } catch (error) {
    console.error(`npm-packages: ${error.message}`);
    process.exitCode = 1;
  }
}

module.exports = { makePackages, checkRelease };
