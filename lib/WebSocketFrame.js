'use strict';

const binding = require('./internal/addon/binding');
const { OPCODE, FIN, encodeBytes } = require('./internal/transport/encode');
const { payloadOf } = require('./internal/base/arguments');
const { CLOSE_VALIDITY } = require('./internal/addon/rows');
const { isSendableCloseCode } = require('./internal/base/close-codes');
const { isUtf8 } = require('./internal/base/utf8');
const { makeInspectable } = require('./internal/base/inspect');

// Values of `parseState`, in the order in which a frame goes through them.
const DECODE_HEADER = 1;
const WAITING_FOR_16_BIT_LENGTH = 2;
const WAITING_FOR_64_BIT_LENGTH = 3;
const WAITING_FOR_MASK_KEY = 4;
const WAITING_FOR_PAYLOAD = 5;
const COMPLETE = 6;

const EMPTY = Buffer.alloc(0);

/**
 * One frame (RFC 6455 section 5.2), to be sent with `connection.sendFrame()` or received with the `frame` event.
 *
 * Connections read their frames with the Rust core; `addData()` is for programs that parse frames themselves.
 * @param {Buffer} [maskBytes] 4 bytes in which the masking key is kept
 * @param {Buffer} [frameHeader] 10 bytes in which the header is kept while it is read
 * @param {{maxReceivedFrameSize?: number}} [config]
 */
function WebSocketFrame(maskBytes, frameHeader, config) {
  this.maskBytes = maskBytes || Buffer.alloc(4);
  this.frameHeader = frameHeader || Buffer.alloc(10);
  this.config = config || {};
  this.maxReceivedFrameSize = this.config.maxReceivedFrameSize;
  this.protocolError = false;
  this.frameTooLarge = false;
  this.invalidCloseFrameLength = false;
  this.parseState = DECODE_HEADER;
  this.closeStatus = -1;
}

/**
 * Reads as much of the frame as `bufferList` has.
 * @param {object} bufferList anything with `length`, `joinInto()`, `advance()` and `take()` of vendor/FastBufferList
 * @returns {boolean} true when the frame is complete, or has `protocolError` or `frameTooLarge` set and `dropReason`
 *   says why; false when more data is needed
 */
WebSocketFrame.prototype.addData = function addData(bufferList) {
  if (this.parseState === DECODE_HEADER && bufferList.length >= 2) {
    bufferList.joinInto(this.frameHeader, 0, 0, 2);
    bufferList.advance(2);
    this._setHeader(this.frameHeader[0], this.frameHeader[1]);
    if (this.protocolError) return true;
  }
  if (this.parseState === WAITING_FOR_16_BIT_LENGTH && bufferList.length >= 2) {
    bufferList.joinInto(this.frameHeader, 2, 0, 2);
    bufferList.advance(2);
    this.length = this.frameHeader.readUInt16BE(2);
    this.parseState = WAITING_FOR_MASK_KEY;
  } else if (this.parseState === WAITING_FOR_64_BIT_LENGTH && bufferList.length >= 8) {
    bufferList.joinInto(this.frameHeader, 2, 0, 8);
    bufferList.advance(8);
    if (this.frameHeader.readUInt32BE(2) !== 0) return this._fail('Unsupported 64-bit length frame received');
    this.length = this.frameHeader.readUInt32BE(6);
    this.parseState = WAITING_FOR_MASK_KEY;
  }
  if (this.parseState === WAITING_FOR_MASK_KEY) {
    if (!this.mask) {
      this.parseState = WAITING_FOR_PAYLOAD;
    } else if (bufferList.length >= 4) {
      bufferList.joinInto(this.maskBytes, 0, 0, 4);
      bufferList.advance(4);
      this.parseState = WAITING_FOR_PAYLOAD;
    }
  }
  return this.parseState === WAITING_FOR_PAYLOAD && this._addPayload(bufferList);
};

WebSocketFrame.prototype._setHeader = function _setHeader(first, second) {
  this.fin = (first & FIN) !== 0;
  this.rsv1 = (first & 0x40) !== 0;
  this.rsv2 = (first & 0x20) !== 0;
  this.rsv3 = (first & 0x10) !== 0;
  this.mask = (second & 0x80) !== 0;
  this.opcode = first & 0x0f;
  this.length = second & 0x7f;
  if (this.opcode >= OPCODE.CLOSE) {
    if (this.length > 125) {
      this._fail('Illegal control frame longer than 125 bytes.');
      return;
    }
    if (!this.fin) {
      this._fail('Control frames must not be fragmented.');
      return;
    }
  }
  if (this.length === 126) this.parseState = WAITING_FOR_16_BIT_LENGTH;
  else if (this.length === 127) this.parseState = WAITING_FOR_64_BIT_LENGTH;
  else this.parseState = WAITING_FOR_MASK_KEY;
};

