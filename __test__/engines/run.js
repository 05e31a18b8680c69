'use strict';

// The engine and its adapters with real servers, while these are killed, stopped and cut off. `npm run test:engines`.
//
//   WEBSOCKET_ENGINES_LONG=1   all faults for all clients, several minutes; without it the most telling ones, within one

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { testAdapter } = require('../../pubsub/test');
const clients = require('./clients');
const { Checker } = require('./checker');
const servers = require('./servers');

const { programs, command, delay, until, Proxy } = servers;
const isLong = process.env.WEBSOCKET_ENGINES_LONG === '1';
const TOPICS = ['news', 'a room', 'ü.*>', '{tag}1', 'chat:7'];

/** Where no silence has to be noticed. */
const CALM = { heartbeat: 5000 };

const missing = (name) => (programs[name] === null ? `no ${name} server on this machine` : false);
const inLong = { skip: isLong ? false : 'only in the long run (WEBSOCKET_ENGINES_LONG=1)' };

// Whatever a failed test has left open.
after(() => setTimeout(() => process.exit(), 5000).unref());

/** Nodes over the given clients, with traffic while `fault` happens. */
async function underTraffic(made, fault, { options = {}, lossExpected, ...settling } = {}) {
  const checker = new Checker(TOPICS);
  made.forEach(({ adapter }, i) => checker.add(`n${i}`, adapter, options));
  try {
    await checker.start();
    checker.beginTraffic();
    await delay(300);
    await fault(checker);
    await delay(300);
    await checker.settle(settling);
    checker.verdict();
    const losses = checker.nodes.map((node) => node.losses);
    if (lossExpected === true) assert.ok(losses.some((count) => count > 0), 'no loss was announced');
    if (lossExpected === false) assert.deepStrictEqual(losses, losses.map(() => 0), 'a loss was announced');
  } finally {
    await checker.close();
    for (const one of made) await one.close();
  }
}

