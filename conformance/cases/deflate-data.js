'use strict';

// 14.* What compressed data may and may not look like (RFC 7692 section 7.2), and the use of RSV1 (sections 6 and 7.2.3).

const zlib = require('zlib');
const { OPCODE, text, binary, more, last, ping, pong, close, unfinished, gets, echoes, fails, failed, family } = require('./expect');

const RSV1 = { rsv: 4 };
const OFFER = { offer: 'permessage-deflate', answer: {} };
const NO_TAKEOVER = {
  offer: 'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
  answer: { client_no_context_takeover: true, server_no_context_takeover: true },
};
/** The RFC names no code; these are the two that say what is wrong. */
const BROKEN = [1007, 1002];

const hex = (string) => Buffer.from(string.replace(/ /g, ''), 'hex');
const raw = (data, options) => zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
const withoutTail = (data) => data.subarray(0, data.length - 4);
const HELLO = hex('f2 48 cd c9 c9 07 00');

const withDeflate = (rows, deflate = OFFER) => rows.map((row) => ({ deflate, ...row }));

const examples = family('14.1', 'RFC 7692 7.2.3', withDeflate([
  { title: '"Hello" in one frame', section: 'RFC 7692 7.2.3.1', steps: [text(HELLO, RSV1)], expect: echoes(gets.text('Hello')) },
  {
    title: '"Hello" in two fragments: only the first has RSV1',
    section: 'RFC 7692 7.2.3.1',
    steps: [text(HELLO.subarray(0, 3), { ...RSV1, ...unfinished }), last(HELLO.subarray(3))],
    expect: echoes(gets.text('Hello')),
  },
  {
    title: '"Hello" twice, the second time by reference to the first',
    section: 'RFC 7692 7.2.3.2',
    steps: [text(HELLO, RSV1), text(hex('f2 00 11 00 00'), RSV1)],
    expect: echoes(gets.text('Hello'), gets.text('Hello')),
  },
  {
    title: '"Hello" in a block without compression',
    section: 'RFC 7692 7.2.3.3',
    steps: [text(hex('00 05 00 fa ff 48 65 6c 6c 6f 00'), RSV1)],
    expect: echoes(gets.text('Hello')),
  },
  {
    title: '"Hello" in a block with BFINAL set',
    section: 'RFC 7692 7.2.3.4',
    steps: [text(hex('f3 48 cd c9 c9 07 00 00'), RSV1)],
    expect: echoes(gets.text('Hello')),
  },
  {
    title: 'two messages, each in a block with BFINAL set',
    section: 'RFC 7692 7.2.3.4',
    steps: [text(hex('f3 48 cd c9 c9 07 00 00'), RSV1), text(hex('f3 48 cd c9 c9 07 00 00'), RSV1)],
    expect: echoes(gets.text('Hello'), gets.text('Hello')),
  },
  {
    title: '"Hello" in two blocks',
    section: 'RFC 7692 7.2.3.5',
    steps: [text(hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00'), RSV1)],
    expect: echoes(gets.text('Hello')),
  },
  { title: 'an empty message is one byte of zero', section: 'RFC 7692 7.2.3.6', steps: [text(hex('00'), RSV1)], expect: echoes(gets.text('')) },
  { title: 'an empty message of a fixed block', section: 'RFC 7692 7.2.1', steps: [text(hex('02 00'), RSV1)], expect: echoes(gets.text('')) },
  {
    title: 'an empty first fragment, then all',
    section: 'RFC 7692 7.2.1',
    steps: [text('', { ...RSV1, ...unfinished }), last(HELLO)],
    expect: echoes(gets.text('Hello')),
  },
  {
    title: 'an empty last fragment',
    section: 'RFC 7692 7.2.1',
    steps: [text(HELLO, { ...RSV1, ...unfinished }), more(''), last('')],
    expect: echoes(gets.text('Hello')),
  },
  {
    title: 'every byte a fragment, with pings between them',
    section: 'RFC 7692 6.1',
    steps: [text(HELLO.subarray(0, 1), { ...RSV1, ...unfinished }), ...Array.from({ length: 5 }, (_, i) => [ping(String(i)), more(HELLO.subarray(i + 1, i + 2))]).flat(), last(HELLO.subarray(6))],
    joined: true,
    expect: echoes(gets.text('Hello'), ...Array.from({ length: 5 }, (_, i) => gets.pong(String(i)))),
  },
  { title: 'many empty blocks', steps: [text(Buffer.concat([Buffer.alloc(1), ...Array.from({ length: 200 }, () => hex('00 00 ff ff 00'))]), RSV1)], expect: echoes(gets.text('')) },
  {
    title: 'a reference of the greatest distance, 32768 bytes back',
    steps: () => {
      const data = Buffer.concat([Buffer.from('start of the window'), Buffer.alloc(32768 - 262 - 19, 'x'), Buffer.from('start of the window')]);
      return [binary(withoutTail(raw(data, { windowBits: 15, level: 9 })), RSV1)];
    },
    expect: echoes(gets.binary(Buffer.concat([Buffer.from('start of the window'), Buffer.alloc(32768 - 262 - 19, 'x'), Buffer.from('start of the window')]))),
  },
  ...[1, 6, 9].map((level) => ({
    title: `compressed at level ${level}`,
    steps: [{ compressed: { payload: 'level level level level', level } }],
    expect: echoes(gets.text('level level level level')),
  })),
]));

const bits = family('14.2', 'RFC 7692 6', withDeflate([
  { title: 'a message without RSV1 is not compressed', steps: [text('plain')], expect: echoes(gets.text('plain')) },
  { title: 'a ping with RSV1 fails the connection', steps: [ping('x', RSV1)], expect: fails(1002) },
  { title: 'a pong with RSV1 fails the connection', steps: [pong('x', RSV1)], expect: fails(1002) },
  { title: 'a Close frame with RSV1 fails the connection', steps: [close(1000, '', RSV1)], expect: fails(1002) },
  {
    title: 'a continuation with RSV1 of a compressed message fails the connection',
    steps: [text(HELLO.subarray(0, 3), { ...RSV1, ...unfinished }), last(HELLO.subarray(3), RSV1)],
    expect: fails(1002),
  },
  {
    title: 'a continuation with RSV1 of a message that is not compressed fails the connection',
    steps: [text('pla', unfinished), last('in', RSV1)],
    expect: fails(1002),
  },
  {
    title: 'the same, not final',
    steps: [text('pla', unfinished), more('in', RSV1)],
    expect: fails(1002),
  },
  ...[1, 2, 3, 5, 6, 7].map((rsv) => ({
    title: `reserved bits ${rsv.toString(2).padStart(3, '0')} still fail the connection`,
    section: 'RFC 6455 5.2',
    steps: [text(HELLO, { rsv })],
    expect: fails(1002),
  })),
  {
    title: 'a continuation with RSV1 is refused when two bytes of it are there',
    steps: [text('pla', unfinished), { frame: last('never sent', RSV1), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  },
  {
    title: 'RSV1 of an opcode that is reserved',
    section: 'RFC 6455 5.2',
    steps: [{ opcode: 3, payload: HELLO, rsv: 4 }],
    expect: fails(1002),
  },
]));

const wrong = family('14.3', 'RFC 7692 7.2.2', withDeflate([
  ['a block of the reserved type', hex('07 00')],
  ['a block of the reserved type after a good one', Buffer.concat([raw(Buffer.from('good')), hex('07')])],
  ['a stored block whose lengths do not agree', hex('00 05 00 00 00 48 65 6c 6c 6f 00')],
  ['a reference to before the first byte', hex('f2 00 11 00 00')],
  ['a distance code that does not exist', hex('4b 04 7d 00')],
  ['a dynamic block with too many codes', hex('fd ff ff ff ff')],
  ['a dynamic block with a code that is oversubscribed', hex('04 00 fe ff')],
  ['bytes of FF', Buffer.alloc(64, 0xff)],
  ['text that is not compressed at all', Buffer.from('this is just text')],
  ['a stored block that is cut short', hex('00 05 00 fa ff 48 65')],
].map(([what, payload]) => ({
  title: `${what} fails the connection`, steps: [text(payload, RSV1)], expect: fails(BROKEN),
})).concat([
  {
    title: 'broken data in the second of three fragments',
    steps: [text(HELLO.subarray(0, 3), { ...RSV1, ...unfinished }), more(Buffer.alloc(16, 0xff)), last('')],
    expect: fails(BROKEN),
  },
  {
    title: 'broken data after a good message',
    steps: [text(HELLO, RSV1), text(hex('07 00'), RSV1)],
    expect: fails(BROKEN, gets.text('Hello')),
  },
  {
    title: 'broken data in an empty compressed frame after a good message in one segment',
    steps: [text(HELLO, RSV1), text(hex('07'), RSV1)],
    joined: true,
    expect: fails(BROKEN, gets.text('Hello')),
  },
])));

const textInside = family('14.4', 'RFC 6455 8.1', withDeflate([
  ['a lone continuation byte', hex('80')], ['a surrogate', hex('ed a0 80')], ['a character cut short', hex('61 e2 82')], ['the byte FF', hex('61 ff')],
].flatMap(([what, data]) => [
  { title: `text that is not UTF-8 once it is inflated (${what})`, steps: [{ compressed: { payload: data } }], expect: fails(1007) },
  {
    title: `the same in a binary message is echoed (${what})`,
    steps: [{ compressed: { opcode: OPCODE.BINARY, payload: data } }],
    expect: echoes(gets.binary(data)),
  },
  {
    title: `the same over fragments (${what})`,
    steps: [{ compressed: { payload: Buffer.concat([Buffer.from('good '.repeat(40)), data]), fragments: 5 } }],
    expect: fails(1007),
  },
]).concat([
  {
    title: 'a character over the border of two fragments',
    steps: [{ compressed: { payload: Buffer.from('€'), fragments: 5 } }],
    expect: echoes(gets.text('€')),
  },
  {
    title: 'what looks like broken text is none before it is inflated',
    steps: [{ compressed: { payload: 'äöü€𝄞'.repeat(30) } }],
    expect: echoes(gets.text('äöü€𝄞'.repeat(30))),
  },
])));

const context = family('14.5', 'RFC 7692 7.1.1', [
  ...withDeflate([
    {
      title: 'after client_no_context_takeover or server_no_context_takeover, a reference to the message before fails the connection',
      steps: [text(HELLO, RSV1), text(hex('f2 00 11 00 00'), RSV1)],
      expect: fails(BROKEN, gets.text('Hello')),
    },
    {
      title: 'the same message ten times is echoed',
      steps: Array.from({ length: 10 }, () => ({ compressed: { payload: 'the same' } })),
      expect: echoes(...Array.from({ length: 10 }, () => gets.text('the same'))),
    },
  ], NO_TAKEOVER),
  ...withDeflate([
    {
      title: 'a message that is not compressed is no part of the window',
      steps: [text('Hello'), text(hex('f2 00 11 00 00'), RSV1)],
      expect: fails(BROKEN, gets.text('Hello')),
    },
    {
      title: 'the window goes on over messages that are not compressed',
      steps: [text(HELLO, RSV1), text('between'), binary('more'), text(hex('f2 00 11 00 00'), RSV1)],
      expect: echoes(gets.text('Hello'), gets.text('between'), gets.binary('more'), gets.text('Hello')),
    },
  ]),
]);

module.exports = [...examples, ...bits, ...wrong, ...textInside, ...context];
