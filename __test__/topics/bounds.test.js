'use strict';

// Topics under load: churn, memory, and how long one call may hold the loop.

const { test } = require('node:test');
const assert = require('node:assert');
const { eventually, turns, openRawClient } = require('../helpers/under-test/endpoints');
const { Duplex } = require('stream');
const websocket = require('../..');
const { WAYS, open, received } = require('./ways');

/** A connection on a stream that keeps what is written to it. */
function onStream(server, written) {
  const socket = new Duplex({
    read() {},
    write(chunk, encoding, callback) {
      written.push(chunk);
      callback();
    },
  });
  const connection = new websocket.connection(socket, [], null, false, server.config);
  connection._addSocketEventListeners();
  server.handleRequestAccepted(connection);
  return connection;
}

function serverOfStreams(t, count) {
  const server = new websocket.server({ noServer: true, keepalive: false });
  const written = Array.from({ length: count }, () => []);
  const connections = written.map((list) => onStream(server, list));
  t.after(() => connections.forEach(({ socket }) => socket.destroy()));
  return { server, connections, written };
}

test('10,000 subscriptions a second, for topics that come and go', async (t) => {
  const { server, connections, seen } = await open(t, WAYS[0], 10);
  const start = performance.now();
  let changes = 0;
  for (let round = 0; round < 50; round++) {
    for (const connection of connections) {
      for (let i = 0; i < 20; i++) {
        connection.subscribe(`${round} ${i}`);
        changes++;
      }
      if (round > 0) for (let i = 0; i < 20; i++) assert.ok(connection.unsubscribe(`${round - 1} ${i}`));
    }
    assert.strictEqual(server.publish(`${round} 7`, `${round}`), 10);
    if (round > 0) assert.strictEqual(server.publish(`${round - 1} 7`, 'x'), 0);
    await turns(1);
  }
  const perSecond = changes / (performance.now() - start) * 1000;
  assert.strictEqual(server.topics.length, 20);
  assert.strictEqual(server.stats().pubsub.subscriptions, 200);
  await received(seen, 50);
  for (const { messages } of seen) assert.deepStrictEqual(messages, Array.from({ length: 50 }, (_, i) => `${i}`));
  assert.ok(perSecond > 10000, `${perSecond} subscriptions a second`);
});

test('memory does not grow with subscriptions that have ended', async (t) => {
  const { server, connections: [connection] } = await open(t, WAYS[0], 1);
  const churn = async (count) => {
    for (let i = 0; i < count; i++) {
      connection.subscribe(`a topic with a long name ${i}`);
      connection.unsubscribe(`a topic with a long name ${i}`);
      // So that promises are done with.
      if (i % 1000 === 0) await turns(1);
    }
  };
  await churn(50000);
  const before = process.memoryUsage().rss;
  await churn(200000);
  assert.deepStrictEqual(server.stats().pubsub.topics, 0);
  assert.ok(process.memoryUsage().rss - before < 40 << 20);
});

test('a message for thousands of streams comes in portions, in order, and before what is sent to them directly', async (t) => {
  const { server, connections, written } = serverOfStreams(t, 2000);
  for (const connection of connections) connection.subscribe('a');
  assert.strictEqual(server.publish('a', 'one'), 2000);
  const bytes = Buffer.from('two');
  assert.strictEqual(server.publish('a', bytes), 2000);
  bytes.fill('x');
  // Not all have had their turn.
  assert.strictEqual(written.at(-1).length, 0);
  connections.at(-1).sendUTF('three');
  connections.at(-2).close();
  connections.at(-3).drop(1000);
  await eventually(() => written.slice(0, -3).every((chunks) => chunks.length === 2), 'all messages');
  const texts = (chunks) => chunks.map((chunk) => chunk.subarray(2).toString());
  assert.deepStrictEqual(texts(written[5]), ['one', 'two']);
  assert.deepStrictEqual(texts(written[1900]), ['one', 'two']);
  assert.deepStrictEqual(texts(written.at(-1)), ['one', 'two', 'three']);
  assert.deepStrictEqual(texts(written.at(-2)).slice(0, 2), ['one', 'two']);
});

for (const io of ['loop', 'threads']) {
  test(`a message to hundreds, which other threads write, comes before what is sent behind it: ${io}`, async (t) => {
    const opened = await open(t, { config: { io } }, 0);
    const peers = await Promise.all(Array.from({ length: 200 }, () => openRawClient(opened.port)));
    t.after(() => peers.forEach((peer) => peer.destroy()));
    await opened.connection(200);
    for (const connection of opened.connections) connection.subscribe('a');
    for (let round = 0; round < 20; round++) {
      assert.strictEqual(opened.server.publish('a', `a ${round}`), 200);
      for (const connection of opened.connections.slice(0, 3)) connection.sendUTF(`b ${round}`);
      opened.server.broadcastUTF(`c ${round}`);
      opened.server.publish('a', `d ${round}`, { except: opened.connections.slice(3) });
      opened.connections[4].sendBytes(Buffer.alloc(20000));
      if (round % 5 === 0) await turns(2);
    }
    opened.connections[1].close();
    const texts = ({ frames }) => frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());
    // Some get more frames than others: so many of one say nothing about its last one.
    const sent = 3 * 80 + 197 * 40;
    await eventually(() => peers.reduce((sum, peer) => sum + texts(peer).length, 0) >= sent, 'all messages', 20000);
    const expected = (letters) => Array.from({ length: 20 }, (_, round) => [...letters].map((letter) => `${letter} ${round}`)).flat();
    const seen = peers.map(texts).map((list) => list.join());
    assert.strictEqual(seen.filter((list) => list === expected('abcd').join()).length, 3);
    assert.strictEqual(seen.filter((list) => list === expected('ac').join()).length, 197);
  });
}

test('what waits for its portion is bounded: a program that publishes without end delivers itself', async (t) => {
  const { server, connections, written } = serverOfStreams(t, 600);
  for (const connection of connections) connection.subscribe('a');
  for (let i = 0; i < 1000; i++) server.publish('a', `${i}`);
  const undelivered = 600 * 1000 - written.reduce((sum, { length }) => sum + length, 0);
  assert.ok(undelivered <= 100000, `${undelivered} wait`);
  await eventually(() => written.every(({ length }) => length === 1000), 'all messages', 20000);
  assert.deepStrictEqual(written[599].map((chunk) => chunk.subarray(2).toString()), Array.from({ length: 1000 }, (_, i) => `${i}`));
});

test('the loop goes on while a message is published to 50,000 streams', async (t) => {
  const { server, connections, written } = serverOfStreams(t, 50000);
  for (const connection of connections) connection.subscribe('a');
  await turns();
  assert.strictEqual(server.publish('a', 'to very many'), 50000);
  const isDelivered = () => written.every(({ length }) => length === 1);
  let between = 0;
  while (!isDelivered() && between < 100000) {
    await turns();
    between++;
  }
  assert.ok(isDelivered());
  // A portion takes 4 ms, so a slower machine needs more of them.
  assert.ok(between >= 3, `all in ${between} turns of the loop`);
});
