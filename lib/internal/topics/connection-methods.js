'use strict';

// Topics of a connection.

const { callBack } = require('../base/arguments');
const { websocketError } = require('../base/errors');
const { CLIENT_OPTIONS, SERVER_OPTIONS } = require('../options/tables');
const { readOptions } = require('../options/read-options');
const { isOpen } = require('./deliver');
const { checkTopic, policyOf, messageOf, publishOptions } = require('./arguments');
const { Topics } = require('./topics');
const { publish } = require('./publish');

let ofNoServer = null;

/** The table of a connection. Clients, and connections made by hand, have one together. */
function tableOf(connection) {
  if (connection._topics === null) {
    const { maxTopicsPerConnection, maxTopicLength } = readOptions(SERVER_OPTIONS, 'WebSocketServer');
    ofNoServer ||= new Topics({ ...readOptions(CLIENT_OPTIONS, 'WebSocketClient'), maxTopicsPerConnection, maxTopicLength }, null);
    connection._topics = ofNoServer;
  }
  return connection._topics;
}

function closedError({ remoteAddress, state }) {
  return websocketError('ERR_WEBSOCKET_CLOSED', `The connection to ${remoteAddress} is closing or closed (state ${state}).`);
}

/** A rejection that nobody has to look at. */
function handled(promise) {
  promise.catch(() => {});
  return promise;
}

/** Methods of WebSocketConnection. */
const methods = {
  /**
   * Subscribes to a topic, at once for what is published in this process. Subscribing again changes the policy.
   * @param {string} topic
   * @param {object} [options]
   * @param {'queue'|'drop'|'latest'|'close'} [options.slow='queue'] what happens to messages while the peer reads too slowly
   * @returns {Promise<void>} resolved when messages of other processes come as well; rejected, but never unhandled, for a
   *   topic that is empty or too long, for too many topics, and for a connection that is not open
   * @throws {TypeError} for a topic that is no string, and for a policy that there is not
   */
  subscribe(topic, options) {
    checkTopic(topic);
    const policy = policyOf(options);
    return handled(isOpen(this) ? tableOf(this).subscribe(this, topic, policy) : Promise.reject(closedError(this)));
  },

  /**
   * Ends a subscription.
   * @returns {boolean} false when there was none
   * @throws {TypeError} for a topic that is no string
   */
  unsubscribe(topic) {
    checkTopic(topic);
    return tableOf(this).unsubscribe(this, topic);
  },

  isSubscribed(topic) {
    checkTopic(topic);
    return tableOf(this).has(this, topic);
  },

  /**
   * Sends a message to all subscribers of a topic but this connection, which need not be one.
   * @param {string} topic
   * @param {Buffer|ArrayBuffer|ArrayBufferView|{toString(): string}} data
   * @param {object} [options] as of the server's publish()
   * @param {(error?: Error) => void} [cb]
   * @returns {boolean} false when nothing was sent, because the connection is not open or the topic is empty or too long
   * @throws {Error} for data that are neither bytes nor text, and for arguments of a wrong type
   */
  publish(topic, data, options, cb) {
    checkTopic(topic);
    const message = messageOf(data);
    const given = publishOptions(options, cb);
    if (!isOpen(this)) {
      callBack(given.cb, closedError(this));
      return false;
    }
    return publish(tableOf(this), topic, message, given, this) !== null;
  },
};

/** The property `topics`. */
function topicsOf(connection) {
  return connection._member === null ? [] : connection._topics.topicsOf(connection);
}

module.exports = { methods, topicsOf };
