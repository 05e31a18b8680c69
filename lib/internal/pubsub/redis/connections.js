'use strict';

// One connection to one Redis server, of node-redis or ioredis, with the same methods for both:
//
//   open({ ready, down, message, moved })  begins to listen, connects a client that is not connected
//   isReady
//   subscribe(channels), unsubscribe(channels), publish(channel, bytes), call(...args)
//   reconnect()                            gives the socket up, because nothing comes through it
//   close({ end })                         stops to listen; `end` for clients of our own

const { lostError } = require('../adapter');

const ignore = () => {};

class NodeRedisConnection {
  #client;
  #sharded;
  #handlers = null;
  #listeners;
  #receive = (message, channel) => this.#handlers?.message(channel.toString(), message);

  constructor(client, sharded) {
    this.#client = client;
    this.#sharded = sharded;
    this.#listeners = {
      ready: () => this.#handlers.ready(),
      error: (error) => {
        if (!client.isReady) this.#handlers.down(error);
      },
      reconnecting: () => this.#handlers.down(lostError('the connection was closed')),
      end: () => this.#handlers.down(lostError('the client was closed')),
      'server-sunsubscribe': () => this.#handlers.moved()
    };
  }

  get isReady() {
    return this.#client.isReady;
  }

  open(handlers) {
    this.#handlers = handlers;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#client.on(event, listener);
    if (this.#client.isReady) handlers.ready();
    // A failure is also an event.
    else if (!this.#client.isOpen) this.#client.connect().catch(ignore);
  }

  async subscribe(channels) {
    if (!this.#sharded) await this.#client.subscribe(channels, this.#receive, true);
    else await Promise.all(channels.map((channel) => this.#client.sSubscribe(channel, this.#receive, true)));
  }

  async unsubscribe(channels) {
    if (!this.#sharded) await this.#client.unsubscribe(channels, this.#receive, true);
    else await Promise.all(channels.map((channel) => this.#client.sUnsubscribe(channel, this.#receive, true)));
  }

  publish(channel, bytes) {
    return this.#sharded ? this.#client.sPublish(channel, bytes) : this.#client.publish(channel, bytes);
  }

  call(...args) {
    return this.#client.sendCommand(args);
  }

  /** A client that is not ready connects already; a second attempt beside the first would not be better. */
  reconnect() {
    if (!this.#client.isReady) return;
    this.#client.destroy();
    this.#client.connect().catch(ignore);
  }

  close({ end }) {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#client.off(event, listener);
    if (!end) return;
    this.#client.on('error', ignore);
    if (this.#client.isOpen) this.#client.destroy();
  }
}

class IoredisConnection {
  #client;
  #sharded;
  #handlers = null;
  #listeners;
  #error;

  constructor(client, sharded) {
    this.#client = client;
    this.#sharded = sharded;
    this.#listeners = {
      ready: () => {
        this.#error = undefined;
        this.#handlers.ready();
      },
      error: (error) => {
        this.#error = error;
        if (!this.isReady) this.#handlers.down(error);
        // What the server has not been asked for is an error to this client.
        else if (String(error?.lastReply?.[0]) === 'sunsubscribe') this.#handlers.moved();
      },
      close: () => this.#handlers.down(this.#error ?? lostError('the connection was closed')),
      end: () => this.#handlers.down(lostError('the client was closed')),
      [sharded ? 'smessageBuffer' : 'messageBuffer']: (channel, message) => this.#handlers.message(channel.toString(), message)
    };
  }

  get isReady() {
    return this.#client.status === 'ready';
  }

  open(handlers) {
    this.#handlers = handlers;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#client.on(event, listener);
    if (this.isReady) handlers.ready();
    else if (this.#client.status === 'wait') this.#client.connect().catch(ignore);
  }

  async subscribe(channels) {
    if (!this.#sharded) await this.#client.subscribe(...channels);
    else await Promise.all(channels.map((channel) => this.#client.ssubscribe(channel)));
  }

  async unsubscribe(channels) {
    if (!this.#sharded) await this.#client.unsubscribe(...channels);
    else await Promise.all(channels.map((channel) => this.#client.sunsubscribe(channel)));
  }

  publish(channel, bytes) {
    return this.#sharded ? this.#client.spublish(channel, bytes) : this.#client.publish(channel, bytes);
  }

  call(...args) {
    return this.#client.call(...args);
  }

  /** `disconnect()` only ends the socket, and would wait for the other side, which does not answer. */
  reconnect() {
    const { stream } = this.#client;
    if (stream && typeof stream.destroy === 'function') stream.destroy();
    else this.#client.disconnect(true);
  }

  close({ end }) {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#client.off(event, listener);
    if (!end) return;
    // The client emits errors about what the server still sends.
    this.#client.on('error', ignore);
    this.#client.disconnect();
  }
}

const hasMethods = (client, names) => client !== null && typeof client === 'object' && names.every((name) => typeof client[name] === 'function');

const isNodeRedis = (client) => hasMethods(client, ['sSubscribe', 'sPublish', 'connect', 'on']) && 'isReady' in client && !isSentinel(client);
const isSentinel = (client) => hasMethods(client, ['getSentinelNode', 'getMasterNode']);
const isNodeRedisSentinel = (client) => isSentinel(client) && hasMethods(client, ['_execute', 'connect', 'on']);
const isNodeRedisCluster = (client) => hasMethods(client, ['sSubscribe', 'sPublish', 'nodeClient', 'on']) && !('isReady' in client);
const isIoredis = (client) => hasMethods(client, ['ssubscribe', 'spublish', 'call', 'on']) && client.isCluster !== true;
const isIoredisCluster = (client) => hasMethods(client, ['ssubscribe', 'spublish', 'nodes', 'on']) && client.isCluster === true;

/** @returns {NodeRedisConnection | IoredisConnection | null} null if it is no client of a single server */
function connectionOf(client, sharded) {
  if (isNodeRedis(client)) return new NodeRedisConnection(client, sharded);
  return isIoredis(client) ? new IoredisConnection(client, sharded) : null;
}

module.exports = { connectionOf, isNodeRedisSentinel, isNodeRedisCluster, isIoredisCluster };
