'use strict';

// Memory that another thread writes while it is sent (SharedArrayBuffer). What the peer gets is one whole frame of the length that
// was announced, the same for everybody, made of what was there when the call was made.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const zlib = require('zlib');
const { Worker } = require('worker_threads');
const { OPCODE, openRawClient } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, open, sleep } = require('./ways');

const { BINARY, TEXT, PING } = OPCODE;

/** Fills shared memory with one number after the other, as fast as it can, until the test is over. */
async function scribbled(t, length) {
  const shared = new SharedArrayBuffer(length);
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(`
    const { shared, state } = require('worker_threads').workerData;
    const bytes = new Uint8Array(shared);
    for (let number = 0; Atomics.load(state, 0) === 0; number = (number + 1) & 255) {
      bytes.fill(number);
      Atomics.add(state, 1, 1);
    }`, { eval: true, workerData: { shared, state } });
  t.after(() => {
    Atomics.store(state, 0, 1);
    return worker.terminate();
  });
  await eventually(() => Atomics.load(state, 1) > 0, 'the thread that writes');
  return new Uint8Array(shared);
}

const isAnswer = ({ opcode }) => opcode === BINARY || opcode === TEXT || opcode === OPCODE.CONTINUATION;

for (const way of WAYS) {
  describe(`${way.name}: shared memory that another thread writes`, () => {
    for (const [size, count] of [[100, 200], [1000, 200], [70000, 40], [2 << 20, 6]]) {
      test(`${count} messages of ${size} bytes are whole frames in order`, { timeout: 30000 }, async (t) => {
        const pair = await open(t, way);
        const bytes = await scribbled(t, size);
        for (let i = 0; i < count; i++) {
          pair.connection.sendBytes(Buffer.from(bytes.buffer));
          pair.connection.sendUTF(`${i}`);
        }
        await eventually(() => pair.peer.frames.length >= 2 * count, 'all frames', 20000);
        assert.deepStrictEqual(pair.peer.frames.map(({ opcode, payload }) => (opcode === TEXT ? payload.toString() : payload.length)),
          Array.from({ length: 2 * count }, (_, index) => (index % 2 === 0 ? size : `${(index - 1) / 2}`)));
        assert.deepStrictEqual(pair.seen.closes, []);
      });
    }

    for (const [what, view] of [
      ['a SharedArrayBuffer', (bytes) => bytes.buffer],
      ['a Uint8Array', (bytes) => bytes],
      ['a part of it', (bytes) => bytes.subarray(7, 107)],
      ['a DataView', (bytes) => new DataView(bytes.buffer, 3, 500)],
      ['a Float64Array', (bytes) => new Float64Array(bytes.buffer, 8, 10)],
    ]) {
      test(`${what} is taken by send(), ping() and the rest as bytes of its length`, async (t) => {
        const pair = await open(t, way);
        const data = view(await scribbled(t, 1000));
        pair.connection.send(data);
        pair.connection.sendBytes(data);
        pair.connection.ping(data);
        await eventually(() => pair.peer.frames.length >= 3, 'the frames');
        const { byteLength } = data;
        assert.deepStrictEqual(pair.peer.frames.map(({ opcode, payload }) => [opcode, payload.length]),
          [[BINARY, byteLength], [BINARY, byteLength], [PING, Math.min(byteLength, 125)]]);
      });
    }

    test('what is written after the call is not sent, however long the message waits', async (t) => {
      const pair = await open(t, way);
      const bytes = new Uint8Array(new SharedArrayBuffer(8 << 20));
      pair.peer.socket.pause();
      for (let number = 1; number <= 3; number++) {
        bytes.fill(number);
        pair.connection.sendBytes(Buffer.from(bytes.buffer));
      }
      bytes.fill(9);
      await sleep(30);
      pair.peer.socket.resume();
      await eventually(() => pair.peer.frames.length >= 3, 'the frames', 15000);
      assert.deepStrictEqual(pair.peer.frames.map(({ payload }) => [payload.length, payload[0], payload.every((one) => one === payload[0])]),
        [[8 << 20, 1, true], [8 << 20, 2, true], [8 << 20, 3, true]]);
    });

    test('fragments of it are those of one message', async (t) => {
      const pair = await open(t, way, { fragmentOutgoingMessages: true, fragmentationThreshold: 1000 });
      const bytes = await scribbled(t, 100500);
      for (let i = 0; i < 5; i++) pair.connection.sendBytes(Buffer.from(bytes.buffer));
      await eventually(() => pair.peer.frames.length >= 505, 'all fragments');
      const messages = [];
      for (const { opcode, fin, payload } of pair.peer.frames.filter(isAnswer)) {
        if (opcode === BINARY) messages.push(0);
        messages[messages.length - 1] += payload.length;
        assert.strictEqual(fin, messages[messages.length - 1] === 100500);
      }
      assert.deepStrictEqual(messages, [100500, 100500, 100500, 100500, 100500]);
    });

    for (const [size, count] of [[5000, 50], [1 << 20, 6]]) {
      test(`${count} compressed messages of ${size} bytes inflate to that`, { timeout: 60000 }, async (t) => {
        const pair = await open(t, way, { perMessageDeflate: true }, 'permessage-deflate');
        const bytes = await scribbled(t, size);
        for (let i = 0; i < count; i++) pair.connection.sendBytes(Buffer.from(bytes.buffer));
        await eventually(() => pair.peer.frames.length >= count, 'all messages', 20000);
        // They refer to each other: all of it is one stream.
        const stream = Buffer.concat(pair.peer.frames.flatMap(({ payload }) => [payload, Buffer.from([0, 0, 0xff, 0xff])]));
        assert.ok(pair.peer.frames.every(({ rsv }) => rsv === 4));
        assert.strictEqual(zlib.inflateRawSync(stream, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).length, size * count);
      });
    }

    test('a broadcast of it is the same for everybody', { skip: way.role === 'client' && 'clients do not broadcast' }, async (t) => {
      const pair = await open(t, way);
      const port = (pair.server.address && pair.server.address() ? pair.server : pair.server.config.httpServer[0]).address().port;
      const others = await Promise.all([1, 2, 3].map(() => openRawClient(port)));
      t.after(() => others.forEach((peer) => peer.destroy()));
      await eventually(() => pair.server.connections.length === 4, 'the connections');
      const bytes = await scribbled(t, 200000);
      for (let i = 0; i < 10; i++) pair.server.broadcastBytes(Buffer.from(bytes.buffer));
      const peers = [pair.peer, ...others];
      await eventually(() => peers.every(({ frames }) => frames.length >= 10), 'all frames', 10000);
      for (let i = 0; i < 10; i++) {
        const [first, ...rest] = peers.map(({ frames }) => frames[i].payload);
        assert.strictEqual(first.length, 200000);
        assert.ok(rest.every((payload) => payload.equals(first)), `broadcast ${i} is not the same for all`);
      }
    });
  });
}
