// The adapters, and one that a program writes itself.

import { server as WebSocketServer, type IPubSubAdapter, type IPubSubContext } from 'websocket';
import { redisPubSub } from 'websocket/pubsub/redis';
import { natsPubSub } from 'websocket/pubsub/nats';
import { testAdapter } from 'websocket/pubsub/test';

declare const client: { publish(channel: string, message: string): Promise<number> };
declare const connection: { flush(): Promise<void> };

export const adapters: IPubSubAdapter[] = [
  redisPubSub({ publisher: client, subscriber: client }),
  redisPubSub({ publisher: client, subscriber: client, sharded: true, prefix: 'chat', heartbeat: 1000 }),
  natsPubSub({ connection }),
  natsPubSub({ connection, prefix: 'chat.rooms', heartbeat: 1000 }),
];

new WebSocketServer({ port: 0, pubsub: redisPubSub({ publisher: client, subscriber: client }) });

// @ts-expect-error two clients are needed
redisPubSub({ publisher: client });
// @ts-expect-error not a number
natsPubSub({ connection, heartbeat: '1s' });

class MyAdapter implements IPubSubAdapter {
  context: IPubSubContext | undefined;

  start(context: IPubSubContext): void {
    this.context = context;
  }

  async subscribe(topics: string[]): Promise<void> {
    console.log(topics.length);
  }

  async unsubscribe(topics: string[]): Promise<void> {
    console.log(topics.length);
  }

  async publish(topic: string, envelope: Uint8Array): Promise<void> {
    this.context?.deliver(topic, envelope);
  }

  async close(): Promise<void> {
    this.context?.lost(new Error('closed'));
  }
}

testAdapter('mine', () => ({ adapter: new MyAdapter() }));