function block(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function killed({ server }) {
  await server.kill();
  await delay(300);
  await server.start();
}

async function stopped({ server }, { nodes }) {
  server.stop();
  await until(() => nodes.some((node) => node.isLost), 'that the loss is announced').finally(() => server.goOn());
}

async function swallowed({ proxy }, { nodes: [node] }) {
  proxy.swallow();
  await until(() => node.losses > 0, 'that the loss is announced');
}

/** What can happen to one server, whatever it is. */
const faults = { 'kill -9': killed, SIGSTOP: stopped, 'a proxy that swallows bytes': swallowed };

/** @param {() => object[] | Promise<object[]>} make the clients of three nodes; the first goes through the proxy */
function faultsOfOneServer(context, make, names = Object.keys(faults)) {
  for (const name of names) {
    test(name, async () => underTraffic(await make(), (checker) => faults[name](context, checker), { lossExpected: true }));
  }
  if (names.length < 3) return;
  test('a blocked event loop is no loss', async () => {
    await underTraffic(await make(), async () => {
      block(2 * clients.HEARTBEAT);
      await delay(100);
      block(clients.HEARTBEAT);
    }, { lossExpected: false });
  });
  test('one order for all, with topicOrder engine', async () => {
    await underTraffic(await make(), async ({ nodes }) => {
      await delay(500);
      const [first, ...others] = nodes;
      for (const [topic, order] of first.order) {
        for (const { order: other } of others) {
          const length = Math.min(order.length, other.get(topic).length) - 10;
          // The first messages came before the subscriptions of all were confirmed.
          const begin = other.get(topic).indexOf(order[20]);
          assert.deepStrictEqual(other.get(topic).slice(begin, begin + length - 50), order.slice(20, 20 + length - 50));
        }
      }
    }, { options: { topicOrder: 'engine' }, ownToo: true });
  });
}

/** A server, a proxy before it, for the tests of a suite. */
function oneServer(make) {
  const context = { server: null, proxy: null };
  before(async () => {
    context.server = await make();
    await context.server.start();
    context.proxy = new Proxy(context.server.port);
    await context.proxy.start();
  });
  after(async () => {
    context.proxy?.close();
    await context.server?.remove();
  });
  return context;
}

/** For the conformance test. */
const awayAndBack = (context) => ({ stop: () => context.server.kill(), restart: () => context.server.start() });

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

describe('Redis Cluster', { skip: missing('redis') }, () => {
  let all;
  const ports = () => all.map(({ port }) => port);
  before(async () => {
    all = await servers.redisCluster(programs.redis);
  });
  after(async () => {
    for (const server of all ?? []) await server.remove();
  });

  /** The first server that has this role now. */
  async function first(role) {
    for (const server of all) {
      if ((await command(server.port, 'ROLE')).includes(role)) return server;
    }
    throw new Error(`no server is a ${role}`);
  }

  const allAreWell = () => until(async () => {
    const infos = await Promise.all(ports().map(async (port) => `${await command(port, 'CLUSTER', 'INFO')} ${await command(port, 'INFO', 'replication')}`));
    return infos.every((info) => info.includes('cluster_state:ok') && !info.includes('master_link_status:down')) &&
      infos.filter((info) => info.includes('role:master')).length === 3;
  }, 'that the cluster is well', 30_000);

  for (const sharded of [true, false]) {
    const kind = sharded ? 'sharded' : 'plain';
    const mixed = () => [clients.nodeRedisCluster(ports(), { sharded }), clients.ioredisCluster(ports(), { sharded }), clients.ioredisCluster(ports(), { sharded })];
    const skip = sharded ? false : inLong.skip;

    test(`${kind}: a master is killed, its replica takes over`, { skip }, () => underTraffic(mixed(), async ({ nodes }) => {
      const master = await first('master');
      await master.kill();
      await until(() => nodes.every((node) => node.losses > 0), 'that the loss is announced');
      await until(() => nodes.every((node) => !node.isLost), 'that all are restored', 30_000);
      await master.start();
      await allAreWell();
    }, { lossExpected: true }));

    test(`${kind}: a master is stopped, and is a replica when it goes on`, inLong, () => underTraffic(mixed(), async ({ nodes }) => {
      const master = await first('master');
      master.stop();
      await until(() => nodes.every((node) => node.losses > 0), 'that the loss is announced');
      await delay(4000);
      master.goOn();
      await allAreWell();
    }, { lossExpected: true }));

    test(`${kind}: a replica takes over in good order`, { skip }, () => underTraffic(mixed(), async () => {
      const replica = await first('slave');
      await command(replica.port, 'CLUSTER', 'FAILOVER');
      await until(async () => (await command(replica.port, 'ROLE')).includes('master'), 'a new master');
      await allAreWell();
      await delay(2 * clients.HEARTBEAT);
    }));

    if (!sharded && !isLong) continue;
    testAdapter(`Redis Cluster, node-redis ${kind}`, () => clients.nodeRedisCluster(ports(), { ...CALM, sharded }));
    testAdapter(`Redis Cluster, ioredis ${kind}`, () => clients.ioredisCluster(ports(), { ...CALM, sharded }));
  }
});

describe('NATS', { skip: missing('nats') }, () => {
  const context = oneServer(() => servers.nats());
  faultsOfOneServer(context, () => Promise.all([clients.nats(context.proxy.port), clients.nats(context.server.port), clients.nats(context.server.port)]));

  test('away at the start', async () => {
    await context.server.kill();
    const back = delay(700).then(() => context.server.start());
    await underTraffic(await Promise.all([clients.nats(context.server.port), clients.nats(context.server.port)]), () => back);
  });

  testAdapter('NATS', () => clients.nats(context.server.port, CALM), awayAndBack(context));
});

describe('NATS cluster', { skip: missing('nats') }, () => {
  let all;
  /** Each node has another server first. */
  const nodes = () => Promise.all([0, 1, 2].map((i) => clients.nats([0, 1, 2].map((j) => all[(i + j) % 3].port))));
  before(async () => {
    all = await servers.natsCluster();
  });
  after(async () => {
    for (const server of all ?? []) await server.remove();
  });

  for (const name of ['kill -9', 'SIGSTOP']) {
    test(`${name} of one of three`, async () => underTraffic(await nodes(), (checker) => faults[name]({ server: all[1] }, checker), { lossExpected: true }));
  }
});
