'use strict';

// Errors as a program written for ws knows them: its texts, and its codes where it has any. Others have one of ours.

const { CLOSE_VALIDITY, FAILURE } = require('../internal/addon/rows');

/**
 * @param {string} code
 * @param {string} message
 * @param {ErrorConstructor} [Class=Error]
 */
function wsError(code, message, Class = Error) {
  const error = Object.assign(new Class(message), { code });
  Error.captureStackTrace(error, wsError);
  return error;
}

function frameError(code, problem, Class = RangeError) {
  return wsError(code, `Invalid WebSocket frame: ${problem}`, Class);
}

function rsv1Error() {
  return frameError('WS_ERR_UNEXPECTED_RSV_1', 'RSV1 must be clear');
}

/** For each way in which receiving can fail: the error. */
const FAILURES = new Map([
  [FAILURE.CONTROL_LENGTH, () => frameError('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'invalid payload length 126')],
  [FAILURE.CONTROL_FIN, () => frameError('WS_ERR_EXPECTED_FIN', 'FIN must be set')],
  [FAILURE.OPCODE, ({ bits }) => frameError('WS_ERR_INVALID_OPCODE', `invalid opcode ${bits}`)],
  [FAILURE.RESERVED_BITS, ({ bits }) => ((bits & 0x3) === 0 ? rsv1Error() : frameError('WS_ERR_UNEXPECTED_RSV_2_3',
    'RSV2 and RSV3 must be clear'))],
  [FAILURE.RSV1, rsv1Error],
  [FAILURE.NO_MASK, () => frameError('WS_ERR_EXPECTED_MASK', 'MASK must be set')],
  [FAILURE.MASK, () => frameError('WS_ERR_UNEXPECTED_MASK', 'MASK must be clear')],
  [FAILURE.LENGTH, () => wsError('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'Unsupported WebSocket frame: payload length > 2^53 - 1', RangeError)],
  [FAILURE.SIZE, () => wsError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Max payload size exceeded', RangeError)],
  [FAILURE.FRAGMENTS, () => wsError('WS_ERR_TOO_MANY_BUFFERED_PARTS', 'Too many message fragments', RangeError)],
  [FAILURE.UTF8, () => frameError('WS_ERR_INVALID_UTF8', 'invalid UTF-8 sequence', Error)],
  [FAILURE.DEFLATE, () => Object.assign(wsError('Z_DATA_ERROR', 'invalid compressed data'), { errno: -3 })],
]);

/** Close codes where ws has another one than the core. */
const CLOSE_CODES = new Map([[FAILURE.LENGTH, 1009], [FAILURE.FRAGMENTS, 1008]]);

/**
 * What is wrong with what the peer has sent.
 * @param {object} failure value of a FAILED row
 * @returns {{ error: Error, closeCode: number }}
 */
function receiveError(failure) {
  const make = FAILURES.get(failure.failure) || (() => frameError('WS_ERR_INVALID_FRAME', failure.reason));
  return { error: make(failure), closeCode: CLOSE_CODES.get(failure.failure) || failure.code };
}

/** The same for a Close frame; null when nothing is wrong with it. */
function closeFrameError({ code, validity }) {
  switch (validity) {
    case CLOSE_VALIDITY.INVALID_CODE:
      return { error: frameError('WS_ERR_INVALID_CLOSE_CODE', `invalid status code ${code}`), closeCode: 1002 };
    case CLOSE_VALIDITY.TRUNCATED_CODE:
      return { error: frameError('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'invalid payload length 1'), closeCode: 1002 };
    case CLOSE_VALIDITY.INVALID_REASON:
      return { error: frameError('WS_ERR_INVALID_UTF8', 'invalid UTF-8 sequence', Error), closeCode: 1007 };
    default:
      return null;
  }
}

module.exports = { wsError, receiveError, closeFrameError };
