'use strict';

const { Url, parse } = require('url');

/**
 * Parses a URL into the object that Node's deprecated `url.parse()` returns, whose shape the API exposes. The class
 * behind that function is used directly: the function itself prints a warning since Node 24.
 * @param {string} text
 * @param {boolean} [parseQuery=false] whether `query` is to be an object
 * @throws {Error} for a URL with an invalid host or port
 */
function parseUrl(text, parseQuery = false) {
  // Deno has the function only.
  if (typeof Url.prototype.parse !== 'function') return parse(text, parseQuery);
  const url = new Url();
  url.parse(text, parseQuery);
  return url;
}

module.exports = { parseUrl };
