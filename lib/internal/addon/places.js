'use strict';

// Where the addon may lie. In node_modules it lies in the package or in the package for the platform. A bundler puts
// this code into a file of its own, somewhere else; then the addon lies beside that file, beside the program's main
// file, or beside the executable.

const path = require('path');
const { createRequire } = require('module');
const { fileURLToPath } = require('url');

/** This file, seen from the package's root. */
const UNBUNDLED = path.join('lib', 'internal', 'addon', 'places.js');

/**
 * Names every file that a release may load, one literal each. Nobody calls it: programs that collect the files of a
 * deployment (Next.js, ncc, serverless packagers) read the source and follow only names that are literals. The guard
 * hides them from webpack and Rspack, which would take the addon for JavaScript; `try` tells esbuild that files may be
 * missing. A test compares the list with the platforms that releases are published for.
 */
function filesForTracers() {
  if (typeof __webpack_require__ === 'undefined') {
    try { require.resolve('../../../websocket.linux-x64-gnu.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.linux-x64-musl.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.linux-arm64-gnu.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.linux-arm64-musl.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.darwin-x64.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.darwin-arm64.node'); } catch { /* not this platform */ }
    try { require.resolve('../../../websocket.win32-x64-msvc.node'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-linux-x64-gnu'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-linux-x64-musl'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-linux-arm64-gnu'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-linux-arm64-musl'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-darwin-x64'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-darwin-arm64'); } catch { /* not this platform */ }
    try { require.resolve('websocket-native-win32-x64-msvc'); } catch { /* not this platform */ }
  }
}

/** What bundlers make of `__filename`: nothing in ES modules, and some put a made-up name in its place. */
const filename = typeof __filename === 'string' ? __filename : '';
const dirname = typeof __dirname === 'string' ? __dirname : '';

/** The file that runs this code, as V8 knows it: no bundler can replace that name. Empty for code from eval(). */
function runningFile() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let name;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => (sites.length > 0 ? sites[0].getFileName() : undefined);
    name = new Error('where').stack;
  } catch {
    // The intrinsics are frozen; `__filename` is left.
  }
  try {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) delete Error.prepareStackTrace;
    else Error.prepareStackTrace = prepareStackTrace;
  } catch {
    // Frozen, so nothing was changed.
  }
  if (typeof name !== 'string') return '';
  return name.startsWith('file:') ? fileURLToPath(name) : name;
}

/** Whether the program is a single executable application: its code has the name of a file of the build machine. */
function isSingleExecutable() {
  if (filename !== '' && filename === process.execPath) return true;
  const sea = typeof process.getBuiltinModule === 'function' ? process.getBuiltinModule('node:sea') : undefined;
  return Boolean(sea && sea.isSea());
}

/** The directories to look into, in this order, and whether this code is part of a bundle. */
function findDirectories() {
  const file = [runningFile(), filename].find((name) => path.isAbsolute(name)) || '';
  if (file.endsWith(path.sep + UNBUNDLED)) {
    return { bundled: false, directories: [file.slice(0, -UNBUNDLED.length - 1)] };
  }
  const candidates = isSingleExecutable() ? [] : [path.dirname(file), dirname, path.dirname(process.argv[1] || '')];
  candidates.push(path.dirname(process.execPath));
  return { bundled: true, directories: [...new Set(candidates.filter((name) => path.isAbsolute(name)))] };
}

/**
 * Where the addon may be.
 * @param {string} triple the platform
 * @returns {{bundled: boolean, directories: string[], files: string[]}} whether this code is part of a bundle, the
 *   directories to look into (the package's own, or those of the bundle), the names the addon may have there
 */
function places(triple) {
  const { bundled, directories } = findDirectories();
  const name = `websocket.${triple}.node`;
  const files = directories.map((directory) => path.join(directory, name));
  // ncc puts the file of `websocket-native-…` into a directory named by what that name has more than `websocket`.
  if (bundled) files.splice(1, 0, path.join(directories[0], `native-${triple}`, name));
  return { bundled, directories, files };
}

/** `require` as Node has it, for a directory; a bundler would resolve its own at build time. */
function requireFrom(directory) {
  return createRequire(path.join(directory, 'noop.js'));
}

module.exports = { places, requireFrom, filesForTracers };
