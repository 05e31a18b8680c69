'use strict';

// Between a server and an engine that connects it with other processes. Everything that any engine needs is here;
// what only one kind needs is in its adapter (`pubsub/redis.js`, `pubsub/nats.js`).

const { randomBytes } = require('crypto');
const { websocketError } = require('../base/errors');
const { NODE_LENGTH } = require('./envelope');
const Nodes = require('./nodes');
const Publishing = require('./publishing');
const Receiving = require('./receiving');
const Reports = require('./reports');
const Subscriptions = require('./subscriptions');

/** In this topic the nodes talk to each other. Programs cannot use it. */
const NODES_TOPIC = '';

/** Milliseconds until `adapter.start()` is called again after it has failed: doubled each time, up to the second. */
const FIRST_RESTART = 250;
const LAST_RESTART = 30_000;

/** Milliseconds that `close()` waits for the engine. */
const CLOSE_TIMEOUT = 2000;

/** Not started, connecting for the first time, usable, lost, closed. */
const NEW = 'new';
const CONNECTING = 'connecting';
const UP = 'up';
const LOST = 'lost';
const CLOSED = 'closed';

class Engine {
  #adapter;
  #deliver;
  #countLocal;
  #emit;
  #ordered;
  #node = randomBytes(NODE_LENGTH / 2).toString('hex');
  #subscriptions;
  #publishing;
  #receiving;
  #nodes;
  #reports;
  #state = NEW;
  /** `adapter.start()` is under way, and the adapter has not reported a loss meanwhile. */
  #starting = false;
  #restarts = 0;
  #restartTimer = null;
  #lostSince = 0;

