'use strict';

// The sending half of WebSocketConnection.

const WebSocketFrame = require('../../WebSocketFrame');
const { OPCODE } = require('../transport/encode');
const nativeTransport = require('../transport/native-transport');
const { checkReason } = require('../base/close-codes');
const { asBuffer, payloadOf, callBack } = require('../base/arguments');
const { sendCompressed } = require('../transport/queueing-transport');
const { hasRoom } = require('../transport/backpressure');
const { debugCode, debugMessage } = require('./debug-lines');
const { heartbeatOf } = require('./heartbeat');
const { textOf } = require('./text-of');
const { errorsWithCode, websocketError } = require('../base/errors');

const dataError = errorsWithCode('ERR_WEBSOCKET_DATA');

const DEFAULT_FRAGMENTATION_THRESHOLD = 0x4000;
const NO_BYTES = Buffer.alloc(0);

/** Whether data may still be sent; if not, tells so to `cb`. */
function maySend(connection, cb) {
  if (connection.connected && connection.state === 'open') return true;
  callBack(cb, closedError(connection));
  return false;
}

function closedError(connection) {
  return websocketError('ERR_WEBSOCKET_CLOSED', `Nothing was sent: the connection to ${connection.remoteAddress} is closing ` +
    `or closed (state ${connection.state}, ${connection.closeReasonCode} ${connection.closeDescription}).`);
}

/** Messages longer than this many bytes are sent in fragments. */
function fragmentationThreshold(connection) {
  const { fragmentOutgoingMessages, fragmentationThreshold: threshold } = connection.config;
  if (!fragmentOutgoingMessages) return Infinity;
  return threshold >= 1 ? Math.floor(threshold) : DEFAULT_FRAGMENTATION_THRESHOLD;
}

function newFrame(connection, opcode, payload) {
  const frame = new WebSocketFrame(connection.maskBytes, connection.frameHeader, connection.config);
  frame.opcode = opcode;
  frame.binaryPayload = payload;
  return frame;
}

/** Whether the program has put methods of its own into the path that every frame takes. */
function isOverridden(connection) {
  return connection.sendFrame !== methods.sendFrame || connection.fragmentAndSend !== methods.fragmentAndSend;
}

function sendControl(connection, opcode, data, done) {
  if (!maySend(connection)) return;
  const bytes = data ? asBuffer(data) || Buffer.from(String(data)) : NO_BYTES;
  const payload = bytes.length > 125 ? bytes.subarray(0, 125) : bytes;
  connection._debug(opcode === OPCODE.PING ? 'Ping sent' : 'Pong sent');
  if (opcode === OPCODE.PING) heartbeatOf(connection).sent(payload, done);
  if (connection.sendFrame === methods.sendFrame) {
    connection._transport.sendControl(connection, opcode, payload);
    return;
  }
  const frame = newFrame(connection, opcode, payload);
  frame.fin = true;
  connection.sendFrame(frame);
}

/** A message is about to be sent. */
function countSent(connection, opcode, data) {
  connection._messagesSent++;
  if (connection._debug.enabled) debugMessage(connection, 'message sent', opcode === OPCODE.TEXT, data);
}

/** Whether a message is to be compressed, if it is long enough. */
function mayCompress(connection, options) {
  return connection._compressor !== null && (!options || options.compress !== false);
}

