'use strict';

// The topics of one server: the JavaScript end of a table of the Rust core, which knows who has subscribed to what. A connection
// becomes a member with its first subscription, or with the first broadcast, and is one until it begins to close.

const binding = require('../addon/binding');
const { throwLater } = require('../base/arguments');
const channels = require('../base/channels');
const { websocketError } = require('../base/errors');
const { OPCODE } = require('../transport/encode');
const { PLACE_MASK } = require('../transport/connections-by-id');
const { leaveLater } = require('../transport/native-batches');
const { limitsOf, routeOf } = require('./route');
const { Message, deliver, endSlow, sendHeldLater, forgetOwed } = require('./deliver');

/** Flags of topicsPublish. */
const FLAG = { TEXT: 1, COMPRESS: 2, ALL: 4, STRING: 8 };

/** In what topicsPublish returns: there is something to do for JavaScript. */
const ATTENTION = 0x80000000;

/** What JavaScript has to do about a member; the lowest two bits are its policy. */
const TASK = { SEND: 0, FULL: 4, HELD: 8, CLOSE: 12, NO_ROOM: 16 };
const POLICY_MASK = 3;

/** No member: nobody is left out. */
const NOBODY = 0xffffffff;

/** Options that the addon knows for all members of a table. */
const LIMITS = [
  'fragmentOutgoingMessages', 'fragmentationThreshold', 'highWaterMark', 'maxBufferedAmount', 'maxTopicsPerConnection',
  'maxTopicLength',
];

const forgotten = new FinalizationRegistry((table) => binding.releaseTopics(table));

class Topics {
  /**
   * @param {object} config options of the server
   * @param {WebSocketServer|null} server which emits events; null for connections that belong to no server
   */
  constructor(config, server) {
    this.server = server;
    this.config = config;
    /** The number of each group of compression. */
    this.groups = new Map();
    /** What connects the server with those of other processes, or null. */
    this.engine = null;
    this.table = binding.createTopics(maxTopics(config), maxLength(config));
    // Connections by the place in the id of their member.
    this._members = [];
    this._configured = { config: null };
    forgotten.register(this, this.table);
  }

  // ------------------------------------------------------------------------------------------------ members

  /** Makes a connection a member. */
  join(connection) {
    this._configure();
    connection._topics = this;
    connection._member = binding.topicsJoin(this.table, ...routeOf(connection, this));
    this._members[connection._member & PLACE_MASK] = connection;
  }

  /** The connection begins to close: it is not a member any more, and has no topics. */
  leave(connection) {
    const member = connection._member;
    const left = binding.topicsLeave(this.table, member);
    connection._member = null;
    this._members[member & PLACE_MASK] = undefined;
    forgetOwed(connection);
    connection._messagesSent += left.messages;
    if (connection._compressor !== null) connection._compressor.addBytes(left.compressed);
    left.topics.forEach((topic, i) => this._unsubscribed(connection, topic, left.last[i]));
  }

  // ------------------------------------------------------------------------------------------- subscriptions

  /** @returns {Promise<void>} rejected when the subscription is refused */
  subscribe(connection, topic, slow) {
    if (connection._member === null) this.join(connection);
    else this._configure();
    const result = binding.topicsSubscribe(this.table, connection._member, topic, slow);
    if (result < 0) return Promise.reject(this._refusal(connection, topic, result));
    const confirmed = this.engine === null ? Promise.resolve() : this.engine.wanted(topic);
    if (result > 0) this._tell('subscribe', connection, topic);
    return confirmed;
  }

  _refusal(connection, topic, result) {
    const { maxTopicsPerConnection, maxTopicLength } = this.config;
    if (result === -1) return topicError(topic, maxTopicLength);
    return websocketError('ERR_WEBSOCKET_TOO_MANY_TOPICS', result === -2
      ? `The connection to ${connection.remoteAddress} has ${maxTopicsPerConnection} topics already (maxTopicsPerConnection).`
      : 'There are too many topics.');
  }

  unsubscribe(connection, topic) {
    if (connection._member === null) return false;
    const result = binding.topicsUnsubscribe(this.table, connection._member, topic);
    if (result > 0) this._unsubscribed(connection, topic, result === 2);
    return result > 0;
  }

  _unsubscribed(connection, topic, wasLast) {
    if (wasLast && this.engine !== null) this.engine.unwanted(topic);
    this._tell('unsubscribe', connection, topic);
  }

  /** Emits an event of the server. What a listener throws does not stop what has caused it. */
  _tell(event, connection, topic) {
    const { server } = this;
    if (channels[event].hasSubscribers) channels[event].publish({ server, connection, topic });
    if (server === null || server.listenerCount(event) === 0) return;
    try {
      server.emit(event, connection, topic);
    } catch (error) {
      throwLater(error);
    }
  }

  has(connection, topic) {
    return connection._member !== null && binding.topicsHas(this.table, connection._member, topic);
  }

  topicsOf(connection) {
    return connection._member === null ? [] : binding.topicsOf(this.table, connection._member);
  }

