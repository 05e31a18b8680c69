'use strict';

// ncc finds the addon by itself and puts it into its output, and so do the packagers that rest on @vercel/nft.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo } = require('./project');

for (const [form, release] of [['a tarball', false], ['a release', true]]) {
  const { directory, skip } = makeProject(['@vercel/ncc@0', '@vercel/nft@1'], { release, since: '20.0' });

  describe(`with the package from ${form}`, { skip }, () => {
    test('what ncc makes runs as it is', async () => {
      runScript(directory, '@vercel/ncc/dist/ncc/cli.js', ['build', 'server.js', '-o', 'out', '--quiet']);
      const place = deploy(path.join(directory, 'out'));
      const answer = await echo([process.execPath, 'index.js'], { cwd: place });
      assert.strictEqual(answer.addon.length, 1);
      assert.ok(answer.addon[0].startsWith(place) && answer.addon[0].endsWith(BINARY), answer.addon[0]);
    });

    test('@vercel/nft lists the addon, and what its package needs to be found', async () => {
      const { nodeFileTrace } = require(path.join(directory, 'node_modules', '@vercel', 'nft'));
      const { fileList } = await nodeFileTrace([path.join(directory, 'server.js')], { base: directory });
      const addon = path.relative(directory, addonOf(directory));
      assert.ok(fileList.has(addon), [...fileList].join(' '));
      assert.ok(fileList.has(path.join(path.dirname(addon), 'package.json')), [...fileList].join(' '));
    });
  });
}
