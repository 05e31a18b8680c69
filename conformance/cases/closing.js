'use strict';

// 7.* The closing handshake (RFC 6455 sections 5.5.1, 7.1 and 7.4).

const { text, binary, last, ping, pong, close, unfinished, gets, echoes, fails, seen, family } = require('./expect');

const CLOSING = 'RFC 6455 5.5.1';
const CODES = 'RFC 6455 7.4';
const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
/** In the registry since RFC 6455; peers written to the letter of it may refuse them. */
const REGISTERED = [1012, 1013, 1014];
const INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65535];

const handshake = family('7.1', CLOSING, [
  { title: 'a Close frame without a code is answered', steps: [close(null)], expect: echoes() },
  { title: 'a message, then a Close frame', steps: [text('first'), close(1000)], expect: echoes(gets.text('first')) },
  { title: 'a message and a Close frame in one segment', steps: [text('first'), close(1000)], joined: true, expect: echoes(gets.text('first')) },
  { title: 'a Close frame, byte by byte', steps: [close(1000, 'byte by byte')], chop: 1, expect: echoes() },
  { title: 'two Close frames: one answer', steps: [close(1000), close(1000)], joined: true, expect: echoes() },
  { title: 'a ping after the Close frame is not answered', steps: [close(1000), ping('late')], joined: true, expect: echoes() },
  { title: 'a pong after the Close frame is nothing', steps: [close(1000), pong('late')], joined: true, expect: echoes() },
  { title: 'a message after the Close frame is not echoed', steps: [close(1000), text('late')], joined: true, expect: echoes() },
  { title: 'a binary message after the Close frame is not echoed', steps: [close(1000), binary('late')], joined: true, expect: echoes() },
  { title: 'nonsense after the Close frame changes nothing', steps: [close(1000), Buffer.alloc(64, 0xff)], joined: true, expect: echoes() },
  { title: 'a Close frame within a fragmented message', steps: [text('half', unfinished), close(1000)], expect: echoes() },
  {
    title: 'a Close frame within a fragmented message, and the rest of that after it',
    steps: [text('half', unfinished), close(1000), last('late')],
    joined: true,
    expect: echoes(),
  },
  {
    title: 'a message of 256 KiB, then a Close frame at once',
    steps: () => [binary(Buffer.alloc(1 << 18, 7)), close(1000)],
    weight: 1,
    expect: [
      { verdict: 'OK', receives: [gets.binary(Buffer.alloc(1 << 18, 7))] },
      { verdict: 'NON-STRICT', receives: [], why: 'the message is not echoed before the Close frame' },
    ],
  },
  {
    title: 'a hundred messages, then a Close frame, in one segment: all are echoed',
    steps: () => Array.from({ length: 100 }, (_, i) => text(`m${i}`)).concat(close(1000)),
    joined: true,
    expect: [
      { verdict: 'OK', receives: Array.from({ length: 100 }, (_, i) => gets.text(`m${i}`)) },
      { verdict: 'NON-STRICT', receives: Array.from({ length: 100 }, (_, i) => gets.text(`m${i}`)), prefix: true, why: 'not all is echoed before the Close frame' },
    ],
  },
]);

const codes = family('7.2', CODES, VALID.flatMap((code) => [
  { title: `close code ${code} is answered`, steps: [close(code)], expect: echoes() },
  { title: `close code ${code} with a reason is answered`, steps: [close(code, 'a reason, für dich')], expect: echoes() },
]));

const registered = family('7.3', 'RFC 6455 7.4.2, 11.7', REGISTERED.map((code) => ({
  title: `close code ${code}, registered after the RFC`,
  steps: [close(code)],
  expect: [
    { verdict: 'OK', receives: [], closes: 'any' },
    { verdict: 'INFORMATIONAL', receives: [], closes: 'dropped', why: 'is refused without an answer' },
  ],
})));

const invalidCodes = family('7.4', CODES, INVALID.flatMap((code) => [
  { title: `close code ${code}, which must not be sent, fails the connection`, steps: [close(code)], expect: fails(1002) },
  {
    title: `close code ${code} with a reason, after a message`,
    steps: [text('good'), seen(1), close(code, 'reason')],
    expect: fails(1002, gets.text('good')),
  },
]));

const payloads = family('7.5', CLOSING, [
  { title: 'a Close frame of one byte fails the connection', steps: [{ ...close(null), payload: Buffer.from([0x03]) }], expect: fails(1002) },
  { title: 'a reason of 123 bytes', steps: [close(1000, 'r'.repeat(123))], expect: echoes() },
  { title: 'a reason of 123 bytes that ends in a character of four', steps: [close(1000, `${'r'.repeat(119)}𝄞`)], expect: echoes() },
  { title: 'a reason of 124 bytes fails the connection', steps: [close(1000, 'r'.repeat(124))], expect: fails(1002) },
  { title: 'a reason of 1000 bytes fails the connection', steps: [close(1000, 'r'.repeat(1000))], expect: fails(1002) },
  { title: 'a fragmented Close frame fails the connection', section: 'RFC 6455 5.4', steps: [close(1000, 'half', unfinished)], expect: fails(1002) },
  ...[0, 1, 2, 3, 60, 122].map((length) => ({
    title: `a reason of ${length} bytes`, steps: [close(1000, 'r'.repeat(length))], expect: echoes(),
  })),
]);

const streams = family('7.6', 'RFC 6455 7.1.4', [
  {
    title: 'the end of the stream without a Close frame ends the connection',
    steps: [text('good'), seen(1)],
    abort: true,
    expect: [
      { verdict: 'OK', receives: [gets.text('good')], closes: 'dropped' },
      { verdict: 'OK', receives: [gets.text('good')], closes: 'any' },
    ],
  },
  {
    title: 'the end of the stream within a fragmented message',
    steps: [text('good'), seen(1), text('half', unfinished)],
    abort: true,
    expect: [
      { verdict: 'OK', receives: [gets.text('good')], closes: 'dropped' },
      { verdict: 'OK', receives: [gets.text('good')], closes: 'any' },
    ],
  },
]);

module.exports = [...handshake, ...codes, ...registered, ...invalidCodes, ...payloads, ...streams];
