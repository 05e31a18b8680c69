'use strict';

// Frames that 1.0.35 let pass, or refused too late. COMPATIBILITY: P1, P2, P3, P18, P19, P20.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, turns, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

const roles = ['server', 'client'];

/** The connection must answer with a Close of this code, report it, and deliver nothing. */
async function failsWith(pair, code) {
  const close = await pair.received(OPCODE.CLOSE);
  assert.strictEqual(close.code, code);
  assert.strictEqual((await pair.closed()).code, code);
  assert.deepStrictEqual(pair.seen.messages, []);
  assert.strictEqual(pair.seen.closes.length, 1);
}

const kinds = [
  ['text', { opcode: OPCODE.TEXT, payload: 'hello' }],
  ['empty binary', { opcode: OPCODE.BINARY }],
  ['ping', { opcode: OPCODE.PING, payload: 'hello' }],
  ['pong', { opcode: OPCODE.PONG }],
  ['close', { opcode: OPCODE.CLOSE, payload: closePayload(1000) }],
];

for (const [kind, frame] of kinds) {
  test(`P1: an unmasked ${kind} frame from a client fails the connection with 1002`, async (t) => {
    const pair = await openPair(t, 'server');
    pair.send({ ...frame, mask: false });
    await failsWith(pair, 1002);
  });

  test(`P2: a masked ${kind} frame from a server fails the connection with 1002`, async (t) => {
    const pair = await openPair(t, 'client');
    pair.send({ ...frame, mask: true });
    await failsWith(pair, 1002);
  });
}

test('P1: an unmasked frame from a client over TLS fails the connection with 1002', async (t) => {
  const pair = await openPair(t, 'server', {}, true);
  pair.send({ opcode: OPCODE.TEXT, payload: 'hello', mask: false });
  await failsWith(pair, 1002);
});

test('P2: a masked frame from a server over TLS fails the connection with 1002', async (t) => {
  const pair = await openPair(t, 'client', {}, true);
  pair.send({ opcode: OPCODE.TEXT, payload: 'hello', mask: true });
  await failsWith(pair, 1002);
});

const nonMinimal = [
  ['0 bytes in 16 bits', { payload: '', lengthBits: 16 }],
  ['125 bytes in 16 bits', { payload: 'x'.repeat(125), lengthBits: 16 }],
  ['0 bytes in 64 bits', { payload: '', lengthBits: 64 }],
  ['126 bytes in 64 bits', { payload: 'x'.repeat(126), lengthBits: 64 }],
  ['65535 bytes in 64 bits', { payload: 'x'.repeat(65535), lengthBits: 64 }],
];

for (const role of roles) {
  for (const [what, frame] of nonMinimal) {
    test(`P3: ${role}: a length of ${what} is not minimal and fails the connection with 1002`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.BINARY, ...frame });
      await failsWith(pair, 1002);
    });
  }

  test(`P18: ${role}: a message of one frame above maxReceivedMessageSize fails with 1009`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: 1000, maxReceivedMessageSize: 100 });
    pair.send({ opcode: OPCODE.TEXT, payload: 'x'.repeat(101) });
    await failsWith(pair, 1009);
  });

  for (const length of [2n ** 32n, 2n ** 32n + 5n, 2n ** 53n, 2n ** 63n - 1n]) {
    test(`P18: ${role}: a declared length of ${length} fails with 1009 before any payload arrived`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.BINARY, declaredLength: length });
      await failsWith(pair, 1009);
    });
  }

  test(`P18: ${role}: limits above 2^32 let a longer frame begin`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: 0x200000000, maxReceivedMessageSize: 0x200000000 });
    pair.send({ opcode: OPCODE.BINARY, declaredLength: 2n ** 32n + 1n, payload: 'the beginning' });
    const before = pair.peer.socket.bytesWritten;
    await eventually(() => pair.peer.socket.writableLength === 0 && before > 0, 'the header to leave');
    await turns(20);
    assert.strictEqual(pair.connection.connected, true);
    assert.deepStrictEqual(pair.peer.frames, []);
  });

  const maskBit = role === 'server' ? 0x80 : 0;
  const badHeaders = [
    ['a reserved data opcode', [], [0x83, 126 | maskBit]],
    ['a reserved control opcode', [], [0x8b, 5 | maskBit]],
    ['RSV1', [], [0xc1, 127 | maskBit]],
    ['RSV3', [], [0x91, 100 | maskBit]],
    ['a continuation of nothing', [], [0x80, 126 | maskBit]],
    ['a new message inside a fragmented one', [{ opcode: OPCODE.TEXT, payload: 'a', fin: false }], [0x82, 20 | maskBit]],
    ['the wrong mask bit', [], [0x81, 126 | (maskBit ^ 0x80)]],
  ];
  for (const [what, framesBefore, header] of badHeaders) {
    test(`P19: ${role}: ${what} fails with 1002 as soon as the first two bytes are there`, async (t) => {
      const pair = await openPair(t, role);
      pair.peer.write(Buffer.concat([...framesBefore.map(pair.encode), Buffer.from(header)]));
      await failsWith(pair, 1002);
    });
  }

  const badText = [
    ['a byte that never occurs', [0xff]],
    ['a lone continuation byte', [0x48, 0x80]],
    ['an overlong form', [0xc0]],
    ['a surrogate', [0xed, 0xa0]],
    ['a code point above U+10FFFF', [0xf4, 0x90]],
    ['an interrupted sequence', [0xe2, 0x82, 0x41]],
  ];
  for (const [what, bytes] of badText) {
    test(`P20: ${role}: ${what} in an unfinished message fails with 1007 at once`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.TEXT, payload: Buffer.from(bytes), fin: false });
      await failsWith(pair, 1007);
    });

    test(`P20: ${role}: ${what} in a frame that has not wholly arrived fails with 1007 at once`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.TEXT, payload: Buffer.from(bytes), declaredLength: 1000 });
      await failsWith(pair, 1007);
    });
  }

  test(`P20: ${role}: a code point split over two fragments and broken in the second fails with 1007 at once`, async (t) => {
    const pair = await openPair(t, role);
    pair.send(
      { opcode: OPCODE.TEXT, payload: Buffer.from([0x41, 0xf0, 0x9f]), fin: false },
      { opcode: OPCODE.CONTINUATION, payload: Buffer.from([0x41]), fin: false });
    await failsWith(pair, 1007);
  });
}
