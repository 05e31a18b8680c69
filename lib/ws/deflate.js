'use strict';

// The option perMessageDeflate with the names of ws, as the settings that the rest of this package knows.

const { deflateSettings } = require('../internal/compression/per-message-deflate');
const { DEFLATE } = require('./constants');

/** What ws takes for `true`, for a number of bits. */
const ANY_BITS = 15;
const DEFAULT_THRESHOLD = 1024;

/**
 * Settings for deflateSettings(), and null for no compression. `clientMaxWindowBits: true`, which says that the client may be
 * told any, is what we always say.
 * @param {boolean|object|undefined} option
 */
function settingsOf(option) {
  if (!option) return null;
  const given = option === true ? {} : option;
  const { threshold = DEFAULT_THRESHOLD, zlibDeflateOptions: { level } = {} } = given;
  const bits = (value) => (typeof value === 'number' ? value : ANY_BITS);
  return deflateSettings({
    serverNoContextTakeover: Boolean(given.serverNoContextTakeover),
    clientNoContextTakeover: Boolean(given.clientNoContextTakeover),
    serverMaxWindowBits: bits(given.serverMaxWindowBits),
    clientMaxWindowBits: bits(given.clientMaxWindowBits),
    threshold,
    // -1 is zlib's own default; ours is faster by far.
    level: level === undefined || level === -1 ? undefined : level,
  });
}

/** Stands for permessage-deflate where programs look for the class of ws; the core does what that one did. */
class PerMessageDeflate {
  static get extensionName() { return DEFLATE; }

  constructor(options = {}) {
    this.options = options;
    this.params = null;
  }
}

module.exports = { PerMessageDeflate, settingsOf };
