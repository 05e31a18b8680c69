'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { ROOT } = require('./project');

test('package.json, package-lock.json, Cargo.toml, Cargo.lock and lib/version.js name the same version', () => {
  const { version } = require('../../package.json');
  const text = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
  assert.strictEqual(require('../../lib/version'), version);
  assert.strictEqual(JSON.parse(text('package-lock.json')).packages[''].version, version);
  assert.strictEqual(/^version = "(.*)"$/m.exec(text('Cargo.toml'))[1], version);
  assert.strictEqual(/^name = "websocket"\nversion = "(.*)"$/m.exec(text('Cargo.lock'))[1], version);
});
