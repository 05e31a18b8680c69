'use strict';

// What an adapter must do, as tests of `node:test`. See docs/adapters.md.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { randomBytes } = require('crypto');

/** Milliseconds that anything may take. */
const PATIENCE = 10_000;
/** Milliseconds after which what has not come is not expected any more. */
const SILENCE = 150;
const TIMEOUT = Symbol('timeout');

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One node: an adapter, and what it has told. */
class Node {
  received = [];
  losses = 0;
  restorations = 0;
  #started;

  constructor({ adapter, close }) {
    this.adapter = adapter;
    this.closeClients = close;
    this.#started = adapter.start({
      node: randomBytes(6).toString('hex'),
      deliver: (topic, envelope) => this.received.push({ topic, bytes: Buffer.from(envelope) }),
      lost: () => {
        this.losses += 1;
      },
      restored: () => {
        this.restorations += 1;
      }
    });
  }

  async started() {
    await within(this.#started, 'start()');
  }

  /** What was received in a topic, when it is `count` messages. */
  async messages(topic, count) {
    const end = Date.now() + PATIENCE;
    const ofTopic = () => this.received.filter((message) => message.topic === topic).map(({ bytes }) => bytes);
    while (ofTopic().length < count && Date.now() < end) await delay(5);
    return ofTopic();
  }

  async close() {
    await within(this.adapter.close(), 'close()');
    await this.closeClients?.();
  }
}

