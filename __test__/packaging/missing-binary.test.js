'use strict';

// The loader with its binary hidden. It runs on a copy of the files it consists of, which need no addon.

const { after, beforeEach, describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { ROOT, BINARY, temporaryDirectory, run, evaluate } = require('./project');
const { triple, PUBLISHED } = require('../../lib/internal/addon/platform');

const PACKAGE = `websocket-native-${triple()}`;
const { version } = require('../../package.json');
const linuxOnly = process.platform !== 'linux' && 'only Linux has a choice of C libraries';

describe('without a usable binary', () => {
  const base = temporaryDirectory(after);
  let count = 0;
  let project;
  let websocket;

  beforeEach(() => {
    project = path.join(base, `project-${++count}`);
    websocket = path.join(project, 'node_modules', 'websocket');
    for (const file of ['package.json', 'lib/version.js', 'lib/internal/addon']) {
      fs.cpSync(path.join(ROOT, file), path.join(websocket, file), { recursive: true });
    }
  });

  /** Puts a package with this platform's binary beside websocket. */
  function addPlatformPackage(manifest, binary) {
    const directory = path.join(project, 'node_modules', PACKAGE);
    fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ name: PACKAGE, main: BINARY, ...manifest }));
    if (binary) fs.copyFileSync(binary, path.join(directory, BINARY));
  }

  /** The error that loading ends in. */
  function failure(options) {
    return evaluate(
      project,
      `try {
         require('websocket/lib/internal/addon/binding');
         console.log('null');
       } catch (error) {
         console.log(JSON.stringify({ code: error.code, message: error.message, isError: error instanceof Error }));
       }`,
      options
    );
  }

  test('one Error with a code names the platform, the Node version, what was tried and how to fix it', () => {
    const { code, message, isError } = failure();
    assert.strictEqual(isError, true);
    assert.strictEqual(code, 'ERR_WEBSOCKET_BINDING');
    assert.ok(message.includes(`websocket ${version}`), message);
    assert.ok(message.includes(`${process.platform}-${process.arch}`), message);
    assert.ok(message.includes(`Node.js ${process.versions.node}`), message);
    assert.ok(message.includes(`${path.join(websocket, BINARY)}: no such file`), message);
    assert.ok(message.includes(`${PACKAGE}: not installed`), message);
    assert.match(message, /--omit=optional/);
    assert.doesNotMatch(message, /npm install websocket/, 'nobody may have published that name');
    assert.match(message, /install Rust .*`npm run build`/);
    assert.match(message, /WEBSOCKET_NATIVE_PATH/);
  });

  test('on Linux the error names the C library', { skip: linuxOnly }, () => {
    assert.match(failure().message, /\((glibc|musl)( [\d.]+)?\), Node\.js/);
  });

  test('on musl the names say so', { skip: linuxOnly }, () => {
    const { message } = evaluate(
      project,
      `process.report.getReport = () => ({ header: {}, sharedObjects: ['/lib/ld-musl-x86_64.so.1'] });
       const fs = require('fs');
       const { readFileSync } = fs;
       fs.readFileSync = (file, ...rest) => (file === '/usr/bin/ldd' ? 'musl libc' : readFileSync(file, ...rest));
       try { require('websocket/lib/internal/addon/binding'); } catch (error) { console.log(JSON.stringify({ message: error.message })); }`
    );
    assert.ok(message.includes(`(musl), Node.js`), message);
    assert.ok(message.includes(`websocket-native-linux-${process.arch}-musl: not installed`), message);
  });

  test('a system without a report and without ldd is taken for glibc', { skip: linuxOnly }, () => {
    const { message } = evaluate(
      project,
      `Object.defineProperty(process, 'report', { value: undefined });
       const fs = require('fs');
       const { readFileSync } = fs;
       fs.readFileSync = (file, ...rest) => readFileSync(file === '/usr/bin/ldd' ? '/nonexistent' : file, ...rest);
       try { require('websocket/lib/internal/addon/binding'); } catch (error) { console.log(JSON.stringify({ message: error.message })); }`
    );
    assert.ok(message.includes('(unknown C library), Node.js'), message);
    assert.ok(message.includes(`websocket-native-linux-${process.arch}-gnu: not installed`), message);
  });

  test('the uncaught error is shown once, without a trail of inner errors', () => {
    const { status, stderr } = run(project, `require('websocket/lib/internal/addon/binding');`);
    assert.strictEqual(status, 1);
    assert.strictEqual(stderr.split('could not be loaded on').length - 1, 1, stderr);
    assert.ok(!stderr.includes('MODULE_NOT_FOUND'), stderr);
  });

  test('in a checkout the advice is to build', () => {
    fs.writeFileSync(path.join(websocket, 'Cargo.toml'), '');
    const { message } = failure();
    assert.match(message, /install Rust .* and run `npm run build`/);
    assert.ok(!message.includes('--omit=optional'), message);
  });

  test('a file that is no library is reported with the reason', () => {
    fs.writeFileSync(path.join(websocket, BINARY), 'not a library');
    const { message } = failure();
    const line = message.split('\n').find((text) => text.includes(path.join(websocket, BINARY)));
    assert.ok(line && !line.includes('no such file'), message);
    assert.ok(message.includes(`${PACKAGE}: not installed`), message);
  });

  test('binaries for other platforms are pointed out', () => {
    fs.writeFileSync(path.join(websocket, 'websocket.sunos-sparc.node'), '');
    assert.match(failure().message, /Found for other platforms: websocket\.sunos-sparc\.node/);
  });

  test('a platform without a published binary is told which ones have one', () => {
    const { message } = evaluate(
      project,
      `Object.defineProperty(process, 'arch', { value: 'sparc' });
       try { require('websocket/lib/internal/addon/binding'); } catch (error) { console.log(JSON.stringify({ message: error.message })); }`
    );
    for (const name of PUBLISHED) assert.ok(message.includes(name), message);
    assert.match(message, /no ready-made binary for \w+-sparc/);
  });

  test('the package for the platform is used when the file is missing', () => {
    addPlatformPackage({ version }, path.join(ROOT, BINARY));
    assert.strictEqual(failure(), null);
  });

  test('a package of another release is not used', () => {
    addPlatformPackage({ version: '0.0.1' }, path.join(ROOT, BINARY));
    assert.ok(failure().message.includes(`${PACKAGE}: is version 0.0.1, expected ${version}`));
  });

  test('a package that lacks its file is not reported as missing itself', () => {
    addPlatformPackage({ version }, null);
    const { message } = failure();
    assert.ok(message.includes(`${PACKAGE}: `), message);
    assert.ok(!message.includes(`${PACKAGE}: not installed`), message);
  });

  test('finding out where it runs leaves Error as it was', () => {
    const same = evaluate(
      project,
      `const before = JSON.stringify(Object.getOwnPropertyDescriptors(Error));
       require('websocket/lib/internal/addon/places').places('any');
       console.log(before === JSON.stringify(Object.getOwnPropertyDescriptors(Error)));`
    );
    assert.strictEqual(same, true);
  });

  test('a program that makes its own stack traces, or has frozen Error, is no hindrance', () => {
    fs.copyFileSync(path.join(ROOT, BINARY), path.join(websocket, BINARY));
    for (const first of ["Error.prepareStackTrace = () => 'own'", 'Object.freeze(Error)', 'Error.stackTraceLimit = 0']) {
      assert.strictEqual(evaluate(project, `${first}; require('websocket/lib/internal/addon/binding'); console.log('true')`), true, first);
    }
  });

  test('file tracers find each published platform as a literal, and nothing else', () => {
    const source = fs.readFileSync(path.join(ROOT, 'lib/internal/addon/places.js'), 'utf8');
    const literals = [...source.matchAll(/require\.resolve\('([^']+)'\)/g)].map((match) => match[1]);
    const wanted = PUBLISHED.flatMap((name) => [`../../../websocket.${name}.node`, `websocket-native-${name}`]);
    assert.deepStrictEqual(literals.sort(), wanted.sort());
  });

  test('WEBSOCKET_NATIVE_PATH names the file to load', () => {
    const elsewhere = path.join(base, 'elsewhere.node');
    fs.copyFileSync(path.join(ROOT, BINARY), elsewhere);
    assert.strictEqual(failure({ env: { WEBSOCKET_NATIVE_PATH: elsewhere } }), null);
    assert.strictEqual(failure({ env: { WEBSOCKET_NATIVE_PATH: path.relative(project, elsewhere) } }), null);
  });

  test('a wrong WEBSOCKET_NATIVE_PATH is an error even when a binary would be found', () => {
    fs.copyFileSync(path.join(ROOT, BINARY), path.join(websocket, BINARY));
    const missing = path.join(base, 'missing.node');
    const { code, message } = failure({ env: { WEBSOCKET_NATIVE_PATH: missing } });
    assert.strictEqual(code, 'ERR_WEBSOCKET_BINDING');
    assert.ok(message.includes(`${missing} (WEBSOCKET_NATIVE_PATH): no such file`), message);
    assert.match(message, /correct or unset the environment variable WEBSOCKET_NATIVE_PATH/);
  });
});
