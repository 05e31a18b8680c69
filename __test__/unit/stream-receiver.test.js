'use strict';

// Chunks of a stream that come faster than what they contain is delivered. Node runs ticks after each; Deno does not.

const { test } = require('node:test');
const assert = require('node:assert');
const { once } = require('events');
const { Duplex } = require('stream');
const { websocket } = require('../helpers/under-test');
const { OPCODE, encodeFrame, closePayload } = require('../helpers/raw');
const { StreamReceiver } = require('../../lib/internal/transport/stream-receiver');
const { Inbox } = require('../../lib/internal/connection/inbox');
const { INFLATION, MASK_POLICY } = require('../../lib/internal/addon/rows');

const COUNT = 9000;

/** A chunk of `COUNT` messages: the numbers from `first` on. */
function numbers(first) {
  return Buffer.concat(Array.from({ length: COUNT }, (_, i) => encodeFrame({ opcode: OPCODE.TEXT, payload: String(first + i) })));
}

function connect() {
  const socket = new Duplex({ read() {}, write: (bytes, encoding, done) => done() });
  Object.assign(socket, { setNoDelay() {}, setTimeout() {}, setKeepAlive() {} });
  const connection = new websocket.connection(socket, [], null, false, {
    closeTimeout: 1000, maxReceivedFrameSize: 1024, maxReceivedMessageSize: 1024, assembleFragments: true, keepalive: false,
  });
  connection._addSocketEventListeners();
  return { socket, connection };
}

test('no more events are made of chunks than a portion at a time, and all of them in order', () => {
  const receiver = new StreamReceiver(MASK_POLICY.EITHER, { maxFrameSize: 1024, maxMessageSize: 1024, assemble: true, inflation: INFLATION.NONE });
  const inbox = new Inbox();
  for (let i = 0; i < 3; i++) receiver.receive(numbers(i * COUNT), inbox);
  assert.ok(inbox.length >= 1 && inbox.length < COUNT, `${inbox.length} events wait`);
  assert.ok(receiver.hasMore);
  for (let next = 0; next < 3 * COUNT; next++) {
    if (inbox.length === 0) receiver.receiveHeld(inbox);
    assert.strictEqual(inbox.shift(), String(next));
  }
  assert.strictEqual(inbox.length, 0);
  assert.ok(!receiver.hasMore);
  receiver.release();
});

test('what is released forgets the chunks it has kept', () => {
  const receiver = new StreamReceiver(MASK_POLICY.EITHER, { maxFrameSize: 1024, maxMessageSize: 1024, assemble: true, inflation: INFLATION.NONE });
  const inbox = new Inbox();
  for (let i = 0; i < 4; i++) receiver.receive(numbers(i), inbox);
  receiver.release();
  inbox.clear();
  receiver.receiveHeld(inbox);
  assert.strictEqual(inbox.length, 0);
});

for (const ending of ['the end', 'a Close']) {
  test(`chunks of one turn, and ${ending} behind them: every message in order, then close`, async () => {
    const { socket, connection } = connect();
    let next = 0;
    connection.on('message', ({ utf8Data }) => assert.strictEqual(utf8Data, String(next++)));
    for (let i = 0; i < 6; i++) socket.emit('data', numbers(i * COUNT));
    if (ending === 'a Close') socket.emit('data', encodeFrame({ opcode: OPCODE.CLOSE, payload: closePayload(4000, 'bye') }));
    socket.push(null);
    const [code] = await once(connection, 'close');
    assert.deepStrictEqual([next, code], [6 * COUNT, ending === 'a Close' ? 4000 : 1006]);
  });
}

test('while paused nothing is delivered, and all of it after resume()', async () => {
  const { socket, connection } = connect();
  const received = [];
  connection.on('message', ({ utf8Data }) => {
    received.push(utf8Data);
    if (received.length === 1) connection.pause();
  });
  for (let i = 0; i < 4; i++) socket.emit('data', numbers(i * COUNT));
  // The chunks may have taken all the time of this turn of the loop.
  while (received.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.strictEqual(received.length, 1);
  connection.resume();
  while (received.length < 4 * COUNT) await new Promise((resolve) => setImmediate(resolve));
  assert.strictEqual(received[received.length - 1], String(4 * COUNT - 1));
  connection.drop();
});
