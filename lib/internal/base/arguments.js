'use strict';

const { websocketError } = require('./errors');

// What programs pass to methods.

const NO_BYTES = Buffer.alloc(0);

/** `data` as a Buffer over the same memory if it is bytes in any form, else null. */
function asBuffer(data) {
  if (Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer || Object.prototype.toString.call(data) === '[object ArrayBuffer]' ||
      (typeof SharedArrayBuffer === 'function' && data instanceof SharedArrayBuffer)) {
    return Buffer.from(data);
  }
  return null;
}

/**
 * The payload of a frame that a program has made.
 * @returns {Buffer}
 * @throws {TypeError} when `binaryPayload` is neither bytes nor missing
 */
function payloadOf(frame) {
  const payload = frame.binaryPayload || NO_BYTES;
  if (Buffer.isBuffer(payload)) return payload;
  const bytes = asBuffer(payload);
  if (bytes !== null) return bytes;
  throw websocketError('ERR_WEBSOCKET_FRAME', `The binaryPayload of a frame is a Buffer, not ${typeof payload}`, {}, TypeError);
}

/** Calls `cb`, if it is a function, with `error` on the next tick. */
function callBack(cb, error) {
  if (typeof cb === 'function') process.nextTick(cb, error);
}

module.exports = { asBuffer, payloadOf, callBack };
