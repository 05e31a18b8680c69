'use strict';

// The documentation itself: links lead somewhere, examples are JavaScript.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const ROOT = path.resolve(__dirname, '../..');
const pages = [
  'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md',
  ...fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];

/** The text of a page without its code blocks. */
const proseOf = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');

/** The anchors that a forge makes of the headings of a page. */
function anchorsOf(page) {
  return proseOf(page).split('\n').filter((line) => /^#{1,6} /.test(line)).map((line) =>
    line.replace(/^#+ /, '').toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-'));
}

for (const page of pages) {
  test(`${page}: every relative link leads to a file and a heading`, () => {
    for (const [, target] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const linked = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      assert.ok(fs.existsSync(path.join(ROOT, linked)), `${target} does not exist`);
      if (anchor !== undefined) assert.ok(anchorsOf(linked).includes(anchor), `${target}: no such heading among ${anchorsOf(linked)}`);
    }
  });

  test(`${page}: the examples are JavaScript`, () => {
    const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
    for (const [, code] of text.matchAll(/^```js\n([^]*?)^```/gm)) {
      const { diagnostics } = ts.transpileModule(code, { reportDiagnostics: true, fileName: 'example.js', compilerOptions: { allowJs: true } });
      assert.deepStrictEqual(diagnostics.map((diagnostic) => `${diagnostic.messageText} in\n${code}`), []);
    }
  });
}
