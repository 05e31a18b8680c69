'use strict';

// Status codes and reasons of Close frames (RFC 6455 sections 5.5 and 7.4).

const { describe, test } = require('node:test');
const assert = require('node:assert');
const closeCodes = require('../../lib/internal/base/close-codes');

const { checkReason, defineCloseCodes, isSendableCloseCode, truncateReason } = closeCodes;

test('a close frame may carry 1000–1003, 1007–1014 and 3000–4999, and no other code', () => {
  const sendable = [];
  for (let code = -1; code <= 65536; code++) if (isSendableCloseCode(code)) sendable.push(code);
  const expected = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
  for (let code = 3000; code <= 4999; code++) expected.push(code);
  assert.deepStrictEqual(sendable, expected);
});

for (const value of [1000.5, NaN, Infinity, '1000', null, undefined, true, [1000], {}, 1000n]) {
  test(`${typeof value} ${String(value)} is no status code`, () => assert.strictEqual(isSendableCloseCode(value), false));
}

describe('a reason that is too long ends with a whole character', () => {
  const cases = [
    ['an empty one is left', '', ''],
    ['123 bytes are left', 'x'.repeat(123), 'x'.repeat(123)],
    ['124 bytes lose one', 'x'.repeat(124), 'x'.repeat(123)],
    ['two bytes a character, at an even place', 'é'.repeat(100), 'é'.repeat(61)],
    ['two bytes a character that just fits', `x${'é'.repeat(100)}`, `x${'é'.repeat(61)}`],
    ['three bytes a character', '€'.repeat(50), '€'.repeat(41)],
    ['three bytes a character, one byte over', `x${'€'.repeat(41)}`, `x${'€'.repeat(40)}`],
    ['three bytes a character, two bytes over', `xx${'€'.repeat(41)}`, `xx${'€'.repeat(40)}`],
    ['four bytes a character', '😀'.repeat(40), '😀'.repeat(30)],
    ['four bytes a character, one byte missing', `${'x'.repeat(120)}😀`, 'x'.repeat(120)],
    ['four bytes a character that just fits', `${'x'.repeat(119)}😀y`, `${'x'.repeat(119)}😀`],
  ];
  for (const [name, reason, expected] of cases) {
    test(name, () => {
      assert.strictEqual(truncateReason(reason), expected);
      assert.ok(Buffer.byteLength(truncateReason(reason)) <= closeCodes.MAX_REASON_LENGTH);
    });
  }
});

describe('a description', () => {
  for (const [name, value] of [['of 123 bytes', 'x'.repeat(123)], ['of 41 characters with 123 bytes', '€'.repeat(41)],
    ['that is empty', ''], ['that is missing', undefined], ['that is null', null], ['that is a number', 1e200]]) {
    test(`${name} is taken`, () => assert.doesNotThrow(() => checkReason(value)));
  }
  for (const [value, length] of [['x'.repeat(124), 124], ['é'.repeat(62), 124], ['😀'.repeat(31), 124], ['x'.repeat(5000), 5000]]) {
    test(`of ${value.length} UTF-16 units and ${length} bytes is refused`, () => {
      assert.throws(() => checkReason(value), {
        name: 'Error',
        message: `The description of a close must not be longer than 123 bytes in UTF-8, this one has ${length}.`,
      });
    });
  }
});

test('every constant has a description, and the two names for 1009 are one code', () => {
  const target = {};
  defineCloseCodes(target);
  const codes = Object.entries(target).filter(([name]) => name.startsWith('CLOSE_REASON_')).map(([, code]) => code);
  assert.deepStrictEqual([...new Set(codes)].map(String), Object.keys(target.CLOSE_DESCRIPTIONS));
  assert.deepStrictEqual(Object.keys(target.CLOSE_DESCRIPTIONS).map(Number),
    [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1015]);
  assert.strictEqual(target.CLOSE_REASON_MESSAGE_TOO_LARGE, target.CLOSE_REASON_MESSAGE_TOO_BIG);
  assert.strictEqual(target.CLOSE_DESCRIPTIONS[1000], 'Normal connection closure');
});
