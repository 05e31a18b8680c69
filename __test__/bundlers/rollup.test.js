'use strict';

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo } = require('./project');

const PLUGINS = ['@rollup/plugin-node-resolve@16', '@rollup/plugin-commonjs@29'];
const { directory, skip } = makeProject(['rollup@4', ...PLUGINS]);

const CONFIG = `
import resolve from '@rollup/plugin-node-resolve';
import commonjs from '@rollup/plugin-commonjs';
export default {
  input: 'server.mjs',
  plugins: [resolve({ exportConditions: ['node'], preferBuiltins: true }), commonjs()],
  output: [{ file: 'out/server.mjs', format: 'es' }, { file: 'out/server.cjs', format: 'cjs' }]
};
`;

describe('a server bundled by rollup', { skip }, () => {
  for (const file of ['server.mjs', 'server.cjs']) {
    test(`${file}: the addon is found next to the bundle`, async () => {
      fs.writeFileSync(path.join(directory, 'rollup.config.mjs'), CONFIG);
      const text = runScript(directory, 'rollup/dist/bin/rollup', ['-c', 'rollup.config.mjs']);
      assert.doesNotMatch(text, /\(!\)|warning/i);
      const place = deploy(path.join(directory, 'out'));
      fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
      const answer = await echo([process.execPath, file], { cwd: place });
      assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
    });
  }
});
