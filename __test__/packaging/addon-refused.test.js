'use strict';

// The addon is there and cannot be used: the error says why, and what helps against that and not against something else.

const { test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const { ROOT } = require('./project');

const [major] = process.versions.node.split('.').map(Number);

/** The Error of loading the package in a process with these flags, after `prelude` has run. */
function failure(flags, prelude = '', env = {}) {
  const code = `${prelude}
    try { require(${JSON.stringify(ROOT)}); console.log('{}'); }
    catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })); }`;
  const environment = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, WEBSOCKET_NATIVE_PATH: undefined, ...env };
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...flags, '-e', code], { encoding: 'utf8', env: environment });
  assert.notStrictEqual(stdout, '', stderr);
  const error = JSON.parse(stdout);
  assert.strictEqual(error.code, 'ERR_WEBSOCKET_BINDING');
  const [, advice] = error.message.split('To fix it:\n');
  return { ...error, advice };
}

/** The same for an addon whose loading fails with this text, as the system words it. */
const failureOf = (text) => failure([], `require('module')._extensions['.node'] = () => { throw new Error(${JSON.stringify(text)}); };`);

test('--no-addons is named', () => {
  for (const [flags, env] of [[['--no-addons'], {}], [[], { NODE_OPTIONS: '--no-addons' }]]) {
    const { advice } = failure(flags, '', env);
    assert.match(advice, /without the flag --no-addons/);
    assert.doesNotMatch(advice, /Rust|reinstall/);
  }
});

test('the permission model: the flag that allows addons is named', { skip: major < 20 && 'Node has no permission model' }, () => {
  const flag = major >= 24 ? '--permission' : '--experimental-permission';
  const { advice } = failure([flag, '--allow-fs-read=*']);
  assert.match(advice, /--allow-addons/);
  assert.doesNotMatch(advice, /Rust|reinstall|--no-addons/);
});

test('a C library that is too old: the version that is needed is named, and that it is not the installation', () => {
  const { message, advice } = failureOf("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found (required by x.node)");
  assert.match(message, /GLIBC_2\.99' not found/);
  assert.match(advice, /a system with glibc 2\.99 or newer/);
  assert.doesNotMatch(advice, /reinstall/);
});

test('a file that may not be read or executed', () => {
  for (const text of ['/x.node: cannot open shared object file: Permission denied',
    '/x.node: failed to map segment from shared object: Operation not permitted']) {
    const { advice } = failureOf(text);
    assert.match(advice, /noexec/);
    assert.doesNotMatch(advice, /Rust|reinstall/);
  }
});

test('a file that is missing is told from one that may not be read', () => {
  const deny = (code) => `const fs = require('fs');
    fs.accessSync = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }); };`;
  assert.match(failure([], deny('ENOENT')).message, /\.node: no such file/);
  assert.match(failure([], deny('EACCES')).message, /\.node: permission denied/);
  assert.match(failure([], deny('ERR_ACCESS_DENIED')).advice, /--allow-fs-read/);
});
