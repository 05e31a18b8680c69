'use strict';

// What a server sees of the engine, over one within the process.

const { after, describe, test } = require('node:test');
const assert = require('node:assert');
const { Engine } = require('../../lib/internal/pubsub/engine');
const { encode } = require('../../lib/internal/pubsub/envelope');
const { testAdapter } = require('../../pubsub/test');
const { MemoryBus } = require('./memory-adapter');
const { node, say, turns } = require('./nodes-on-a-bus');

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const isLost = { code: 'ERR_WEBSOCKET_PUBSUB_LOST' };
const isRefused = { code: 'ERR_WEBSOCKET_PUBSUB' };
// Sockets of clients keep a process alive; the engine's own timers do not.
const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));
const ofKind = (bus, kind) => bus.calls.filter((call) => call.kind === kind && call.topics[0] !== '');

describe('delivery', () => {
  test('a message reaches the other nodes, with its type; the own echo is dropped and counted', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await Promise.all([a.engine.wanted('x'), b.engine.wanted('x')]);
    await a.engine.publish('x', Buffer.from([1]), true, 'one');
    await say(a, 'x', 'two');
    assert.deepStrictEqual(b.delivered.map(({ isBinary, publisher }) => ({ isBinary, publisher })),
      [{ isBinary: true, publisher: '' }, { isBinary: false, publisher: '' }]);
    assert.deepStrictEqual(a.delivered, []);
    assert.strictEqual(a.engine.stats().echoes, 2);
    assert.strictEqual(a.engine.stats().published, 2);
    assert.strictEqual(b.engine.stats().received, 2);
  });

  test('with topicOrder engine, the own messages come through the engine too, with their publisher', async () => {
    const bus = new MemoryBus();
    const a = node(bus, { topicOrder: 'engine' });
    await a.engine.wanted('x');
    await say(a, 'x', 'one', 'connection 7');
    assert.deepStrictEqual(a.delivered, [{ topic: 'x', text: 'one', isBinary: false, publisher: 'connection 7' }]);
  });

  test('with topicOrder engine, local delivery goes on while the engine is away, and nothing comes twice or late', async () => {
    const bus = new MemoryBus();
    const a = node(bus, { topicOrder: 'engine', maxPublishQueue: 10_000 });
    const b = node(bus);
    await Promise.all([a.engine.wanted('x'), b.engine.wanted('x')]);
    const late = [];
    const { deliver } = bus;
    bus.deliver = (...args) => late.push(args);
    await say(a, 'x', 'late');
    bus.deliver = deliver;
    bus.stop();
    const queued = say(a, 'x', 'meanwhile');
    assert.deepStrictEqual(a.texts('x'), ['meanwhile']);
    bus.restart();
    await queued;
    for (const args of late) bus.deliver(...args);
    await say(a, 'x', 'afterwards');
    assert.deepStrictEqual(a.texts('x'), ['meanwhile', 'afterwards']);
    assert.strictEqual(a.engine.stats().repeated, 1);
    assert.deepStrictEqual(b.texts('x'), ['meanwhile', 'afterwards']);
  });

  test('what comes twice or out of order is dropped and counted', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    await turns();
    const envelopes = [];
    const { deliver } = bus;
    bus.deliver = (topic, envelope) => envelopes.push(envelope);
    for (const text of ['1', '2', '3']) await say(a, 'x', text);
    bus.deliver = deliver;
    for (const i of [0, 0, 1, 2, 1, 0, 2]) bus.deliver('x', envelopes[i]);
    assert.deepStrictEqual(b.texts('x'), ['1', '2', '3']);
    assert.strictEqual(b.engine.stats().repeated, 4);
    assert.strictEqual(b.engine.stats().missed, 0);
  });

  test('a message that the engine loses without a sign is counted and reported', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    const { deliver } = bus;
    await say(a, 'x', '1');
    bus.deliver = () => {};
    await say(a, 'x', '2');
    bus.deliver = deliver;
    await say(a, 'other', 'is no gap');
    await say(a, 'x', '3');
    assert.deepStrictEqual(b.texts('x'), ['1', '3']);
    assert.strictEqual(b.engine.stats().missed, 1);
    const [{ argument, details }] = b.named('pubsubError');
    assert.strictEqual(argument.code, 'ERR_WEBSOCKET_PUBSUB_GAP');
    assert.deepStrictEqual(details, { topic: 'x', stage: 'receive', others: 0 });
  });

  test('a loss that was announced is no gap', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    await say(a, 'x', '1');
    for (const one of bus.nodes) if (bus.subscribers.get('x').has(one)) one.context.lost();
    const { deliver } = bus;
    bus.deliver = () => {};
    await say(a, 'x', '2');
    bus.deliver = deliver;
    bus.restart();
    await say(a, 'x', '3');
    assert.deepStrictEqual(b.texts('x'), ['1', '3']);
    assert.strictEqual(b.engine.stats().missed, 0);
  });

  test('malformed envelopes and those of another version are counted, and reported at most once a second', async () => {
    const bus = new MemoryBus();
    const b = node(bus);
    await b.engine.wanted('x');
    for (let i = 0; i < 300; i++) bus.deliver('x', Buffer.of(i % 256));
    bus.deliver('x', 'no bytes');
    await turns();
    assert.strictEqual(b.engine.stats().malformed, 301);
    assert.strictEqual(b.named('pubsubError').length, 1);
    assert.deepStrictEqual(b.delivered, []);
  });

  test('a storm is delivered in portions, in order, and more than fits is dropped and counted', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await a.engine.wanted('x');
    await turns();
    const envelope = (sequence) => encode({ node: 'another node', sequence, distance: 1, isBinary: false, own: false, publisher: '', payload: Buffer.from(String(sequence)) });
    const total = 70_000;
    for (let i = 1; i <= total; i++) bus.deliver('x', envelope(i));
    assert.ok(a.delivered.length <= 512, `${a.delivered.length} in one turn`);
    let most = 0;
    for (let last = -1; last !== a.delivered.length;) {
      last = a.delivered.length;
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, a.delivered.length - last);
    }
    assert.ok(most <= 2 * 512, `${most} in one turn`);
    const { dropped } = a.engine.stats();
    assert.ok(dropped > 0);
    assert.strictEqual(a.delivered.length, total - dropped);
    assert.deepStrictEqual(a.texts('x'), Array.from({ length: total - dropped }, (_, i) => String(i + 1)));
    assert.strictEqual(a.named('pubsubError')[0].argument.code, 'ERR_WEBSOCKET_PUBSUB_DROPPED');
  });

  test('an exception of a listener is uncaught, and the engine goes on', async () => {
    const bus = new MemoryBus();
    const thrown = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error.message));
    const a = node(bus, { emit: (name) => {
      throw new Error(name);
    } });
    await a.engine.wanted('x');
    bus.stop();
    bus.restart();
    await turns();
    process.removeAllListeners('uncaughtException');
    listeners.forEach((listener) => process.on('uncaughtException', listener));
    assert.deepStrictEqual(thrown, ['pubsubLost', 'pubsubRestored']);
  });
});