async function within(promise, what) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE, TIMEOUT);
  });
  try {
    const result = await Promise.race([promise, timeout]);
    assert.notStrictEqual(result, TIMEOUT, `${what} has not settled within ${PATIENCE} ms`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

const unique = () => `test-${randomBytes(6).toString('hex')}`;

/**
 * Adds a suite of tests for an adapter.
 * @param {string} name
 * @param {() => Made | Promise<Made>} make a new adapter, with clients of its own: `{ adapter, close }`. `close` is called
 *   after `adapter.close()`.
 * @param {object} [faults] how to take the engine away. Without it, losses are not tested.
 * @param {() => Promise<void>} faults.stop
 * @param {() => Promise<void>} faults.restart
 */
function testAdapter(name, make, faults) {
  const nodes = async (count) => {
    const made = [];
    for (let i = 0; i < count; i++) made.push(new Node(await make()));
    await Promise.all(made.map((node) => node.started()));
    return made;
  };
  /** Runs `body` with started nodes, and closes them. */
  const withNodes = (count, body) => async () => {
    const made = await nodes(count);
    try {
      await body(...made);
    } finally {
      await Promise.all(made.map((node) => node.close()));
    }
  };

  describe(`adapter: ${name}`, () => {
    test('a message reaches every node that has subscribed, the publisher too, and no other', withNodes(3, async (a, b, c) => {
      const topic = unique();
      await within(Promise.all([a.adapter.subscribe([topic]), b.adapter.subscribe([topic]), c.adapter.subscribe([`${topic}2`])]), 'subscribe()');
      await within(a.adapter.publish(topic, Buffer.from('hello')), 'publish()');
      for (const node of [a, b]) assert.deepStrictEqual((await node.messages(topic, 1)).map(String), ['hello']);
      await delay(SILENCE);
      assert.deepStrictEqual(c.received, []);
    }));

    test('all bytes stay as they are', withNodes(2, async (a, b) => {
      const topic = unique();
      const payloads = [Buffer.alloc(0), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(512 * 1024)];
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      for (const payload of payloads) await within(b.adapter.publish(topic, payload), 'publish()');
      assert.deepStrictEqual(await a.messages(topic, payloads.length), payloads);
    }));

    test('topics may have any character, and are never patterns', withNodes(2, async (a, b) => {
      const begin = unique();
      const topics = ['', 'a', 'A', 'a.b', 'a.*', 'a.>', '*', '>', 'a b', 'a\r\nb', '\0', '{a}', '{}', '=', '[ab]', '?', 'ü', '日本', '=fc', '\\', '"', '/'];
      const full = [...topics.map((topic) => begin + topic), 'x'.repeat(255)];
      await within(a.adapter.subscribe(full), 'subscribe()');
      for (const topic of full) await within(b.adapter.publish(topic, Buffer.from(topic)), 'publish()');
      for (const topic of full) assert.deepStrictEqual((await a.messages(topic, 1)).map(String), [topic]);
    }));

    test('the empty topic, in which nodes talk to each other', withNodes(2, async (a, b) => {
      await within(a.adapter.subscribe(['']), 'subscribe()');
      await within(b.adapter.publish('', Buffer.from('hello')), 'publish()');
      const messages = (await a.messages('', 1)).map(String);
      assert.ok(messages.includes('hello'));
    }));

    test('a thousand messages keep their order', withNodes(2, async (a, b) => {
      const topic = unique();
      const numbers = Array.from({ length: 1000 }, (_, i) => String(i));
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      await within(Promise.all(numbers.map((number) => b.adapter.publish(topic, Buffer.from(number)))), 'publish()');
      assert.deepStrictEqual((await a.messages(topic, 1000)).map(String), numbers);
    }));

    test('a thousand topics in one call', withNodes(2, async (a, b) => {
      const begin = unique();
      const topics = Array.from({ length: 1000 }, (_, i) => `${begin}-${i}`);
      await within(a.adapter.subscribe(topics), 'subscribe()');
      await within(Promise.all(topics.map((topic) => b.adapter.publish(topic, Buffer.from(topic)))), 'publish()');
      for (const topic of topics) assert.strictEqual((await a.messages(topic, 1)).length, 1);
      await within(a.adapter.unsubscribe(topics), 'unsubscribe()');
      a.received.length = 0;
      await within(Promise.all(topics.map((topic) => b.adapter.publish(topic, Buffer.from(topic)))), 'publish()');
      await delay(SILENCE);
      assert.deepStrictEqual(a.received, []);
    }));

    test('subscribing twice brings one message, unsubscribing twice is no fault', withNodes(1, async (a) => {
      const topic = unique();
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      await within(a.adapter.publish(topic, Buffer.from('one')), 'publish()');
      await a.messages(topic, 1);
      await delay(SILENCE);
      assert.strictEqual(a.received.length, 1);
      await within(a.adapter.unsubscribe([topic]), 'unsubscribe()');
      await within(a.adapter.unsubscribe([topic]), 'unsubscribe()');
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      await within(a.adapter.publish(topic, Buffer.from('two')), 'publish()');
      assert.deepStrictEqual((await a.messages(topic, 2)).map(String), ['one', 'two']);
    }));

    test('a message without subscribers is no fault', withNodes(1, async (a) => {
      await within(a.adapter.publish(unique(), Buffer.from('hello')), 'publish()');
      assert.strictEqual(a.losses, 0);
    }));

    test('after close() nothing is delivered', async () => {
      const [a, b] = await nodes(2);
      const topic = unique();
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      await within(a.adapter.close(), 'close()');
      await within(b.adapter.publish(topic, Buffer.from('hello')), 'publish()');
      await delay(SILENCE);
      assert.deepStrictEqual(a.received, []);
      await a.closeClients?.();
      await b.close();
    });

    test('it can be started again after close()', async () => {
      const { adapter, close } = await make();
      const topic = unique();
      for (const text of ['one', 'two']) {
        const node = new Node({ adapter });
        await node.started();
        await within(adapter.subscribe([topic]), 'subscribe()');
        await within(adapter.publish(topic, Buffer.from(text)), 'publish()');
        assert.deepStrictEqual((await node.messages(topic, 1)).map(String), [text]);
        await node.close();
      }
      await close?.();
    });

    if (faults === undefined) return;

    test('a loss is announced, and the subscriptions are there again', withNodes(2, async (a, b) => {
      const topic = unique();
      await within(a.adapter.subscribe([topic]), 'subscribe()');
      const before = [a, b].map(({ restorations }) => restorations);
      await faults.stop();
      await waitFor(() => a.losses > 0 && b.losses > 0, 'lost()');
      await assert.rejects(async () => within(b.adapter.publish(topic, Buffer.from('lost')), 'publish()'),
        (error) => !(error instanceof assert.AssertionError));
      await faults.restart();
      await waitFor(() => a.restorations > before[0] && b.restorations > before[1], 'restored()');
      await within(b.adapter.publish(topic, Buffer.from('here again')), 'publish()');
      assert.deepStrictEqual((await a.messages(topic, 1)).map(String), ['here again']);
    }));
  });
}

async function waitFor(check, what) {
  const end = Date.now() + PATIENCE;
  while (!check()) {
    assert.ok(Date.now() < end, `${what} was not called within ${PATIENCE} ms`);
    await delay(10);
  }
}

module.exports = { testAdapter };
