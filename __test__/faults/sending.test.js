'use strict';

// What the program hands over to be sent. COMPATIBILITY: W10, P14, P15.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, openClient, rawServer, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

test('W10: the nonce of the opening handshake does not come from Math.random', async (t) => {
  t.mock.method(Math, 'random', () => 0.25);
  const raw = await rawServer();
  t.after(() => raw.close());
  const keys = new Set();
  for (let i = 0; i < 3; i++) {
    await openClient(t, raw.url);
    keys.add((await raw.next()).key);
  }
  assert.strictEqual(keys.size, 3);
});

test('W10: masking keys do not come from Math.random', async (t) => {
  t.mock.method(Math, 'random', () => 0.25);
  const pair = await openPair(t, 'client');
  const chunks = [];
  pair.peer.socket.on('data', (chunk) => chunks.push(chunk));
  const count = 8;
  for (let i = 0; i < count; i++) pair.connection.sendUTF('x');
  await eventually(() => pair.peer.frames.length === count, `${count} frames`);
  const bytes = Buffer.concat(chunks);
  const keys = new Set();
  for (let i = 0; i < count; i++) keys.add(bytes.subarray(i * 7 + 2, i * 7 + 6).toString('hex'));
  assert.strictEqual(keys.size, count);
});

const long = Buffer.alloc(200, 'ping');
for (const method of ['ping', 'pong']) {
  test(`P14: ${method}() with more than 125 bytes sends the first 125`, async (t) => {
    const pair = await openPair(t, 'server');
    pair.connection[method](long);
    const frame = await pair.received(method === 'ping' ? OPCODE.PING : OPCODE.PONG);
    assert.deepStrictEqual(frame.payload, long.subarray(0, 125));
  });
}

test('P14: ping() with a text of more than 125 bytes sends the first 125', async (t) => {
  const pair = await openPair(t, 'client');
  pair.connection.ping(long.toString());
  assert.deepStrictEqual((await pair.received(OPCODE.PING)).payload, long.subarray(0, 125));
});

const memory = Uint8Array.from({ length: 16 }, (_, index) => index * 15).buffer;
const binaries = [
  ['Uint8Array', new Uint8Array(memory), Buffer.from(memory)],
  ['Uint8Array over a part of its buffer', new Uint8Array(memory, 3, 5), Buffer.from(memory, 3, 5)],
  ['Int16Array', new Int16Array(memory, 2, 3), Buffer.from(memory, 2, 6)],
  ['Float64Array', new Float64Array(memory), Buffer.from(memory)],
  ['BigInt64Array', new BigInt64Array(memory), Buffer.from(memory)],
  ['DataView', new DataView(memory, 1, 9), Buffer.from(memory, 1, 9)],
  ['ArrayBuffer', memory, Buffer.from(memory)],
  ['empty Uint8Array', new Uint8Array(0), Buffer.alloc(0)],
];
for (const [what, value, bytes] of binaries) {
  for (const method of ['send', 'sendBytes']) {
    test(`P15: ${method}() sends the bytes of: ${what}, as binary`, async (t) => {
      const pair = await openPair(t, 'server');
      let calledBack = false;
      pair.connection[method](value, () => { calledBack = true; });
      const frame = await pair.received(OPCODE.BINARY);
      assert.deepStrictEqual(frame.payload, bytes);
      await eventually(() => calledBack, 'the callback');
    });
  }
}
