'use strict';

// Finds and loads the native addon. What it exports is the addon's own exports object.

const fs = require('fs');
const path = require('path');
const platform = require('./platform');

const ROOT = path.join(__dirname, '..', '..', '..');

/** Loads an addon file, wherever its name comes from. */
function loadFile(file) {
  if (path.extname(file) !== '.node') throw new Error('not a .node file');
  if (!fs.existsSync(file)) throw new Error('no such file');
  return require(file);
}

/** Loads the package with the binary for one platform, if it is of the same release as this one. */
function loadPackage(name, version) {
  let manifest;
  try {
    manifest = require(`${name}/package.json`);
  } catch (error) {
    throw error.code === 'MODULE_NOT_FOUND' ? new Error('not installed') : error;
  }
  if (manifest.version !== version) throw new Error(`is version ${manifest.version}, expected ${version}`);
  return require(name);
}

/** Addons for other platforms that lie in the package: the sign of a directory copied from another machine. */
function foreignBinaries(own) {
  try {
    return fs.readdirSync(ROOT).filter((file) => /^websocket\..+\.node$/.test(file) && file !== own);
  } catch {
    return [];
  }
}

/** Builds the one error a missing or broken binary ends in. */
function bindingError(version, triple, attempts) {
  const own = `websocket.${triple}.node`;
  const lines = [
    `The native addon of websocket ${version} could not be loaded on ${platform.describe()}.`,
    'Tried:',
    ...attempts.map(({ what, reason }) => `  - ${what}: ${reason}`)
  ];
  const foreign = foreignBinaries(own);
  if (foreign.length > 0) lines.push(`Found for other platforms: ${foreign.join(', ')}`);
  lines.push('To fix it:');
  if (process.env.WEBSOCKET_NATIVE_PATH) {
    lines.push('  - correct or unset the environment variable WEBSOCKET_NATIVE_PATH');
  } else if (fs.existsSync(path.join(ROOT, 'Cargo.toml'))) {
    lines.push('  - install Rust (https://rustup.rs) and run `npm run build`');
  } else {
    if (platform.PUBLISHED.includes(triple)) {
      lines.push(
        '  - reinstall on this machine, without --omit=optional or --no-optional: delete node_modules',
        `    (and package-lock.json if it was written on another platform), then \`npm install\`; or add the`,
        `    binary alone: \`npm install websocket-native-${triple}@${version}\``
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
 * else, so that a wrong name cannot pass unnoticed), the package's own directory, the package for this platform.
 */
function load() {
  const version = require('../../../package.json').version;
  const triple = platform.triple();
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
    const file = path.join(ROOT, `websocket.${triple}.node`);
    const name = `websocket-native-${triple}`;
    const binding = attempt(file, () => loadFile(file)) || attempt(name, () => loadPackage(name, version));
    if (binding) return binding;
  }
  throw bindingError(version, triple, attempts);
}

module.exports = load();
