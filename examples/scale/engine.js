'use strict';

// How a process connects with the engine: the one that the URL names.

const { redisPubSub } = require('../../pubsub/redis'); // in your own project: require('websocket/pubsub/redis')
const { natsPubSub } = require('../../pubsub/nats');
const { library } = require('./libraries');

/**
 * @param {string} url `redis://…` or `nats://…`
 * @returns {Promise<{ pubsub: object, close(): Promise<void> }>}
 */
async function connectEngine(url) {
  if (url.startsWith('nats:')) {
    const { connect } = require(library('@nats-io/transport-node'));
    const connection = await connect({ servers: new URL(url).host, maxReconnectAttempts: -1, waitOnFirstConnect: true });
    return { pubsub: natsPubSub({ connection }), close: () => connection.close() };
  }
  const { createClient } = require(library('redis'));
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  return {
    pubsub: redisPubSub({ publisher, subscriber }),
    async close() {
      for (const client of [publisher, subscriber]) if (client.isOpen) client.destroy();
    },
  };
}

module.exports = { connectEngine };
