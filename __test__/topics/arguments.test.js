'use strict';

// Arguments that mean nothing. A wrong type is a mistake of the program and throws. A name may come from a peer: a wrong one
// is told to a Promise or a callback, and never ends the process.

const { test } = require('node:test');
const assert = require('node:assert');
const websocket = require('../..');
const { startHttpServer } = require('../helpers/under-test/endpoints');
const { WAYS, open, received } = require('./ways');

const WRONG_TYPES = [undefined, null, 5, {}, [], Symbol('topic'), Buffer.from('a'), () => {}];

test('a topic that is no string throws, everywhere', async (t) => {
  const { server, connections: [connection] } = await open(t, WAYS[0], 1);
  for (const topic of WRONG_TYPES) {
    for (const call of [
      () => connection.subscribe(topic), () => connection.unsubscribe(topic), () => connection.isSubscribed(topic),
      () => connection.publish(topic, 'x'), () => server.publish(topic, 'x'), () => server.subscribers(topic),
    ]) {
      assert.throws(call, { name: 'TypeError', code: 'ERR_WEBSOCKET_TOPIC', message: /^A topic is a string, not / });
    }
    await assert.rejects(server.count(topic), { code: 'ERR_WEBSOCKET_TOPIC' });
  }
  assert.deepStrictEqual(server.topics, []);
});

test('a topic that is empty or too long is refused without an exception', async (t) => {
  const { server, connections: [connection] } = await open(t, WAYS[0], 1, { maxTopicLength: 6 });
  for (const [topic, message] of [['', /must not be empty/], ['ääää', /at most 6 bytes of UTF-8, not 8 \(maxTopicLength\)/]]) {
    await assert.rejects(connection.subscribe(topic), { code: 'ERR_WEBSOCKET_TOPIC', message });
    const errors = [];
    await new Promise((resolve) => {
      assert.strictEqual(connection.publish(topic, 'x', (error) => errors.push(error)), false);
      assert.strictEqual(server.publish(topic, 'x', {}, (error) => {
        errors.push(error);
        resolve();
      }), 0);
    });
    assert.deepStrictEqual(errors.map(({ code }) => code), ['ERR_WEBSOCKET_TOPIC', 'ERR_WEBSOCKET_TOPIC']);
    assert.deepStrictEqual([connection.unsubscribe(topic), connection.isSubscribed(topic), server.subscribers(topic)], [false, false, []]);
  }
  await connection.subscribe('äää');
});

test('topics may have any character, and are told apart by all of them', async (t) => {
  const { server, connections: [one, other], seen } = await open(t, WAYS[0], 2);
  const names = ['a', 'A', ' a', 'a ', 'a*', '*', '\0', '\n', '__proto__', 'constructor', 'é', 'e\u0301', '漢', '\u{1f600}', '[a]', 'a.>', '%'];
  for (const name of names) await one.subscribe(name);
  await other.subscribe('*');
  assert.deepStrictEqual(server.topics.sort(), [...names].sort());
  for (const name of names) assert.strictEqual(server.publish(name, name), name === '*' ? 2 : 1);
  await received([seen[0]], names.length);
  await received([seen[1]], 1);
  assert.deepStrictEqual(seen.map(({ messages }) => messages), [names, ['*']]);
});

test('a connection has at most maxTopicsPerConnection topics', async (t) => {
  const { server, connections: [one, other] } = await open(t, WAYS[0], 2, { maxTopicsPerConnection: 3 });
  for (const topic of ['a', 'b', 'c', 'a']) await one.subscribe(topic);
  await assert.rejects(one.subscribe('d'), { code: 'ERR_WEBSOCKET_TOO_MANY_TOPICS', message: /has 3 topics already \(maxTopicsPerConnection\)/ });
  await other.subscribe('d');
  one.unsubscribe('a');
  await one.subscribe('d');
  assert.deepStrictEqual([one.topics.sort(), server.subscribers('d').length], [['b', 'c', 'd'], 2]);
});

