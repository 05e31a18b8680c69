'use strict';

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { redisPubSub } = require('../../pubsub/redis');
const { natsPubSub } = require('../../pubsub/nats');
const { SLOTS, slotOf, textInSlot } = require('../../lib/internal/pubsub/redis/slots');

const nothing = () => {};
const nodeRedis = () => ({ isReady: false, isOpen: false, sSubscribe: nothing, sPublish: nothing, connect: nothing, on: nothing });
const ioredis = (options = {}) => ({ status: 'wait', options, ssubscribe: nothing, spublish: nothing, call: nothing, on: nothing });
const sentinel = () => ({ ...nodeRedis(), getSentinelNode: nothing, getMasterNode: nothing, _execute: nothing });
const cluster = () => ({ isCluster: true, ssubscribe: nothing, spublish: nothing, nodes: nothing, on: nothing });
const nats = () => ({ publish: nothing, subscribe: nothing, flush: nothing, status: nothing, reconnect: nothing, isClosed: nothing });

describe('redisPubSub', () => {
  test('takes clients of node-redis and ioredis, and one client of a cluster or of Sentinel for both', () => {
    redisPubSub({ publisher: nodeRedis(), subscriber: nodeRedis() });
    redisPubSub({ publisher: ioredis(), subscriber: ioredis(), sharded: true, prefix: '', heartbeat: 50 });
    for (const both of [cluster(), sentinel()]) redisPubSub({ publisher: both, subscriber: both });
    redisPubSub({ publisher: sentinel(), subscriber: sentinel() });
  });

  const one = nodeRedis();
  for (const [what, options, message] of [
    ['nothing', undefined, /publisher/],
    ['no subscriber', { publisher: nodeRedis() }, /subscriber/],
    ['no client', { publisher: {}, subscriber: nodeRedis() }, /publisher/],
    ['a URL', { publisher: 'redis://localhost', subscriber: nodeRedis() }, /publisher/],
    ['one client for both', { publisher: one, subscriber: one }, /two clients/],
    ['Sentinel for one of them', { publisher: sentinel(), subscriber: nodeRedis() }, /createSentinel/],
    ['a client of Sentinel that it does not know', { publisher: one, subscriber: { ...sentinel(), _execute: undefined } }, /subscriber/],
    ['a client with a keyPrefix', { publisher: ioredis({ keyPrefix: 'x' }), subscriber: ioredis() }, /keyPrefix/],
    ['sharded that is no boolean', { publisher: one, subscriber: nodeRedis(), sharded: 1 }, /sharded/],
    ['a prefix that is no string', { publisher: one, subscriber: nodeRedis(), prefix: 1 }, /prefix/],
    ['a heartbeat of text', { publisher: one, subscriber: nodeRedis(), heartbeat: '5000' }, /heartbeat/],
    ['a heartbeat too short', { publisher: one, subscriber: nodeRedis(), heartbeat: 49 }, /heartbeat/],
    ['a heartbeat without an end', { publisher: one, subscriber: nodeRedis(), heartbeat: Infinity }, /heartbeat/]
  ]) {
    test(`refuses ${what}`, () => assert.throws(() => redisPubSub(options), { code: 'ERR_WEBSOCKET_OPTION', message }));
  }
});

describe('natsPubSub', () => {
  test('takes a connection', () => {
    natsPubSub({ connection: nats() });
    natsPubSub({ connection: nats(), prefix: 'a.b-c._', heartbeat: 1000 });
  });

  for (const [what, options, message] of [
    ['nothing', undefined, /connection/],
    ['a Promise of a connection', { connection: Promise.resolve(nats()) }, /connection/],
    ['a prefix with a wildcard', { connection: nats(), prefix: 'a.*' }, /prefix/],
    ['an empty prefix', { connection: nats(), prefix: '' }, /prefix/],
    ['a heartbeat too short', { connection: nats(), heartbeat: 0 }, /heartbeat/]
  ]) {
    test(`refuses ${what}`, () => assert.throws(() => natsPubSub(options), { code: 'ERR_WEBSOCKET_OPTION', message }));
  }
});

test('ES modules can import them by name', async () => {
  assert.strictEqual((await import('../../pubsub/redis.js')).redisPubSub, redisPubSub);
  assert.strictEqual((await import('../../pubsub/nats.js')).natsPubSub, natsPubSub);
  assert.strictEqual(typeof (await import('../../pubsub/test.js')).testAdapter, 'function');
});

test('an adapter belongs to one server', async () => {
  const context = { node: '0123456789ab', deliver: nothing, lost: nothing, restored: nothing };
  const connecting = () => ({ ...ioredis(), status: 'connecting', off: nothing });
  const connection = { ...nats(), isClosed: () => true, async *status() {} };
  for (const adapter of [redisPubSub({ publisher: connecting(), subscriber: connecting() }), natsPubSub({ connection })]) {
    adapter.start(context);
    assert.throws(() => adapter.start(context), { code: 'ERR_WEBSOCKET_PUBSUB_LOST', message: /another server/ });
    await adapter.close();
    adapter.start(context);
    await adapter.close();
  }
});

describe('slots of Redis Cluster', () => {
  test('are those of the specification', () => {
    assert.strictEqual(slotOf('123456789'), 0x31c3 % SLOTS);
    assert.strictEqual(slotOf('foo'), 12182);
    assert.strictEqual(slotOf('{user1000}.following'), slotOf('{user1000}.followers'));
    assert.strictEqual(slotOf('foo{}{bar}'), slotOf('foo{}{bar}'));
    assert.notStrictEqual(slotOf('foo{}{bar}'), slotOf('bar'));
    assert.strictEqual(slotOf('foo{{bar}}zap'), slotOf('{bar'));
    assert.strictEqual(slotOf('foo{bar}{zap}'), slotOf('bar'));
  });

  test('there is a text for each of them', () => {
    for (const slot of [0, 1, 5461, 10923, SLOTS - 1]) assert.strictEqual(slotOf(`x{${textInSlot(slot)}}y`), slot);
  });
});
