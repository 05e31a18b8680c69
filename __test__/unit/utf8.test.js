'use strict';

// Whether bytes are UTF-8 (RFC 3629), with the function of Node and, where there is none, with our own.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const buffer = require('buffer');

const file = require.resolve('../../lib/internal/base/utf8');

/** The module as it is on a Node without `buffer.isUtf8`. */
function withoutIsUtf8() {
  const cached = require.cache[file];
  const original = Object.getOwnPropertyDescriptor(buffer, 'isUtf8');
  delete require.cache[file];
  Object.defineProperty(buffer, 'isUtf8', { ...original, value: undefined });
  try {
    return require(file).isUtf8;
  } finally {
    if (original) Object.defineProperty(buffer, 'isUtf8', original);
    else delete buffer.isUtf8;
    if (cached) require.cache[file] = cached;
    else delete require.cache[file];
  }
}

const cases = [
  ['nothing', '', true], ['ASCII', '68656c6c6f00', true], ['two bytes', 'c3a9', true], ['three bytes', 'e282ac', true],
  ['four bytes', 'f09f9880', true], ['the last code point', 'f48fbfbf', true], ['a byte order mark', 'efbbbf', true],
  ['a lone continuation', '80', false], ['a cut character', 'e282', false], ['an overlong slash', 'c0af', false],
  ['an overlong three-byte form', 'e08080', false], ['a surrogate', 'eda080', false],
  ['beyond the last code point', 'f4908080', false], ['FE', 'fe', false], ['FF after text', '6161ff', false],
];
for (const [kind, isUtf8] of [['of Node', require(file).isUtf8], ['without one of Node', withoutIsUtf8()]]) {
  describe(`the function ${kind}`, () => {
    for (const [name, hex, valid] of cases) {
      test(`${name} ${valid ? 'is' : 'is not'} UTF-8`, () => assert.strictEqual(isUtf8(Buffer.from(hex, 'hex')), valid));
    }
  });
}

test('the two functions are not the same one where Node has its own', { skip: !buffer.isUtf8 && 'this Node has none' }, () => {
  assert.strictEqual(require(file).isUtf8, buffer.isUtf8);
  assert.notStrictEqual(withoutIsUtf8(), buffer.isUtf8);
});
