'use strict';

// Servers that an engine connects: two of them in this process, on a bus in memory.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { eventually, next, turns } = require('../helpers/under-test/endpoints');
const { MemoryBus } = require('./memory-adapter');
const { WAYS, open, received } = require('./ways');

/** A server on the bus, with two clients. */
async function join(t, bus, way = WAYS[0], config = {}) {
  const adapter = bus.adapter();
  const opened = await open(t, way, 2, { pubsub: adapter, topicLinger: 20, ...config });
  t.after(() => opened.server.shutDown());
  return { ...opened, adapter };
}

for (const way of WAYS.slice(0, 4)) {
  test(`what one server publishes reaches the subscribers of the other: ${way.name}`, async (t) => {
    const bus = new MemoryBus();
    const [one, other] = [await join(t, bus, way), await join(t, bus, way)];
    await Promise.all([...one.connections, ...other.connections].map((connection) => connection.subscribe('a')));
    assert.strictEqual(one.server.publish('a', 'from one'), 2);
    assert.strictEqual(other.connections[0].publish('a', Buffer.from('from the other')), true);
    await received([...one.seen, other.seen[1]], 2);
    await received([other.seen[0]], 1);
    assert.deepStrictEqual(one.seen[0].messages.map(String), ['from one', 'from the other']);
    assert.ok(Buffer.isBuffer(one.seen[0].messages[1]));
    assert.deepStrictEqual([...new Set(other.seen[1].messages.map(String))].sort(), ['from one', 'from the other']);
    await turns();
    assert.deepStrictEqual(other.seen[0].messages, ['from one']);
    const { published, received: arrived } = other.server.stats().pubsub;
    assert.ok(published >= 1 && arrived >= 1);
  });
}

test('with local: true, and on topics of which the other has no subscriber, nothing goes there', async (t) => {
  const bus = new MemoryBus();
  const [one, other] = [await join(t, bus), await join(t, bus)];
  await Promise.all([one.connections[0].subscribe('a'), other.connections[0].subscribe('a'), one.connections[0].subscribe('b')]);
  one.server.publish('a', 'local', { local: true });
  one.server.publish('b', 'b');
  one.server.publish('a', 'all');
  await received([one.seen[0]], 3);
  await received([other.seen[0]], 1);
  assert.deepStrictEqual(other.seen[0].messages, ['all']);
  assert.strictEqual(bus.subscribers.get('b').size, 1);
});

test('the engine subscribes to a topic with the first subscriber, and gives it up after the last', async (t) => {
  const bus = new MemoryBus();
  const { connections, server } = await join(t, bus);
  const topics = () => [...bus.subscribers.keys()].filter((topic) => topic !== '');
  await connections[0].subscribe('a');
  await connections[1].subscribe('a');
  assert.deepStrictEqual(topics(), ['a']);
  connections[0].unsubscribe('a');
  connections[1].close();
  assert.deepStrictEqual([server.topics, topics()], [[], ['a']]);
  await eventually(() => topics().length === 0, 'topicLinger');
  assert.strictEqual(bus.calls.filter(({ kind, topics: of }) => kind === 'subscribe' && of.includes('a')).length, 1);
});

test('subscribe() resolves when the engine has confirmed; what is published here arrives before', async (t) => {
  const bus = new MemoryBus();
  const { server, connections: [connection], seen } = await join(t, bus);
  let confirm;
  bus.before = (kind) => (kind === 'subscribe' ? new Promise((resolve) => { confirm = resolve; }) : undefined);
  let resolved = false;
  const subscribed = connection.subscribe('a').then(() => { resolved = true; });
  server.publish('a', 'early');
  await received([seen[0]], 1);
  await eventually(() => confirm !== undefined, 'the call of the adapter');
  assert.strictEqual(resolved, false);
  confirm();
  await subscribed;
});

test('a connection that closes while the engine is asked', async (t) => {
  const bus = new MemoryBus();
  const { server, connections: [connection, other] } = await join(t, bus);
  let confirm;
  bus.before = (kind) => (kind === 'subscribe' ? new Promise((resolve) => { confirm = resolve; }) : undefined);
  const subscribed = connection.subscribe('a');
  await eventually(() => confirm !== undefined, 'the call of the adapter');
  connection.drop(1000);
  confirm();
  await Promise.allSettled([subscribed]);
  assert.deepStrictEqual(server.topics, []);
  bus.before = () => undefined;
  await eventually(() => !bus.subscribers.has('a'), 'the topic to be given up');
  await other.subscribe('a');
  assert.strictEqual(server.publish('a', 'x'), 1);
});

