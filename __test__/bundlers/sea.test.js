'use strict';

// Single executable applications of Node: a copy of its executable with the bundle inside.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo } = require('./project');

/** What Node's executable contains when it can become such an application. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const [major, minor] = process.versions.node.split('.').map(Number);

function unfit() {
  if (process.platform !== 'linux') return 'elsewhere the executable has to be signed';
  if (major < 20 || (major === 20 && minor < 12)) return `Node.js ${process.versions.node} has no assets in such applications`;
  if (!fs.readFileSync(process.execPath).includes(FUSE)) return `${process.execPath} was built without single executable applications`;
  return false;
}

const reason = unfit();
const { directory, skip } = reason ? { skip: reason } : makeProject(['esbuild@0', 'postject@1.0.0-alpha.6'], { release: true });

/** Makes the application; returns the file. */
function build(entry, assets) {
  const out = path.join(directory, path.basename(entry, '.js'));
  const bundle = path.join(out, 'bundle.js');
  const executable = path.join(out, 'application');
  runScript(directory, 'esbuild/bin/esbuild', [entry, '--bundle', '--platform=node', `--outfile=${bundle}`, '--log-level=warning']);
  const settings = { main: bundle, output: path.join(out, 'blob'), disableExperimentalSEAWarning: true, ...(assets && { assets }) };
  fs.writeFileSync(path.join(out, 'sea.json'), JSON.stringify(settings));
  const made = spawnSync(process.execPath, ['--experimental-sea-config', path.join(out, 'sea.json')], { encoding: 'utf8' });
  assert.strictEqual(made.status, 0, made.stderr);
  fs.copyFileSync(process.execPath, executable);
  runScript(directory, 'postject/dist/cli.js', [executable, 'NODE_SEA_BLOB', settings.output, '--sentinel-fuse', FUSE]);
  for (const file of [bundle, settings.output, path.join(out, 'sea.json')]) fs.rmSync(file);
  return deploy(out);
}

describe('a single executable application', { skip }, () => {
  test('finds the addon next to the executable', async () => {
    const place = build('server.js');
    fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
    const answer = await echo([path.join(place, 'application')], { cwd: directory });
    assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
  });

  test('can carry the addon inside, and name the file it writes by WEBSOCKET_NATIVE_PATH', async () => {
    const place = build('unpack.js', { 'websocket.node': addonOf(directory) });
    const answer = await echo([path.join(place, 'application')], { cwd: place });
    assert.strictEqual(answer.addon.length, 1);
    assert.match(answer.addon[0], /application-\w+[/\\]websocket\.node$/);
    fs.rmSync(path.dirname(answer.addon[0]), { recursive: true });
  });
});
