'use strict';

// The form in which releases are published: the main package without a binary, and one package per platform.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { ROOT, BINARY, temporaryDirectory, pack, filesInTarball, install, run, evaluate } = require('./project');
const { triple, PUBLISHED } = require('../../lib/internal/addon/platform');
const { makePackages } = require('../../scripts/npm-packages');

const manifest = require('../../package.json');
const NATIVE = `websocket-native-${triple()}`;
const skip = !PUBLISHED.includes(triple()) && `no binaries are published for ${triple()}`;

describe('the published packages', { skip }, () => {
  const directory = temporaryDirectory(after);
  const artefacts = path.join(directory, 'artefacts');
  const out = path.join(directory, 'out');
  const read = (name) => JSON.parse(fs.readFileSync(path.join(out, name, 'package.json'), 'utf8'));
  let names;

  before(() => {
    fs.mkdirSync(path.join(artefacts, 'somewhere'), { recursive: true });
    fs.copyFileSync(path.join(ROOT, BINARY), path.join(artefacts, 'somewhere', BINARY));
    names = makePackages(artefacts, out, { rehearsal: true });
  });

  test('are the platform packages first and the main package last', () => {
    assert.deepStrictEqual(names, [NATIVE, 'websocket']);
  });

  test('the main package names the platform packages of its own version as optional dependencies', () => {
    const { optionalDependencies, dependencies, devDependencies, scripts, version } = read('websocket');
    assert.strictEqual(optionalDependencies[NATIVE], manifest.version);
    assert.deepStrictEqual(dependencies, manifest.dependencies);
    assert.deepStrictEqual([devDependencies, scripts, version], [undefined, undefined, manifest.version]);
  });

  test('the checkout itself names none: they would have to be published before it can be installed', () => {
    const named = Object.keys({ ...manifest.optionalDependencies, ...manifest.dependencies });
    assert.deepStrictEqual(named.filter((name) => name.startsWith('websocket-native-')), []);
  });

  test('a platform package is limited to its platform and holds the binary and its licences alone', () => {
    const { os, cpu, libc, version, main } = read(NATIVE);
    assert.deepStrictEqual([os, cpu, version, main], [[process.platform], [process.arch], manifest.version, BINARY]);
    assert.deepStrictEqual(libc, process.platform === 'linux' ? [triple().endsWith('musl') ? 'musl' : 'glibc'] : undefined);
    const files = filesInTarball(pack(path.join(out, NATIVE), directory));
    assert.deepStrictEqual(files, ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json', BINARY].sort());
  });

  test('installed together they load; the main package alone says what is missing', () => {
    const main = pack(path.join(out, 'websocket'), directory);
    assert.deepStrictEqual(filesInTarball(main).filter((file) => file.endsWith('.node')), []);
    const project = path.join(directory, 'project');
    install(project, {}, [main, pack(path.join(out, NATIVE), directory)]);
    assert.strictEqual(evaluate(project, `console.log(JSON.stringify(require('websocket').version));`), manifest.version);

    fs.rmSync(path.join(project, 'node_modules', NATIVE), { recursive: true });
    const { status, stderr } = run(project, `require('websocket');`);
    assert.strictEqual(status, 1);
    assert.ok(stderr.includes('ERR_WEBSOCKET_BINDING') && stderr.includes(`${NATIVE}: not installed`), stderr);
  });

  test('a foreign binary, one that is not what it says and a second one are refused', () => {
    const refuse = (name, content, pattern) => {
      const other = fs.mkdtempSync(path.join(directory, 'other-'));
      fs.mkdirSync(path.join(other, 'deep'));
      fs.copyFileSync(path.join(ROOT, BINARY), path.join(other, BINARY));
      fs.writeFileSync(path.join(other, 'deep', name), content);
      assert.throws(() => makePackages(other, `${out}-2`, { rehearsal: true }), pattern);
    };
    const another = PUBLISHED.find((name) => !name.startsWith(`${process.platform}-${process.arch}`));
    const binary = fs.readFileSync(path.join(ROOT, BINARY));
    refuse('websocket.sunos-sparc.node', binary, /sunos-sparc is not a platform/);
    refuse(`websocket.${another}.node`, binary, /made for/);
    refuse(`websocket.${another}.node`, 'text', /made for no known platform/);
    refuse(BINARY, binary, /two binaries for/);
    assert.ok(!fs.existsSync(`${out}-2`));
  });
});
