'use strict';

// Redis Cluster, while its masters change. `npm run test:engines`.

const { after, before, describe, test } = require('node:test');
const { testAdapter } = require('../../pubsub/test');
const clients = require('./clients');
const { CALM, inLong, isLong, missing, underTraffic } = require('./faults');
const servers = require('./servers');

const { programs, command, delay, until } = servers;

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

    test(`${kind}: a cluster client that is connecting, and was not waited for`, { skip }, async () => {
      const made = [clients.nodeRedisCluster(ports(), { ...CALM, sharded, connect: true }), clients.ioredisCluster(ports(), { ...CALM, sharded })];
      const begin = Date.now();
      await underTraffic(made, () => {});
      if (Date.now() - begin >= CALM.heartbeat) throw new Error('it had to wait for a heartbeat');
    });

    if (!sharded && !isLong) continue;
    testAdapter(`Redis Cluster, node-redis ${kind}`, () => clients.nodeRedisCluster(ports(), { ...CALM, sharded }));
    testAdapter(`Redis Cluster, ioredis ${kind}`, () => clients.ioredisCluster(ports(), { ...CALM, sharded }));
  }
});