test('the engine goes and comes: local delivery goes on, and the callback says what was not published', async (t) => {
  const bus = new MemoryBus();
  const [one, other] = [await join(t, bus), await join(t, bus)];
  await Promise.all([one.connections[0].subscribe('a'), other.connections[0].subscribe('a')]);
  const lost = next(one.server, 'pubsubLost');
  bus.stop(new Error('unplugged'));
  const [error] = await lost;
  assert.strictEqual(error.code, 'ERR_WEBSOCKET_PUBSUB_LOST');
  const refused = await new Promise((resolve) => {
    assert.strictEqual(one.server.publish('a', 'alone', (problem) => resolve(problem)), 1);
  });
  assert.strictEqual(refused.code, 'ERR_WEBSOCKET_PUBSUB_LOST');
  await received([one.seen[0]], 1);
  assert.ok(one.server.stats().pubsub.lostFor >= 0);
  const restored = next(one.server, 'pubsubRestored');
  bus.restart();
  const [{ downtime }] = await restored;
  assert.ok(downtime >= 0);
  const problem = await new Promise((resolve) => { one.server.publish('a', 'together', resolve); });
  assert.strictEqual(problem, undefined);
  await received([other.seen[0]], 1);
  assert.deepStrictEqual([one.seen[0].messages, other.seen[0].messages], [['alone', 'together'], ['together']]);
});

describe("topicOrder: 'engine'", () => {
  test('all servers have one order, and who publishes gets nothing', async (t) => {
    const bus = new MemoryBus();
    const ordered = { topicOrder: 'engine' };
    const [one, other] = [await join(t, bus, WAYS[0], ordered), await join(t, bus, WAYS[0], ordered)];
    await Promise.all([...one.connections, ...other.connections].map((connection) => connection.subscribe('a')));
    for (let i = 0; i < 20; i++) {
      one.server.publish('a', `one ${i}`);
      other.server.publish('a', `other ${i}`);
      if (i % 5 === 0) await turns(1);
    }
    await received([...one.seen, ...other.seen], 40);
    for (const { messages } of [one.seen[1], ...other.seen]) assert.deepStrictEqual(messages, one.seen[0].messages);
    one.connections[0].publish('a', 'but me');
    assert.strictEqual(one.server.publish('a', 'but two', { except: one.connections, compress: false }), 0);
    await received(other.seen, 42);
    await received([one.seen[1]], 41);
    await turns();
    assert.deepStrictEqual([one.seen[0].messages.length, one.seen[1].messages.at(-1)], [40, 'but me']);
  });

  test('while the engine is away, subscribers here still get everything', async (t) => {
    const bus = new MemoryBus();
    const { server, connections, seen } = await join(t, bus, WAYS[0], { topicOrder: 'engine' });
    await connections[0].subscribe('a');
    bus.stop();
    server.publish('a', 'alone');
    await received([seen[0]], 1);
  });
});

test('subscribers of all servers are counted', async (t) => {
  const bus = new MemoryBus();
  const [one, other] = [await join(t, bus), await join(t, bus)];
  await Promise.all([one.connections[0].subscribe('a'), ...other.connections.map((connection) => connection.subscribe('a'))]);
  await eventually(async () => true, 'a turn');
  const { connections, nodes, silent } = await one.server.count('a', { timeout: 500 });
  assert.deepStrictEqual([connections, nodes, silent], [3, 2, []]);
});

test('a server leaves the engine when it has stopped listening and its last connection has gone', async (t) => {
  const bus = new MemoryBus();
  const { server, connections, adapter } = await join(t, bus);
  await connections[0].subscribe('a');
  assert.ok(bus.nodes.has(adapter));
  server.unmount();
  assert.ok(bus.nodes.has(adapter));
  server.closeAllConnections();
  await eventually(() => !bus.nodes.has(adapter), 'the adapter to be closed', 10000);
});

test('an adapter that throws when it starts does not end the process, and is started again', async (t) => {
  const bus = new MemoryBus();
  const adapter = bus.adapter();
  let starts = 0;
  const { start } = adapter;
  adapter.start = function failing(context) {
    if (++starts === 1) throw new Error('not yet');
    return start.call(this, context);
  };
  const { server, connections, seen } = await open(t, WAYS[0], 1, { pubsub: adapter });
  t.after(() => server.shutDown());
  await connections[0].subscribe('a');
  assert.strictEqual(starts, 2);
  server.publish('a', 'x');
  await received(seen, 1);
});
