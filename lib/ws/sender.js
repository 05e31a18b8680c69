'use strict';

// What other packages reach for below `websocket.send()`: frames made once and sent to many (`Sender.frame`, `sendFrame`). And the
// order in which things leave while a Blob is being read.

const { Blob } = require('buffer');
const { isUint8Array } = require('util').types;
const binding = require('../internal/addon/binding');
const { asBuffer } = require('../internal/base/arguments');
const { isSendableCloseCode } = require('../internal/base/close-codes');
const { FIN, OPCODE, encodeBytes, encodeText } = require('../internal/transport/encode');
const { NO_BYTES } = require('./constants');
const { wsError } = require('./errors');

const MAX_CONTROL_LENGTH = 125;

function isBlob(data) {
  return typeof data === 'object' && !Buffer.isBuffer(data) && data instanceof Blob;
}

/** Bytes or text of what a program sends, as a Buffer; anything else becomes one as `Buffer.from()` has it. */
function toBuffer(data) {
  return asBuffer(data) || Buffer.from(data);
}

function sizeOf(data) {
  if (isBlob(data)) return data.size;
  return typeof data === 'string' ? Buffer.byteLength(data) : toBuffer(data).length;
}

class Sender {
  /**
   * @param {import('./connection').Connection} connection
   * @param {(key: Buffer) => void} [generateMask]
   */
  constructor(connection, generateMask) {
    this._connection = connection;
    this._generateMask = generateMask;
    /** Whether the next data frame begins a message. */
    this._firstFragment = true;
    /** Bytes that were not handed to the transport: Blobs, what waits behind them, and what came too late. */
    this._bufferedBytes = 0;
    /** Calls that wait for a Blob to be read; null when none is. */
    this._queue = null;
  }

  /**
   * A frame, as Buffers to be written one after the other.
   * @param {string|Buffer} data
   * @param {object} options
   * @param {boolean} options.fin
   * @param {number} options.opcode
   * @param {boolean} [options.mask]
   * @param {boolean} [options.rsv1]
   * @param {(key: Buffer) => void} [options.generateMask]
   * @returns {Buffer[]}
   */
  static frame(data, { fin, opcode, mask, rsv1, generateMask }) {
    const first = (fin ? FIN : 0) | (rsv1 ? 0x40 : 0) | opcode;
    const frame = typeof data === 'string'
      ? encodeText(first, data, Buffer.byteLength(data), Boolean(mask))
      : encodeBytes(first, data, Boolean(mask));
    if (mask && generateMask) changeKey(frame, generateMask);
    return [frame];
  }

  /** Sends what `Sender.frame()` has made. */
  sendFrame(list, cb) {
    this._connection.sendRaw(list.length === 1 ? list[0] : Buffer.concat(list), cb);
  }

  /** @throws {TypeError|RangeError} for a code or a reason that a Close frame cannot have */
  close(code, data, mask, cb) {
    const frame = this._frame(closePayload(code, data), OPCODE.CLOSE, mask);
    this._inOrder(0, () => this.sendFrame(frame, cb));
  }

  ping(data, mask, cb) {
    this._sendControl(OPCODE.PING, data, mask, cb);
  }

  pong(data, mask, cb) {
    this._sendControl(OPCODE.PONG, data, mask, cb);
  }

  _sendControl(opcode, data, mask, cb) {
    const size = sizeOf(data);
    if (size > MAX_CONTROL_LENGTH) {
      throw wsError('ERR_WEBSOCKET_ARGUMENT', 'The data size must not be greater than 125 bytes', RangeError);
    }
    this._withBytes(data, size, cb, (bytes) => this.sendFrame(this._frame(bytes, opcode, mask), cb));
  }

  /** Sends a message, or a fragment of one. */
  send(data, binary, compress, fin, mask, cb) {
    const opcode = binary ? OPCODE.BINARY : OPCODE.TEXT;
    // What nearly always happens: a whole message.
    if (this._queue === null && fin && this._firstFragment && this._generateMask === undefined &&
        mask === this._connection.maskOutgoingPackets && !isBlob(data)) {
      this._connection.sendMessage(opcode, typeof data === 'string' && !binary ? data : toBuffer(data), compress, cb);
      return;
    }
    const isWhole = fin && this._firstFragment && mask === this._connection.maskOutgoingPackets;
    const frameOpcode = this._firstFragment ? opcode : OPCODE.CONTINUATION;
    this._firstFragment = fin;
    this._withBytes(data, undefined, cb, (bytes) => {
      if (isWhole && this._generateMask === undefined) this._connection.sendMessage(opcode, bytes, compress, cb);
      // Fragments are not compressed: RFC 7692 leaves that to the sender.
      else this.sendFrame(this._frame(bytes, frameOpcode, mask, fin), cb);
    });
  }

