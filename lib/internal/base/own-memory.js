'use strict';

// Buffers that a program may keep or transfer.
//
// Node cuts small Buffers out of a common pool. Such a Buffer keeps the whole pool alive, and its memory cannot be
// transferred to another thread. How large a Buffer of the pool can be depends on Node's version: less than 4 KiB up to
// Node 22, less than 32 KiB later. Received data of 4 KiB and more has memory of its own on every version.

/** From how many bytes on a Buffer has memory of its own. */
const OWN_FROM = 4096;

/** A Buffer whose bytes are still to be written. */
function allocate(length) {
  return length < OWN_FROM ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
}

/** A copy of the bytes of `source` from `start` to before `end`. */
function copyOf(source, start, end) {
  // Node's own copy is the fastest for a few bytes.
  if (end - start < OWN_FROM) return Buffer.from(source.subarray(start, end));
  const copy = Buffer.allocUnsafeSlow(end - start);
  source.copy(copy, 0, start, end);
  return copy;
}

/** The bytes of all Buffers in one. */
function concat(buffers) {
  const joined = allocate(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
  let at = 0;
  for (const buffer of buffers) {
    joined.set(buffer, at);
    at += buffer.length;
  }
  return joined;
}

module.exports = { OWN_FROM, allocate, copyOf, concat };
