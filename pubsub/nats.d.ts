import type { IPubSubAdapter } from '../index';

export interface INatsPubSubOptions {
  /** A connection of `@nats-io/transport-node`. */
  connection: object;
  /** What subjects begin with. Default: `websocket`. */
  prefix?: string;
  /** Milliseconds between two heartbeats. A dead connection is noticed within two of them. Default: 5000. */
  heartbeat?: number;
}

/** Connects servers through NATS. */
export function natsPubSub(options: INatsPubSubOptions): IPubSubAdapter;
