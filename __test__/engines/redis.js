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

  const ports = () => all.sentinels.map(({ port }) => port);
  const kinds = {
    ioredis: () => clients.ioredisSentinel(ports()),
    'node-redis': () => clients.nodeRedisSentinel(ports()),
    'node-redis with RESP3': () => clients.nodeRedisSentinel(ports(), { RESP: 3 })
  };
  // After a failover the sentinels need ten seconds until the former master is a replica.
  const pairs = isLong ? [['ioredis', 'ioredis'], ['node-redis', 'node-redis'], ['node-redis with RESP3', 'ioredis']] : [['node-redis', 'ioredis']];
  const announced = ({ nodes }) => until(() => nodes.every((node) => node.losses > 0), 'that the loss is announced');

  for (const pair of pairs) {
    const make = () => pair.map((kind) => kinds[kind]());

    test(`${pair.join(' and ')}: the master is killed, the replica takes over`, async () => {
      const { master } = await all.roles();
      await underTraffic(make(), async (checker) => {
        await master.kill();
        await announced(checker);
      }, { lossExpected: true });
      await master.start();
    });

    test(`${pair.join(' and ')}: the master is stopped, and goes on as a replica`, inLong, async () => {
      const { master } = await all.roles();
      await underTraffic(make(), async (checker) => {
        master.stop();
        try {
          await announced(checker);
          await until(() => checker.nodes.every((node) => !node.isLost), 'that another master is found');
        } finally {
          master.goOn();
        }
        await until(async () => (await all.roles()).replica === master, 'that the former master is a replica');
      }, { lossExpected: true });
    });

    test(`${pair.join(' and ')}: the replica takes over in good order`, inLong, async () => {
      const { master } = await all.roles();
      await underTraffic(make(), async (checker) => {
        await command(ports()[0], 'SENTINEL', 'FAILOVER', 'main');
        await announced(checker);
        await until(async () => (await all.roles()).replica === master, 'that the former master is a replica');
      }, { lossExpected: true });
    });
  }

  test('node-redis: CLIENT KILL', async () => {
    const { master } = await all.roles();
    await underTraffic([kinds['node-redis'](), kinds['node-redis']()], async () => {
      for (const type of ['pubsub', 'normal', 'pubsub']) {
        await command(master.port, 'CLIENT', 'KILL', 'TYPE', type);
        await delay(300);
      }
    }, { lossExpected: true });
  });

  test('node-redis: master and replica are away at the start', inLong, async () => {
    const { master, replica } = await all.roles();
    await replica.kill();
    await master.kill();
    const back = delay(700).then(() => master.start()).then(() => replica.start());
    await underTraffic([kinds['node-redis'](), kinds['node-redis']()], () => back);
  });

  testAdapter('Sentinel, node-redis', () => clients.nodeRedisSentinel(ports(), CALM));
});