/** Methods of WebSocketConnection. `options` may be left out: the callback takes its place then. */
const methods = {
  /**
   * Sends bytes as a binary message, anything else as text.
   * @param {Buffer|ArrayBuffer|ArrayBufferView|{toString(): string}} data
   * @param {object} [options]
   * @param {boolean} [options.compress=true] false sends the message as it is although compression was agreed on
   * @param {(error?: Error) => void} [cb] called once: when the message was handed to the operating system, or with
   *   an Error when that cannot happen any more
   * @returns {boolean} false when so much waits to be sent that it is better to wait for `drain`, and when nothing was sent
   * @throws {Error} when `data` is neither
   */
  send(data, options, cb = undefined) {
    let method = 'sendUTF';
    if (typeof data !== 'string' && asBuffer(data) !== null) method = 'sendBytes';
    else if (data === null || data === undefined || typeof data.toString !== 'function') {
      throw dataError('Data provided must either be a Node Buffer or implement toString()');
    }
    // Programs that have put methods of their own there may know of two arguments only.
    return cb === undefined ? this[method](data, options) : this[method](data, options, cb);
  },

  /** Sends `data.toString()` as a text message; see `send`. */
  sendUTF(data, options, cb = undefined) {
    if (typeof options === 'function') {
      cb = options;
      options = undefined;
    }
    if (data === null || data === undefined || typeof data.toString !== 'function') {
      throw dataError('Data provided to sendUTF() must be a string or implement toString()');
    }
    const text = typeof data === 'string' ? data : textOf(data);
    if (!maySend(this, cb)) return false;
    if (isOverridden(this)) {
      return this.fragmentAndSend(newFrame(this, OPCODE.TEXT, Buffer.from(text)), cb) !== false;
    }
    if (!hasRoom(this, text, cb)) return false;
    countSent(this, OPCODE.TEXT, text);
    const threshold = fragmentationThreshold(this);
    return mayCompress(this, options)
      ? sendCompressed(this, OPCODE.TEXT, text, threshold, cb)
      : this._transport.sendText(this, OPCODE.TEXT, text, threshold, cb);
  },

  /** Sends a binary message; see `send`. */
  sendBytes(data, options, cb = undefined) {
    if (typeof options === 'function') {
      cb = options;
      options = undefined;
    }
    const payload = asBuffer(data);
    if (payload === null) {
      throw dataError('You must pass a Node Buffer object to WebSocketConnection.prototype.sendBytes()');
    }
    if (!maySend(this, cb)) return false;
    if (isOverridden(this)) {
      return this.fragmentAndSend(newFrame(this, OPCODE.BINARY, payload), cb) !== false;
    }
    if (!hasRoom(this, payload, cb)) return false;
    countSent(this, OPCODE.BINARY, payload);
    const threshold = fragmentationThreshold(this);
    return mayCompress(this, options)
      ? sendCompressed(this, OPCODE.BINARY, payload, threshold, cb)
      : this._transport.sendBytes(this, OPCODE.BINARY, payload, threshold, cb);
  },

  /**
   * Sends a Ping (RFC 6455 section 5.5.2). Does nothing when the connection is not open.
   * @param {Buffer|ArrayBufferView|ArrayBuffer|{toString(): string}} [data] its first 125 bytes are sent
   */
  ping(data) {
    sendControl(this, OPCODE.PING, data);
  },

  /** A Ping whose answer, or want of one, is told to `done(error, latency)`. */
  _pingWith(payload, done) {
    sendControl(this, OPCODE.PING, payload, done);
  },

  /**
   * Sends a Pong (section 5.5.3). Pings are answered by the library, so there is seldom a need to.
   * @param {Buffer|ArrayBufferView|ArrayBuffer|{toString(): string}} [binaryPayload] its first 125 bytes are sent
   */
  pong(binaryPayload) {
    sendControl(this, OPCODE.PONG, binaryPayload);
  },

  /**
   * Sends the payload of a data frame as one message, in fragments if it is longer than `fragmentationThreshold`.
   * @param {WebSocketFrame} frame
   * @param {(error?: Error) => void} [cb]
   * @returns {boolean} as `send`
   * @throws {Error} for a control frame
   * @throws {TypeError} for a payload that is no Buffer
   */
  fragmentAndSend(frame, cb) {
    if (frame.opcode > 0x07) throw websocketError('ERR_WEBSOCKET_FRAME', 'You cannot fragment control frames.');
    if (!maySend(this, cb)) return false;
    const payload = payloadOf(frame);
    if (!hasRoom(this, payload, cb)) return false;
    countSent(this, frame.opcode, payload);
    const threshold = fragmentationThreshold(this);
    if (payload.length <= threshold) {
      frame.fin = true;
      return this.sendFrame(frame, cb) !== false;
    }
    if (this.sendFrame === methods.sendFrame) {
      return this._transport.sendBytes(this, frame.opcode, payload, threshold, cb);
    }
    let room = true;
    const count = Math.ceil(payload.length / threshold);
    for (let i = 0; i < count; i++) {
      const opcode = i === 0 ? frame.opcode : OPCODE.CONTINUATION;
      const fragment = newFrame(this, opcode, payload.subarray(i * threshold, (i + 1) * threshold));
      fragment.fin = i === count - 1;
      // Frames leave in order: when the last one has, all have.
      room = this.sendFrame(fragment, fragment.fin ? cb : undefined) !== false;
    }
    return room;
  },

  /**
   * Sends a frame as it is. It is masked if the connection's frames are.
   * @param {WebSocketFrame} frame
   * @param {(error?: Error) => void} [cb]
   * @returns {boolean} false when the socket's buffer is full; `drain` tells when it is not any more
   * @throws {TypeError} for a payload that is no Buffer
   */
  sendFrame(frame, cb) {
    if (this.state === 'closed' || this.state === 'ending' || this._sentClose) {
      callBack(cb, closedError(this));
      return false;
    }
    frame.mask = this.maskOutgoingPackets;
    return this._transport.sendRaw(this, frame.toBuffer(), cb);
  },

  /**
   * Sends a Close frame and ends our direction of the socket. Part of `close()` and `drop()`, which programs call.
   * @param {number} [reasonCode=1000]
   * @param {string} [description]
   * @param {(error?: Error) => void} [cb]
   * @throws {Error} for a description of more than 123 bytes
   */
  sendCloseFrame(reasonCode, description, cb) {
    if (typeof reasonCode !== 'number') reasonCode = 1000;
    if (this.state !== 'open' && this.state !== 'peer_requested_close') {
      callBack(cb, closedError(this));
      return;
    }
    checkReason(description);
    if (this._debug.enabled) this._debug('Close frame sent: %s', debugCode(reasonCode, description));
    const frame = newFrame(this, OPCODE.CLOSE, typeof description === 'string' ? Buffer.from(description) : undefined);
    frame.fin = true;
    frame.closeStatus = reasonCode;
    this.sendFrame(frame, cb);
    // Nothing follows a Close frame (RFC 6455 section 5.5.1).
    this._sentClose = this.state === 'peer_requested_close';
    this.socket.end();
  },
};