test('a rejection that nobody looks at is not unhandled', async (t) => {
  const { connections: [connection] } = await open(t, WAYS[0], 1);
  const unhandled = [];
  const listener = (error) => unhandled.push(error);
  process.on('unhandledRejection', listener);
  t.after(() => process.removeListener('unhandledRejection', listener));
  connection.subscribe('');
  connection.close();
  connection.subscribe('a');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepStrictEqual(unhandled, []);
});

test('policies and options that there are not throw', async (t) => {
  const { server, connections: [connection] } = await open(t, WAYS[0], 1);
  for (const options of [5, 'drop', { slow: 'wait' }, { slow: null }, { slow: 'toString' }, { slow: 1 }]) {
    assert.throws(() => connection.subscribe('a', options), { code: 'ERR_WEBSOCKET_TOPIC', name: 'TypeError' });
  }
  for (const options of [5, 'x', { except: 5 }, { except: ['a'] }, { except: {} }, { except: [connection, null] }]) {
    assert.throws(() => server.publish('a', 'x', options), { code: 'ERR_WEBSOCKET_TOPIC', name: 'TypeError' });
    assert.throws(() => connection.publish('a', 'x', options), { code: 'ERR_WEBSOCKET_TOPIC', name: 'TypeError' });
  }
  for (const data of [undefined, null, Object.create(null)]) {
    assert.throws(() => server.publish('a', data), { code: 'ERR_WEBSOCKET_DATA', name: 'TypeError' });
    assert.throws(() => connection.publish('a', data), { code: 'ERR_WEBSOCKET_DATA', name: 'TypeError' });
  }
  await assert.rejects(server.count('a', { timeout: 'soon' }), { code: 'ERR_WEBSOCKET_OPTION' });
  assert.strictEqual(connection.isSubscribed('a'), false);
  assert.deepStrictEqual(server.publish('a', 5, null), 0);
});

test('data of every kind that send() takes can be published', async (t) => {
  const { server, connections, seen } = await open(t, WAYS[0], 1);
  connections[0].subscribe('a');
  const bytes = Uint8Array.from([1, 2, 3]);
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set(bytes);
  for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer), Buffer.from(bytes), shared, shared.buffer]) server.publish('a', data);
  server.publish('a', 12.5);
  server.publish('a', { toString: () => 'an object' });
  server.publish('a', 'half \ud800');
  await received(seen, 9);
  const { messages } = seen[0];
  for (const message of messages.slice(0, 6)) assert.deepStrictEqual([...message], [1, 2, 3]);
  assert.deepStrictEqual(messages.slice(6), ['12.5', 'an object', 'half \ufffd']);
});

test('options of a server that mean nothing are refused with an error that names them', async (t) => {
  const { httpServer } = await startHttpServer(t);
  const adapter = { start() {}, subscribe() {}, unsubscribe() {}, publish() {}, close() {} };
  for (const [option, values, text] of [
    ['maxTopicsPerConnection', [0, -1, NaN, 'many', null], 'must be a number of at least 1'],
    ['maxTopicLength', [0, NaN, {}], 'must be a number of at least 1'],
    ['maxPublishQueue', [-1, NaN, 'x'], 'must be a number of at least 0'],
    ['topicLinger', [-1, NaN, 'x'], 'must be a number of at least 0'],
    ['topicOrder', ['any', null, 5], "must be 'local-first' or 'engine'"],
    ['pubsub', [5, 'redis', {}, { ...adapter, close: undefined }], 'must be an adapter, with a method '],
  ]) {
    for (const value of values) {
      assert.throws(() => new websocket.server({ httpServer, [option]: value }),
        ({ code, message }) => code === 'ERR_WEBSOCKET_OPTION' && message.includes(option) && message.includes(text), `${option}: ${String(value)}`);
    }
  }
});

test('a server that is not mounted has no topics, and publishes to nobody', async () => {
  const server = new websocket.server();
  assert.deepStrictEqual([server.publish('a', 'x'), server.topics, server.subscribers('a')], [0, [], []]);
  assert.deepStrictEqual(await server.count('a'), { connections: 0, nodes: 1, silent: [] });
});
