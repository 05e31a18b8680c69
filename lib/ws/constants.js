'use strict';

/** The values of `readyState`, by number. */
const READY_STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const [CONNECTING, OPEN, CLOSING, CLOSED] = READY_STATES.keys();

/** The values of `binaryType`. */
const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments', ...(typeof Blob === 'function' ? ['blob'] : [])];

const DEFLATE = 'permessage-deflate';

const NO_BYTES = Buffer.alloc(0);

/** Options that a client and a server have in common, with the defaults of ws. */
const COMMON_DEFAULTS = {
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: 30000,
  maxPayload: 100 * 1024 * 1024,
  skipUTF8Validation: false,
};

module.exports = { READY_STATES, CONNECTING, OPEN, CLOSING, CLOSED, BINARY_TYPES, DEFLATE, NO_BYTES, COMMON_DEFAULTS };
