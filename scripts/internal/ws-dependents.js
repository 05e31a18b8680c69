'use strict';

// Packages that use ws: where the suite of each is in a checkout, what it needs, and how it is run.

const fs = require('fs');
const path = require('path');
const { mochaFiles, nodeTestFiles, vitest } = require('./upstream-runners');

/** A package of npm with the files of uWebSockets.js, which npm has to get from elsewhere under its own name. */
const UWEBSOCKETS = { 'uWebSockets.js': 'npm:uwebsockets@^3' };

/** Files of a folder whose text matches. */
function filesWith(pattern, directory, folder) {
  return fs.readdirSync(path.join(directory, folder))
    .filter((name) => name.endsWith('.js') && pattern.test(fs.readFileSync(path.join(directory, folder, name), 'utf8')))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** A runner whose tests have another name than those of the same files in another run. */
function named(suffix, runner) {
  return {
    async run(context) {
      const { results, problems } = await runner.run(context);
      return { results: results.map((test) => ({ ...test, id: `${test.file} (${suffix}) > ${test.name}` })), problems };
    },
  };
}

/**
 * @typedef {object} Dependent
 * @property {string} name of the package
 * @property {string} folder where it is in a checkout of several packages
 * @property {string[]} needs development dependencies that the tests need, with the versions of the checkout
 * @property {object} [added] development dependencies that the checkout does not have by itself
 * @property {string[]} [build] what is run before the tests, from node_modules
 * @property {(directory: string) => object[]} runners for `runSuites()`
 */

/** @type {Dependent[]} */
const DEPENDENTS = [
  {
    name: 'engine.io',
    folder: 'packages/engine.io',
    needs: ['engine.io-client-v3', 'expect.js', 'express-session', 'helmet', 'mocha', 'superagent', 'typescript'],
    // In its own repository a development dependency, beside the package in that of Socket.IO.
    added: { 'engine.io-client': '^6.6.0', ...UWEBSOCKETS },
    build: ['typescript/bin/tsc'],
    runners(directory) {
      const files = filesWith(/\bdescribe\(/, directory, 'test');
      return [
        mochaFiles(files, ['--exit']),
        named('EIO_CLIENT=3', mochaFiles(files, ['--exit'], { EIO_CLIENT: '3' })),
      ];
    },
  },
  {
    name: 'graphql-ws',
    folder: '.',
    needs: ['@fastify/websocket', '@tsconfig/strictest', 'crossws', 'fastify', 'graphql', 'jsdom', 'vitest', 'ws'],
    added: UWEBSOCKETS,
    runners: () => [vitest],
  },
  {
    name: '@fastify/websocket',
    folder: '.',
    needs: ['fastify', 'split2'],
    runners: (directory) => [nodeTestFiles(filesWith(/node:test/, directory, 'test'))],
  },
];

const readPackage = (directory) => JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8'));

/** The package that a checkout is of, and its directory there. */
function findDependent(checkout) {
  for (const dependent of DEPENDENTS) {
    for (const folder of new Set(['.', dependent.folder])) {
      const directory = path.join(checkout, folder);
      if (fs.existsSync(path.join(directory, 'package.json')) && readPackage(directory).name === dependent.name) {
        return { dependent, directory };
      }
    }
  }
  throw new Error(`${checkout} is no checkout of ${DEPENDENTS.map(({ name }) => name).join(', ')}`);
}

/** The package.json with which npm installs what the tests need, and nothing else. */
function manifestOf({ needs, added = {} }, checkout, directory) {
  const own = readPackage(directory);
  // In a checkout of several packages, development dependencies are those of all.
  const known = { ...readPackage(checkout).devDependencies, ...own.devDependencies };
  const devDependencies = { ...added };
  for (const name of [...needs, ...Object.keys(added)]) {
    // What is not in the registry (a repository, a patched package) has a stand-in among `added`.
    if (/^[~^\d]|^npm:/.test(known[name] || '')) devDependencies[name] = known[name];
    else if (!devDependencies[name]) throw new Error(`the checkout does not say which version of ${name} its tests need`);
  }
  const { scripts, workspaces, packageManager, peerDependencies, ...manifest } = own;
  return { ...manifest, devDependencies };
}

module.exports = { findDependent, manifestOf };
