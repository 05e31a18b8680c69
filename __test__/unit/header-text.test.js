'use strict';

// What becomes of text that a program puts into a header.

const { test } = require('node:test');
const assert = require('node:assert');
const { headerText } = require('../../lib/internal/handshake/header-text');

const cases = [
  ['plain text stays', 'Not allowed: ; , = "x"', 'Not allowed: ; , = "x"'],
  ['a tab stays', 'a\tb', 'a\tb'],
  ['line breaks are left out', 'a\r\nSet-Cookie: b\rc\nd', 'aSet-Cookie: bcd'],
  ['NUL and DEL are left out', 'a\0b\x7fc', 'abc'],
  ['Latin-1 stays', 'caf\xe9 \xa0\xff', 'caf\xe9 \xa0\xff'],
  ['what is not Latin-1 becomes a question mark', 'a€b', 'a?b'],
  ['a character whose low bytes are a line break becomes a question mark', 'a\u010d\u010aX: y', 'a??X: y'],
  ['a character of two UTF-16 units becomes one question mark', 'a😀b', 'a?b'],
  ['half a surrogate pair becomes a question mark', 'a\ud83db', 'a?b'],
  ['numbers become text', 7, '7'],
  ['lists become text', ['a', 'b\n'], 'a,b'],
  ['null becomes text', null, 'null'],
  ['nothing stays nothing', '', ''],
];
for (const [name, value, expected] of cases) {
  test(name, () => assert.strictEqual(headerText(value), expected));
}

test('of all characters, what is left is a tab, visible Latin-1 and C1, in one byte each', () => {
  for (let code = 0; code <= 0xffff; code++) {
    const text = headerText(String.fromCharCode(code));
    const dropped = (code < 0x20 && code !== 9) || code === 0x7f;
    const expected = dropped ? '' : code > 0xff ? '?' : String.fromCharCode(code);
    if (text !== expected) assert.fail(`U+${code.toString(16)} became ${JSON.stringify(text)}`);
  }
});
