'use strict';

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, addonOf, deploy, echo, environment } = require('./project');
const { version } = require('../../package.json');

const { directory, skip } = makeProject(['esbuild@0']);
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Bundles a file of the project; returns the directory that is deployed. */
function build(entry, out, ...args) {
  const outfile = path.join(directory, out, `server${path.extname(entry)}`);
  const text = runScript(directory, 'esbuild/bin/esbuild', [entry, '--bundle', '--platform=node', `--outfile=${outfile}`, '--log-level=warning', ...args]);
  assert.strictEqual(text, '', 'esbuild warns of something');
  return path.dirname(outfile);
}

/** What a program that cannot start writes. */
function failure(cwd, env) {
  const { status, stderr } = spawnSync(process.execPath, ['server.js'], { cwd, env: environment(env), encoding: 'utf8', timeout: 30000 });
  assert.strictEqual(status, 1);
  return stderr;
}

describe('a server bundled by esbuild', { skip }, () => {
  const cases = [
    ['CommonJS', 'server.js', []],
    ['CommonJS, minified', 'server.js', ['--minify']],
    ['CommonJS with a source map', 'server.js', ['--sourcemap']],
    ['an ES module', 'server.mjs', ['--format=esm', `--banner:js=${BANNER}`]]
  ];
  for (const [name, entry, args] of cases) {
    test(`${name}: the addon is found next to the bundle`, async () => {
      const place = deploy(build(entry, name.replace(/\W/g, '-'), ...args));
      fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
      const answer = await echo([process.execPath, '--enable-source-maps', `server${path.extname(entry)}`], { cwd: place });
      assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
      assert.strictEqual(answer.version, version);
    });
  }

  test('the addon is found wherever the program is started from', async () => {
    const place = deploy(build('server.js', 'elsewhere'));
    fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
    const answer = await echo([process.execPath, path.join('deployed', 'server.js')], { cwd: path.dirname(place) });
    assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
  });

  test('a chunk in a directory below finds the addon next to the main file', async () => {
    const place = deploy(build('server.js', 'chunk'));
    fs.mkdirSync(path.join(place, 'chunks'));
    fs.renameSync(path.join(place, 'server.js'), path.join(place, 'chunks', 'server.js'));
    fs.writeFileSync(path.join(place, 'main.js'), "require('./chunks/server.js');");
    fs.copyFileSync(addonOf(directory), path.join(place, BINARY));
    const answer = await echo([process.execPath, 'main.js'], { cwd: place });
    assert.deepStrictEqual(answer.addon, [path.join(place, BINARY)]);
  });

  test('a worker thread that runs the bundle finds the addon', async () => {
    const place = deploy(build('server.js', 'worker'));
    fs.mkdirSync(path.join(place, 'worker'));
    fs.renameSync(path.join(place, 'server.js'), path.join(place, 'worker', 'server.js'));
    fs.writeFileSync(path.join(place, 'main.js'), "new (require('worker_threads').Worker)(__dirname + '/worker/server.js');");
    fs.copyFileSync(addonOf(directory), path.join(place, 'worker', BINARY));
    const answer = await echo([process.execPath, 'main.js'], { cwd: place });
    assert.deepStrictEqual(answer.addon, [path.join(place, 'worker', BINARY)]);
  });

  test('WEBSOCKET_NATIVE_PATH names the addon', async () => {
    const place = deploy(build('server.js', 'by-path'));
    const file = path.join(place, 'native', 'websocket.node');
    fs.mkdirSync(path.dirname(file));
    fs.copyFileSync(addonOf(directory), file);
    const answer = await echo([process.execPath, 'server.js'], { cwd: place, env: { WEBSOCKET_NATIVE_PATH: file } });
    assert.deepStrictEqual(answer.addon, [file]);
  });

  test('without the addon the error says that the code is part of a bundle, and what to copy', () => {
    const place = deploy(build('server.js', 'without'));
    const text = failure(place);
    assert.match(text, /ERR_WEBSOCKET_BINDING/);
    assert.ok(text.includes(`${path.join(place, BINARY)}: no such file`), text);
    assert.ok(text.includes('part of a bundle') && text.includes(`copy ${BINARY}`), text);
  });

  test('no addon is taken from directories above the bundle', () => {
    const place = path.join(deploy(build('server.js', 'above')), 'a', 'b', 'c');
    const above = path.join(place, '..', '..', '..');
    fs.mkdirSync(place, { recursive: true });
    fs.renameSync(path.join(above, 'server.js'), path.join(place, 'server.js'));
    fs.copyFileSync(addonOf(directory), path.join(above, BINARY));
    assert.match(failure(place), /ERR_WEBSOCKET_BINDING/);
  });

  test('with the package left out of the bundle nothing has to be copied', async () => {
    const out = build('server.js', 'external', '--external:websocket');
    const answer = await echo([process.execPath, path.join(out, 'server.js')], { cwd: directory });
    assert.deepStrictEqual(answer.addon, [addonOf(directory)]);
  });
});

describe('a page bundled by esbuild', { skip }, () => {
  test('gets the class of the browser and the version, and nothing of package.json', () => {
    fs.writeFileSync(path.join(directory, 'page.js'), "const { w3cwebsocket, version } = require('websocket'); console.log(version, w3cwebsocket);");
    runScript(directory, 'esbuild/bin/esbuild', ['page.js', '--bundle', '--outfile=page/page.js', '--log-level=warning']);
    const bundle = fs.readFileSync(path.join(directory, 'page', 'page.js'), 'utf8');
    assert.ok(bundle.includes(version));
    assert.ok(!bundle.includes('package.json') && !bundle.includes('devDependencies'), bundle);
    assert.ok(bundle.length < 3000, `${bundle.length} characters`);
  });
});
