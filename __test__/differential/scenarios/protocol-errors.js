'use strict';

// What peers do wrong: which close code, reason and events they get.

const { encodeFrame, closePayload } = require('../../helpers/raw');

/** The peer of a server connection sends these frames; the connection is expected to end. */
const faulty = (name, frames, { config, client = false, events, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await (client ? context.clientPair({ config, events }) : context.pair({ config, events }));
    for (const frame of frames()) peer.write(Buffer.isBuffer(frame) ? frame : encodeFrame({ mask: !client, ...frame }));
    await context.event(connection, 'close');
    await context.settle();
    context.trace('later', connection.fragmentationSize, connection.frameQueue.length);
    await context.wireToEnd(peer);
  },
  ...more,
});

/** As `faulty`, for what the original takes: a message that follows tells that the connection lives. */
const tolerated = (name, frames, { config, client = false, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await (client ? context.clientPair({ config }) : context.pair({ config }));
    let over = false;
    connection.on('close', () => { over = true; });
    connection.on('message', (message) => { if (message.utf8Data === 'end') over = true; });
    for (const frame of frames()) peer.write(Buffer.isBuffer(frame) ? frame : encodeFrame({ mask: !client, ...frame }));
    peer.write(encodeFrame({ opcode: 1, payload: 'end', mask: !client }));
    await context.until(() => over, 'an end');
    await context.settle();
    context.wire(peer);
  },
  ...more,
});

const text = (payload, more) => ({ opcode: 1, payload, ...more });
const bad = Buffer.from([0x68, 0x69, 0xc3, 0x28]);

module.exports = [
  ...[1, 2, 4, 7].map((rsv) => faulty(`a frame with reserved bits ${rsv.toString(2).padStart(3, '0')}`, () => [text('x', { rsv })])),
  ...[3, 7, 11, 15].map((opcode) => faulty(`reserved opcode ${opcode}`, () => [{ opcode, payload: 'x' }])),
  faulty('a reserved opcode without payload', () => [{ opcode: 4 }]),
  faulty('a ping longer than 125 bytes', () => [{ opcode: 9, payload: Buffer.alloc(126) }]),
  faulty('a close longer than 125 bytes', () => [{ opcode: 8, payload: Buffer.concat([closePayload(1000), Buffer.alloc(124, 97)]) }]),
  faulty('a fragmented ping', () => [{ opcode: 9, payload: 'p', fin: false }]),
  faulty('a fragmented close', () => [{ opcode: 8, payload: closePayload(1000), fin: false }]),
  faulty('a continuation without a beginning', () => [{ opcode: 0, payload: 'x' }]),
  faulty('an unfinished continuation without a beginning', () => [{ opcode: 0, payload: 'x', fin: false }]),
  faulty('a new text message inside a fragmented one', () => [text('a', { fin: false }), text('b')]),
  faulty('a new binary message inside a fragmented one', () => [text('a', { fin: false }), { opcode: 2, payload: 'b' }]),
  faulty('a reserved opcode inside a fragmented message', () => [text('a', { fin: false }), { opcode: 5, payload: 'b' }]),
  faulty('a frame over maxReceivedFrameSize', () => [{ opcode: 2, payload: Buffer.alloc(101) }], { config: { maxReceivedFrameSize: 100 } }),
  faulty('a frame over a maxReceivedFrameSize that is a text', () => [{ opcode: 2, payload: Buffer.alloc(101) }],
    { config: { maxReceivedFrameSize: '100' } }),
  faulty('a huge declared length is refused before its bytes', () => [{ opcode: 2, payload: 'x', declaredLength: 0x7fffffff }]),
  faulty('a declared length over 32 bits', () => [{ opcode: 2, payload: 'x', declaredLength: 0x100000000n }]),
  faulty('a declared length with the highest bit set', () => [{ opcode: 2, payload: 'x', declaredLength: 0x8000000000000000n }]),
  faulty('a fragmented message over maxReceivedMessageSize', () => [{ opcode: 2, payload: Buffer.alloc(60), fin: false }, { opcode: 0, payload: Buffer.alloc(41), fin: true }],
    { config: { maxReceivedMessageSize: 100 } }),
  tolerated('a single-frame message over maxReceivedMessageSize', () => [{ opcode: 2, payload: Buffer.alloc(101) }], { config: { maxReceivedMessageSize: 100 } }),
  tolerated('a first fragment over maxReceivedMessageSize', () => [{ opcode: 2, payload: Buffer.alloc(101), fin: false }, { opcode: 9 }], { config: { maxReceivedMessageSize: 100 } }),
  tolerated('exactly maxReceivedMessageSize in fragments', () => [{ opcode: 2, payload: Buffer.alloc(60), fin: false }, { opcode: 0, payload: Buffer.alloc(40), fin: true }],
    { config: { maxReceivedMessageSize: 100 } }),
  tolerated('exactly maxReceivedFrameSize', () => [{ opcode: 2, payload: Buffer.alloc(100) }], { config: { maxReceivedFrameSize: 100 } }),
  faulty('invalid UTF-8 in a text message', () => [text(bad)]),
  faulty('a truncated character at the end of a text message', () => [text(Buffer.from([0x61, 0xe2, 0x82]))]),
  faulty('an overlong encoding', () => [text(Buffer.from([0xc0, 0xaf]))]),
  faulty('an encoded surrogate', () => [text(Buffer.from([0xed, 0xa0, 0x80]))]),
  faulty('a code point over U+10FFFF', () => [text(Buffer.from([0xf4, 0x90, 0x80, 0x80]))]),
  faulty('invalid UTF-8 over fragments', () => [text(Buffer.from([0x61]), { fin: false }), { opcode: 0, payload: Buffer.from([0xff]), fin: true }]),
  tolerated('invalid UTF-8 in a binary message is no fault', () => [{ opcode: 2, payload: bad }]),
  faulty('a message after a faulty frame is not delivered', () => [text('good'), { opcode: 3, payload: 'x' }, text('lost')]),
  faulty('a message and a fault in one segment', () => [Buffer.concat([encodeFrame(text('good')), encodeFrame({ opcode: 0, payload: 'x' }), encodeFrame(text('lost'))])]),
  tolerated('an unmasked frame from a client', () => [text('unmasked', { mask: false })]),
  tolerated('a masked frame from a server', () => [text('masked', { mask: true })], { client: true }),
  tolerated('a 16-bit length that fits in 7', () => [text('abc', { lengthBits: 16 })]),
  tolerated('a 64-bit length that fits in 16', () => [text('a'.repeat(200), { lengthBits: 64 })]),
  faulty('frame mode: a frame over the limit is not emitted', () => [{ opcode: 2, payload: Buffer.alloc(101) }], { config: { maxReceivedFrameSize: 100, assembleFragments: false } }),
  faulty('frame mode: reserved bits', () => [text('x', { rsv: 4 })], { config: { assembleFragments: false } }),
  faulty('frame mode: a reserved opcode', () => [{ opcode: 3, payload: 'x' }], { config: { assembleFragments: false } }),
  faulty('a faulty frame from a server', () => [{ opcode: 3, payload: 'x' }], { client: true }),
  faulty('a fragmented message too large for a client', () => [{ opcode: 2, payload: Buffer.alloc(6), fin: false }, { opcode: 0, payload: Buffer.alloc(6) }],
    { client: true, config: { maxReceivedMessageSize: 10 } }),
];
