import type { IPubSubAdapter } from '../index';

/** A client of node-redis 5 or ioredis 5, a cluster client of one of them, or a client of `createSentinel()` of node-redis. */
export type RedisClient = object;

export interface IRedisPubSubOptions {
  /** Publishes. It may do other things as well. */
  publisher: RedisClient;
  /** Subscribes, and is used for nothing else. For a cluster, and for `createSentinel()`, it may be the same client as `publisher`. */
  subscriber: RedisClient;
  /** `SPUBLISH` and `SSUBSCRIBE`, of Redis 7 and Valkey: in a cluster, a message goes to one shard only. Default: false. */
  sharded?: boolean;
  /** What the names of channels begin with. Default: `websocket`. */
  prefix?: string;
  /** Milliseconds between two heartbeats. A dead connection is noticed within two of them. Default: 5000. */
  heartbeat?: number;
}

/** Connects servers through Redis 6 or later, or Valkey. */
export function redisPubSub(options: IRedisPubSubOptions): IPubSubAdapter;
