'use strict';

/**
 * Received bytes in the form that `binaryType` names.
 * @param {Buffer} bytes
 * @param {string} binaryType
 */
function inForm(bytes, binaryType) {
  switch (binaryType) {
    case 'nodebuffer':
      return bytes;
    case 'arraybuffer':
      return bytes.buffer.byteLength === bytes.length
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    case 'blob':
      return new Blob([bytes]);
    default:
      // Messages come from the core as a whole: one fragment.
      return bytes.length > 0 ? [bytes] : [];
  }
}

module.exports = { inForm };
