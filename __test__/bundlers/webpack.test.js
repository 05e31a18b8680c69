'use strict';

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo } = require('./project');

const { directory, skip } = makeProject(['webpack@5', 'webpack-cli@6'], { release: true });

/** Bundles the server with these settings; returns the directory that is deployed. */
function build(name, settings) {
  const out = path.join(directory, name);
  const config = { target: 'node', ...settings, output: { path: out, ...settings.output } };
  fs.writeFileSync(path.join(directory, `${name}.config.js`), `module.exports = ${JSON.stringify(config)};`);
  const text = runScript(directory, 'webpack-cli/bin/cli.js', ['build', '--config', `${name}.config.js`]);
  assert.match(text, /compiled successfully/);
  assert.doesNotMatch(text, /warning/i);
  return out;
}

describe('a server bundled by webpack', { skip }, () => {
  const cases = [
    ['production', 'main.js', { mode: 'production', entry: './server.js' }],
    ['development', 'main.js', { mode: 'development', entry: './server.js' }],
    ['module', 'main.mjs', { mode: 'production', entry: './server.mjs', experiments: { outputModule: true }, output: { module: true, filename: 'main.mjs' } }],
    ['made-up-names', 'main.js', { mode: 'none', entry: './server.js', node: { __dirname: 'mock', __filename: 'mock' } }],
    ['names-of-sources', 'main.js', { mode: 'none', entry: './server.js', node: { __dirname: true, __filename: true } }]
  ];
  for (const [name, file, settings] of cases) {
    test(`${name}: the addon is found next to the bundle`, async () => {
      const place = deploy(build(name, settings));
      fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
      const answer = await echo([process.execPath, path.join('deployed', file)], { cwd: path.dirname(place) });
      assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
    });
  }

  test('a bundle with node_modules beside it finds the package for the platform there', async () => {
    const place = deploy(build('beside', { mode: 'none', entry: './server.js' }));
    const native = path.dirname(addonOf(directory));
    fs.cpSync(native, path.join(place, 'node_modules', path.basename(native)), { recursive: true });
    const answer = await echo([process.execPath, 'main.js'], { cwd: place });
    assert.deepStrictEqual(answer.addon, [path.join(place, 'node_modules', path.basename(native), BINARY)]);
  });
});
