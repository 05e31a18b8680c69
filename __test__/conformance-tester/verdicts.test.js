'use strict';

// The tester itself: a server that gets one thing wrong gets the verdict for it, and one that is right gets none.

const { test } = require('node:test');
const assert = require('node:assert');
const { faultyServer } = require('./faulty-server');
const { testServer } = require('../../conformance/lib/server-role');
const { cases } = require('../../conformance/cases');
const { OPCODE, closePayload, encodeFrame } = require('../helpers/raw');

const TEXT = '1.1.3';
const PING = '2.1.2';
const TWO_MESSAGES = '1.4.1';
const RESERVED = '3.1.1';
const RESERVED_AFTER_GOOD = '3.2.1';

/** The result of one case against a server with these faults. */
async function resultOf(t, id, faults) {
  const [result] = await testServer(await faultyServer(t, faults), cases.filter((one) => one.id === id), { patience: 400 });
  return result;
}

for (const id of [TEXT, PING, TWO_MESSAGES, RESERVED, RESERVED_AFTER_GOOD, '1.3.1', '15.1.1', '15.9.20']) {
  test(`a server without a fault is OK in ${id}`, async (t) => {
    const { verdict, why } = await resultOf(t, id, {});
    assert.deepStrictEqual({ verdict, why }, { verdict: 'OK', why: '' });
  });
}

const FAULTS = [
  ['a wrong Sec-WebSocket-Accept', TEXT, { accept: () => 'Sec-WebSocket-Accept: x' }, 'FAILED', /Sec-WebSocket-Accept/],
  ['no Sec-WebSocket-Accept', TEXT, { accept: () => 'X-Nothing: x' }, 'FAILED', /Sec-WebSocket-Accept/],
  ['an extension nobody has asked for', TEXT, { accept: (key) => `Sec-WebSocket-Extensions: permessage-deflate\r\n${acceptLine(key)}` }, 'FAILED', /parameters|extensions/],
  ['a subprotocol nobody has asked for', TEXT, { accept: (key) => `Sec-WebSocket-Protocol: x\r\n${acceptLine(key)}` }, 'FAILED', /subprotocol/],
  ['masked frames', TEXT, { mask: true }, 'FAILED', /masked/],
  ['another text', TEXT, { echo: () => [{ opcode: OPCODE.TEXT, payload: 'other' }] }, 'FAILED', /none of the expectations/],
  ['binary for text', TEXT, { echo: ({ payload }) => [{ opcode: OPCODE.BINARY, payload }] }, 'FAILED', /none of the expectations/],
  ['no echo', TEXT, { echo: () => [] }, 'FAILED', /none of the expectations/],
  ['two echoes', TEXT, { echo: ({ opcode, payload }) => [{ opcode, payload }, { opcode, payload }] }, 'FAILED', /none of the expectations/],
  ['a length in too many bytes', TEXT, { echo: ({ opcode, payload }) => [{ opcode, payload, lengthBits: 16 }] }, 'FAILED', /length of 2 in 2 bytes/],
  ['reserved bits', TEXT, { echo: ({ opcode, payload }) => [{ opcode, payload, rsv: 4 }] }, 'FAILED', /reserved bits/],
  ['a reserved opcode', TEXT, { echo: () => [{ opcode: 5 }] }, 'FAILED', /reserved opcode 5/],
  ['a continuation of nothing', TEXT, { echo: ({ payload }) => [{ opcode: OPCODE.CONTINUATION, payload }] }, 'FAILED', /continuation of nothing/],
  ['text that is not UTF-8', TEXT, { echo: () => [{ opcode: OPCODE.TEXT, payload: Buffer.from([0xff]) }] }, 'FAILED', /not UTF-8/],
  ['a fragmented pong', PING, { pong: ({ payload }) => [{ opcode: OPCODE.PONG, payload, fin: false }] }, 'FAILED', /fragmented control/],
  ['no pong', PING, { pong: () => [] }, 'FAILED', /none of the expectations/],
  ['another pong', PING, { pong: () => [{ opcode: OPCODE.PONG, payload: 'other' }] }, 'FAILED', /none of the expectations/],
  ['no answer to Close', TEXT, { close: () => [] }, 'FAILED', /none of the expectations/],
  ['a close code that must not be sent', TEXT, { close: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1005) }] }, 'FAILED', /close code 1005/],
  ['a Close frame of one byte', TEXT, { close: () => [{ opcode: OPCODE.CLOSE, payload: Buffer.from([3]) }] }, 'FAILED', /one byte/],
  ['another close code than was sent', TEXT, { close: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1001) }] }, 'NON-STRICT', /answered with 1001/],
  ['a frame after Close', TEXT, { close: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1000) }, { opcode: OPCODE.PING }] }, 'FAILED', /after the Close frame/],
  ['a stream that stays open', TEXT, { end: () => {} }, 'FAILED', /stream is not closed/],
  ['messages in the wrong order', TWO_MESSAGES, { echo: inReverse() }, 'FAILED', /none of the expectations/],
  ['another code for a protocol error', RESERVED, { fail: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1008) }] }, 'NON-STRICT', /another close code/],
  ['no Close frame for a protocol error', RESERVED, { fail: () => [] }, 'NON-STRICT', /no Close frame/],
  ['a protocol error that is answered', RESERVED_AFTER_GOOD, { fail: ({ payload }) => [{ opcode: OPCODE.TEXT, payload }] }, 'FAILED', /none of the expectations/],
  ['a protocol error that nothing comes of', RESERVED, { fail: () => [], end: () => {} }, 'FAILED', /none of the expectations/],
  ['no echo of what came before the error', RESERVED_AFTER_GOOD, { echo: () => [] }, 'NON-STRICT', /before the fault/],
  ['half a frame', TEXT, { echo: ({ opcode, payload }) => [encodeFrame({ opcode, payload, mask: false }).subarray(0, 3)], close: () => [] }, 'FAILED', /none of the expectations/],
];

