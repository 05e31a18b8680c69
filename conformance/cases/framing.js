'use strict';

// 1.* Frames and their lengths (RFC 6455 section 5.2). 8.* What of it Autobahn has no cases for: masking, and lengths
// that are not written in the fewest bytes or lie.

const { text, binary, ping, pong, close, last, unfinished, gets, echoes, fails, seen, failed, family } = require('./expect');

const SECTION = 'RFC 6455 5.2';
const LENGTHS = [0, 1, 2, 125, 126, 127, 128, 255, 256, 4095, 65534, 65535, 65536, 65537, 100000];
const CHOPS = [1, 2, 3, 7, 997];

const star = (length) => '*'.repeat(length);
const octets = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + 0x80) & 0xff));

const texts = family('1.1', SECTION, LENGTHS.map((length) => ({
  title: `a text message of ${length} bytes is echoed`,
  steps: () => [text(star(length))],
  expect: echoes(gets.text(star(length))),
})));

const binaries = family('1.2', SECTION, LENGTHS.map((length) => ({
  title: `a binary message of ${length} bytes is echoed`,
  steps: () => [binary(octets(length))],
  expect: echoes(gets.binary(octets(length))),
})));

const chopped = family('1.3', SECTION, CHOPS.flatMap((chop) => LENGTHS.filter((length) => length / chop < 1100).map((length) => ({
  title: `a text message of ${length} bytes in segments of ${chop} is echoed`,
  steps: () => [text(star(length))],
  chop,
  expect: echoes(gets.text(star(length))),
}))));

const joined = family('1.4', SECTION, [2, 10, 100, 1000].map((count) => ({
  title: `${count} messages in one segment are echoed in order`,
  steps: () => Array.from({ length: count }, (_, i) => text(`message ${i}`)),
  joined: true,
  expect: echoes(...Array.from({ length: count }, (_, i) => gets.text(`message ${i}`))),
})));

const keys = family('1.5', 'RFC 6455 5.3', [
  ['00000000'], ['ffffffff'], ['00ff00ff'], ['01020304'], ['80000000'], ['00000001'],
].flatMap(([hex]) => [0, 1, 3, 4, 5, 8, 125, 1000].map((length) => ({
  title: `masking key ${hex} over ${length} bytes`,
  roles: ['server'],
  steps: () => [text(star(length), { mask: Buffer.from(hex, 'hex') })],
  expect: echoes(gets.text(star(length))),
}))));