describe('subscriptions', () => {
  test('all topics of one turn go to the engine in one call, each once', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    bus.calls = [];
    await Promise.all(['x', 'y', 'x', 'z'].map((topic) => a.engine.wanted(topic)));
    assert.deepStrictEqual(bus.calls, [{ kind: 'subscribe', topics: ['x', 'y', 'z'] }]);
    assert.strictEqual(a.engine.stats().subscriptions, 3);
  });

  test('a subscription is given up after topicLinger, and not if a subscriber comes back', async () => {
    const bus = new MemoryBus();
    const a = node(bus, { topicLinger: 40 });
    await turns();
    await Promise.all([a.engine.wanted('x'), a.engine.wanted('y')]);
    a.engine.unwanted('x');
    a.engine.unwanted('y');
    await delay(10);
    await a.engine.wanted('y');
    assert.strictEqual(a.engine.stats().subscriptions, 2);
    await delay(100);
    assert.deepStrictEqual(ofKind(bus, 'unsubscribe').map(({ topics }) => topics), [['x']]);
    assert.strictEqual(ofKind(bus, 'subscribe').length, 1);
    assert.deepStrictEqual(a.engine.stats().topics, 1);
  });

  test('nothing is delivered to a topic whose last subscriber has left', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    b.engine.unwanted('x');
    await say(a, 'x', 'nobody');
    assert.deepStrictEqual(b.delivered, []);
  });

  test('a subscriber that comes back soon finds no gap where it was away', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    await say(a, 'x', '1');
    b.engine.unwanted('x');
    await say(a, 'x', '2');
    await b.engine.wanted('x');
    await say(a, 'x', '3');
    assert.deepStrictEqual(b.texts('x'), ['1', '3']);
    assert.strictEqual(b.engine.stats().missed, 0);
  });

  test('a subscription that the engine refuses is rejected, tried again, and does not spoil the others', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    let isForbidden = true;
    bus.before = async (kind, topics) => {
      if (isForbidden && topics.includes('secret')) throw new Error('no permission');
    };
    const [secret, other] = [a.engine.wanted('secret'), a.engine.wanted('other')];
    await assert.rejects(secret, { ...isRefused, message: /"secret".*no permission/ });
    await assert.rejects(other, isRefused);
    await a.engine.wanted('other');
    assert.strictEqual(a.named('pubsubError')[0].details.stage, 'subscribe');
    isForbidden = false;
    await a.engine.wanted('secret');
  });

  test('a Promise that nobody looks at is never an unhandled rejection', async () => {
    const bus = new MemoryBus({ isUp: false });
    const a = node(bus);
    a.engine.wanted('x');
    a.engine.unwanted('x');
    say(a, 'x', 'lost');
    await turns();
    await a.engine.close();
    a.engine.wanted('y');
    say(a, 'y', 'closed');
    await turns();
  });

  test('what is wanted while the engine is away is subscribed when it comes, what is not wanted any more is not', async () => {
    const bus = new MemoryBus({ isUp: false });
    const a = node(bus);
    const promises = [a.engine.wanted('x'), a.engine.wanted('y')];
    a.engine.unwanted('y');
    await assert.rejects(promises[1], { code: 'ERR_WEBSOCKET_CLOSED' });
    await turns();
    assert.deepStrictEqual(bus.calls, []);
    bus.restart();
    await promises[0];
    assert.deepStrictEqual([...bus.subscribers.keys()].sort(), ['', 'x']);
  });
});

