'use strict';

// The transport for all that is no plain TCP or Unix socket, and wherever sockets cannot be taken over: bytes come as
// `data` events and leave through `socket.write()`, one write for each frame.

const binding = require('../addon/binding');
const { setImmediate } = require('../time/immediate');
const { refuseAfterEnd } = require('./after-end');
const { hasOwnMark, highWaterMarkOf } = require('./backpressure');
const { writeWithCallback } = require('./write-callbacks');
const { FIN, encodeText, encodeBytes, encodeFragments, frameLimit } = require('./encode');

function write(connection, bytes, cb) {
  if (connection.socket.writableEnded === true) {
    return refuseAfterEnd(cb);
  }
  // A mock may tell a missing callback from an undefined one.
  const flushed = typeof cb === 'function' ? writeWithCallback(connection, bytes, cb) : connection.socket.write(bytes);
  connection.outputBufferFull = hasOwnMark(connection) ? isFull(connection) : !flushed;
  if (!connection.outputBufferFull) connection._fullSince = 0;
  else if (connection._fullSince === 0) connection._fullSince = currentTurn();
  return !connection.outputBufferFull;
}

const NO_BYTES = Buffer.alloc(0);

let turn = 1;
let turnEnds = false;

/** A number for this turn of the event loop, never 0. */
function currentTurn() {
  if (!turnEnds) {
    turnEnds = true;
    setImmediate(() => {
      turn++;
      turnEnds = false;
    });
  }
  return turn;
}

/** Whether more waits than the program wants to; if so, `drain` will be emitted, whatever Node thinks about it. */
function isFull(connection) {
  const full = connection.socket.writableLength >= highWaterMarkOf(connection);
  if (full && !connection._needDrain) {
    connection._needDrain = true;
    waitForDrain(connection);
  }
  return full;
}

function waitForDrain(connection) {
  writeWithCallback(connection, NO_BYTES, (error) => {
    if (error || !connection._needDrain) return;
    if (connection.socket.writableLength > 0) waitForDrain(connection);
    else connection.handleSocketDrain();
  });
}

/** Calls `cb` after `count` successes, or with the first error. */
function callOnceAfter(count, cb) {
  let left = count;
  return (error) => {
    if (left <= 0) return;
    left = error ? 0 : left - 1;
    if (error) cb(error);
    else if (left === 0) cb();
  };
}

function writeFragments(connection, opcode, payload, threshold, cb) {
  const frames = encodeFragments(opcode, payload, threshold, connection.maskOutgoingPackets);
  const done = typeof cb === 'function' ? callOnceAfter(frames.length, cb) : undefined;
  let room = true;
  for (const frame of frames) room = write(connection, frame, done);
  return room;
}

/** See native-transport for the other one. `threshold` is the longest payload of a frame, Infinity for no limit. */
module.exports = {
  name: 'stream',

  sendText(connection, opcode, text, threshold, cb) {
    const length = Buffer.byteLength(text);
    if (length > threshold) return writeFragments(connection, opcode, Buffer.from(text), threshold, cb);
    return write(connection, encodeText(FIN | opcode, text, length, connection.maskOutgoingPackets), cb);
  },

  sendBytes(connection, opcode, payload, threshold, cb) {
    if (payload.length > threshold) return writeFragments(connection, opcode, payload, threshold, cb);
    return write(connection, encodeBytes(FIN | opcode, payload, connection.maskOutgoingPackets), cb);
  },

  /** Sends text or bytes, compressed if that is worth while: all frames of the message in one write. */
  sendCompressed(connection, opcode, data, threshold, cb) {
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    const frames = binding.encodeCompressed(connection._compressor.use(), opcode, payload, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return write(connection, frames, cb);
  },

  /** Sends the large message that the connection's compressor has worked on, or waits for that. */
  sendFinished(connection, opcode, threshold, cb) {
    const frames = binding.encodeFinished(connection._compressor.use(), opcode, frameLimit(threshold),
      connection.maskOutgoingPackets);
    return write(connection, frames, cb);
  },

  sendControl(connection, opcode, payload) {
    write(connection, encodeBytes(FIN | opcode, payload, connection.maskOutgoingPackets));
  },

  /** Sends bytes that are a frame already. False when the socket's buffer is full. */
  sendRaw: write,

  /** The response to an opening handshake. */
  sendResponse(connection, response) {
    write(connection, Buffer.from(response, 'latin1'));
  },

  /** Whether so much waits to be sent that answering Pings should wait as well. */
  isBackedUp(connection) {
    return connection.socket.writableNeedDrain === true;
  },

  /** Whether the peer does not take what waits. TLS sockets take nothing before the turn is over. */
  isSlow(connection) {
    return connection.socket.writableLength >= highWaterMarkOf(connection) && connection._fullSince !== 0 &&
      connection._fullSince !== currentTurn();
  },

  /** Calls `callback` when everything sent so far is written. */
  whenWritten(connection, callback) {
    if (connection.socket.writableEnded === true) return;
    writeWithCallback(connection, NO_BYTES, (error) => { if (!error) callback(); });
  },

  // The socket itself stops and goes on.
  setPaused() {},

  /** Bytes accepted that the operating system has not taken yet. */
  bufferedAmount(connection) {
    return connection.socket.writableLength || 0;
  },

  /** What the operating system has taken. Node sends the response of the opening handshake here. */
  bytesWritten() {
    return 0;
  },

  /** The same, after what can be sent has been. Node's socket has tried already. */
  flush(connection) {
    return connection.socket.writableLength || 0;
  },

  /** The number of frames received so far, and of payload bytes of compressed messages. */
  received(connection) {
    return connection._receiver === null ? [0, 0] : connection._receiver.counters;
  },

  configure(connection, config) {
    if (connection._receiver !== null) connection._receiver.configure(config);
  },

  release(connection) {
    if (connection._receiver !== null) connection._receiver.release();
  },
};