const FRAMES = [
  ['text', text('masked?')], ['an empty text', text()], ['binary', binary('masked?')], ['a fragment', text('masked?', unfinished)],
  ['ping', ping('masked?')], ['an empty ping', ping()], ['pong', pong('masked?')], ['close', close(1000)], ['an empty close', close(null)],
];
const masks = family('8.1', 'RFC 6455 5.1', FRAMES.flatMap(([what, frame]) => [
  {
    title: `${what}: a frame that is masked although it must not be, or the other way round, fails the connection`,
    steps: [{ ...frame, mask: 'wrong' }],
    expect: fails(1002),
  },
  {
    title: `${what}: the same after a good message`,
    steps: [text('good'), seen(1), { ...frame, mask: 'wrong' }],
    expect: fails(1002, gets.text('good')),
  },
]).concat([
  {
    title: 'a continuation that is wrongly masked fails the connection',
    steps: [text('half', unfinished), last('other', { mask: 'wrong' })],
    expect: fails(1002),
  },
  {
    title: 'a wrongly masked frame is refused at its second byte',
    steps: [{ frame: text('never sent', { mask: 'wrong' }), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  },
  {
    title: 'a key of zeros is a mask too',
    roles: ['server'],
    steps: [text('plain', { mask: Buffer.alloc(4) })],
    expect: echoes(gets.text('plain')),
  },
]));

const nonMinimal = family('8.2', SECTION, [
  [16, 0], [16, 1], [16, 5], [16, 124], [16, 125], [64, 0], [64, 1], [64, 125], [64, 126], [64, 1000], [64, 65534], [64, 65535],
].flatMap(([lengthBits, length]) => [
  {
    title: `a text of ${length} bytes with its length in ${lengthBits} bits fails the connection`,
    steps: () => [text(star(length), { lengthBits })],
    expect: fails(1002),
  },
  {
    title: `a continuation of ${length} bytes with its length in ${lengthBits} bits fails the connection`,
    steps: () => [text('', unfinished), last(star(length), { lengthBits })],
    expect: fails(1002),
  },
]).concat([
  ...[16, 64].map((lengthBits) => ({
    title: `a ping with its length in ${lengthBits} bits fails the connection`,
    section: 'RFC 6455 5.5',
    steps: [ping('short', { lengthBits })],
    expect: fails(1002),
  })),
  ...[16, 64].map((lengthBits) => ({
    title: `a Close frame with its length in ${lengthBits} bits fails the connection`,
    section: 'RFC 6455 5.5',
    steps: [close(1000, '', { lengthBits })],
    expect: fails(1002),
  })),
]));

const MAX = (1n << 63n) - 1n;
const lying = family('8.3', SECTION, [
  ...[1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n].map((declaredLength) => ({
    title: `a length of ${declaredLength}, whose most significant bit is set, fails the connection`,
    steps: [binary('', { declaredLength, lengthBits: 64 })],
    expect: fails([1002, 1009]),
  })),
  ...[1n << 31n, 1n << 32n, (1n << 53n) + 1n, MAX].map((declaredLength) => ({
    title: `a length of ${declaredLength} that is announced: refused as too big, or waited for`,
    section: 'RFC 6455 10.4',
    steps: [binary('', { declaredLength, lengthBits: 64 })],
    // The payload never comes.
    expect: [
      { verdict: 'OK', receives: [], closes: [1009] },
      { verdict: 'NON-STRICT', receives: [], closes: [1002], why: '1009 is the code for messages that are too big' },
      { verdict: 'INFORMATIONAL', receives: [], closes: 'dropped', why: 'the connection is dropped without a Close frame' },
      { verdict: 'INFORMATIONAL', receives: [], closes: 'open', why: 'the payload is waited for' },
    ],
  })),
  {
    title: 'the connection ends in the middle of a frame',
    section: 'RFC 6455 7.1.5',
    steps: [{ frame: text('half of this'), cut: 8 }],
    abort: true,
    expect: [
      { verdict: 'OK', receives: [], closes: 'dropped' },
      { verdict: 'OK', receives: [], closes: 'any' },
    ],
  },
]);

const control = family('8.4', 'RFC 6455 5.4', [
  {
    title: 'a length of 126 for a ping is refused at its second byte',
    steps: [{ frame: ping('x'.repeat(126)), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  },
  {
    title: 'a text frame of one segment for each byte, with a ping in the same segment as its last byte',
    steps: [{ frame: text('Hello'), cut: -1 }, { remainder: true }, ping('now')],
    expect: echoes(gets.text('Hello'), gets.pong('now')),
  },
  {
    title: 'a binary frame whose payload looks like frames is only a payload',
    steps: [binary(Buffer.from('880203e8 8180 8900 8a00 0000'.replace(/ /g, ''), 'hex'))],
    expect: echoes(gets.binary(Buffer.from('880203e8818089008a000000', 'hex'))),
  },
  {
    title: 'an empty text, an empty binary and an empty text are three messages',
    steps: [text(), binary(), text()],
    expect: echoes(gets.text(''), gets.binary(''), gets.text('')),
  },
  {
    title: 'a byte order mark is a part of the text',
    section: 'RFC 6455 8.1',
    steps: [text('\ufeffmark')],
    expect: echoes(gets.text('\ufeffmark')),
  },
  {
    title: 'U+0000 is a part of the text',
    section: 'RFC 6455 8.1',
    steps: [text('a\u0000b')],
    expect: echoes(gets.text('a\u0000b')),
  },
]);

module.exports = [...texts, ...binaries, ...chopped, ...joined, ...keys, ...masks, ...nonMinimal, ...lying, ...control];