describe('losses', () => {
  test('a loss and its end are announced once each, with the time between', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await a.engine.wanted('x');
    bus.stop(new Error('the cable'));
    bus.stop(new Error('again'));
    await delay(20);
    assert.ok(a.engine.stats().lostFor >= 15);
    bus.restart();
    bus.restart();
    const [lost, restored] = a.events;
    assert.deepStrictEqual(a.events.map(({ name }) => name), ['pubsubLost', 'pubsubRestored']);
    assert.strictEqual(lost.argument.code, 'ERR_WEBSOCKET_PUBSUB_LOST');
    assert.match(lost.argument.message, /the cable/);
    assert.strictEqual(lost.argument.cause.message, 'the cable');
    assert.ok(restored.argument.downtime >= 15);
    assert.strictEqual(a.engine.stats().lostFor, 0);
  });

  test('a publish is rejected while the engine is away, with the reason', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await assert.rejects(say(node(new MemoryBus({ isUp: false })), 'x', 'never there'), isLost);
    await turns();
    bus.stop(new Error('the cable'));
    await assert.rejects(say(a, 'x', 'lost'), { ...isLost, message: /"x".*the cable.*maxPublishQueue/ });
  });

  test('a publish under way when the engine is lost is rejected at once, even if the adapter says nothing', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    bus.before = () => new Promise(() => {});
    const published = say(a, 'x', 'fate unknown');
    bus.stop();
    await assert.rejects(published, isLost);
  });

  test('with maxPublishQueue messages wait, in order, up to that many bytes', async () => {
    const bus = new MemoryBus({ isUp: false });
    const a = node(bus, { maxPublishQueue: 3 * 26 });
    const b = node(bus);
    const wanted = b.engine.wanted('x');
    const waiting = ['1', '2', '3'].map((text) => say(a, 'x', text));
    await assert.rejects(say(a, 'x', '4'), isLost);
    assert.strictEqual(a.engine.stats().queuedBytes, 78);
    for (const one of bus.nodes) if (one.context !== null) bus.isUp = true;
    [...bus.nodes][1].context.restored();
    await wanted;
    bus.restart();
    const direct = say(a, 'x', '5');
    await Promise.all([...waiting, direct]);
    assert.deepStrictEqual(b.texts('x'), ['1', '2', '3', '5']);
    assert.strictEqual(a.engine.stats().queuedBytes, 0);
  });

  test('what the engine does not confirm is bounded; one message always fits', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    const confirmations = [];
    bus.before = () => new Promise((resolve) => confirmations.push(resolve));
    const large = Buffer.alloc(20 * 1024 * 1024);
    const first = a.engine.publish('x', large, true, '');
    await assert.rejects(say(a, 'x', 'too much'), { code: 'ERR_WEBSOCKET_BUFFER_FULL' });
    confirmations.forEach((resolve) => resolve());
    await first;
    bus.before = () => undefined;
    await say(a, 'x', 'fits');
  });

  test('what the engine refuses is rejected as refused, not as lost', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    bus.before = () => {
      throw new Error('too large');
    };
    await assert.rejects(say(a, 'x', 'x'), { ...isRefused, message: /too large/ });
  });

  test('an adapter whose start fails is started again', async () => {
    const bus = new MemoryBus();
    const adapter = bus.adapter();
    const { start } = adapter;
    let attempts = 0;
    adapter.start = function startLater(context) {
      attempts += 1;
      if (attempts < 3) throw new Error(`attempt ${attempts}`);
      return start.call(this, context);
    };
    const events = [];
    const engine = new Engine(adapter, { deliver() {}, countLocal: () => 0, emit: (name) => events.push(name) });
    engine.start();
    await engine.wanted('x');
    assert.strictEqual(attempts, 3);
    assert.deepStrictEqual(events, ['pubsubLost', 'pubsubRestored']);
  });
});