/**
 * Sends a message to many connections, the taken-over ones of which get it encoded once, and once for each kind of
 * compression that does not depend on what was sent before.
 * @param {WebSocketConnection[]} connections
 * @param {'sendUTF'|'sendBytes'} method what each connection would be called with
 * @param {any} data
 */
function broadcast(connections, method, data) {
  const opcode = method === 'sendUTF' ? OPCODE.TEXT : OPCODE.BINARY;
  const groups = new Map();
  let lastGroup;
  let direct = null;
  // Null for what each connection's own method has to refuse.
  let payload = method === 'sendBytes' ? asBuffer(data) : null;
  let message = payload;
  // Memory that is shared with other threads was copied: it is the same for everybody.
  if (payload !== null && payload.buffer !== data && payload.buffer !== data.buffer) data = payload;
  if (method === 'sendUTF' && typeof data?.toString === 'function') {
    message = textOf(data);
    payload = Buffer.from(message);
  }
  for (const connection of connections) {
    // Whoever has a method of his own there wants it called.
    if (payload === null || connection._transport !== nativeTransport || connection[method] !== methods[method] ||
        isOverridden(connection) || connection.maskOutgoingPackets || connection._compressor?.group === null ||
        connection.socket.writableEnded) {
      connection[method](data);
    } else if (maySend(connection) && hasRoom(connection, message, undefined, payload.length)) {
      countSent(connection, opcode, payload);
      const group = connection._compressor?.group;
      if (direct === null || group !== lastGroup) {
        // Mostly they are all of one group.
        lastGroup = group;
        direct = groups.get(group) || [];
        groups.set(group, direct);
      }
      direct.push(connection);
    }
  }
  for (const recipients of groups.values()) {
    nativeTransport.broadcast(recipients, opcode, payload, fragmentationThreshold(recipients[0]));
  }
}

module.exports = { methods, broadcast };
