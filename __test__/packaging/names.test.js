'use strict';

// The ways to put this package where a program expects `websocket`: under its own name, under an alias, and in
// place of the dependency of a dependency.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { temporaryDirectory, pack, packRoot, install, evaluate } = require('./project');

const { version } = require('../../package.json');

describe('swapping the package in', () => {
  const directory = temporaryDirectory(after);
  let tarball;
  before(() => {
    tarball = packRoot(directory);
  });

  test('npm install websocket@file:TARBALL', () => {
    const project = path.join(directory, 'named');
    install(project, {}, [`websocket@file:${tarball}`]);
    assert.strictEqual(evaluate(project, `console.log(JSON.stringify(require('websocket').version));`), version);
  });

  test('an alias of another name loads the addon and keeps deep requires', () => {
    const project = path.join(directory, 'aliased');
    install(project, {}, [`sockets@file:${tarball}`]);
    const result = evaluate(
      project,
      `const { server, version } = require('sockets');
       console.log(JSON.stringify([version, require('sockets/lib/WebSocketServer') === server]));`
    );
    assert.deepStrictEqual(result, [version, true]);
  });

  test('overrides replaces the websocket that a dependency depends on', () => {
    const consumer = path.join(directory, 'consumer');
    fs.mkdirSync(consumer);
    fs.writeFileSync(
      path.join(consumer, 'package.json'),
      JSON.stringify({ name: 'consumer', version: '1.0.0', main: 'index.js', dependencies: { websocket: '^1.0.34' } })
    );
    fs.writeFileSync(
      path.join(consumer, 'index.js'),
      `exports.version = require('websocket').version;
       exports.file = require.resolve('websocket/lib/WebSocketClient');`
    );
    const project = path.join(directory, 'overriding');
    install(project, {
      dependencies: { consumer: `file:${pack(consumer, directory)}` },
      overrides: { websocket: `file:${tarball}` }
    });
    const result = evaluate(project, `console.log(JSON.stringify(require('consumer')));`);
    assert.strictEqual(result.version, version);
    assert.ok(result.file.startsWith(path.join(project, 'node_modules')), result.file);
  });
});
