'use strict';

// The links between the pages of the documentation.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT, PAGES } = require('./snippets');

/** The text of a page without its code blocks. */
const proseOf = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');

/** The anchors that a forge makes of the headings of a page. */
function anchorsOf(page) {
  return proseOf(page).split('\n').filter((line) => /^#{1,6} /.test(line)).map((line) =>
    line.replace(/^#+ /, '').toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-'));
}

for (const page of PAGES) {
  test(`${page}: every relative link leads to a file and a heading`, () => {
    for (const [, target] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const linked = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      assert.ok(fs.existsSync(path.join(ROOT, linked)), `${target} does not exist`);
      if (anchor !== undefined) assert.ok(anchorsOf(linked).includes(anchor), `${target}: no such heading among ${anchorsOf(linked)}`);
    }
  });
}

test('docs/README.md names every page', () => {
  const index = fs.readFileSync(path.join(ROOT, 'docs/README.md'), 'utf8');
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md').map((page) => page.slice('docs/'.length));
  assert.deepStrictEqual(pages.filter((page) => !index.includes(`(${page})`)), []);
});
