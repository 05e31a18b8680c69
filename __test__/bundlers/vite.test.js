'use strict';

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo } = require('./project');

const { directory, skip } = makeProject(['vite@8'], { release: true, since: '20.19' });

/** Builds the server; returns the directory that is deployed. */
function build(name, ssr) {
  const config = { build: { ssr: 'server.mjs', outDir: name }, ssr, logLevel: 'warn' };
  fs.writeFileSync(path.join(directory, `${name}.config.mjs`), `export default ${JSON.stringify(config)};`);
  const text = runScript(directory, 'vite/bin/vite.js', ['build', '--config', `${name}.config.mjs`]);
  assert.strictEqual(text.trim(), '', 'vite warns of something');
  return path.join(directory, name);
}

describe('a server built by Vite', { skip }, () => {
  test('as Vite does it by itself, with the package left in node_modules', async () => {
    const out = build('external', {});
    const [file] = fs.readdirSync(out);
    const answer = await echo([process.execPath, path.join(out, file)], { cwd: directory });
    assert.deepStrictEqual(answer.addon, [addonOf(directory)]);
  });

  test('with everything in the bundle the addon is found next to it', async () => {
    const place = deploy(build('bundled', { noExternal: true }));
    const [file] = fs.readdirSync(place);
    fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
    const answer = await echo([process.execPath, file], { cwd: place });
    assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
  });
});
