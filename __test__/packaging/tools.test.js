'use strict';

// The parts of the project's scripts that decide whether something passes.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { isAllowed, stringArray } = require('../../scripts/check-crates');
const { readTap } = require('../../scripts/internal/upstream-runners');

describe('the licence check', () => {
  const allowed = new Set(['MIT', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'Unicode-3.0']);
  const cases = [
    ['MIT', true],
    ['GPL-3.0', false],
    ['', false],
    ['MIT OR GPL-3.0', true],
    ['GPL-3.0 OR MIT', true],
    ['MIT/GPL-3.0', true],
    ['MIT AND GPL-3.0', false],
    ['(MIT OR GPL-3.0) AND Unicode-3.0', true],
    ['(MIT OR GPL-3.0) AND LGPL-3.0', false],
    ['MIT OR GPL-3.0 AND LGPL-3.0', true],
    ['Apache-2.0 WITH LLVM-exception', true],
    ['MIT WITH LLVM-exception', false],
    ['MIT GPL-3.0', false]
  ];
  for (const [expression, expected] of cases) {
    test(`${expected ? 'accepts' : 'refuses'} "${expression}"`, () => {
      assert.strictEqual(isAllowed(expression, allowed), expected);
    });
  }

  test('reads the lists of deny.toml by section and ignores comments in them', () => {
    const toml = '[a]\nallow = ["X"]\n\n[b]\n# [c]\nallow = [\n  "Y", # why\n  # "Z",\n  "W",\n]\n';
    assert.deepStrictEqual(stringArray(toml, 'a', 'allow'), ['X']);
    assert.deepStrictEqual(stringArray(toml, 'b', 'allow'), ['Y', 'W']);
    assert.throws(() => stringArray(toml, 'c', 'allow'), /no allow in \[c\]/);
  });
});

describe("the reader of tape's output", () => {
  const summary = '\n1..3\n# tests 3\n# pass  2\n# fail  1\n';
  const statuses = (text) => readTap('file.js', text).map(({ name, status }) => [name, status]);

  test('gives each test the worst of its assertions', () => {
    const text = 'TAP version 13\n# one\nok 1 a\nnot ok 2 b\nok 3 c\n# two\nok 4 d\n';
    assert.deepStrictEqual(statuses(text + summary), [['one', 'fail'], ['two', 'pass']]);
  });

  test('leaves out tests without assertions of their own, and the summary', () => {
    assert.deepStrictEqual(statuses(`# container\n# setup\n# inner\nok 1 a\n# teardown\n${summary}`), [['inner', 'pass']]);
  });

  test('reports skipped tests as skipped', () => {
    assert.deepStrictEqual(statuses(`# SKIP later\n# other\nok 1 a\n${summary}`), [['later', 'skip'], ['other', 'pass']]);
  });

  test('reports a test that was cut off by a crash as it stood', () => {
    assert.deepStrictEqual(statuses('# one\nok 1 a\n# two\n'), [['one', 'pass']]);
  });

  test('keeps the details of a failure', () => {
    const [{ detail }] = readTap('file.js', `# one\nnot ok 1 a\n  ---\n    operator: equal\n  ...\n${summary}`);
    assert.match(detail, /not ok 1 a\n[\s\S]*operator: equal/);
  });
});