function acceptLine(key) {
  return `Sec-WebSocket-Accept: ${require('../helpers/raw').acceptKey(key)}`;
}

/** Keeps the first message until the second has come. */
function inReverse() {
  let kept = null;
  return (frame) => {
    if (kept === null) {
      kept = { opcode: frame.opcode, payload: frame.payload };
      return [];
    }
    return [{ opcode: frame.opcode, payload: frame.payload }, kept];
  };
}

for (const [what, id, faults, verdict, why] of FAULTS) {
  test(`${what} is ${verdict} in ${id}`, async (t) => {
    const result = await resultOf(t, id, faults);
    assert.strictEqual(result.verdict, verdict, `${result.why}: ${result.seen}`);
    assert.match(result.why, why);
  });
}

test('a server that agrees to compression and does not compress is judged by what it sends', async (t) => {
  const accept = (key) => `Sec-WebSocket-Extensions: permessage-deflate\r\n${acceptLine(key)}`;
  const result = await resultOf(t, '14.1.1', { accept, fail: () => [{ opcode: OPCODE.TEXT, payload: 'Hello' }], end: () => {} });
  assert.strictEqual(result.verdict, 'FAILED');
  assert.match(result.seen.join(), /text "Hello"/);
});

test('compression that is not agreed to is UNIMPLEMENTED', async (t) => {
  assert.strictEqual((await resultOf(t, '14.1.1', {})).verdict, 'UNIMPLEMENTED');
});

test('a server that is not there fails every case', async () => {
  const [result] = await testServer('ws://127.0.0.1:1/', cases.filter(({ id }) => id === TEXT), { patience: 400 });
  assert.strictEqual(result.verdict, 'FAILED');
  assert.match(result.why, /ECONNREFUSED/);
});
