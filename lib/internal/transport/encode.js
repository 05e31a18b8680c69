'use strict';

// Frames to bytes: where the payload goes is decided here, header and mask are the Rust core's.

const binding = require('../addon/binding');

const OPCODE = { CONTINUATION: 0x0, TEXT: 0x1, BINARY: 0x2, CLOSE: 0x8, PING: 0x9, PONG: 0xa };
const FIN = 0x80;

/** The number of bytes before a payload of `length` bytes (RFC 6455 section 5.2). */
function headerLength(length, masked) {
  return (length < 126 ? 2 : length < 65536 ? 4 : 10) + (masked ? 4 : 0);
}

/** The longest payload of a frame as the addon counts: 0 for no limit. */
function frameLimit(threshold) {
  return threshold < 0xffffffff ? threshold : 0;
}

/**
 * A frame with a string as payload.
 * @param {number} first first byte of the header
 * @param {string} text
 * @param {number} length bytes that `text` has in UTF-8
 * @param {boolean} masked
 */
function encodeText(first, text, length, masked) {
  const head = headerLength(length, masked);
  const frame = Buffer.allocUnsafe(head + length);
  frame.write(text, head, length, 'utf8');
  binding.sealFrame(frame, first, masked);
  return frame;
}

/**
 * A frame with bytes as payload.
 * @param {number} first first byte of the header
 * @param {Uint8Array} payload
 * @param {boolean} masked
 */
function encodeBytes(first, payload, masked) {
  const head = headerLength(payload.length, masked);
  const frame = Buffer.allocUnsafe(head + payload.length);
  frame.set(payload, head);
  binding.sealFrame(frame, first, masked);
  return frame;
}

/**
 * The frames of a message that is cut into fragments of at most `threshold` bytes, in order.
 * @param {number} opcode
 * @param {Buffer} payload
 * @param {number} threshold
 * @param {boolean} masked
 * @returns {Buffer[]} parts of one buffer
 */
function encodeFragments(opcode, payload, threshold, masked) {
  const ends = new Float64Array(Math.ceil(payload.length / threshold));
  const frames = binding.encodeFragments(opcode, payload, threshold, masked, Buffer.from(ends.buffer));
  let start = 0;
  return Array.from(ends, (end) => {
    const frame = frames.subarray(start, end);
    start = end;
    return frame;
  });
}

module.exports = { OPCODE, FIN, frameLimit, encodeText, encodeBytes, encodeFragments };
