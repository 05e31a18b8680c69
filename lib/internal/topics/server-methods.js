'use strict';

// Topics of a server.

const { optionError } = require('../base/errors');
const { SERVER_OPTIONS } = require('../options/tables');
const { readOptions } = require('../options/read-options');
const { isTime } = require('../time/is-time');
const { checkTopic, messageOf, publishOptions } = require('./arguments');
const { Topics } = require('./topics');
const { ServerEngine } = require('./server-engine');
const { publish } = require('./publish');

/** Milliseconds that count() waits for other processes. */
const COUNT_TIMEOUT = 1000;

/** The table of a server, made when it is needed. */
function tableOf(server) {
  // A server that is not mounted yet has no options of its own.
  server._topics ||= new Topics(server.config || readOptions(SERVER_OPTIONS, 'WebSocketServer'), server);
  return server._topics;
}

/** Methods of WebSocketServer. */
const methods = {
  /**
   * Sends a message to all subscribers of a topic.
   * @param {string} topic
   * @param {Buffer|ArrayBuffer|ArrayBufferView|{toString(): string}} data
   * @param {object} [options]
   * @param {WebSocketConnection|WebSocketConnection[]} [options.except] who does not get it
   * @param {boolean} [options.local=false] only to subscribers of this process
   * @param {boolean} [options.compress=true] false sends the message as it is
   * @param {(error?: Error) => void} [cb] called once: when the message has gone to all subscribers here, and the engine has
   *   it; with an Error otherwise
   * @returns {number} how many subscribers of this process get it
   * @throws {Error} for data that are neither bytes nor text, and for arguments of a wrong type
   */
  publish(topic, data, options, cb) {
    checkTopic(topic);
    const message = messageOf(data);
    const given = publishOptions(options, cb);
    return publish(tableOf(this), topic, message, given, null) || 0;
  },

  /** The connections of this process that are subscribed to a topic. */
  subscribers(topic) {
    checkTopic(topic);
    return this._topics === null ? [] : this._topics.subscribers(topic);
  },

  /**
   * Counts the subscribers of a topic in all processes that have one engine.
   * @param {string} topic
   * @param {object} [options]
   * @param {number} [options.timeout=1000] milliseconds to wait for the answers of the others
   * @returns {Promise<{connections: number, nodes: number, silent: string[]}>} what is known by then; `silent` are the ids of
   *   processes that have not answered
   */
  async count(topic, { timeout = COUNT_TIMEOUT } = {}) {
    checkTopic(topic);
    if (!isTime(timeout)) throw optionError(`The option timeout of count() must be a number of milliseconds, not ${timeout}.`);
    const engine = this._topics?.engine;
    if (engine) return engine.count(topic, timeout);
    return { connections: this._topics === null ? 0 : this._topics.size(topic), nodes: 1, silent: [] };
  },
};

/** The property `topics`. */
function topicsOf({ _topics: topics }) {
  return topics === null ? [] : topics.names();
}

/** The server is mounted, or mounted again: connects it with others if it is to be. */
function startEngine(server) {
  const { pubsub } = server.config;
  if (!pubsub) return;
  const topics = tableOf(server);
  if (topics.engine !== null && topics.engine.adapter === pubsub) return;
  topics.engine?.close();
  topics.engine = new ServerEngine(pubsub, server, topics);
}

/** A server that has stopped listening leaves the engine when its last connection has gone. */
function endEngineIfUnused({ _unmounted: unmounted, connections, _topics: topics }) {
  if (!unmounted || connections.length > 0 || topics === null || topics.engine === null) return;
  topics.engine.close();
  topics.engine = null;
}

module.exports = { methods, tableOf, topicsOf, startEngine, endEngineIfUnused };
