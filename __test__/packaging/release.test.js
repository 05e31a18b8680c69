'use strict';

// What must hold before a release is published: of the binary, of package.json, of the texts and of the workflows.

const { after, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { ROOT, BINARY, temporaryDirectory } = require('./project');
const { triple, PUBLISHED } = require('../../lib/internal/addon/platform');
const { makePackages, checkRelease } = require('../../scripts/npm-packages');
const { TARGETS, FILE, generate } = require('../../scripts/third-party-licenses');
const release = require('../../scripts/internal/release');

const manifest = require('../../package.json');
const binary = path.join(ROOT, BINARY);
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const hasTool = (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
const noReadelf = (!/^linux-.*-gnu$/.test(triple()) && 'the binary is not for glibc') || (!hasTool('readelf') && 'readelf is not installed');

describe('the binary', () => {
  test('names no directory of the machine it was built on', () => {
    const home = os.homedir();
    const directories = [ROOT, path.join(home, path.sep), process.env.CARGO_HOME || path.join(home, '.cargo')];
    assert.deepStrictEqual(release.directoriesNamed(binary, directories), [], 'build it again with `npm run build`');
  });

  /**
   * Functions that later versions of glibc have under a new version of their name, and earlier ones have too: a binary
   * built on the oldest system asks for the old version.
   */
  const MOVED = /^(dl(addr|close|error|open|sym)|f?stat64|lstat64|fstatat64|pthread_\w+|sem_\w+|pow|exp|log|getrandom)$/;

  test(`runs with glibc ${release.GLIBC_FLOOR} when it is built there`, { skip: noReadelf }, () => {
    const { stdout } = spawnSync('readelf', ['--dyn-syms', '--wide', binary], { encoding: 'utf8' });
    const used = [...stdout.matchAll(/ (WEAK|GLOBAL) .* UND (\w+)@GLIBC_([\d.]+)/g)].map(([, binding, name, version]) => ({ binding, name, version }));
    assert.ok(used.length > 10, stdout);
    const newer = used.filter(({ version }) => release.isNewer(version, release.GLIBC_FLOOR));
    // A weak symbol may be missing; the code looks before it calls.
    const needed = newer.filter(({ binding, name }) => binding !== 'WEAK' && !MOVED.test(name));
    assert.deepStrictEqual(needed, []);
    const newest = used.reduce((version, symbol) => (release.isNewer(symbol.version, version) ? symbol.version : version), '0');
    assert.strictEqual(release.glibcNeeded(binary), newest);
  });

  test('the oldest glibc is stated in the README, and release binaries are built on it', () => {
    assert.ok(read('README.md').includes(`glibc ${release.GLIBC_FLOOR}`));
    assert.ok(read('.github/workflows/release.yml').includes(`manylinux_${release.GLIBC_FLOOR.replace('.', '_')}_`));
  });

  test('versions of glibc are compared as numbers', () => {
    assert.deepStrictEqual(['2.4', '2.28', '2.34', '2.100'].map((version) => release.isNewer(version, '2.28')), [false, false, true, true]);
  });
});

describe('THIRD-PARTY-LICENSES', () => {
  test('is made for every platform that has a binary', () => {
    assert.deepStrictEqual(Object.keys(TARGETS).sort(), [...PUBLISHED].sort());
  });

  test('has the notices of the crates that are linked now', { skip: !hasTool('cargo') && 'cargo is not installed' }, (t) => {
    let text;
    try {
      text = generate();
    } catch (error) {
      if (!/metadata failed.*(download|network|resolve host|offline)/is.test(error.message)) throw error;
      t.skip(`crates for other platforms could not be downloaded: ${error.message.split('\n', 1)[0]}`);
      return;
    }
    assert.ok(fs.readFileSync(FILE, 'utf8').replace(/\r/g, '') === text, 'run `node scripts/third-party-licenses.js`');
    for (const name of ['tokio', 'napi', 'zlib-rs', 'Rust standard library']) assert.match(text, new RegExp(`^${name}`, 'm'));
  });
});

describe('making the packages for a release', () => {
  const directory = temporaryDirectory(after);
  const filled = { author: 'A', homepage: 'https://x.test', repository: { url: 'https://x.test' }, bugs: { url: 'https://x.test' } };

  test('is refused while package.json has placeholders', () => {
    assert.deepStrictEqual(release.placeholders(filled), []);
    assert.deepStrictEqual(release.placeholders({ ...filled, bugs: { url: 'https://example.invalid/' } }), ['bugs']);
    assert.deepStrictEqual(release.placeholders({}), ['author', 'homepage', 'repository', 'bugs']);
  });

  test('is refused without the binaries of all platforms', () => {
    assert.throws(() => checkRelease(filled, new Map([[triple(), binary]])), /no binary for /);
  });

  test('is refused when a binary needs a newer glibc', () => {
    const all = (version) => {
      const file = path.join(directory, version);
      fs.writeFileSync(file, `\x7fELF\0GLIBC_2.2.5\0GLIBC_${version}\0GLIBC_2.17\0`);
      return new Map(PUBLISHED.map((name) => [name, file]));
    };
    assert.throws(() => checkRelease(filled, all('2.29')), /needs glibc 2\.29, and 2\.28 has to be enough/);
    checkRelease(filled, all('2.28'));
  });

  test('makes nothing when it is refused', () => {
    const artefacts = path.join(directory, 'artefacts');
    fs.mkdirSync(artefacts);
    fs.copyFileSync(binary, path.join(artefacts, BINARY));
    const out = path.join(directory, 'out');
    assert.throws(() => makePackages(artefacts, out), /placeholders|no binary for/);
    assert.ok(!fs.existsSync(out));
  });

  test('npm publish in the checkout is refused', () => {
    assert.strictEqual(manifest.scripts.prepublishOnly, 'node scripts/internal/no-publish.js');
    const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'scripts/internal/no-publish.js')], { encoding: 'utf8' });
    assert.strictEqual(status, 1);
    assert.match(stderr, /publish the directories/);
  });

  test('the packed texts link to nothing that is not packed', () => {
    const artefacts = path.join(directory, 'rehearsal');
    fs.mkdirSync(artefacts);
    fs.copyFileSync(binary, path.join(artefacts, BINARY));
    const out = path.join(directory, 'rehearsed');
    makePackages(artefacts, out, { rehearsal: true });
    const pages = fs.readdirSync(path.join(out, 'websocket')).filter((file) => file.endsWith('.md'));
    assert.ok(pages.includes('README.md'));
    for (const page of pages) {
      const text = fs.readFileSync(path.join(out, 'websocket', page), 'utf8');
      const links = [...text.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1]);
      assert.deepStrictEqual(links.filter((link) => !/^(https?:|mailto:|#)/.test(link)), [], page);
      for (const link of links.filter((target) => target.includes('example.invalid') || target.startsWith(String(manifest.homepage)))) {
        const file = /\/(?:blob|raw)\/v[^/]+\/([^#]+)/.exec(link);
        assert.ok(file && fs.existsSync(path.join(ROOT, file[1])), `${page}: ${link}`);
      }
    }
  });

  test('links become absolute: pages, images, parts of pages and definitions; others stay', () => {
    const text = '[a](docs/a.md#b) ![i](b.svg) [![j](c.svg)](d.md) [e](#f) [g](https://h.test)\n[k]: docs/k.md\n';
    assert.strictEqual(
      release.withAbsoluteLinks(text, { version: '1.0.0', repository: { url: 'git+https://x.test/r.git' } }),
      '[a](https://x.test/r/blob/v1.0.0/docs/a.md#b) ![i](https://x.test/r/raw/v1.0.0/b.svg) ' +
        '[![j](https://x.test/r/raw/v1.0.0/c.svg)](https://x.test/r/blob/v1.0.0/d.md) [e](#f) [g](https://h.test)\n' +
        '[k]: https://x.test/r/blob/v1.0.0/docs/k.md\n'
    );
  });
});

describe('texts and workflows', () => {
  test('nothing advises to install a package for one platform: nobody may have published that name', () => {
    const files = ['README.md', ...['lib', 'docs'].flatMap((folder) => fs.readdirSync(path.join(ROOT, folder), { recursive: true }).map((file) => path.join(folder, file)))];
    const advising = files.filter((file) => /\.(js|md)$/.test(file)).filter((file) => /(npm|pnpm|yarn) (i|install|add) [^\n]*websocket-native/.test(read(file)));
    assert.deepStrictEqual(advising, []);
  });

  for (const file of fs.readdirSync(path.join(ROOT, '.github', 'workflows'))) {
    test(`${file} names each action by its commit, with the version beside it`, () => {
      const uses = [...read(`.github/workflows/${file}`).matchAll(/uses: (.*)$/gm)].map((match) => match[1]);
      assert.ok(uses.length > 0);
      assert.deepStrictEqual(uses.filter((text) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(text)), []);
    });
  }
});
