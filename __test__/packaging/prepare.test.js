'use strict';

// The build script in a copy of the package, with a cargo that only pretends: what it decides, what it leaves in
// place and what it says when it cannot build.

const { after, beforeEach, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { ROOT, BINARY, temporaryDirectory } = require('./project');

const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'src/lib.rs', 'src/protocol', 'src/protocol/frame.rs'];
const reason = process.platform === 'win32' && 'the pretended cargo is a script with a #! line';

describe('npm run prepare', { skip: reason }, () => {
  const base = temporaryDirectory(after);
  let count = 0;
  let project;
  let addon;
  let cargo;

  beforeEach(() => {
    project = path.join(base, `checkout-${++count}`);
    addon = path.join(project, BINARY);
    cargo = path.join(project, 'pretended-cargo');
    for (const file of ['package.json', 'scripts/prepare.js', 'lib/internal/addon/platform.js']) write(file, fs.readFileSync(path.join(ROOT, file)));
    for (const file of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs', 'src/protocol/frame.rs']) write(file, '');
    write('Cargo.toml', '[package]\nname = "websocket"\nrust-version = "1.70"\n');
    pretend({ library: path.join(ROOT, BINARY) });
  });

  function write(file, content) {
    const full = path.join(project, file);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, content);
  }

  /** Writes the cargo: it notes how it was called and reports `library` as its artefact, or fails. */
  function pretend({ library = null, exit = 0, message = '' }) {
    const output = path.join(project, 'target', 'release', 'libwebsocket.so');
    const script = `#!${process.execPath}
      const fs = require('fs');
      if (process.argv[2] === '--version') process.exit(0);
      fs.appendFileSync(${JSON.stringify(path.join(project, 'calls'))}, process.argv.slice(2).join(' ') + '\\n');
      fs.writeFileSync(${JSON.stringify(path.join(project, 'flags'))}, process.env.CARGO_ENCODED_RUSTFLAGS || '');
      if (${JSON.stringify(message)}) console.error(${JSON.stringify(message)});
      if (${JSON.stringify(library)}) {
        fs.mkdirSync(${JSON.stringify(path.dirname(output))}, { recursive: true });
        fs.copyFileSync(${JSON.stringify(library)}, ${JSON.stringify(output)});
        console.log(JSON.stringify({ reason: 'compiler-artifact', target: { name: 'other' }, filenames: ['/nowhere/libother.so'] }));
        console.log(JSON.stringify({ reason: 'compiler-artifact', target: { name: 'websocket' },
          filenames: [${JSON.stringify(output)}, '/nowhere/libwebsocket.rlib'] }));
      }
      process.exit(${exit});\n`;
    fs.writeFileSync(cargo, script, { mode: 0o755 });
  }

  function prepare(args = [], env = {}) {
    return spawnSync(process.execPath, [path.join(project, 'scripts', 'prepare.js'), ...args], {
      cwd: base,
      env: { ...process.env, CARGO: cargo, ...env },
      encoding: 'utf8'
    });
  }

  const calls = () => {
    const file = path.join(project, 'calls');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  };

  /** Sets a file's time, in seconds from now. */
  const age = (file, seconds) => {
    const time = new Date(Date.now() + seconds * 1000);
    fs.utimesSync(path.join(project, file), time, time);
  };

  test('builds a release of the locked dependencies and puts it into the root', () => {
    const { status, stdout } = prepare();
    assert.strictEqual(status, 0);
    assert.match(stdout, new RegExp(`built ${BINARY.replaceAll('.', '\\.')}`));
    assert.strictEqual(calls().length, 1);
    assert.match(calls()[0], /^build .*--locked/);
    assert.match(calls()[0], /--release/);
    assert.ok(fs.readFileSync(addon).equals(fs.readFileSync(path.join(ROOT, BINARY))));
    assert.deepStrictEqual(fs.readdirSync(project).filter((name) => name.endsWith('.tmp')), []);
  });

  test('takes the directories of this machine out of the binary, and keeps the flags it is given', () => {
    const flags = (env) => {
      assert.strictEqual(prepare(['--force'], { RUSTFLAGS: '', CARGO_ENCODED_RUSTFLAGS: '', ...env }).status, 0);
      return fs.readFileSync(path.join(project, 'flags'), 'utf8').split('\x1f');
    };
    const added = flags({ CARGO_HOME: '/some where/cargo', HOME: '/some where' });
    const remapped = added.map((flag) => /^--remap-path-prefix=(.*)=\/\w+$/.exec(flag)).filter(Boolean).map((match) => match[1]);
    for (const directory of ['/some where', project, '/some where/cargo']) assert.ok(remapped.includes(directory), directory);
    assert.deepStrictEqual(flags({ RUSTFLAGS: ' -Ca=b  -Cc' }).slice(0, 2), ['-Ca=b', '-Cc']);
    assert.deepStrictEqual(flags({ CARGO_ENCODED_RUSTFLAGS: '-Ca=b c\x1f-Cd', RUSTFLAGS: '-Ce' }).slice(0, 2), ['-Ca=b c', '-Cd']);
  });

  test('does nothing, silently, when the addon is newer than every source', () => {
    prepare();
    for (const file of SOURCES) age(file, -100);
    const { status, stdout, stderr } = prepare();
    assert.deepStrictEqual([status, stdout, stderr], [0, '', '']);
    assert.strictEqual(calls().length, 1);
  });

  for (const file of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs', 'src/protocol/frame.rs', 'src/protocol']) {
    test(`builds again when ${file} has changed`, () => {
      prepare();
      for (const other of SOURCES) age(other, -100);
      age(file, 100);
      assert.strictEqual(prepare().status, 0);
      assert.strictEqual(calls().length, 2);
    });
  }

  test('--force builds although the addon is fresh', () => {
    prepare();
    for (const file of SOURCES) age(file, -100);
    prepare(['--force']);
    assert.strictEqual(calls().length, 2);
  });

  test('a debug build is never taken for the release', () => {
    assert.strictEqual(prepare(['--force', '--debug']).status, 0);
    assert.ok(!calls()[0].includes('--release'));
    for (const file of SOURCES) age(file, -100);
    prepare();
    assert.match(calls()[1], /--release/);
  });

  test('replaces the addon by a new file, so that a process that has it loaded is not disturbed', () => {
    prepare();
    const before = fs.statSync(addon).ino;
    const held = fs.openSync(addon, 'r');
    try {
      prepare(['--force']);
      assert.notStrictEqual(fs.statSync(addon).ino, before);
      assert.strictEqual(fs.fstatSync(held).ino, before);
    } finally {
      fs.closeSync(held);
    }
  });

  test('a failing cargo is one error with its output, and the old addon stays', () => {
    prepare();
    const old = fs.readFileSync(addon);
    pretend({ exit: 101, message: 'error: could not compile `websocket`' });
    const { status, stderr } = prepare(['--force']);
    assert.strictEqual(status, 1);
    assert.match(stderr, /error: could not compile `websocket`/);
    assert.match(stderr, /the native addon was not built: .*exited with code 101/);
    assert.ok(!stderr.includes('    at '), stderr);
    assert.ok(fs.readFileSync(addon).equals(old));
  });

  test('a library that Node cannot load does not replace the addon', () => {
    prepare();
    const old = fs.readFileSync(addon);
    pretend({ library: path.join(ROOT, 'package.json') });
    const { status, stderr } = prepare(['--force']);
    assert.strictEqual(status, 1);
    assert.match(stderr, /does not load/);
    assert.ok(fs.readFileSync(addon).equals(old));
    assert.deepStrictEqual(fs.readdirSync(project).filter((name) => name.endsWith('.tmp')), []);
  });

  test('without cargo the error says what to install', () => {
    const { status, stderr } = prepare([], { CARGO: '/nonexistent', PATH: '/nonexistent', CARGO_HOME: '/nonexistent' });
    assert.strictEqual(status, 1);
    assert.match(stderr, /cargo was not found\. Install Rust 1\.70 or newer \(https:\/\/rustup\.rs/);
    assert.ok(!stderr.includes('    at '), stderr);
  });

  test('where there is no Cargo.toml it does nothing', () => {
    fs.rmSync(path.join(project, 'Cargo.toml'));
    const { status, stdout, stderr } = prepare(['--force'], { CARGO: '/nonexistent', PATH: '/nonexistent', CARGO_HOME: '/nonexistent' });
    assert.deepStrictEqual([status, stdout, stderr], [0, '', '']);
  });

  test('an unknown argument is refused', () => {
    const { status, stderr } = prepare(['--relaese']);
    assert.strictEqual(status, 1);
    assert.match(stderr, /unknown argument --relaese/);
    assert.deepStrictEqual(calls(), []);
  });
});
