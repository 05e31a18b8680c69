'use strict';

// Every message has a number. Each node notes what it receives, and the windows of loss that were announced to it: no number
// may come twice, none may come before a smaller one, and none may be missing outside a window.

const { Engine } = require('../../lib/internal/pubsub/engine');
const { until, delay } = require('./servers');

class Node {
  losses = 0;
  /** Beginnings and ends of losses. */
  windows = 0;
  isLost = false;
  /** Errors of `pubsubError`. */
  errors = [];
  /** `publisher topic` → { number, windows }. */
  last = new Map();
  order = new Map();

  constructor(checker, name, adapter, options) {
    this.name = name;
    this.checker = checker;
    this.engine = new Engine(adapter, {
      ...options,
      deliver: (topic, payload) => this.receive(topic, payload),
      countLocal: () => 1,
      emit: (event, argument, details) => this.happen(event, argument, details)
    });
  }

  happen(event, argument, details) {
    if (event === 'pubsubLost') {
      this.losses += 1;
      this.windows += 1;
      this.isLost = true;
      this.checker.log(`${this.name} lost: ${argument.cause?.message ?? argument.message}`);
    } else if (event === 'pubsubRestored') {
      this.isLost = false;
      this.windows += 1;
      this.checker.log(`${this.name} restored after ${argument.downtime} ms`);
    } else {
      this.errors.push(argument);
      this.checker.log(`${this.name} ${details.stage} ${details.topic}: ${argument.message}`);
    }
  }

  receive(topic, payload) {
    const [publisher, digits] = payload.toString('latin1', 0, 40).split(' ');
    const number = Number(digits);
    const stream = `${publisher} ${topic}`;
    const last = this.last.get(stream);
    if (last !== undefined && number <= last.number) this.checker.fault(`${this.name} received ${stream} ${number} after ${last.number}`);
    if (last !== undefined && !this.isLost && last.windows === this.windows) {
      for (let missing = last.number + 1; missing < number; missing++) {
        if (!this.checker.refused.has(`${stream} ${missing}`)) this.checker.fault(`${this.name} did not receive ${stream} ${missing}`);
      }
    }
    this.last.set(stream, { number, windows: this.windows });
    if (!this.order.has(topic)) this.order.set(topic, []);
    this.order.get(topic).push(`${publisher} ${number}`);
    this.checker.received += 1;
  }
}

class Checker {
  nodes = [];
  faults = [];
  received = 0;
  published = 0;
  /** Messages whose publisher was told that they may be lost. */
  refused = new Set();
  #numbers = new Map();
  #timer = null;
  #started = Date.now();
  #lines = [];

  constructor(topics) {
    this.topics = topics;
  }

  log(line) {
    this.#lines.push(`${Date.now() - this.#started} ms: ${line}`);
    if (this.#lines.length > 200) this.#lines.shift();
  }

  fault(text) {
    if (this.faults.length < 20) this.faults.push(text);
    this.log(text);
  }

  add(name, adapter, options = {}) {
    const node = new Node(this, name, adapter, options);
    this.nodes.push(node);
    return node;
  }

  /** Starts all nodes, and resolves when all their subscriptions are confirmed. */
  async start() {
    for (const { engine } of this.nodes) engine.start();
    await until(async () => {
      await Promise.all(this.nodes.flatMap(({ engine }) => this.topics.map((topic) => engine.wanted(topic))));
      return true;
    }, 'all subscriptions');
  }

  publish(node, topic, size = 64) {
    const stream = `${node.name} ${topic}`;
    const number = (this.#numbers.get(stream) ?? 0) + 1;
    this.#numbers.set(stream, number);
    const payload = Buffer.alloc(size, ' ');
    payload.write(`${node.name} ${number} `);
    this.published += 1;
    return node.engine.publish(topic, payload, false, '').catch(() => {
      this.refused.add(`${stream} ${number}`);
    });
  }

  /** All nodes publish in all topics, again and again. */
  beginTraffic(interval = 5) {
    this.#timer = setInterval(() => {
      for (const node of this.nodes) {
        for (const topic of this.topics) this.publish(node, topic);
      }
    }, interval);
  }

  endTraffic() {
    clearInterval(this.#timer);
  }

  /** All are up again, and what is published now comes everywhere. */
  async settle({ ownToo = false } = {}) {
    await until(() => this.nodes.every((node) => !node.isLost), 'that all are restored', 30_000);
    this.endTraffic();
    await delay(200);
    await Promise.all(this.nodes.flatMap((node) => this.topics.map((topic) => this.publish(node, topic))));
    await until(() => this.nodes.every((receiver) => this.nodes.every((publisher) => this.topics.every((topic) => {
      const stream = `${publisher.name} ${topic}`;
      return (receiver === publisher && !ownToo) || receiver.last.get(stream)?.number === this.#numbers.get(stream);
    }))), 'that the last messages arrive', 5000).catch((error) => this.fault(error.message));
  }

  async close() {
    this.endTraffic();
    await Promise.all(this.nodes.map(({ engine }) => engine.close()));
  }

  /** Throws if something was wrong. */
  verdict() {
    for (const { name, engine } of this.nodes) {
      const { missed } = engine.stats();
      if (missed > 0) this.fault(`${name} counts ${missed} gaps`);
    }
    if (this.received === 0) this.fault('nothing was received');
    if (this.faults.length > 0) throw new Error(`${this.faults.join('\n')}\n\nwhat happened:\n${this.#lines.join('\n')}`);
  }
}

module.exports = { Checker };
