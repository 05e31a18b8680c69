'use strict';

// Adapters over the clients of each library, for each topology. `close()` of a result ends the clients.

const path = require('path');
const { redisPubSub } = require('../../pubsub/redis');
const { natsPubSub } = require('../../pubsub/nats');

/** Short, so that the tests are; a busy machine must still be quicker. */
const HEARTBEAT = 700;
const ignore = () => {};

/** From the directory that the script has installed them in. */
function library(name) {
  return require(path.join(process.env.WEBSOCKET_ENGINES_MODULES ?? path.join(__dirname, 'node_modules'), name));
}

function nodeRedis(port, { sharded = false, RESP = 2, heartbeat = HEARTBEAT } = {}) {
  const { createClient } = library('redis');
  const clients = [0, 1].map(() => createClient({ RESP, socket: { host: '127.0.0.1', port } }));
  const [publisher, subscriber] = clients;
  return {
    adapter: redisPubSub({ publisher, subscriber, sharded, heartbeat }),
    close() {
      for (const client of clients) {
        client.on('error', ignore);
        if (client.isOpen) client.destroy();
      }
    }
  };
}

function ioredis(options, { sharded = false, heartbeat = HEARTBEAT } = {}) {
  const { Redis } = library('ioredis');
  const given = typeof options === 'number' ? { host: '127.0.0.1', port: options } : options;
  const clients = [0, 1].map(() => new Redis({ retryStrategy: (attempt) => Math.min(attempt * 50, 500), ...given }).on('error', ignore));
  const [publisher, subscriber] = clients;
  return {
    adapter: redisPubSub({ publisher, subscriber, sharded, heartbeat }),
    close() {
      for (const client of clients) client.disconnect();
    }
  };
}

function ioredisSentinel(ports) {
  return ioredis({ sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), name: 'main', sentinelRetryStrategy: () => 200 });
}

function nodeRedisSentinel(ports, { sharded = false, RESP = 2, heartbeat = HEARTBEAT } = {}) {
  const { createSentinel } = library('redis');
  const sentinel = createSentinel({ name: 'main', RESP, sentinelRootNodes: ports.map((port) => ({ host: '127.0.0.1', port })) });
  return {
    adapter: redisPubSub({ publisher: sentinel, subscriber: sentinel, sharded, heartbeat }),
    async close() {
      sentinel.on('error', ignore);
      if (sentinel.isOpen) await sentinel.destroy();
    }
  };
}

function nodeRedisCluster(ports, { sharded = false, heartbeat = HEARTBEAT, connect = false } = {}) {
  const { createCluster } = library('redis');
  const cluster = createCluster({ rootNodes: ports.map((port) => ({ socket: { host: '127.0.0.1', port } })) });
  cluster.on('error', ignore);
  if (connect) cluster.connect().catch(ignore);
  return {
    adapter: redisPubSub({ publisher: cluster, subscriber: cluster, sharded, heartbeat }),
    close() {
      if (cluster.isOpen) cluster.destroy();
    }
  };
}

function ioredisCluster(ports, { sharded = false, heartbeat = HEARTBEAT } = {}) {
  const { Cluster } = library('ioredis');
  const cluster = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port }))).on('error', ignore);
  return {
    adapter: redisPubSub({ publisher: cluster, subscriber: cluster, sharded, heartbeat }),
    close() {
      cluster.disconnect();
    }
  };
}

async function nats(ports, { heartbeat = HEARTBEAT, ...options } = {}) {
  const { connect } = library('@nats-io/transport-node');
  const connection = await connect({
    servers: [ports].flat().map((port) => `127.0.0.1:${port}`),
    ignoreClusterUpdates: true,
    noRandomize: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    timeout: 1000,
    waitOnFirstConnect: true,
    ...options
  });
  return {
    adapter: natsPubSub({ connection, heartbeat }),
    async close() {
      await connection.close();
    }
  };
}

module.exports = { nodeRedis, ioredis, ioredisSentinel, nodeRedisSentinel, nodeRedisCluster, ioredisCluster, nats, HEARTBEAT };
