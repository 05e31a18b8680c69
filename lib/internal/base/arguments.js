'use strict';

const { types } = require('util');
const { websocketError } = require('./errors');

// What programs pass to methods.

const NO_BYTES = Buffer.alloc(0);

/**
 * `data` as a Buffer if it is bytes in any form, else null. The Buffer has the same memory, unless that is shared with other
 * threads: those might write while a frame is made of it. Memory that was transferred to another thread is empty.
 */
function asBuffer(data) {
  if (ArrayBuffer.isView(data)) {
    const { buffer } = data;
    // A DataView on memory that was transferred cannot even be asked for its length.
    if (buffer.byteLength === 0) return NO_BYTES;
    const { byteOffset, byteLength } = data;
    if (isShared(buffer)) return Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
    return Buffer.isBuffer(data) ? data : Buffer.from(buffer, byteOffset, byteLength);
  }
  if (data instanceof ArrayBuffer || types.isArrayBuffer(data)) return data.byteLength === 0 ? NO_BYTES : Buffer.from(data);
  return isShared(data) ? Buffer.from(new Uint8Array(data)) : null;
}

/** Also for memory of another realm, which is no instance of our classes. */
function isShared(memory) {
  return !(memory instanceof ArrayBuffer) && types.isSharedArrayBuffer(memory);
}

/**
 * The payload of a frame that a program has made.
 * @returns {Buffer}
 * @throws {TypeError} when `binaryPayload` is neither bytes nor missing
 */
function payloadOf(frame) {
  const payload = frame.binaryPayload || NO_BYTES;
  const bytes = asBuffer(payload);
  if (bytes !== null) return bytes;
  throw websocketError('ERR_WEBSOCKET_FRAME', `The binaryPayload of a frame is a Buffer, not ${typeof payload}`, {}, TypeError);
}

/** Calls `cb`, if it is a function, with `error` on the next tick. */
function callBack(cb, error) {
  if (typeof cb === 'function') process.nextTick(cb, error);
}

/** Throws what a function of the program has thrown, where it keeps nothing else from happening. */
function throwLater(error) {
  process.nextTick(() => { throw error; });
}

module.exports = { asBuffer, payloadOf, callBack, throwLater };
