'use strict';

const Lane = require('./lane');

/** One Redis server at a time, also behind Sentinel: over two connections, one that publishes and one that subscribes. */
class Single {
  #lane;

  constructor({ publisher, subscriber, prefix, node, heartbeat, message, changed }) {
    this.#lane = new Lane({
      publisher,
      subscriber,
      heartbeatChannel: `${prefix}-heartbeat:${node}`,
      heartbeat,
      message,
      up: () => changed(),
      down: changed,
      moved() {}
    });
  }

  get isUp() {
    return this.#lane.isUp;
  }

  open() {
    this.#lane.open();
  }

  subscribe(channels) {
    return this.#lane.subscribe(channels);
  }

  unsubscribe(channels) {
    return this.#lane.unsubscribe(channels);
  }

  publish(channel, bytes) {
    return this.#lane.publish(channel, bytes);
  }

  close() {
    return this.#lane.close({ end: false });
  }
}

module.exports = Single;
