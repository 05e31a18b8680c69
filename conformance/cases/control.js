'use strict';

// 2.* Pings and pongs (RFC 6455 sections 5.5.2 and 5.5.3). 3.* Reserved bits. 4.* Opcodes (5.2).

const { text, binary, more, last, ping, pong, close, unfinished, gets, echoes, fails, failed, family } = require('./expect');

const x = (length) => 'x'.repeat(length);
const range = (count) => Array.from({ length: count }, (_, i) => i);
const pings = (count) => range(count).map((i) => ping(`ping ${i}`));
const pongs = (count) => range(count).map((i) => gets.pong(`ping ${i}`));

const pinging = family('2.1', 'RFC 6455 5.5.2', [
  { title: 'an empty ping is answered', steps: [ping()], expect: echoes(gets.pong()) },
  { title: 'a ping with text is answered with the same', steps: [ping('Hello')], expect: echoes(gets.pong('Hello')) },
  {
    title: 'a ping with binary data, no UTF-8, is answered with the same',
    steps: [ping(Buffer.from('00fffefdfcfb00ff', 'hex'))],
    expect: echoes(gets.pong(Buffer.from('00fffefdfcfb00ff', 'hex'))),
  },
  { title: 'a ping of 125 bytes is answered', steps: [ping(x(125))], expect: echoes(gets.pong(x(125))) },
  { title: 'a ping of 126 bytes fails the connection', steps: [ping(x(126))], expect: fails(1002) },
  { title: 'a ping of 65536 bytes fails the connection', steps: () => [ping(x(65536))], expect: fails(1002) },
  { title: 'a ping of 125 bytes, byte by byte', steps: [ping(x(125))], chop: 1, expect: echoes(gets.pong(x(125))) },
  { title: 'a fragmented ping fails the connection', section: 'RFC 6455 5.4', steps: [ping('half', unfinished)], expect: fails(1002) },
  {
    title: 'a fragmented pong fails the connection', section: 'RFC 6455 5.4', steps: [pong('half', unfinished)], expect: fails(1002),
  },
  { title: 'ten pings are answered', steps: pings(10), expect: echoes(...pongs(10)) },
  { title: 'ten pings in one segment are answered', steps: pings(10), joined: true, expect: echoes(...pongs(10)) },
  { title: 'ten pings, byte by byte, are answered', steps: pings(10), chop: 1, expect: echoes(...pongs(10)) },
  { title: 'a thousand pings in one segment: the newest is answered', steps: pings(1000), joined: true, expect: echoes(...pongs(1000)) },
  {
    title: 'pings between messages: everything is answered',
    steps: range(5).flatMap((i) => [text(`text ${i}`), ping(`ping ${i}`)]),
    expect: echoes(...range(5).map((i) => gets.text(`text ${i}`)), ...pongs(5)),
  },
]);

const everyLength = family('2.2', 'RFC 6455 5.5.2', range(126).map((length) => ({
  title: `a ping of ${length} bytes is answered with the same`,
  steps: [ping(x(length))],
  expect: echoes(gets.pong(x(length))),
})));

const ponging = family('2.3', 'RFC 6455 5.5.3', [
  { title: 'an unsolicited empty pong is not answered', steps: [pong()], expect: echoes() },
  { title: 'an unsolicited pong with a payload is not answered', steps: [pong('unsolicited')], expect: echoes() },
  { title: 'a pong, then a ping', steps: [pong('unsolicited'), ping('asked')], expect: echoes(gets.pong('asked')) },
  { title: 'a pong of 125 bytes is taken', steps: [pong(x(125)), ping()], expect: echoes(gets.pong()) },
  { title: 'a pong of 126 bytes fails the connection', steps: [pong(x(126))], expect: fails(1002) },
  { title: 'a hundred pongs in one segment', steps: range(100).map(() => pong('p')).concat(ping('end')), joined: true, expect: echoes(gets.pong('end')) },
]);

