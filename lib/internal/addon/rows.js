'use strict';

// The rows in which the Rust core reports what was received; src/binding/rows/row.rs describes them.

const { copyOf } = require('../base/own-memory');

/** Kinds of events. */
const KIND = {
  TEXT: 0, BINARY: 1, PING: 2, PONG: 3, CLOSE: 4, FAILED: 5, FRAME: 6,
  /** A frame whose `frame` event was emitted and that is still to be processed; made in JavaScript. */
  PROCESS_FRAME: 7,
  END: 8, ERROR: 9, DRAINED: 10, REQUEST: 11, STOPPED: 12,
  /** Text for a connection that wants its bytes. */
  TEXT_BYTES: 13,
  PASSED: 14, TLS_FAILED: 15,
};

/** How the payload of a Close frame was. */
const CLOSE_VALIDITY = { VALID: 0, INVALID_CODE: 1, INVALID_REASON: 2, TRUNCATED_CODE: 3 };

/** Why receiving has failed. */
const FAILURE = {
  OTHERWISE: 0, CONTROL_LENGTH: 1, CONTROL_FIN: 2, OPCODE: 3, RESERVED_BITS: 4, RSV1: 5, NO_MASK: 6, MASK: 7, LENGTH: 8, SIZE: 9,
  FRAGMENTS: 10, UTF8: 11, DEFLATE: 12,
};

/** Which frames have to be masked. */
const MASK_POLICY = { FORBIDDEN: 0, REQUIRED: 1, EITHER: 2 };

/** Whether and how compressed messages are taken. */
const INFLATION = { NONE: 0, EACH_ALONE: 1, CONTEXT_TAKEOVER: 2 };

/** How text is reported: as strings, or as bytes that are checked to be UTF-8 or not. */
const TEXT_FORM = { STRINGS: 0, CHECKED_BYTES: 1, UNCHECKED_BYTES: 2 };

/** Numbers in a row. */
const ROW = 6;

const NO_OFFSET = 0xffffffff;

/** What the addon says is left of a chunk: nothing; more events, even without input; input that takes long to inflate. */
const LEFT = { NOTHING: 0, MORE_EVENTS: 1, HEAVY: 2 };

/**
 * What the event in a row is about, free of any memory that is used again.
 * @param {Uint32Array} rows
 * @param {number} at where the row begins
 * @param {any[]} values what is no number
 * @param {Buffer} slab where payloads lie
 */
function eventValue(rows, at, values, slab) {
  const kind = rows[at + 1];
  switch (kind) {
    case KIND.TEXT:
      return values[rows[at + 5]];
    case KIND.BINARY:
    case KIND.TEXT_BYTES:
    case KIND.PING:
    case KIND.PONG:
      return payload(rows, at, values, slab);
    case KIND.FRAME: {
      const header = rows[at + 4];
      return { first: header >> 8, masked: (header & 0x80) !== 0, payload: payload(rows, at, values, slab) };
    }
    case KIND.CLOSE:
      return { code: rows[at + 2], validity: rows[at + 3], reason: values[rows[at + 5]] };
    case KIND.FAILED:
      return { code: rows[at + 2], reason: values[rows[at + 5]], failure: rows[at + 3], bits: rows[at + 4] };
    case KIND.REQUEST: {
      const value = rows[at + 5];
      return {
        listener: rows[at + 2], port: rows[at + 3], lines: values[value], address: values[value + 1], tls: session(rows, at, values),
      };
    }
    case KIND.TLS_FAILED: {
      const [address, code, message] = values[rows[at + 5]].split('\n');
      return { listener: rows[at + 2], port: rows[at + 3], address, code, message };
    }
    case KIND.PASSED:
      return {
        listener: rows[at + 2], port: rows[at + 3], bytes: values[rows[at + 5]], address: values[rows[at + 5] + 1],
        tls: session(rows, at, values),
      };
    case KIND.ERROR:
      // What is no error of the operating system has no number: a code, which may be empty, and a message.
      return rows[at + 2] || values[rows[at + 5]];
    default:
      return rows[at + 2];
  }
}

/** What was agreed on for a connection with TLS, as lines; null without TLS. */
function session(rows, at, values) {
  return rows[at + 4] === 1 ? values[rows[at + 5] + 2] : null;
}

function payload(rows, at, values, slab) {
  const offset = rows[at + 2];
  if (offset === NO_OFFSET) return values[rows[at + 5]];
  return copyOf(slab, offset, offset + rows[at + 3]);
}

module.exports = { KIND, CLOSE_VALIDITY, FAILURE, MASK_POLICY, INFLATION, TEXT_FORM, LEFT, NO_OFFSET, ROW, eventValue };
