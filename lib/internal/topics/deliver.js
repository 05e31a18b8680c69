'use strict';

// Published messages for connections that JavaScript sends to: those on streams, and those that need something else than the
// common frames. A message for very many of them is delivered in portions, between which the loop has its turn. A connection
// that sends something else meanwhile gets what it is owed before.

const binding = require('../addon/binding');
const { throwLater } = require('../base/arguments');
const { OPCODE } = require('../transport/encode');
const { hasRoom, highWaterMarkOf } = require('../transport/backpressure');
const { sendCompressed } = require('../transport/queueing-transport');
const { debugMessage } = require('../connection/debug-lines');
const { setImmediate } = require('../time/immediate');
const { Slice } = require('../time/slice');
const { fragmentationThreshold } = require('./route');

/** The numbers of the option `slow`. */
const POLICY = { queue: 0, drop: 1, latest: 2, close: 3 };

/** What topicsOffer returns. */
const VERDICT = { SEND: 0, DROP: 1, HOLD: 2, HOLD_FIRST: 3, CLOSE: 4 };

/** Connections that get a message at once; the others get it in portions of 4 ms. */
const AT_ONCE = 256;

/** Messages that may wait for their portion. When there are more, the oldest are delivered at once. */
const MOST_OWED = 100000;

/** Connections that are owed messages, the one that has waited longest first. */
const debtors = new Set();
let owed = 0;
let scheduled = false;
const slice = new Slice();

/** A message on its way to many. */
class Message {
  /**
   * @param {string|null} topic null for a broadcast
   * @param {number} opcode
   * @param {string|Buffer} data
   * @param {boolean} compress whether it may be compressed
   */
  constructor(topic, opcode, data, compress) {
    this.topic = topic;
    this.opcode = opcode;
    this.data = data;
    this.compress = compress;
    this._bytes = null;
  }

  get bytes() {
    if (this._bytes === null) this._bytes = typeof this.data === 'string' ? Buffer.from(this.data) : this.data;
    return this._bytes;
  }

  /** Makes the message independent of memory that the program may write to. */
  keep() {
    if (typeof this.data === 'string' || this._kept) return;
    this.data = Buffer.from(this.data);
    this._bytes = null;
    this._kept = true;
  }
}

function isOpen(connection) {
  return connection.connected && connection.state === 'open';
}

/** Sends a message, as the methods of a connection do. Returns whether it was sent. */
function send(connection, { opcode, data, bytes, compress }) {
  if (!isOpen(connection) || !hasRoom(connection, data, undefined, bytes.length)) return false;
  connection._messagesSent++;
  if (connection._debug.enabled) debugMessage(connection, 'message sent', opcode === OPCODE.TEXT, data);
  const threshold = fragmentationThreshold(connection.config);
  if (compress && connection._compressor !== null) sendCompressed(connection, opcode, data, threshold, undefined);
  else if (typeof data === 'string') connection._transport.sendText(connection, opcode, data, threshold, undefined);
  else connection._transport.sendBytes(connection, opcode, data, threshold, undefined);
  return true;
}

/** Sends a message to a subscriber, unless it is slow and has another policy than to queue. Returns whether it gets it. */
function offer(connection, message, policy) {
  if (policy === POLICY.queue || !isOpen(connection)) return send(connection, message);
  const slow = connection._transport.isSlow(connection);
  switch (binding.topicsOffer(connection._topics.table, connection._member, message.topic, policy, slow, message.bytes,
    message.opcode === OPCODE.TEXT, message.compress)) {
    case VERDICT.SEND:
      return send(connection, message);
    case VERDICT.HOLD:
      return true;
    case VERDICT.HOLD_FIRST:
      sendHeldLater(connection);
      return true;
    case VERDICT.CLOSE:
      endSlow(connection);
      return false;
    default:
      return false;
  }
}

/** Ends a connection with the policy `close`. */
function endSlow(connection) {
  if (!isOpen(connection)) return;
  connection.drop(1008, `The subscriber is too slow: ${highWaterMarkOf(connection)} bytes wait to be sent (slow: 'close').`);
}

/** Sends what is held for a connection when everything that waits for it is written. */
function sendHeldLater(connection) {
  connection._transport.whenWritten(connection, () => {
    if (connection._member === null) return;
    for (const { payload, isText, compress } of binding.topicsTakeHeld(connection._topics.table, connection._member)) {
      send(connection, new Message(null, isText ? OPCODE.TEXT : OPCODE.BINARY, payload, compress));
    }
  });
}

/** Delivers to the `count`th connection of a message, now or in its turn. Returns whether it gets it. */
function deliver(connection, message, policy, count) {
  if (count < AT_ONCE && connection._owed === null) return offer(connection, message, policy);
  owe(connection, message, policy);
  return true;
}

function owe(connection, message, policy) {
  message.keep();
  if (connection._owed === null) {
    connection._owed = [];
    debtors.add(connection);
  }
  connection._owed.push(message, policy);
  owed++;
  while (owed > MOST_OWED) settleOwed(debtors.values().next().value);
  if (scheduled || debtors.size === 0) return;
  scheduled = true;
  setImmediate(deliverPortion);
}

function deliverPortion() {
  scheduled = false;
  slice.begin();
  for (const connection of debtors) {
    if (slice.isOver()) break;
    try {
      settleOwed(connection);
    } catch (error) {
      // A stream of the program's has thrown. The others still get theirs.
      throwLater(error);
    }
  }
  slice.end();
  if (debtors.size === 0 || scheduled) return;
  scheduled = true;
  setImmediate(deliverPortion);
}

/** Delivers what a connection is owed. */
function settleOwed(connection) {
  const messages = forgetOwed(connection);
  for (let i = 0; i < messages.length; i += 2) offer(connection, messages[i], messages[i + 1]);
}

/** Takes out what a connection is owed. */
function forgetOwed(connection) {
  const { _owed: messages } = connection;
  if (messages === null) return [];
  connection._owed = null;
  debtors.delete(connection);
  owed -= messages.length / 2;
  return messages;
}

module.exports = { POLICY, Message, isOpen, deliver, endSlow, sendHeldLater, settleOwed, forgetOwed };