  /**
   * @param {import('../../..').IPubSubAdapter} adapter
   * @param {object} options
   * @param {(topic: string, payload: Buffer, isBinary: boolean, publisher: string) => void} options.deliver to the subscribers
   *   on this node. `publisher` is what `publish()` was given; it is empty for messages of other nodes.
   * @param {(topic: string) => number} options.countLocal subscribers on this node
   * @param {(event: string, ...args: unknown[]) => void} options.emit
   * @param {number} [options.maxPublishQueue=0] bytes
   * @param {number} [options.topicLinger=1000] milliseconds
   * @param {'local-first' | 'engine'} [options.topicOrder='local-first'] with `engine`, this node's own messages come
   *   through `deliver` too, and the caller does not deliver them by itself
   */
  constructor(adapter, { deliver, countLocal, emit, maxPublishQueue = 0, topicLinger = 1000, topicOrder = 'local-first' }) {
    this.#adapter = adapter;
    this.#deliver = deliver;
    this.#countLocal = countLocal;
    this.#emit = (...args) => guarded(emit, args);
    this.#ordered = topicOrder === 'engine';
    this.#reports = new Reports(this.#emit);
    const report = (error, topic, stage) => this.#reports.report(error, topic, stage);
    this.#publishing = new Publishing(adapter, this.#node, maxPublishQueue);
    this.#subscriptions = new Subscriptions(adapter, topicLinger, report);
    this.#receiving = new Receiving({
      node: this.#node,
      entryOf: (topic) => this.#subscriptions.entry(topic),
      hand: (topic, message) => this.#hand(topic, message),
      report
    });
    this.#nodes = new Nodes(this.#node, (payload) => this.#tellNodes(payload), countLocal);
  }

  /** The id of this node. */
  get node() {
    return this.#node;
  }

  /** Begins to connect. Never throws. */
  start() {
    if (this.#state !== NEW) return;
    this.#state = CONNECTING;
    if (!this.#adapter.count) this.#subscriptions.want(NODES_TOPIC).then(() => this.#nodes.hello(), () => {});
    this.#startAdapter();
  }

  /**
   * The topic has a subscriber on this node.
   * @returns {Promise<void>} resolved when the engine has confirmed: what is published from now on, anywhere, will come.
   *   Rejected if the engine refuses, or `unwanted()` comes before. Never unhandled. While the engine is away, it waits.
   */
  wanted(topic) {
    return this.#state === CLOSED ? handled(Promise.reject(closed())) : this.#subscriptions.want(topic);
  }

  /** The topic has no subscriber on this node any more. */
  unwanted(topic) {
    this.#subscriptions.unwant(topic);
  }

  /**
   * To the subscribers on all other nodes; with `topicOrder: 'engine'` to those on this node as well.
   * @returns {Promise<void>} resolved when the engine has the message. Never unhandled.
   */
  publish(topic, payload, isBinary, publisher) {
    if (this.#state === CLOSED) return handled(Promise.reject(closed()));
    const throughEngine = this.#ordered && this.#state === UP;
    const { sequence, done } = this.#publishing.publish(topic, { payload, isBinary, publisher, own: throughEngine });
    if (this.#ordered && !(throughEngine && sequence > 0)) this.#deliverHere(topic, payload, isBinary, publisher, sequence);
    return handled(done);
  }

  /**
   * Subscribers on all nodes.
   * @param {string} topic
   * @param {number} timeout milliseconds to wait for the other nodes
   * @returns {Promise<{ connections: number, nodes: number, silent: string[] }>} `silent`: ids of nodes without an answer
   */
  async count(topic, timeout) {
    if (this.#state === UP && this.#adapter.count) {
      try {
        return await this.#adapter.count(topic, timeout);
      } catch (error) {
        this.#reports.report(error, topic, 'count');
        return { connections: this.#countLocal(topic), nodes: 1, silent: [] };
      }
    }
    return this.#nodes.count(topic, this.#state === UP ? timeout : 0);
  }

  stats() {
    const { received, echoes, malformed, dropped, repeated, missed } = this.#receiving;
    return {
      ...this.#subscriptions.counts(),
      published: this.#publishing.published,
      received,
      echoes,
      malformed,
      dropped,
      repeated,
      missed,
      queuedBytes: this.#publishing.queuedBytes,
      lostFor: this.#state === LOST ? Date.now() - this.#lostSince : 0
    };
  }

  /** Gives the engine's subscriptions up. Publishes under way get a short time. */
  async close() {
    if (this.#state === CLOSED) return;
    const wasUp = this.#state === UP;
    clearTimeout(this.#restartTimer);
    if (wasUp) await atMost(CLOSE_TIMEOUT, Promise.all([this.#publishing.flushed(), this.#adapter.count ? undefined : this.#nodes.bye()]));
    const wasStarted = this.#state !== NEW;
    this.#state = CLOSED;
    this.#receiving.close();
    this.#subscriptions.close();
    this.#publishing.close();
    this.#nodes.close();
    this.#reports.close();
    if (wasStarted) await atMost(CLOSE_TIMEOUT, (async () => this.#adapter.close())().catch(() => {}));
  }

  async #startAdapter() {
    this.#starting = true;
    try {
      await this.#adapter.start({
        node: this.#node,
        deliver: (topic, envelope) => this.#receiving.receive(topic, envelope),
        lost: (error) => this.#lost(error),
        restored: () => this.#restored()
      });
      if (this.#starting) this.#restored();
    } catch (error) {
      this.#lost(error);
      if (this.#state === CLOSED) return;
      this.#restartTimer = setTimeout(() => this.#startAdapter(), Math.min(FIRST_RESTART * 2 ** this.#restarts, LAST_RESTART));
      this.#restartTimer.unref();
      this.#restarts += 1;
    }
  }

  #lost(reason) {
    this.#starting = false;
    if (this.#state === LOST || this.#state === CLOSED) return;
    this.#state = LOST;
    this.#lostSince = Date.now();
    const why = reason?.message ? `: ${reason.message}` : '';
    const error = websocketError('ERR_WEBSOCKET_PUBSUB_LOST', `The engine is away, messages between nodes may be lost${why}`,
      reason === undefined ? {} : { cause: reason });
    this.#receiving.setLost(true);
    this.#subscriptions.setUp(false);
    this.#publishing.setUp(false, reason ?? error);
    this.#emit('pubsubLost', error);
  }

  #restored() {
    this.#starting = false;
    if (this.#state !== LOST && this.#state !== CONNECTING) return;
    const wasLost = this.#state === LOST;
    this.#state = UP;
    this.#restarts = 0;
    this.#receiving.setLost(false);
    this.#subscriptions.setUp(true);
    this.#publishing.setUp(true);
    if (wasLost) this.#emit('pubsubRestored', { downtime: Date.now() - this.#lostSince });
  }

  #hand(topic, message) {
    if (topic === NODES_TOPIC) {
      this.#nodes.receive(message.node, message.payload);
      return;
    }
    const isOwn = message.node === this.#node;
    if (!isOwn) this.#nodes.heard(message.node);
    guarded(this.#deliver, [topic, message.payload, message.isBinary, isOwn ? message.publisher : '']);
  }

  /** With `topicOrder: 'engine'`, while the engine is away: what it brings late must not come behind this. */
  #deliverHere(topic, payload, isBinary, publisher, sequence) {
    this.#receiving.deliveredHere(topic, sequence > 0 ? sequence : this.#publishing.nextSequence());
    guarded(this.#deliver, [topic, payload, isBinary, publisher]);
  }

  #tellNodes(payload) {
    return this.#publishing.publish(NODES_TOPIC, { payload, isBinary: true, publisher: '', own: false }).done;
  }
}

/** What listeners throw goes to `uncaughtException`, as if Node had called them, and does not stop the engine. */
function guarded(callback, args) {
  try {
    callback(...args);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function handled(promise) {
  promise.catch(() => {});
  return promise;
}

function atMost(milliseconds, promise) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

function closed() {
  return websocketError('ERR_WEBSOCKET_CLOSED', 'The server is closed, and has left the engine.');
}

module.exports = { Engine };
