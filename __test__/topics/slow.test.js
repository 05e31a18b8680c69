'use strict';

// Subscribers whose peers do not read: each policy, over each transport. Nobody else notices.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { eventually, next, record, openRawClient } = require('../helpers/under-test/endpoints');
const { WAYS, open, openStuck, fill, received } = require('./ways');

/** What arrives when the stuck peer reads at last: the payloads of its text messages. */
async function readAll({ peer, connection }) {
  connection.sendUTF('last');
  peer.socket.resume();
  const texts = () => peer.frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());
  await eventually(() => texts().includes('last'), 'the last message', 20000);
  return texts();
}

for (const way of WAYS.filter(({ config }) => config.perMessageDeflate === undefined)) {
  describe(`slow subscribers: ${way.name}`, () => {
    test('queue: messages wait, and come in order', async (t) => {
      const opened = await open(t, way, 1);
      const stuck = await openStuck(t, opened, way);
      await stuck.connection.subscribe('a');
      await fill(stuck.connection);
      const drained = next(stuck.connection, 'drain', 20000);
      for (let i = 0; i < 5; i++) assert.strictEqual(opened.server.publish('a', `${i}`), 1);
      assert.deepStrictEqual(await readAll(stuck), ['0', '1', '2', '3', '4', 'last']);
      await drained;
    });

    test('drop: messages are left out while too much waits', async (t) => {
      const opened = await open(t, way, 1);
      const stuck = await openStuck(t, opened, way);
      await stuck.connection.subscribe('a', { slow: 'drop' });
      assert.strictEqual(opened.server.publish('a', 'before'), 1);
      await fill(stuck.connection);
      const waiting = stuck.connection.bufferedAmount;
      for (let i = 0; i < 5; i++) assert.strictEqual(opened.server.publish('a', `${i}`), 0);
      assert.ok(stuck.connection.bufferedAmount <= waiting);
      assert.deepStrictEqual(await readAll(stuck), ['before', 'last']);
      await eventually(() => stuck.connection.bufferedAmount === 0, 'an empty buffer');
      assert.strictEqual(opened.server.publish('a', 'afterwards'), 1);
    });

    test('latest: the newest of each topic comes when the peer has read', async (t) => {
      const opened = await open(t, way, 1);
      const stuck = await openStuck(t, opened, way);
      for (const topic of ['a', 'b', 'c']) stuck.connection.subscribe(topic, { slow: 'latest' });
      await fill(stuck.connection);
      for (let i = 0; i < 100; i++) {
        assert.strictEqual(opened.server.publish('a', `a${i}`), 1);
        assert.strictEqual(opened.server.publish('b', `b${i}`), 1);
        opened.server.publish('c', Buffer.from('not wanted any more'));
      }
      stuck.connection.unsubscribe('c');
      stuck.peer.socket.resume();
      const texts = () => stuck.peer.frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());
      await eventually(() => texts().length === 2, 'the messages that were held', 20000);
      assert.deepStrictEqual(texts(), ['a99', 'b99']);
      opened.server.publish('a', 'a100');
      await eventually(() => texts().at(-1) === 'a100', 'a message after them');
      assert.strictEqual(stuck.peer.frames.some(({ payload }) => payload.toString() === 'not wanted any more'), false);
    });

    test('close: the connection ends with 1008', async (t) => {
      const opened = await open(t, way, 1);
      const stuck = await openStuck(t, opened, way);
      const seen = record(stuck.connection);
      await stuck.connection.subscribe('a', { slow: 'close' });
      assert.strictEqual(opened.server.publish('a', 'x'), 1);
      await fill(stuck.connection);
      assert.strictEqual(opened.server.publish('a', 'y'), 0);
      assert.deepStrictEqual(seen.closes.map(({ code }) => code), [1008]);
      assert.match(seen.closes[0].description, /slow: 'close'/);
      assert.deepStrictEqual(opened.server.topics, []);
    });

    test('maxBufferedAmount holds for published messages, too', async (t) => {
      for (const [policy, code] of [['drop', undefined], ['close', 1008]]) {
        const opened = await open(t, way, 1, { maxBufferedAmount: 1 << 21, maxBufferedAmountPolicy: policy });
        const stuck = await openStuck(t, opened, way);
        const seen = record(stuck.connection);
        const dropped = [];
        stuck.connection.on('dropped', (data) => dropped.push(data.length));
        await stuck.connection.subscribe('a');
        const block = Buffer.alloc(100000);
        let reached = 1;
        for (let i = 0; i < 1000 && reached === 1; i++) {
          reached = opened.server.publish('a', block);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        assert.strictEqual(reached, 0);
        assert.strictEqual(seen.closes[0]?.code, code);
        if (policy === 'drop') await eventually(() => dropped.length === 1, 'dropped');
      }
    });

    test('a burst within one tick is no sign of a slow peer', async (t) => {
      const { server, connections, seen } = await open(t, way, 2);
      connections[0].subscribe('a', { slow: 'drop' });
      connections[1].subscribe('a', { slow: 'close' });
      for (let i = 0; i < 100; i++) server.publish('a', `${i} ${'x'.repeat(1000)}`);
      await received(seen, 100);
      for (const { messages } of seen) assert.deepStrictEqual(messages.map((text) => parseInt(text, 10)), Array.from(messages.keys()));
    });
  });
}

for (const slow of ['queue', 'drop', 'latest', 'close']) {
  test(`one stuck subscriber among 1,000 with the policy ${slow}: the others get everything, in time`, async (t) => {
    const opened = await open(t, WAYS[0], 0, { maxBufferedAmount: 64 << 20 });
    const peers = [];
    for (let i = 0; i < 1000; i += 50) {
      peers.push(...await Promise.all(Array.from({ length: 50 }, () => openRawClient(opened.port))));
    }
    t.after(() => peers.forEach((peer) => peer.destroy()));
    await opened.connection(1000);
    const stuck = await openStuck(t, opened, WAYS[0]);
    for (const connection of opened.connections) connection.subscribe('a', { slow });
    await fill(stuck.connection);
    let longest = 0;
    for (let i = 0; i < 50; i++) {
      const start = performance.now();
      opened.server.publish('a', `message ${i}`);
      longest = Math.max(longest, performance.now() - start);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => peers.every(({ frames }) => frames.length === 50), 'all messages', 20000);
    for (const { frames } of peers) assert.strictEqual(frames[49].payload.toString(), 'message 49');
    assert.strictEqual(stuck.connection.connected, slow !== 'close');
    assert.ok(longest < 250, `a publish took ${longest} ms`);
  });
}
