'use strict';

// The two packages that are compared: the original, and what is under test (this package, unless the
// environment names another by WEBSOCKET_UNDER_TEST: a path, or the name of an installed module).

const fs = require('fs');
const path = require('path');

/**
 * Loads a package by the path of its main module.
 * @param {string} main
 * @returns {{ root: string, lib: object, deep: (name: string) => any }} `deep('lib/utils')` is a deep require
 */
function load(main) {
  let root = path.dirname(main);
  while (!fs.existsSync(path.join(root, 'package.json'))) root = path.dirname(root);
  return { root, lib: require(main), deep: (name) => require(path.join(root, name)) };
}

/** Resolves what WEBSOCKET_UNDER_TEST names; relative paths start at the working directory. */
function resolveSubject(name) {
  if (!name) return require.resolve('../..');
  const asPath = path.resolve(name);
  return require.resolve(fs.existsSync(asPath) ? asPath : name);
}

/**
 * Runs `body` with the package loaded once more from scratch, as `require` would in a new process.
 * What was loaded before is put back afterwards.
 */
async function withFreshCopy(pkg, body) {
  const mine = () => Object.keys(require.cache)
    .filter((file) => file.startsWith(pkg.root + path.sep) && !file.includes(`${path.sep}node_modules${path.sep}`, pkg.root.length))
    .filter((file) => !file.startsWith(__dirname) && !file.endsWith('.node') && !file.includes('__test__'));
  const saved = mine().map((file) => [file, require.cache[file]]);
  for (const [file] of saved) delete require.cache[file];
  try {
    return await body((name) => require(path.join(pkg.root, name)));
  } finally {
    for (const file of mine()) delete require.cache[file];
    for (const [file, module] of saved) require.cache[file] = module;
  }
}

const reference = load(require.resolve('websocket-1.0.35'));
const subject = load(resolveSubject(process.env.WEBSOCKET_UNDER_TEST));

module.exports = { reference, subject, withFreshCopy };
