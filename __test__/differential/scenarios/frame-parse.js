'use strict';

// WebSocketFrame as parser: addData() on a FastBufferList, piece by piece.

const { encodeFrame, closePayload } = require('../../helpers/raw');
const { frameFields } = require('../watch');

const KEY = Buffer.from([0x11, 0x22, 0x33, 0x44]);

/** A frame, its list, and what is in the list after each piece. */
function parser({ lib, deep, trace, call }, { limit = 0x10000 } = {}) {
  const List = deep('vendor/FastBufferList');
  const list = new List();
  const frame = new lib.frame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: limit });
  return {
    frame,
    list,
    feed(bytes, label = `${bytes.length} bytes`) {
      list.write(bytes);
      call(`addData after ${label}`, () => frame.addData(list));
      trace('frame', frameFields(frame), list.length);
    },
  };
}

/** Feeds each of these byte strings to a frame of its own. */
const parsing = (name, inputs, { limit, ...more } = {}) => ({
  name,
  async run(context) {
    for (const [label, bytes] of Object.entries(inputs())) parser(context, { limit }).feed(bytes, label);
  },
  ...more,
});

const text = (payload, more = {}) => encodeFrame({ opcode: 1, payload, mask: KEY, ...more });

module.exports = [
  parsing('whole frames', () => ({
    text: text('hello'),
    empty: text(''),
    unmasked: encodeFrame({ opcode: 2, payload: 'bytes', mask: false }),
    'not final': encodeFrame({ opcode: 1, payload: 'part', fin: false, mask: KEY }),
    continuation: encodeFrame({ opcode: 0, payload: 'part', mask: KEY }),
    ping: encodeFrame({ opcode: 9, payload: 'p', mask: KEY }),
    pong: encodeFrame({ opcode: 10, mask: KEY }),
    'rsv bits': encodeFrame({ opcode: 1, rsv: 7, payload: 'x', mask: KEY }),
    'reserved opcode': encodeFrame({ opcode: 3, payload: 'x', mask: KEY }),
  })),
  parsing('frames with every form of length', () => ({
    125: text(Buffer.alloc(125, 1)), 126: text(Buffer.alloc(126, 2)), 65535: text(Buffer.alloc(65535, 3)), 65536: text(Buffer.alloc(65536, 4)),
  })),
  parsing('close frames', () => ({
    empty: encodeFrame({ opcode: 8, mask: KEY }),
    'one byte': encodeFrame({ opcode: 8, payload: 'x', mask: KEY }),
    code: encodeFrame({ opcode: 8, payload: closePayload(1000), mask: KEY }),
    'code and reason': encodeFrame({ opcode: 8, payload: closePayload(4000, 'reason'), mask: KEY }),
    'unmasked code': encodeFrame({ opcode: 8, payload: closePayload(1001, 'r'), mask: false }),
  })),
  parsing('bad control frames', () => ({
    'too long': encodeFrame({ opcode: 9, payload: Buffer.alloc(126), mask: KEY }),
    'too long by 64 bits': encodeFrame({ opcode: 10, payload: Buffer.alloc(10), lengthBits: 64, mask: KEY }),
    fragmented: encodeFrame({ opcode: 8, payload: closePayload(1000), fin: false, mask: KEY }),
    'only the header': Buffer.from([0x09, 0x80]),
  })),
  parsing('a frame over the limit', () => ({ 11: text(Buffer.alloc(11)), 10: text(Buffer.alloc(10)) }), { limit: 10 }),
  {
    name: 'a frame over the limit before its payload arrives',
    async run(context) {
      const { feed } = parser(context, { limit: 1000 });
      const bytes = encodeFrame({ opcode: 2, payload: Buffer.alloc(4), declaredLength: 5000, mask: KEY });
      feed(bytes.subarray(0, 2));
      feed(bytes.subarray(2, 4));
      feed(bytes.subarray(4, 8));
    },
  },
  {
    name: 'a 64-bit length over 2^32 on a frame object',
    async run(context) {
      const { feed } = parser(context, { limit: 0x200000000 });
      feed(encodeFrame({ opcode: 2, declaredLength: 0x100000000n, mask: KEY }), 'the header');
    },
  },
  {
    name: 'non-minimal lengths on a frame object',
    async run(context) {
      parser(context).feed(encodeFrame({ opcode: 2, payload: 'abc', lengthBits: 16, mask: KEY }), 'a 16-bit length of 3');
      parser(context).feed(encodeFrame({ opcode: 2, payload: 'abc', lengthBits: 64, mask: KEY }), 'a 64-bit length of 3');
    },
  },
  {
    name: 'byte by byte',
    async run(context) {
      const { feed } = parser(context);
      for (const byte of text('hello')) feed(Buffer.from([byte]));
    },
  },
  {
    name: 'byte by byte through extended lengths',
    async run(context) {
      for (const lengthBits of [16, 64]) {
        const { feed } = parser(context);
        const bytes = text(Buffer.alloc(200, 7), { lengthBits: lengthBits === 64 ? 64 : undefined });
        const header = lengthBits === 64 ? 10 : 4;
        for (let i = 0; i < header; i++) feed(bytes.subarray(i, i + 1));
        feed(bytes.subarray(header, header + 4), 'the mask');
        feed(bytes.subarray(header + 4, 100), 'some payload');
        feed(bytes.subarray(100), 'the rest');
      }
    },
  },
  {
    name: 'two frames in one list: the second stays there',
    async run(context) {
      const { feed, list } = parser(context);
      const second = encodeFrame({ opcode: 2, payload: 'two', mask: KEY });
      feed(Buffer.concat([text('one'), second]));
      context.trace('left', list.length === second.length, list.take().equals(second));
    },
  },
  {
    name: 'a payload over several chunks is joined',
    async run(context) {
      const { feed } = parser(context);
      const bytes = text('0123456789abcdef');
      for (let i = 0; i < bytes.length; i += 5) feed(bytes.subarray(i, i + 5));
    },
  },
  {
    name: 'throwAwayPayload() skips the payload once it is there',
    async run(context) {
      const { feed, frame, list } = parser(context, { limit: 3 });
      feed(text('hello').subarray(0, 6), 'the header');
      context.call('throwAwayPayload', () => frame.throwAwayPayload(list));
      list.write(Buffer.from('xxxxx and more'));
      context.call('throwAwayPayload', () => frame.throwAwayPayload(list));
      context.trace('frame', frame.parseState, list.length, list.take().toString());
    },
  },
  {
    name: 'header and mask are read into the buffers given',
    async run({ lib, deep, trace }) {
      const List = deep('vendor/FastBufferList');
      const mask = Buffer.alloc(4);
      const header = Buffer.alloc(10);
      const list = new List();
      const frame = new lib.frame(mask, header, { maxReceivedFrameSize: 0x10000 });
      list.write(text(Buffer.alloc(300, 1)));
      frame.addData(list);
      trace('mask', mask);
      trace('header', header.subarray(0, 4));
    },
  },
  {
    name: 'any object with the methods of a FastBufferList will do',
    async run({ lib, trace }) {
      let data = text('foreign');
      const calls = [];
      const list = {
        get length() { return data.length; },
        joinInto(target, targetStart, start, end) { calls.push('joinInto'); data.copy(target, targetStart, start, end); return target; },
        advance(count) { calls.push('advance'); data = data.subarray(count); return this; },
        take(count) { calls.push('take'); return Buffer.from(data.subarray(0, count)); },
      };
      const frame = new lib.frame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 100 });
      trace('addData', frame.addData(list), frame.binaryPayload.toString(), list.length, [...new Set(calls)].sort());
    },
  },
  {
    name: 'a parsed frame can be encoded again',
    async run(context) {
      const { feed, frame } = parser(context);
      feed(text('again'));
      frame.mask = false;
      context.trace('encoded', frame.toBuffer());
    },
  },
];
