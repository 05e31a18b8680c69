'use strict';

// WebSocketFrame as encoder: toBuffer() byte for byte.

const { frameFields } = require('../watch');
const { decodeFrames } = require('../../helpers/raw');
const { formatFrame } = require('../format');

const CONFIG = { maxReceivedFrameSize: 0x100000 };

function newFrame(lib, fields = {}, config = CONFIG) {
  return Object.assign(new lib.frame(Buffer.alloc(4), Buffer.alloc(10), config), fields);
}

/** Encodes frames with a zero mask, so that every byte is known. */
const encoding = (name, frames, more = {}) => ({
  name,
  async run({ lib, trace }) {
    for (const [label, fields] of Object.entries(frames())) {
      const frame = newFrame(lib, fields);
      trace(label, frame.toBuffer(true), frame.length);
    }
  },
  ...more,
});

const sizes = [0, 1, 124, 125, 126, 127, 128, 1000, 65535, 65536, 70000];

module.exports = [
  {
    name: 'a fresh frame has the documented fields',
    async run({ lib, trace }) {
      const maskBytes = Buffer.alloc(4);
      const frameHeader = Buffer.alloc(10);
      const frame = new lib.frame(maskBytes, frameHeader, CONFIG);
      trace('fields', frameFields(frame));
      trace('given', frame.maskBytes === maskBytes, frame.frameHeader === frameHeader, frame.config === CONFIG, frame.maxReceivedFrameSize);
      trace('own', Object.keys(frame).filter((key) => !key.startsWith('_')).sort());
    },
  },
  {
    name: 'a frame without arguments',
    async run({ lib, trace }) {
      let thrown = null;
      try {
        const frame = new lib.frame();
        trace('frame', frameFields(frame));
      } catch (error) {
        thrown = error.constructor.name;
      }
      trace('thrown', thrown);
    },
  },
  encoding('every length is encoded in the shortest form, unmasked',
    () => Object.fromEntries(sizes.map((size) => [size, { fin: true, opcode: 2, binaryPayload: Buffer.alloc(size, 0x5a) }]))),
  encoding('every length with a mask of zeros',
    () => Object.fromEntries(sizes.map((size) => [size, { fin: true, opcode: 2, mask: true, binaryPayload: Buffer.alloc(size, 0xa5) }]))),
  encoding('every flag and opcode', () => {
    const frames = {};
    for (const flag of ['fin', 'rsv1', 'rsv2', 'rsv3', 'mask']) frames[flag] = { [flag]: true, opcode: 1, binaryPayload: Buffer.from('x') };
    for (let opcode = 0; opcode < 16; opcode++) if (opcode !== 8) frames[`opcode ${opcode}`] = { fin: true, opcode };
    frames['opcode 0x12'] = { fin: true, opcode: 0x12 };
    frames['rsv as words'] = { rsv1: 'yes', rsv2: 0, fin: 1, opcode: 1 };
    return frames;
  }),
  encoding('a frame without payload', () => ({
    text: { fin: true, opcode: 1 }, null: { fin: true, opcode: 1, binaryPayload: null }, 'masked ping': { fin: true, opcode: 9, mask: true },
  })),
  encoding('a close frame puts the status in front of the reason', () => ({
    'without reason': { fin: true, opcode: 8, closeStatus: 1000 },
    'with reason': { fin: true, opcode: 8, closeStatus: 4999, binaryPayload: Buffer.from('why') },
    'with an empty reason': { fin: true, opcode: 8, closeStatus: 1001, binaryPayload: Buffer.alloc(0) },
    masked: { fin: true, opcode: 8, closeStatus: 1002, mask: true, binaryPayload: Buffer.from('because') },
    '123 bytes': { fin: true, opcode: 8, closeStatus: 1000, binaryPayload: Buffer.alloc(123, 97) },
  })),
  {
    name: 'a close frame without status cannot be encoded',
    async run({ lib, trace }) {
      let thrown = null;
      try {
        trace('bytes', newFrame(lib, { fin: true, opcode: 8 }).toBuffer());
      } catch (error) {
        thrown = `${error.name} ${error.code}`;
      }
      trace('thrown', thrown);
    },
  },
  {
    name: 'toBuffer() leaves the payload of the caller alone and puts the mask into maskBytes',
    async run({ lib, trace }) {
      for (const mask of [false, true]) {
        const payload = Buffer.from('do not touch');
        const frame = newFrame(lib, { fin: true, opcode: 1, mask, binaryPayload: payload });
        const bytes = frame.toBuffer();
        trace('payload', payload.toString(), frame.binaryPayload === payload, bytes.length);
        if (mask) trace('mask', bytes.subarray(2, 6).equals(frame.maskBytes));
        trace('decoded', formatFrame(decodeFrames(bytes).frames[0]));
      }
    },
  },
  {
    name: 'masked payloads decode to what was given, for every length and alignment',
    async run({ lib, trace }) {
      for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 125, 126, 1023, 65536]) {
        const payload = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) & 0xff));
        const { frames, rest } = decodeFrames(newFrame(lib, { fin: true, opcode: 2, mask: true, binaryPayload: payload }).toBuffer());
        trace('decoded', size, frames.length, rest.length, frames[0].masked, frames[0].payload.equals(payload));
      }
    },
  },
  {
    name: 'masks differ from frame to frame',
    async run({ lib, trace }) {
      const frame = newFrame(lib, { fin: true, opcode: 2, mask: true, binaryPayload: Buffer.from('abcd') });
      const masks = new Set(Array.from({ length: 20 }, () => frame.toBuffer().subarray(2, 6).toString('hex')));
      trace('many masks', masks.size > 15);
    },
  },
  {
    name: 'toBuffer() gives a new buffer each time',
    async run({ lib, trace }) {
      const frame = newFrame(lib, { fin: true, opcode: 1, binaryPayload: Buffer.from('abc') });
      const first = frame.toBuffer(true);
      const second = frame.toBuffer(true);
      trace('buffers', Buffer.isBuffer(first), first !== second, first.equals(second));
    },
  },
  {
    name: 'toString() describes the frame',
    async run({ lib, trace }) {
      trace('fresh', newFrame(lib).toString());
      trace('text', newFrame(lib, { fin: true, opcode: 1, mask: false, length: 5, binaryPayload: Buffer.from('hello') }).toString());
      trace('as string', `${newFrame(lib, { opcode: 9, fin: true, mask: true, length: 0 })}`);
    },
  },
  {
    name: 'fields may be assigned between two encodings',
    async run({ lib, trace }) {
      const frame = newFrame(lib, { fin: false, opcode: 1, binaryPayload: Buffer.from('one') });
      trace('first', frame.toBuffer(true));
      frame.fin = true;
      frame.opcode = 0;
      frame.binaryPayload = Buffer.from('second');
      frame.mask = true;
      trace('second', frame.toBuffer(true));
    },
  },
  {
    name: 'a payload that is a view of a larger buffer',
    async run({ lib, trace }) {
      const big = Buffer.from('..payload..');
      const payload = big.subarray(2, 9);
      trace('unmasked', newFrame(lib, { fin: true, opcode: 1, binaryPayload: payload }).toBuffer(true));
      trace('masked', newFrame(lib, { fin: true, opcode: 1, mask: true, binaryPayload: payload }).toBuffer(true));
    },
  },
];
