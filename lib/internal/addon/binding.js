'use strict';

// Finds and loads the native addon. What it exports is the addon's own exports object.

const fs = require('fs');
const path = require('path');
const platform = require('./platform');
const { places, requireFrom } = require('./places');
const version = require('../../version');

const triple = platform.triple();
const { bundled, directories, files } = places(triple);
/** The package's root, or the directory of the bundle. */
const ROOT = directories[0];

/** Loads an addon file, wherever its name comes from. */
function loadFile(file) {
  if (path.extname(file) !== '.node') throw new Error('not a .node file');
  checkReadable(file);
  return requireFrom(path.dirname(file))(file);
}

/** Tells a file that is not there from one that may not be read. */
function checkReadable(file) {
  try {
    fs.accessSync(file, fs.constants.R_OK);
  } catch ({ code }) {
    if (code === 'ERR_ACCESS_DENIED') throw new Error('Node may not read it, as it runs without --allow-fs-read for it');
    throw new Error(code === 'EACCES' || code === 'EPERM' ? 'permission denied' : 'no such file');
  }
}

/** Loads the package with the binary for one platform, if it is of the same release as this one. */
function loadPackage(name) {
  const requireHere = requireFrom(directories.find((directory) => isInstalled(name, directory)) || ROOT);
  let manifest;
  try {
    manifest = requireHere(`${name}/package.json`);
  } catch (error) {
    throw error.code === 'MODULE_NOT_FOUND' ? new Error('not installed') : error;
  }
  if (manifest.version !== version) throw new Error(`is version ${manifest.version}, expected ${version}`);
  return requireHere(name);
}

/** Whether a module in this directory could load the package. */
function isInstalled(name, directory) {
  try {
    requireFrom(directory).resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** Addons for other platforms that lie in the package: the sign of a directory copied from another machine. */
function foreignBinaries(own) {
  try {
    return fs.readdirSync(ROOT).filter((file) => /^websocket\..+\.node$/.test(file) && file !== own);
  } catch {
    return [];
  }
}

/** Whether Node was started with a flag, on the command line or by NODE_OPTIONS. */
function hasFlag(flag) {
  return [...process.execArgv, ...(process.env.NODE_OPTIONS || '').split(/\s+/)].includes(flag);
}

/** What helps against causes that can be told by the reason of an attempt; null for all others. */
function specificAdvice(attempts) {
  const matching = (expression) => attempts.map(({ reason }) => expression.exec(reason)).find((match) => match !== null);
  if (matching(/addons is disabled/)) {
    return hasFlag('--no-addons') || !process.permission
      ? ['  - start Node without the flag --no-addons: all of websocket rests on its addon']
      : ['  - start Node with the flag --allow-addons as well: its permission model allows no addons without it'];
  }
  if (matching(/--allow-fs-read/)) return ['  - start Node with --allow-fs-read for the directory of the file as well'];
  if (matching(/permission denied|not permitted|EACCES/i)) {
    return ['  - let the user that runs Node read the file, on a file system that is not mounted with noexec'];
  }
  const glibc = matching(/version `(GLIBC_[\d.]+)' not found/);
  if (glibc) {
    return [
      `  - use a system with ${glibc[1].replace('_', ' ').toLowerCase()} or newer`,
      '  - or install Rust (https://rustup.rs), run `npm run build` in a checkout of the project on this system and set',
      '    WEBSOCKET_NATIVE_PATH to the file it makes'
    ];
  }
  return null;
}

/** Builds the one error a missing or broken binary ends in. */
function bindingError(attempts) {
  const own = `websocket.${triple}.node`;
  const lines = [
    `The native addon of websocket ${version} could not be loaded on ${platform.describe()}.`,
    'Tried:',
    ...attempts.map(({ what, reason }) => `  - ${what}: ${reason}`)
  ];
  const foreign = foreignBinaries(own);
  if (foreign.length > 0) lines.push(`Found for other platforms: ${foreign.join(', ')}`);
  lines.push('To fix it:');
  const specific = specificAdvice(attempts);
  if (specific !== null) {
    lines.push(...specific);
  } else if (process.env.WEBSOCKET_NATIVE_PATH) {
    lines.push('  - correct or unset the environment variable WEBSOCKET_NATIVE_PATH');
  } else if (bundled) {
    lines.push(
      `  - this code is part of a bundle: copy ${own} from node_modules next to the bundle, or leave \`websocket\``,
      '    out of the bundle (docs/bundlers.md)',
      '  - or set WEBSOCKET_NATIVE_PATH to the file'
    );
  } else if (fs.existsSync(path.join(ROOT, 'Cargo.toml'))) {
    lines.push('  - install Rust (https://rustup.rs) and run `npm run build`');
  } else {
    if (platform.PUBLISHED.includes(triple)) {
      lines.push(
        '  - reinstall on this machine, without --omit=optional or --no-optional: delete node_modules',
        '    (and package-lock.json if it was written on another platform), then `npm install`'
      );
    } else {
      lines.push(`  - there is no ready-made binary for ${triple}; there are for ${platform.PUBLISHED.join(', ')}`);
    }
    lines.push(
      '  - or install Rust (https://rustup.rs), run `npm run build` in a checkout of the project and set',
      `    WEBSOCKET_NATIVE_PATH to the ${own} it makes`
    );
  }
  const error = new Error(lines.join('\n'));
  error.code = 'ERR_WEBSOCKET_BINDING';
  return error;
}

/**
 * Loads the addon from the first place that has it: the file named by WEBSOCKET_NATIVE_PATH (and then nothing
 * else, so that a wrong name cannot pass unnoticed), the package's own directory or those of a bundle, the package
 * for this platform.
 */
function load() {
  const attempts = [];
  const attempt = (what, action) => {
    try {
      return action();
    } catch (error) {
      // The first line says it; dlopen and require() add details that do not help here.
      attempts.push({ what, reason: String((error && error.message) || error).split('\n', 1)[0] });
      return null;
    }
  };

  const explicit = process.env.WEBSOCKET_NATIVE_PATH;
  if (explicit) {
    const binding = attempt(`${explicit} (WEBSOCKET_NATIVE_PATH)`, () => loadFile(path.resolve(explicit)));
    if (binding) return binding;
  } else {
    for (const file of files) {
      const binding = attempt(file, () => loadFile(file));
      if (binding) return binding;
    }
    const name = `websocket-native-${triple}`;
    const binding = attempt(name, () => loadPackage(name));
    if (binding) return binding;
  }
  throw bindingError(attempts);
}

module.exports = load();
