'use strict';

const { optionError } = require('../base/errors');

const VALUES = ['auto', 'loop', 'threads', 'stream'];

/**
 * The default of the option `io`: `WEBSOCKET_IO` of the environment, so that an operator can change it without changing
 * the program, else `'auto'`.
 */
const DEFAULT_IO = VALUES.includes(process.env.WEBSOCKET_IO) ? process.env.WEBSOCKET_IO : 'auto';

/**
 * Refuses values that mean nothing.
 * @throws {Error} that names the option and its values
 */
function checkIo(io) {
  if (!VALUES.includes(io)) {
    throw optionError(`The option io must be one of '${VALUES.join("', '")}', not ${String(io)}.`);
  }
}

module.exports = { DEFAULT_IO, checkIo };
