'use strict';

const { websocketError } = require('./errors');

// Status codes of Close frames (RFC 6455 section 7.4).

/** The codes by the names under which they are exported, with the description a close event gets without a reason. */
const CODES = {
  CLOSE_REASON_NORMAL: [1000, 'Normal connection closure'],
  CLOSE_REASON_GOING_AWAY: [1001, 'Remote peer is going away'],
  CLOSE_REASON_PROTOCOL_ERROR: [1002, 'Protocol error'],
  CLOSE_REASON_UNPROCESSABLE_INPUT: [1003, 'Unprocessable input'],
  CLOSE_REASON_RESERVED: [1004, 'Reserved'],
  CLOSE_REASON_NOT_PROVIDED: [1005, 'Reason not provided'],
  CLOSE_REASON_ABNORMAL: [1006, 'Abnormal closure, no further detail available'],
  CLOSE_REASON_INVALID_DATA: [1007, 'Invalid data received'],
  CLOSE_REASON_POLICY_VIOLATION: [1008, 'Policy violation'],
  CLOSE_REASON_MESSAGE_TOO_BIG: [1009, 'Message too big'],
  CLOSE_REASON_EXTENSION_REQUIRED: [1010, 'Extension requested by client is required'],
  CLOSE_REASON_INTERNAL_SERVER_ERROR: [1011, 'Internal Server Error'],
  CLOSE_REASON_TLS_HANDSHAKE_FAILED: [1015, 'TLS Handshake Failed'],
};

/** Descriptions by code; exported as a static of the connection class. */
const CLOSE_DESCRIPTIONS = Object.fromEntries(Object.values(CODES));

/** The longest reason in bytes: a control frame holds 125, two of them are the code. */
const MAX_REASON_LENGTH = 123;

/** Adds the constants to a class. */
function defineCloseCodes(target) {
  for (const [name, [code]] of Object.entries(CODES)) target[name] = code;
  target.CLOSE_DESCRIPTIONS = CLOSE_DESCRIPTIONS;
  // The name the documentation of WebSocket-Node uses.
  target.CLOSE_REASON_MESSAGE_TOO_LARGE = target.CLOSE_REASON_MESSAGE_TOO_BIG;
}

/** Whether `code` may be put into a Close frame. */
function isSendableCloseCode(code) {
  return Number.isInteger(code) &&
    ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999));
}

/** `reason` cut down to what fits into a Close frame, at the end of a character. */
function truncateReason(reason) {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_LENGTH) return reason;
  let end = MAX_REASON_LENGTH;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Refuses a description that does not fit into a Close frame. */
function checkReason(description) {
  const length = typeof description === 'string' ? Buffer.byteLength(description) : 0;
  if (length > MAX_REASON_LENGTH) {
    throw websocketError('ERR_WEBSOCKET_CLOSE_REASON', 'The description of a close must not be longer than ' +
      `${MAX_REASON_LENGTH} bytes in UTF-8, this one has ${length}.`);
  }
}

module.exports = { CLOSE_DESCRIPTIONS, MAX_REASON_LENGTH, checkReason, defineCloseCodes, isSendableCloseCode, truncateReason };
