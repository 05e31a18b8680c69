'use strict';

// Headers that a program adds to the answer of the opening handshake.

const { isToken } = require('../addon/binding');
const { errorsWithCode } = require('../base/errors');

const headerError = errorsWithCode('ERR_WEBSOCKET_HEADER');

/** Headers that are the handshake itself (RFC 6455 section 4.2.2), and those of a body, which there is none of. */
const RESERVED = new Set([
  'upgrade', 'connection', 'sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions', 'content-length',
  'transfer-encoding',
]);

const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Checks headers and appends them to a list of names and values.
 * @param {string[]} list
 * @param {Object<string, string|number|(string|number)[]>} [headers] a list of values makes several lines; undefined and null make none
 * @throws {Error} for what cannot be sent, and for headers that belong to the handshake
 */
function appendHeaders(list, headers) {
  if (headers === undefined || headers === null) return;
  if (typeof headers !== 'object' || Array.isArray(headers)) {
    throw headerError('Value supplied for "headers" must be an object of names and values.');
  }
  for (const [name, values] of Object.entries(headers)) {
    if (!isToken(name)) throw headerError(`The name of the header ${JSON.stringify(name)} is not a token.`);
    if (RESERVED.has(name.toLowerCase())) throw headerError(`The header "${name}" belongs to the handshake and cannot be set.`);
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === undefined || value === null) continue;
      const text = String(value);
      if (UNSENDABLE.test(text)) {
        throw headerError(`The header "${name}" cannot be sent: its value contains a character that is not allowed there.`);
      }
      list.push(name, text);
    }
  }
}

module.exports = { appendHeaders };
