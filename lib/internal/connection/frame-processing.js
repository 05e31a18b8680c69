'use strict';

// What a connection does with frames that it hands out one by one, and with Pings in any mode.

const WebSocketFrame = require('../../WebSocketFrame');
const { KIND } = require('../addon/rows');
const { OPCODE } = require('../transport/encode');
const { handleCloseFrame } = require('./closing');
const { debugMessage } = require('./debug-lines');
const { heartbeatOf } = require('./heartbeat');
const channels = require('../base/channels');
const { concat } = require('../base/own-memory');

/** Fragments that are queued one by one when the program has its own processFrame(). */
const MAX_QUEUED_FRAMES = 1024;

function newFrame(connection) {
  return new WebSocketFrame(connection.maskBytes, connection.frameHeader, connection.config);
}

/** A WebSocketFrame as if its own parser had read it. */
function receivedFrame(connection, { first, masked, payload }) {
  const frame = newFrame(connection);
  frame._setReceived(first, masked, payload);
  return frame;
}

/** Puts messages together from WebSocketFrame objects; with `assembleFragments` off, only those of one frame. */
function processDataFrame(connection, frame) {
  if (frame.opcode !== OPCODE.CONTINUATION && frame.fin) {
    emitMessage(connection, frame.opcode, frame.binaryPayload);
    return;
  }
  if (!connection.assembleFragments) return;
  if (frame.opcode === OPCODE.CONTINUATION) {
    if (connection.frameQueue.length === 0) {
      connection.drop(1002, 'Unexpected Continuation Frame');
      return;
    }
    connection.fragmentationSize += frame.length;
    if (connection.fragmentationSize > connection.maxReceivedMessageSize) {
      connection.drop(1009, 'Maximum message size exceeded.');
      return;
    }
  } else {
    connection.fragmentationSize = frame.length;
  }
  connection.frameQueue.push(frame);
  // However small the fragments are, what is kept of them is not many times their payload.
  if (connection.frameQueue.length > MAX_QUEUED_FRAMES) mergeQueue(connection);
  if (!frame.fin) return;
  const { opcode } = connection.frameQueue[0];
  const payload = concat(connection.frameQueue.map((fragment) => fragment.binaryPayload));
  connection.frameQueue = [];
  connection.fragmentationSize = 0;
  emitMessage(connection, opcode, payload);
}

/** Puts all queued fragments into the first one. */
function mergeQueue(connection) {
  const [first] = connection.frameQueue;
  first.binaryPayload = concat(connection.frameQueue.map((fragment) => fragment.binaryPayload));
  connection.frameQueue = [first];
}

function emitMessage(connection, opcode, payload) {
  // The receiver has validated the text, whether it assembles frames or not.
  tellMessage(connection, opcode === OPCODE.TEXT
    ? { type: 'utf8', utf8Data: payload.toString() }
    : { type: 'binary', binaryData: payload });
}

/** A message has arrived. */
function tellMessage(connection, message) {
  noteMessage(connection, message);
  connection.emit('message', message);
}

/** Something has arrived after close(): for listeners the connection is over, but a stream still reads messages. */
function tellLate(connection, kind, value) {
  let message;
  if (kind === KIND.TEXT) message = { type: 'utf8', utf8Data: value };
  else if (kind === KIND.BINARY) message = { type: 'binary', binaryData: value };
  else return;
  noteMessage(connection, message);
  connection._lateMessage(message);
}

function noteMessage(connection, message) {
  connection._messagesReceived++;
  if (connection._debug.enabled) {
    const isText = message.type === 'utf8';
    debugMessage(connection, 'message received', isText, isText ? message.utf8Data : message.binaryData);
  }
  if (channels.message.hasSubscribers) channels.message.publish({ connection, message });
}

/** A Pong has arrived. */
function handlePong(connection, payload) {
  connection._debug('Pong received');
  heartbeatOf(connection).answered(payload);
  connection.emit('pong', payload);
}

function handlePing(connection, payload) {
  connection._debug('Ping received');
  heartbeatOf(connection).pingsReceived++;
  if (connection._pingListenerCount > 0) {
    let cancelled = false;
    connection.emit('ping', () => { cancelled = true; }, payload);
    if (cancelled) return;
  }
  if (connection._transport.isBackedUp(connection)) {
    // The peer does not read: keep the newest answer only (RFC 6455 section 5.5.3), or Pongs would pile up.
    connection._waitingPong = payload;
    return;
  }
  // An older answer that still waits would come too late: this one stands for it.
  connection._waitingPong = null;
  connection.pong(payload);
}

/** Methods of WebSocketConnection. */
const methods = {
  /**
   * What happens with a frame when frames are not assembled: control frames are answered and reported, data frames
   * become messages. An overridden method sees every frame of the connection.
   */
  processFrame(frame) {
    if (this._debug.enabled) this._debug('frame received: %s', frame);
    const { opcode } = frame;
    if (this.frameQueue.length > 0 && opcode > OPCODE.CONTINUATION && opcode < OPCODE.CLOSE) {
      this.drop(1002, `Illegal frame opcode 0x${opcode.toString(16)} received in middle of fragmented message.`);
      return;
    }
    switch (opcode) {
      case OPCODE.TEXT:
      case OPCODE.BINARY:
      case OPCODE.CONTINUATION:
        processDataFrame(this, frame);
        break;
      case OPCODE.PING:
        handlePing(this, frame.binaryPayload);
        break;
      case OPCODE.PONG:
        handlePong(this, frame.binaryPayload);
        break;
      case OPCODE.CLOSE:
        handleCloseFrame(this, frame._closeContent());
        break;
      default:
        this.drop(1002, `Unrecognized Opcode: 0x${opcode.toString(16)}`);
    }
  },
};

module.exports = { newFrame, receivedFrame, tellMessage, tellLate, handlePing, handlePong, methods };
