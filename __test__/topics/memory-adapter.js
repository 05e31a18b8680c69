'use strict';

// An engine within the process, for tests: a bus, and adapters that connect nodes with it. The bus can be taken away,
// slowed down, and told to refuse.

class MemoryBus {
  /** Topic → set of nodes. */
  subscribers = new Map();
  nodes = new Set();
  isUp;
  /** Called before each call of an adapter: `(kind, topics) => Promise | undefined`; what it throws is the result. */
  before = () => undefined;
  calls = [];

  constructor({ isUp = true } = {}) {
    this.isUp = isUp;
  }

  adapter() {
    return new MemoryAdapter(this);
  }

  /** The engine goes: all nodes lose their connections, and all messages until it is back. */
  stop(error = new Error('the bus has stopped')) {
    this.isUp = false;
    for (const node of this.nodes) node.context.lost(error);
  }

  /** The engine is back, with the subscriptions that the nodes had. */
  restart() {
    this.isUp = true;
    for (const node of this.nodes) node.context.restored();
  }

  deliver(topic, envelope) {
    for (const node of this.subscribers.get(topic) ?? []) node.context.deliver(topic, envelope);
  }
}

class MemoryAdapter {
  constructor(bus) {
    this.bus = bus;
    this.context = null;
  }

  start(context) {
    this.context = context;
    this.bus.nodes.add(this);
    if (!this.bus.isUp) context.lost(new Error('the bus is not there'));
  }

  async subscribe(topics) {
    await this.#call('subscribe', topics);
    for (const topic of topics) {
      if (!this.bus.subscribers.has(topic)) this.bus.subscribers.set(topic, new Set());
      this.bus.subscribers.get(topic).add(this);
    }
  }

  async unsubscribe(topics) {
    await this.#call('unsubscribe', topics);
    for (const topic of topics) {
      const nodes = this.bus.subscribers.get(topic);
      if (nodes === undefined) continue;
      nodes.delete(this);
      if (nodes.size === 0) this.bus.subscribers.delete(topic);
    }
  }

  async publish(topic, envelope) {
    await this.#call('publish', [topic]);
    this.bus.deliver(topic, envelope);
  }

  async close() {
    this.bus.nodes.delete(this);
    for (const nodes of this.bus.subscribers.values()) nodes.delete(this);
  }

  async #call(kind, topics) {
    this.bus.calls.push({ kind, topics });
    await this.bus.before(kind, topics);
    if (!this.bus.isUp) throw new Error('the bus is not there');
  }
}

module.exports = { MemoryBus };
