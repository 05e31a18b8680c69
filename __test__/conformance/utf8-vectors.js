'use strict';

// Byte sequences by RFC 3629 (UTF-8). `invalid` names the index of the first byte at which the sequence can no longer be
// the beginning of valid text; Infinity where it is only wrong because nothing follows.

const bytes = (...values) => Buffer.from(values.flat());
const char = (codePoint) => Buffer.from(String.fromCodePoint(codePoint));

/** [what, bytes] */
const valid = [
  ['ASCII', Buffer.from('Hello, world! \t\r\n~')],
  ['U+0000', bytes(0)],
  ['U+007F, the last of one byte', char(0x7f)],
  ['U+0080, the first of two bytes', char(0x80)],
  ['U+07FF, the last of two bytes', char(0x7ff)],
  ['U+0800, the first of three bytes', char(0x800)],
  ['U+D7FF, the last before the surrogates', char(0xd7ff)],
  ['U+E000, the first after the surrogates', char(0xe000)],
  ['U+FEFF, the byte order mark', char(0xfeff)],
  ['U+FFFD, the replacement character', char(0xfffd)],
  ['U+FFFE and U+FFFF, noncharacters', Buffer.concat([char(0xfffe), char(0xffff)])],
  ['U+10000, the first of four bytes', char(0x10000)],
  ['U+1FFFE, a noncharacter', char(0x1fffe)],
  ['U+10FFFF, the last', char(0x10ffff)],
  ['the first of every lead byte', Buffer.concat([0x80, 0xc0, 0x800, 0x1000, 0x10000, 0x40000, 0x100000].map(char))],
  ['all lengths in turn', Buffer.from('aä€𝄞𝄞€äa')],
  ['Greek', Buffer.from('κόσμε')],
  ['combining characters', Buffer.from('e\u0301\u0323')],
];

/** [what, bytes, index of the byte that decides] */
const invalid = [
  ['a lone continuation byte 80', bytes(0x80), 0],
  ['a lone continuation byte BF', bytes(0xbf), 0],
  ['a continuation byte too many', bytes(0xc3, 0xa4, 0xa4), 2],
  ['the byte FE', bytes(0xfe), 0],
  ['the byte FF', bytes(0xff), 0],
  ['the overlong form C0 80 of U+0000', bytes(0xc0, 0x80), 0],
  ['the overlong form C1 BF', bytes(0xc1, 0xbf), 0],
  ['the overlong form E0 80 80', bytes(0xe0, 0x80, 0x80), 1],
  ['the overlong form E0 9F BF', bytes(0xe0, 0x9f, 0xbf), 1],
  ['the overlong form F0 80 80 80', bytes(0xf0, 0x80, 0x80, 0x80), 1],
  ['the overlong form F0 8F BF BF', bytes(0xf0, 0x8f, 0xbf, 0xbf), 1],
  ['the first surrogate ED A0 80', bytes(0xed, 0xa0, 0x80), 1],
  ['the last surrogate ED BF BF', bytes(0xed, 0xbf, 0xbf), 1],
  ['a pair of surrogates', bytes(0xed, 0xa0, 0xb4, 0xed, 0xb4, 0x9e), 1],
  ['F4 90 80 80, above U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80), 1],
  ['F5 80 80 80', bytes(0xf5, 0x80, 0x80, 0x80), 0],
  ['F7 BF BF BF', bytes(0xf7, 0xbf, 0xbf, 0xbf), 0],
  ['five bytes F8', bytes(0xf8, 0x88, 0x80, 0x80, 0x80), 0],
  ['six bytes FC', bytes(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80), 0],
  ['two bytes interrupted', bytes(0xc3, 0x41), 1],
  ['three bytes interrupted after one', bytes(0xe2, 0x41), 1],
  ['three bytes interrupted after two', bytes(0xe2, 0x82, 0x41), 2],
  ['four bytes interrupted after three', bytes(0xf0, 0x9f, 0x98, 0x41), 3],
  ['a lead byte after a lead byte', bytes(0xe2, 0xe2), 1],
  ['broken text after good text', Buffer.concat([Buffer.from('äöü'), bytes(0xed, 0xa0, 0x80)]), 7],
  ['two bytes cut short', bytes(0xc3), Infinity],
  ['three bytes cut short after one', bytes(0x61, 0xe2), Infinity],
  ['three bytes cut short after two', bytes(0xe2, 0x82), Infinity],
  ['four bytes cut short after three', bytes(0xf0, 0x9f, 0x98), Infinity],
];

module.exports = { valid, invalid };
