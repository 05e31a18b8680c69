'use strict';

// The adapter for NATS, over a connection of `@nats-io/transport-node`.

const { optionError } = require('../internal/base/errors');
const { Presence, heartbeatOf, lostError, usedTwice } = require('../internal/pubsub/adapter');
const Heartbeat = require('../internal/pubsub/heartbeat');

const DEFAULT_PREFIX = 'websocket';

/** In a cluster, milliseconds until the other servers surely know of a subscription. Nothing in the protocol says when. */
const PROPAGATION = 100;

class NatsPubSub {
  #connection;
  #prefix;
  #heartbeat;
  #deliver = null;
  #presence = null;
  /** Topic → subscription. */
  #subscriptions = new Map();
  /** Topics that `subscribe()` is under way for, and why the server has refused some of them. */
  #pending = new Set();
  #refused = new Map();
  /** Topics whose subscription the server has ended by itself. */
  #ended = new Set();
  /** The round trip that everything of this turn waits for. */
  #flush = null;
  #statuses = null;
  /** Counted up with each loss. */
  #losses = 0;
  #isOpen = false;

  constructor({ connection, prefix, heartbeat }) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#heartbeat = new Heartbeat(heartbeat, {
      send: (number) => this.#sendBeat(number),
      missed: () => {
        this.#down(lostError(`the server has not answered within ${heartbeat} ms`));
        this.#connection.reconnect().catch(() => {});
      }
    });
  }

  start({ deliver, lost, restored }) {
    if (this.#isOpen) throw usedTwice();
    this.#isOpen = true;
    this.#deliver = deliver;
    this.#presence = new Presence({ lost, restored });
    this.#watch();
    this.#heartbeat.start();
    this.#heartbeat.beat();
    return this.#presence.hasBeenUp;
  }

  async subscribe(topics) {
    for (const topic of topics) {
      this.#pending.add(topic);
      this.#subscribe(topic);
    }
    try {
      await this.#roundTrip();
      await this.#propagated();
      const refused = topics.find((topic) => this.#refused.has(topic));
      if (refused !== undefined) throw this.#refused.get(refused);
    } finally {
      for (const topic of topics) {
        this.#pending.delete(topic);
        this.#refused.delete(topic);
      }
    }
  }

  async unsubscribe(topics) {
    for (const topic of topics) {
      this.#subscriptions.get(topic)?.unsubscribe();
      this.#subscriptions.delete(topic);
      this.#ended.delete(topic);
    }
    await this.#roundTrip();
  }

  async publish(topic, envelope) {
    // The client would keep it, and send it when it is connected again.
    if (!this.#presence.isUp) throw lostError('the connection is lost');
    this.#connection.publish(this.#subject(topic), envelope);
    await this.#roundTrip();
  }

  async close() {
    this.#isOpen = false;
    this.#heartbeat.stop();
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
    this.#ended.clear();
    // Ends the loop of `#watch()`.
    this.#statuses?.stop?.();
  }

  #subscribe(topic) {
    if (this.#subscriptions.has(topic)) return;
    this.#subscriptions.set(topic, this.#connection.subscribe(this.#subject(topic), {
      callback: (error, message) => {
        if (error) this.#end(topic, error);
        else this.#deliver(topic, message.data);
      }
    }));
  }

  /** A subscription that was confirmed and has ended is a loss, until it is there again. */
  #end(topic, error) {
    this.#subscriptions.delete(topic);
    if (this.#pending.has(topic)) {
      this.#refused.set(topic, error);
    } else {
      this.#ended.add(topic);
      this.#down(error);
    }
  }

  #subject(topic) {
    return `${this.#prefix}.${tokenOf(topic)}`;
  }

  /** Answered by the server when it has done all that was sent before. */
  #roundTrip() {
    this.#flush ??= new Promise((resolve, reject) => {
      queueMicrotask(() => {
        this.#flush = null;
        this.#connection.flush().then(resolve, reject);
      });
    });
    return this.#flush;
  }

  async #propagated() {
    if (this.#connection.info?.cluster) await new Promise((resolve) => setTimeout(resolve, PROPAGATION));
  }

  async #watch() {
    this.#statuses = this.#connection.status();
    for await (const { type } of this.#statuses) {
      if (!this.#isOpen) break;
      if (type === 'disconnect' || type === 'staleConnection' || type === 'reconnecting') this.#down(lostError(`the connection is lost (${type})`));
      else if (type === 'close') this.#down(lostError('the connection was closed'));
      // The client has subscribed again before it says so.
      else if (type === 'reconnect') this.#heartbeat.beat();
    }
  }

  #sendBeat(number) {
    if (this.#connection.isClosed() || !this.#isOpen) return false;
    // What fails is silence, and noticed as that.
    this.#makeRound(number).catch(() => {});
    return true;
  }

  async #makeRound(number) {
    const losses = this.#losses;
    for (const topic of this.#ended) this.#subscribe(topic);
    this.#ended.clear();
    await this.#roundTrip();
    if (!this.#presence.isUp) await this.#propagated();
    if (losses === this.#losses && this.#heartbeat.cameBack(number) && this.#isOpen) this.#presence.set(true);
  }

  #down(reason) {
    this.#losses += 1;
    if (this.#isOpen) this.#presence.set(false, reason);
  }
}

/** Topics may have any character, parts of a subject only some: the others are written as `=` and two hexadecimal digits. */
function tokenOf(topic) {
  if (/^[\w-]+$/.test(topic)) return topic;
  if (topic === '') return '=';
  return Array.from(Buffer.from(topic), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w-]/.test(character) ? character : `=${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/**
 * @param {object} options
 * @param {object} options.connection a connection of `@nats-io/transport-node`
 * @param {string} [options.prefix='websocket'] first part of the subjects
 * @param {number} [options.heartbeat=5000] milliseconds; a dead connection is noticed within two of them
 * @returns {import('../..').IPubSubAdapter}
 */
function natsPubSub(options) {
  const { connection, prefix = DEFAULT_PREFIX } = options ?? {};
  const isConnection = ['publish', 'subscribe', 'flush', 'status', 'reconnect', 'isClosed']
    .every((name) => typeof connection?.[name] === 'function');
  if (!isConnection) throw optionError('The option connection of natsPubSub must be a connection of @nats-io/transport-node.');
  if (typeof prefix !== 'string' || !/^[\w-]+(\.[\w-]+)*$/.test(prefix)) {
    throw optionError('The option prefix of natsPubSub must be parts of letters, digits, _ and -, with . between them.');
  }
  const heartbeat = heartbeatOf(options ?? {}, 'natsPubSub');
  return new NatsPubSub({ connection, prefix, heartbeat });
}

module.exports = { natsPubSub };