WebSocketFrame.prototype._fail = function _fail(reason) {
  this.protocolError = true;
  this.dropReason = reason;
  return true;
};

WebSocketFrame.prototype._addPayload = function _addPayload(bufferList) {
  if (this.length > this.maxReceivedFrameSize) {
    this.frameTooLarge = true;
    this.dropReason = `Frame size of ${this.length} bytes exceeds maximum accepted frame size`;
    return true;
  }
  if (bufferList.length < this.length) return false;
  let payload = EMPTY;
  if (this.length > 0) {
    payload = bufferList.take(this.length);
    bufferList.advance(this.length);
    if (this.mask) binding.applyMask(payload, this.maskBytes);
  }
  this._setPayload(payload);
  return true;
};

/** Takes a whole payload; the status code of a Close frame is put into `closeStatus`. */
WebSocketFrame.prototype._setPayload = function _setPayload(payload) {
  this.binaryPayload = payload;
  this.parseState = COMPLETE;
  if (this.opcode !== OPCODE.CLOSE) return;
  if (payload.length === 1) {
    this.binaryPayload = EMPTY;
    this.invalidCloseFrameLength = true;
  } else if (payload.length >= 2) {
    this.closeStatus = payload.readUInt16BE(0);
    this.binaryPayload = payload.subarray(2);
  }
};

/** Fills in what a connection has received: the first byte of the header, whether it was masked, the payload. */
WebSocketFrame.prototype._setReceived = function _setReceived(first, masked, payload) {
  this._setHeader(first, masked ? 0x80 : 0);
  this.length = payload.length;
  this._setPayload(payload);
};

/** What a received Close frame says, in the form in which the binding reports it. */
WebSocketFrame.prototype._closeContent = function _closeContent() {
  const reason = this.binaryPayload || EMPTY;
  const code = this.closeStatus === -1 ? 1005 : this.closeStatus;
  let validity = CLOSE_VALIDITY.VALID;
  if (this.invalidCloseFrameLength) {
    validity = CLOSE_VALIDITY.TRUNCATED_CODE;
  } else if (this.closeStatus !== -1 && !isSendableCloseCode(code)) {
    validity = CLOSE_VALIDITY.INVALID_CODE;
  } else if (!isUtf8(reason)) {
    validity = CLOSE_VALIDITY.INVALID_REASON;
  }
  return { code, validity, reason: reason.toString() };
};

/** Skips the payload once all of it has arrived; false when it has not. */
WebSocketFrame.prototype.throwAwayPayload = function throwAwayPayload(bufferList) {
  if (bufferList.length < this.length) return false;
  bufferList.advance(this.length);
  this.parseState = COMPLETE;
  return true;
};

/**
 * The bytes of the frame. Sets `length`, and `maskBytes` when the frame is masked.
 * @param {boolean} [nullMask=false] mask with a key of zeros, for tests
 * @returns {Buffer}
 * @throws {TypeError} for a `binaryPayload` that is no Buffer
 */
WebSocketFrame.prototype.toBuffer = function toBuffer(nullMask) {
  const payload = this._outgoingPayload();
  this.length = payload.length;
  const first = (this.fin ? FIN : 0) | (this.rsv1 ? 0x40 : 0) | (this.rsv2 ? 0x20 : 0) | (this.rsv3 ? 0x10 : 0) |
    (this.opcode & 0x0f);
  const frame = encodeBytes(first, payload, Boolean(this.mask));
  if (this.mask) {
    const key = frame.subarray(frame.length - payload.length - 4, frame.length - payload.length);
    if (nullMask) {
      key.fill(0);
      frame.set(payload, frame.length - payload.length);
    }
    this.maskBytes.set(key);
  }
  return frame;
};

/** The payload as it goes on the wire: that of a Close frame begins with its status code. */
WebSocketFrame.prototype._outgoingPayload = function _outgoingPayload() {
  const data = payloadOf(this);
  if (this.opcode !== OPCODE.CLOSE) return data;
  const payload = Buffer.allocUnsafe(2 + data.length);
  payload.writeUInt16BE(this.closeStatus, 0);
  payload.set(data, 2);
  return payload;
};

WebSocketFrame.prototype.toString = function toString() {
  return `Opcode: ${this.opcode}, fin: ${this.fin}, length: ${this.length}, ` +
    `hasPayload: ${Boolean(this.binaryPayload)}, masked: ${this.mask}`;
};

makeInspectable(WebSocketFrame, ['fin', 'opcode', 'length', 'binaryPayload'], ['maskBytes', 'frameHeader', 'parseState']);

module.exports = WebSocketFrame;
