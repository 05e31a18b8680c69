'use strict';

const buffer = require('buffer');

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Whether `bytes` are valid UTF-8. Node has had a function for it since 18.14. */
const isUtf8 = buffer.isUtf8 || function isUtf8(bytes) {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
};

module.exports = { isUtf8 };