  _frame(payload, opcode, mask, fin = true) {
    return Sender.frame(payload, { fin, opcode, mask, generateMask: this._generateMask });
  }

  /** Calls `send(bytes)` with the bytes of `data`, behind everything that was sent before. */
  _withBytes(data, size, cb, send) {
    if (!isBlob(data)) {
      const bytes = toBuffer(data);
      // A program may write into its own Buffer meanwhile.
      const kept = this._queue === null ? bytes : Buffer.from(bytes);
      this._inOrder(bytes.length, () => send(kept), cb);
      return;
    }
    this._inOrder(data.size, () => this._readBlob(data, send, cb), cb);
  }

  /** Does something now, or when the Blobs before have been sent. */
  _inOrder(size, act, cb = undefined) {
    if (this._queue === null) {
      act();
      return;
    }
    this._bufferedBytes += size;
    this._queue.push({ size, act, cb });
  }

  _readBlob(blob, send, cb) {
    this._queue = this._queue || [];
    this._bufferedBytes += blob.size;
    const reading = { queue: this._queue };
    blob.arrayBuffer().then((bytes) => process.nextTick(() => {
      this._queue = null;
      if (this._connection.socket.destroyed) {
        this._fail(wsError('ERR_WEBSOCKET_CLOSED', 'The socket was closed while the blob was being read'), reading.queue, cb);
        return;
      }
      this._bufferedBytes -= blob.size;
      send(Buffer.from(bytes));
      this._goOn(reading.queue);
    }), (error) => process.nextTick(() => {
      this._queue = null;
      this._fail(error, reading.queue, cb);
      this._connection.websocket._sendFailed(error);
    }));
  }

  /** Does what has waited, up to the next Blob. */
  _goOn(queue) {
    while (queue.length > 0) {
      const { size, act } = queue.shift();
      this._bufferedBytes -= size;
      act();
      if (this._queue !== null) {
        // Whatever was sent by somebody's callback meanwhile comes behind the rest.
        this._queue.unshift(...queue);
        return;
      }
    }
  }

  _fail(error, queue, cb) {
    for (const callback of [cb, ...queue.map((entry) => entry.cb)]) if (typeof callback === 'function') callback(error);
  }
}

/** Has a masked frame carry a key of the program's. */
function changeKey(frame, generateMask) {
  const length = frame[1] & 0x7f;
  const at = length < 126 ? 2 : length === 126 ? 4 : 10;
  const wanted = Buffer.alloc(4);
  generateMask(wanted);
  const difference = wanted.map((byte, i) => byte ^ frame[at + i]);
  binding.applyMask(frame.subarray(at + 4), difference);
  frame.set(wanted, at);
}

function closePayload(code, data) {
  if (code === undefined) return NO_BYTES;
  if (typeof code !== 'number' || !isSendableCloseCode(code)) {
    throw wsError('ERR_WEBSOCKET_CLOSE_CODE', 'First argument must be a valid error code number', TypeError);
  }
  let reason = NO_BYTES;
  if (typeof data === 'string') reason = Buffer.from(data);
  else if (isUint8Array(data)) reason = data;
  else if (data !== undefined && data.length) {
    throw wsError('ERR_WEBSOCKET_ARGUMENT', 'Second argument must be a string or a Uint8Array', TypeError);
  }
  if (reason.length > MAX_CONTROL_LENGTH - 2) {
    throw wsError('ERR_WEBSOCKET_CLOSE_REASON', 'The message must not be greater than 123 bytes', RangeError);
  }
  const payload = Buffer.allocUnsafe(2 + reason.length);
  payload.writeUInt16BE(code);
  payload.set(reason, 2);
  return payload;
}

module.exports = { Sender, sizeOf };