describe('count', () => {
  test('adds the subscribers of all nodes, also right after the start', async () => {
    const bus = new MemoryBus();
    const nodes = [1, 2, 3].map((count) => node(bus, { countLocal: (topic) => (topic === 'ü' ? count : 0) }));
    await turns();
    assert.deepStrictEqual(await nodes[0].engine.count('ü', 1000), { connections: 6, nodes: 3, silent: [] });
    assert.deepStrictEqual(await nodes[1].engine.count('other', 1000), { connections: 0, nodes: 3, silent: [] });
  });

  test('names the nodes that are too slow, and does not wait longer than it was told to', async () => {
    const bus = new MemoryBus();
    const [a, b, c] = [node(bus), node(bus), node(bus)];
    await delay(300);
    const { deliver } = bus;
    const [, second] = bus.nodes;
    bus.deliver = (topic, envelope) => {
      for (const one of bus.subscribers.get(topic) ?? []) if (one !== second) one.context.deliver(topic, envelope);
    };
    assert.deepStrictEqual(await a.engine.count('x', 50), { connections: 2, nodes: 2, silent: [b.engine.node] });
    bus.deliver = deliver;
    assert.deepStrictEqual(await c.engine.count('x', 1000), { connections: 3, nodes: 3, silent: [] });
  });

  test('counts this node while the engine is away', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await delay(300);
    bus.stop();
    assert.deepStrictEqual(await a.engine.count('x', 1000), { connections: 1, nodes: 1, silent: [b.engine.node] });
  });

  test('a node that has closed is not waited for', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await delay(300);
    await b.engine.close();
    assert.deepStrictEqual(await a.engine.count('x', 1000), { connections: 1, nodes: 1, silent: [] });
  });

  test('an adapter that can count is asked, and its failure is no rejection', async () => {
    const bus = new MemoryBus();
    const adapter = bus.adapter();
    adapter.count = async () => ({ connections: 42, nodes: 7, silent: ['x'] });
    const events = [];
    const engine = new Engine(adapter, { deliver() {}, countLocal: () => 5, emit: (name) => events.push(name) });
    engine.start();
    await turns();
    assert.strictEqual((await engine.count('x', 10)).connections, 42);
    adapter.count = async () => {
      throw new Error('no');
    };
    assert.deepStrictEqual(await engine.count('x', 10), { connections: 5, nodes: 1, silent: [] });
    assert.deepStrictEqual(events, ['pubsubError']);
  });

  test('nonsense in the topic of the nodes is no fault', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await delay(300);
    for (let kind = 0; kind < 256; kind++) {
      for (const length of [0, 1, 4, 5, 6, 17, 21]) {
        bus.deliver('', encode({ node: b.engine.node, sequence: 1000 + kind * 10 + length, distance: 0, isBinary: true, own: false, publisher: '', payload: Buffer.alloc(length, kind) }));
      }
    }
    await turns();
    assert.strictEqual((await a.engine.count('x', 200)).connections >= 1, true);
  });
});

describe('close', () => {
  test('waits for the messages under way, and calls fail afterwards', async () => {
    const bus = new MemoryBus();
    const [a, b] = [node(bus), node(bus)];
    await b.engine.wanted('x');
    bus.before = () => delay(20);
    const last = say(a, 'x', 'last');
    await a.engine.close();
    await last;
    assert.deepStrictEqual(b.texts('x'), ['last']);
    await assert.rejects(a.engine.wanted('x'), { code: 'ERR_WEBSOCKET_CLOSED' });
    await assert.rejects(say(a, 'x', 'x'), { code: 'ERR_WEBSOCKET_CLOSED' });
    await a.engine.close();
  });

  test('does not wait for an engine that hangs', async () => {
    const bus = new MemoryBus();
    const a = node(bus);
    await turns();
    bus.before = () => new Promise(() => {});
    say(a, 'x', 'x');
    const begin = performance.now();
    await a.engine.close();
    assert.ok(performance.now() - begin < 4500);
  });
});

{
  const bus = new MemoryBus();
  testAdapter('the bus of these tests', () => ({ adapter: bus.adapter() }), {
    stop: async () => bus.stop(),
    restart: async () => bus.restart()
  });
}
