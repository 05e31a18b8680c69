'use strict';

const { errorsWithCode } = require('../base/errors');

const cookieError = errorsWithCode('ERR_WEBSOCKET_COOKIE');

// `Set-Cookie` headers from what programs pass to `accept()` (RFC 6265 section 4.1).

/* eslint-disable no-control-regex -- control characters are what these look for */
const CONTROL_OR_SEMICOLON = /[\x00-\x20;]/g;
const NOT_A_NAME = /[\x00-\x20"(),/:-?@[-^{}\x7f]/;
const NOT_A_VALUE = /[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]/;
/* eslint-enable no-control-regex */
const QUOTED = /^"[^"]*"$/;

/**
 * The values of the `Set-Cookie` headers for `cookies`.
 * @param {object[]} cookies see docs/request.md
 * @returns {string[]}
 * @throws {Error} that says what is wrong with the first bad cookie
 */
function serializeCookies(cookies) {
  if (!Array.isArray(cookies)) throw cookieError('Value supplied for "cookies" argument must be an array.');
  const names = new Set();
  return cookies.map((cookie) => serializeCookie(cookie, names));
}

function serializeCookie(cookie, names) {
  if (!cookie || !cookie.name || !cookie.value) {
    throw cookieError('Each cookie to set must at least provide a "name" and "value"');
  }
  // Line breaks would add headers of somebody else's choice.
  const name = String(cookie.name).replace(CONTROL_OR_SEMICOLON, '');
  const value = String(cookie.value).replace(CONTROL_OR_SEMICOLON, '');
  if (names.has(name)) throw cookieError('You may not specify the same cookie name twice.');
  names.add(name);
  refuse(name.match(NOT_A_NAME), 'name');
  refuse((QUOTED.test(value) ? value.slice(1, -1) : value).match(NOT_A_VALUE), 'value');

  const parts = [`${name}=${value}`];
  if (cookie.path) {
    refuse(String(cookie.path).match(CONTROL_OR_SEMICOLON), 'path');
    parts.push(`Path=${cookie.path}`);
  }
  if (cookie.domain) {
    if (typeof cookie.domain !== 'string') throw cookieError('Domain must be specified and must be a string.');
    refuse(cookie.domain.match(CONTROL_OR_SEMICOLON), 'domain');
    parts.push(`Domain=${cookie.domain.toLowerCase()}`);
  }
  if (cookie.expires) {
    if (!(cookie.expires instanceof Date)) {
      throw cookieError('Value supplied for cookie "expires" must be a vaild date object');
    }
    parts.push(`Expires=${cookie.expires.toUTCString()}`);
  }
  if (cookie.maxage) parts.push(`Max-Age=${maxAge(cookie.maxage)}`);
  if (flag(cookie, 'secure')) parts.push('Secure');
  if (flag(cookie, 'httponly')) parts.push('HttpOnly');
  return parts.join(';');
}

function refuse(match, what) {
  if (match) throw cookieError(`Illegal character ${match[0]} in cookie ${what}`);
}

function maxAge(value) {
  const seconds = typeof value === 'string' ? parseInt(value, 10) : value;
  if (!(seconds > 0)) throw cookieError('Value supplied for cookie "maxage" must be a non-zero number');
  return Math.round(seconds);
}

function flag(cookie, name) {
  if (!cookie[name]) return false;
  if (typeof cookie[name] !== 'boolean') {
    throw cookieError(`Value supplied for cookie "${name}" must be of type boolean`);
  }
  return true;
}

module.exports = { serializeCookies };