const BITS = [1, 2, 3, 4, 5, 6, 7];
const withBits = [
  ['text', (rsv) => [text('reserved', { rsv })]],
  ['an empty text', (rsv) => [text('', { rsv })]],
  ['binary', (rsv) => [binary('reserved', { rsv })]],
  ['ping', (rsv) => [ping('reserved', { rsv })]],
  ['pong', (rsv) => [pong('reserved', { rsv })]],
  ['close', (rsv) => [close(1000, '', { rsv })]],
  ['the first fragment', (rsv) => [text('reserved', { rsv, ...unfinished })]],
  ['a continuation', (rsv) => [text('a', unfinished), last('b', { rsv })]],
  ['a continuation in the middle', (rsv) => [text('a', unfinished), more('b', { rsv }), last('c')]],
];
const bitName = (rsv) => rsv.toString(2).padStart(3, '0');

const reserved = [
  ...family('3.1', 'RFC 6455 5.2', withBits.flatMap(([what, frames]) => BITS.map((rsv) => ({
    title: `${what} with the reserved bits ${bitName(rsv)}, which no extension has given a meaning, fails the connection`,
    steps: frames(rsv),
    expect: fails(1002),
  })))),
  ...family('3.2', 'RFC 6455 5.2', BITS.flatMap((rsv) => [
    {
      title: `a good text, then one with the reserved bits ${bitName(rsv)}, then a ping`,
      steps: [text('good'), text('bad', { rsv }), ping('too late')],
      expect: fails(1002, gets.text('good')),
    },
    {
      title: `the same in one segment (${bitName(rsv)})`,
      steps: [text('good'), text('bad', { rsv }), ping('too late')],
      joined: true,
      expect: fails(1002, gets.text('good')),
    },
    {
      title: `the same byte by byte (${bitName(rsv)})`,
      steps: [text('good'), text('bad', { rsv })],
      chop: 1,
      expect: fails(1002, gets.text('good')),
    },
  ])),
  ...family('3.3', 'RFC 6455 5.2', BITS.map((rsv) => ({
    title: `the reserved bits ${bitName(rsv)} are refused when two bytes of the frame are there`,
    steps: [{ frame: text('a payload that is never sent', { rsv }), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  }))),
];

const DATA_OPCODES = [3, 4, 5, 6, 7];
const CONTROL_OPCODES = [11, 12, 13, 14, 15];
const opcodes = [
  ...family('4.1', 'RFC 6455 5.2', [...DATA_OPCODES, ...CONTROL_OPCODES].flatMap((opcode) => [
    { title: `the reserved opcode ${opcode} fails the connection`, steps: [{ opcode }], expect: fails(1002) },
    { title: `the reserved opcode ${opcode} with a payload`, steps: [{ opcode, payload: 'reserved' }], expect: fails(1002) },
    {
      title: `a good text, then the reserved opcode ${opcode}, then a ping`,
      steps: [text('good'), { opcode, payload: 'reserved' }, ping('too late')],
      expect: fails(1002, gets.text('good')),
    },
    {
      title: `the reserved opcode ${opcode} within a fragmented message`,
      steps: [text('half', unfinished), { opcode, payload: 'reserved' }, last('half')],
      expect: fails(1002),
    },
    {
      title: `a good text, then the reserved opcode ${opcode}, byte by byte`,
      steps: [text('good'), { opcode, payload: 'reserved' }],
      chop: 1,
      expect: fails(1002, gets.text('good')),
    },
    { title: `the reserved opcode ${opcode}, not final`, steps: [{ opcode, payload: 'reserved', fin: false }], expect: fails(1002) },
  ])),
  ...family('4.2', 'RFC 6455 5.2', [...DATA_OPCODES, ...CONTROL_OPCODES].map((opcode) => ({
    title: `the reserved opcode ${opcode} is refused when two bytes of the frame are there`,
    steps: [{ frame: { opcode, payload: 'a payload that is never sent' }, cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  }))),
];

module.exports = [...pinging, ...everyLength, ...ponging, ...reserved, ...opcodes];
