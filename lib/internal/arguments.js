'use strict';

// What programs pass to methods.

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

/** Calls `cb`, if it is a function, with `error` on the next tick. */
function callBack(cb, error) {
  if (typeof cb === 'function') process.nextTick(cb, error);
}

module.exports = { asBuffer, callBack };
