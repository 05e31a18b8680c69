'use strict';

// What connects the topics of a server with those of others: the engine, and what goes through it.

const channels = require('../base/channels');
const { OPCODE } = require('../transport/encode');
const { Engine } = require('../pubsub/engine');

/** Messages of this server on their way through the engine that leave somebody out; of more, the oldest are forgotten. */
const MOST_EXCEPTIONS = 10000;

class ServerEngine {
  /**
   * @param {IPubSubAdapter} adapter
   * @param {WebSocketServer} server
   * @param {Topics} topics
   */
  constructor(adapter, server, topics) {
    const { maxPublishQueue, topicLinger, topicOrder } = server.config;
    this.adapter = adapter;
    this._server = server;
    this._topics = topics;
    // Whether this server gets its own messages by way of the engine, in the order in which all get them.
    this._isOrdered = topicOrder === 'engine';
    // Who does not get a message of this server that is on its way, by what the engine gives back as its publisher.
    this._exceptions = new Map();
    this._published = 0;
    this._engine = new Engine(adapter, {
      deliver: (topic, payload, isBinary, publisher) => this._deliver(topic, payload, isBinary, publisher),
      countLocal: (topic) => topics.size(topic),
      emit: (event, ...args) => this._emit(event, args),
      maxPublishQueue,
      topicLinger,
      topicOrder,
    });
    for (const topic of topics.names()) this._engine.wanted(topic);
    this._engine.start();
  }

  wanted(topic) { return this._engine.wanted(topic); }

  unwanted(topic) { this._engine.unwanted(topic); }

  count(topic, timeout) { return this._engine.count(topic, timeout); }

  stats() { return this._engine.stats(); }

  close() { return this._engine.close(); }

  /**
   * Sends a message to the subscribers here and to the engine.
   * @param {object} recipients as of the method deliver() of Topics
   * @returns {number} how many get it in this process
   */
  publish(topic, opcode, data, recipients, cb) {
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    const reached = this._isOrdered
      ? this._topics.sizeWithout(topic, recipients)
      : this._topics.deliver(topic, opcode, data, recipients);
    const publisher = this._isOrdered ? this._publisherOf(recipients) : '';
    const sent = this._engine.publish(topic, payload, opcode === OPCODE.BINARY, publisher);
    if (typeof cb === 'function') sent.then(() => process.nextTick(cb), (error) => process.nextTick(cb, error));
    return reached;
  }

  /** What the engine gives back with the message. */
  _publisherOf(recipients) {
    const { compress, sender, except } = recipients;
    if (compress && sender === null && except === null) return '';
    const publisher = String(++this._published);
    this._exceptions.set(publisher, recipients);
    if (this._exceptions.size > MOST_EXCEPTIONS) this._exceptions.delete(this._exceptions.keys().next().value);
    return publisher;
  }

  _deliver(topic, payload, isBinary, publisher) {
    const recipients = this._exceptions.get(publisher) || {};
    this._exceptions.delete(publisher);
    this._topics.deliver(topic, isBinary ? OPCODE.BINARY : OPCODE.TEXT, payload, recipients);
  }

  _emit(event, args) {
    const { _server: server } = this;
    if (channels[event]?.hasSubscribers) channels[event].publish({ server, ...describe(event, args) });
    server.emit(event, ...args);
  }
}

/** The arguments of an event as the properties of what a channel publishes. */
function describe(event, [first, second]) {
  return event === 'pubsubRestored' ? first : { error: first, ...second };
}

module.exports = { ServerEngine };
