'use strict';

// The adapter for Redis and Valkey, over clients of node-redis 5 or ioredis 5.

const { optionError } = require('../internal/base/errors');
const { Presence, heartbeatOf, usedTwice } = require('../internal/pubsub/adapter');
const Cluster = require('../internal/pubsub/redis/cluster');
const { connectionOf, isNodeRedisSentinel, isNodeRedisCluster, isIoredisCluster } = require('../internal/pubsub/redis/connections');
const { NodeRedisDirectory, IoredisDirectory } = require('../internal/pubsub/redis/directories');
const SentinelConnection = require('../internal/pubsub/redis/sentinel');
const Single = require('../internal/pubsub/redis/single');

const DEFAULT_PREFIX = 'websocket';

class RedisPubSub {
  #options;
  #servers = null;
  #channelPrefix;

  constructor(options) {
    this.#options = options;
    this.#channelPrefix = `${options.prefix}:`;
  }

  start({ node, deliver, lost, restored }) {
    if (this.#servers !== null) throw usedTwice();
    const { prefix, heartbeat, makeServers } = this.#options;
    const presence = new Presence({ lost, restored });
    const servers = this.#servers = makeServers({
      prefix,
      heartbeat,
      node,
      message: (channel, bytes) => {
        if (channel.startsWith(this.#channelPrefix)) deliver(channel.slice(this.#channelPrefix.length), bytes);
      },
      changed: (reason) => presence.set(servers.isUp, reason)
    });
    servers.open();
    return presence.hasBeenUp;
  }

  subscribe(topics) {
    return this.#servers.subscribe(topics.map((topic) => this.#channelPrefix + topic));
  }

  unsubscribe(topics) {
    return this.#servers.unsubscribe(topics.map((topic) => this.#channelPrefix + topic));
  }

  publish(topic, envelope) {
    return this.#servers.publish(this.#channelPrefix + topic, Buffer.isBuffer(envelope) ? envelope : Buffer.from(envelope));
  }

  async close() {
    const servers = this.#servers;
    this.#servers = null;
    await servers?.close();
  }
}

/**
 * @param {object} options
 * @param {object} options.publisher a client of node-redis or ioredis, a cluster client, or one of `createSentinel()`
 * @param {object} options.subscriber another client; for a cluster and for Sentinel it may be the same one
 * @param {boolean} [options.sharded=false] SPUBLISH and SSUBSCRIBE, of Redis 7
 * @param {string} [options.prefix='websocket'] of the channels
 * @param {number} [options.heartbeat=5000] milliseconds; a dead connection is noticed within two of them
 * @returns {import('../..').IPubSubAdapter}
 */
function redisPubSub(options) {
  const { publisher, subscriber, sharded = false, prefix = DEFAULT_PREFIX } = options ?? {};
  if (typeof sharded !== 'boolean') throw optionError('The option sharded of redisPubSub must be a boolean.');
  if (typeof prefix !== 'string') throw optionError('The option prefix of redisPubSub must be a string.');
  const heartbeat = heartbeatOf(options ?? {}, 'redisPubSub');
  return new RedisPubSub({ prefix, heartbeat, makeServers: serversOf(publisher, subscriber, sharded) });
}

/** @returns {(options: object) => Single | Cluster} */
function serversOf(publisher, subscriber, sharded) {
  for (const client of [publisher, subscriber]) {
    if (client?.options?.keyPrefix) {
      throw optionError('Clients for redisPubSub must have no keyPrefix, because it changes the names of channels; use the option prefix.');
    }
  }
  if (isNodeRedisCluster(subscriber)) {
    return (options) => new Cluster({ ...options, directory: new NodeRedisDirectory(subscriber, sharded) });
  }
  if (isIoredisCluster(subscriber)) {
    return (options) => new Cluster({ ...options, directory: new IoredisDirectory(subscriber, sharded) });
  }
  if (isNodeRedisSentinel(publisher) && isNodeRedisSentinel(subscriber)) {
    const connect = (sentinel) => new SentinelConnection(sentinel, sharded);
    return (options) => new Single({ ...options, publisher: connect(publisher), subscriber: connect(subscriber) });
  }
  for (const [name, client] of Object.entries({ publisher, subscriber })) {
    if (isNodeRedisSentinel(client)) throw optionError('The options publisher and subscriber of redisPubSub must both be clients of createSentinel(), or none.');
    if (connectionOf(client, sharded) === null) throw optionError(`The option ${name} of redisPubSub must be a client of node-redis 5 or ioredis 5.`);
  }
  if (publisher === subscriber) {
    throw optionError('The options publisher and subscriber of redisPubSub must be two clients: one that has subscribed cannot publish.');
  }
  return (options) => new Single({ ...options, publisher: connectionOf(publisher, sharded), subscriber: connectionOf(subscriber, sharded) });
}

module.exports = { redisPubSub };