  names() {
    return binding.topicsNames(this.table);
  }

  subscribers(topic) {
    return binding.topicsMembers(this.table, topic).map((member) => this._members[member & PLACE_MASK]);
  }

  /** How many subscribers a message has that leaves out these members. */
  sizeWithout(topic, { sender, except }) {
    if (sender === null && except === null) return this.size(topic);
    const left = new Set(except === null ? [] : new Uint32Array(except.buffer, except.byteOffset, except.length / 4)).add(sender);
    return binding.topicsMembers(this.table, topic).filter((member) => !left.has(member)).length;
  }

  size(topic) {
    return binding.topicsSize(this.table, topic);
  }

  // ------------------------------------------------------------------------------------------------ publishing

  /**
   * Sends a message to the subscribers of a topic in this process.
   * @param {string|null} topic null for all members
   * @param {number} opcode
   * @param {string|Buffer} data
   * @param {object} [options]
   * @param {boolean} [options.compress]
   * @param {number|null} [options.sender] the member who does not get it
   * @param {Buffer|null} [options.except] the members who do not get it either
   * @returns {number} how many get it
   */
  deliver(topic, opcode, data, { compress = true, sender = null, except = null }) {
    this._configure();
    const flags = (opcode === OPCODE.TEXT ? FLAG.TEXT : 0) | (compress ? FLAG.COMPRESS : 0) |
      (topic === null ? FLAG.ALL : 0) | (typeof data === 'string' ? FLAG.STRING : 0);
    const result = binding.topicsPublish(this.table, topic === null ? '' : topic, data, flags,
      sender === null ? NOBODY : sender, except);
    if (result < ATTENTION) {
      if (result > 0) leaveLater();
      return result;
    }
    const reached = result - ATTENTION;
    if (reached > 0) leaveLater();
    return reached + this._attend(new Message(topic, opcode, data, compress));
  }

  /** Does what the addon has left to do for a message. Returns how many it reaches. */
  _attend(message) {
    const bytes = binding.topicsAttention();
    const list = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    let reached = 0;
    let delivered = 0;
    for (let i = 0; i < list.length; i += 2) {
      const connection = this._members[list[i] & PLACE_MASK];
      // What is done for one may end another.
      if (connection === undefined || connection._member !== list[i]) continue;
      const policy = list[i + 1] & POLICY_MASK;
      switch (list[i + 1] - policy) {
        case TASK.FULL:
          // What was done for another one may have changed its transport, which then says so itself.
          if (connection._transport.isDirect) connection._transport.promiseDrain(connection);
          break;
        case TASK.HELD:
          sendHeldLater(connection);
          break;
        case TASK.CLOSE:
          endSlow(connection);
          break;
        default:
          if (deliver(connection, message, policy, delivered++)) reached++;
      }
    }
    return reached;
  }

  /** Tells the addon what has changed in the options. */
  _configure() {
    const config = this.server?.config || this.config;
    const last = this._configured;
    // The program may have written into it since.
    if (last.config === config && LIMITS.every((name) => last[name] === config[name])) return;
    this.config = config;
    this._configured = { config };
    for (const name of LIMITS) this._configured[name] = config[name];
    const { threshold, mark, max } = limitsOf(config);
    binding.topicsConfigure(this.table, maxTopics(config), maxLength(config), threshold, mark, max);
    for (const connection of this._members) {
      if (connection !== undefined) binding.topicsRoute(this.table, connection._member, ...routeOf(connection, this));
    }
  }

  stats() {
    const [, topics, subscriptions] = binding.topicsCounts(this.table);
    return { ...(this.engine === null ? null : this.engine.stats()), topics, subscriptions };
  }
}

// A configuration that the program has made by hand may lack them.

function maxTopics({ maxTopicsPerConnection }) {
  return Number(maxTopicsPerConnection ?? Infinity);
}

function maxLength({ maxTopicLength }) {
  return Number(maxTopicLength ?? Infinity);
}

/** What is wrong with the name of a topic; null when nothing is. */
function topicProblem(topic, config) {
  // A unit of UTF-16 has three bytes of UTF-8 at most.
  if (topic.length > 0 && topic.length * 3 <= maxLength(config)) return null;
  const length = Buffer.byteLength(topic);
  return length > 0 && length <= maxLength(config) ? null : topicError(topic, maxLength(config));
}

function topicError(topic, maxTopicLength) {
  return websocketError('ERR_WEBSOCKET_TOPIC', topic === ''
    ? 'A topic must not be empty.'
    : `A topic has at most ${maxTopicLength} bytes of UTF-8, not ${Buffer.byteLength(topic)} (maxTopicLength).`);
}

/** The numbers of members as the addon takes them. */
function membersBuffer(connections, topics) {
  const members = connections.filter(({ _member: member, _topics }) => member !== null && _topics === topics)
    .map(({ _member: member }) => member);
  return members.length === 0 ? null : Buffer.from(Uint32Array.from(members).buffer);
}

module.exports = { Topics, topicProblem, membersBuffer };
