'use strict';

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { ROOT, BINARY, temporaryDirectory, packRoot, filesInTarball } = require('./project');

/** Everything that may be in the package, apart from .node files. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|THIRD-PARTY-LICENSES|CHANGELOG\.md|SECURITY\.md|(index|metrics|ws)\.js|(index|metrics|ws)\.d\.ts|ws\.(d\.mts|mjs))$/,
  /^lib\/[\w/-]+\.(js|d\.ts)$/,
  /^pubsub\/(redis|nats|test)\.(js|d\.ts)$/,
  /^vendor\/FastBufferList\.js$/
];

describe('npm pack', () => {
  const directory = temporaryDirectory(after);
  let files;
  before(() => {
    files = filesInTarball(packRoot(directory));
  });

  test('packs the licence, the documentation, the types, the library and the addon', () => {
    const wanted = ['package.json', 'README.md', 'LICENSE', 'THIRD-PARTY-LICENSES', 'CHANGELOG.md', 'index.js', 'index.d.ts', 'metrics.js', 'metrics.d.ts',
      'ws.js', 'ws.mjs', 'ws.d.ts', 'ws.d.mts', 'lib/websocket.js'];
    for (const file of [...wanted, 'lib/browser.js', 'lib/internal/addon/binding.js', 'vendor/FastBufferList.js', 'pubsub/redis.js', 'pubsub/redis.d.ts', BINARY]) {
      assert.ok(files.includes(file), `${file} is missing from the package`);
    }
  });

  test('packs every file of lib', () => {
    const below = (folder) =>
      fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
        const name = `${folder}/${entry.name}`;
        return entry.isDirectory() ? below(name) : [name];
      });
    assert.deepStrictEqual(files.filter((file) => file.startsWith('lib/')), below('lib').sort());
  });

  test('packs nothing else: no sources, tests, build output or tools', () => {
    const others = files.filter((file) => !file.endsWith('.node') && !ALLOWED.some((pattern) => pattern.test(file)));
    assert.deepStrictEqual(others, []);
  });

  test('packs no .node file but those of the package itself, and only at its root', () => {
    const binaries = files.filter((file) => file.endsWith('.node'));
    assert.deepStrictEqual(binaries.filter((file) => !/^websocket\.[a-z0-9]+-[a-z0-9]+(-[a-z]+)?\.node$/.test(file)), []);
  });

  test('has no script that npm would run at installation', () => {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    assert.deepStrictEqual(['preinstall', 'install', 'postinstall'].filter((name) => name in scripts), []);
    // npm runs node-gyp by itself when it finds this file.
    assert.ok(!files.includes('binding.gyp'));
  });

  test('keeps deep requires possible and packs every file that package.json names', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    assert.strictEqual(manifest.exports, undefined, 'an exports map would forbid deep requires');
    assert.strictEqual(manifest.browser, 'lib/browser.js');
    for (const entry of [manifest.main, manifest.types, manifest.browser]) {
      assert.ok(files.includes(path.posix.normalize(entry)), `${entry} is named in package.json and not packed`);
    }
  });
});
