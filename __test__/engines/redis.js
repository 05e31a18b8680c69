'use strict';

// Redis, Valkey, and Redis with Sentinel, while they are killed, stopped and cut off. `npm run test:engines`.

const { after, before, describe, test } = require('node:test');
const { testAdapter } = require('../../pubsub/test');
const clients = require('./clients');
const { CALM, TOPICS, awayAndBack, block, faultsOfOneServer, inLong, isLong, missing, oneOrderForAll, oneServer, underTraffic } = require('./faults');
const servers = require('./servers');

const { programs, command, delay, until } = servers;

function redisSuite(program) {
  const context = oneServer(() => servers.redis(programs[program]));
  const mixed = () => [clients.nodeRedis(context.proxy.port), clients.ioredis(context.server.port), clients.nodeRedis(context.server.port, { RESP: 3 })];
  const others = () => [clients.ioredis(context.proxy.port), clients.nodeRedis(context.server.port), clients.ioredis(context.server.port)];
  const sharded = { sharded: true };

  describe('node-redis through the proxy', () => faultsOfOneServer(context, mixed));
  describe('ioredis through the proxy', () => faultsOfOneServer(context, others, isLong ? undefined : ['a proxy that swallows bytes']));
  describe('sharded', inLong, () => {
    faultsOfOneServer(context, () => [clients.nodeRedis(context.proxy.port, sharded), clients.ioredis(context.server.port, sharded)]);
  });

  oneOrderForAll(mixed);

  test('CLIENT KILL TYPE pubsub', () => underTraffic(mixed(), async () => {
    for (let i = 0; i < 3; i++) {
      await command(context.server.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      await delay(300);
    }
  }, { lossExpected: true }));

  test('a tiny client-output-buffer-limit', async () => {
    await command(context.server.port, 'CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64kb 32kb 1');
    try {
      await underTraffic(mixed(), async (checker) => {
        for (let i = 0; i < 200; i++) checker.publish(checker.nodes[1], 'news', 64 * 1024);
        await delay(100);
        block(500);
      });
    } finally {
      await command(context.server.port, 'CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    }
  });

  test('away at the start', async () => {
    await context.server.kill();
    const back = delay(700).then(() => context.server.start());
    await underTraffic([clients.nodeRedis(context.server.port), clients.ioredis(context.server.port)], () => back);
  });

  test('churn: 10,000 subscribes and unsubscribes a second', async () => {
    await underTraffic(mixed(), async ({ nodes: [{ engine }] }) => {
      const end = Date.now() + (isLong ? 5000 : 1500);
      for (let round = 0; Date.now() < end; round++) {
        for (let i = 0; i < 100; i++) engine.wanted(`churn ${(round * 100 + i) % 2000}`);
        for (let i = 0; i < 100; i++) engine.unwanted(`churn ${((round - 3) * 100 + i + 2000) % 2000}`);
        await delay(10);
      }
      for (let i = 0; i < 2000; i++) engine.unwanted(`churn ${i}`);
      await until(() => engine.stats().subscriptions === TOPICS.length, 'that all are given up');
    }, { options: { topicLinger: 100 }, lossExpected: false });
  });

  testAdapter(`${program}, node-redis`, () => clients.nodeRedis(context.server.port, CALM), awayAndBack(context));
  testAdapter(`${program}, ioredis`, () => clients.ioredis(context.server.port, CALM), awayAndBack(context));
  if (!isLong) return;
  testAdapter(`${program}, node-redis sharded`, () => clients.nodeRedis(context.server.port, { ...CALM, sharded: true }));
  testAdapter(`${program}, ioredis sharded`, () => clients.ioredis(context.server.port, { ...CALM, sharded: true }));
}

describe('Redis', { skip: missing('redis') }, () => redisSuite('redis'));
describe('Valkey', { skip: missing('valkey') || inLong.skip }, () => redisSuite('valkey'));

describe('Redis with Sentinel', { skip: missing('redis') }, () => {
  let all;
  before(async () => {
    all = await servers.redisWithSentinels();
  });
  after(async () => {
    for (const server of [...(all?.servers ?? []), ...(all?.sentinels ?? [])]) await server.remove();
  });

  test('the master is killed, the replica takes over', async () => {
    const ports = all.sentinels.map(({ port }) => port);
    await underTraffic([clients.ioredisSentinel(ports), clients.ioredisSentinel(ports)], async ({ nodes }) => {
      await all.servers[0].kill();
      await until(() => nodes.every((node) => node.losses > 0), 'that the loss is announced');
    }, { lossExpected: true });
  });
});
