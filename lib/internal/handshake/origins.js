'use strict';

const { optionError } = require('../base/errors');

// Which web pages may connect. Browsers let every page open a WebSocket to every server, with the cookies of their visitor
// (cross-site WebSocket hijacking); the server has to look at the Origin header itself (RFC 6455 section 10.2).

/** Scheme and authority, nothing behind them. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/i;

/** An origin in the form in which browsers send it: lower case, without the port that the scheme has anyway. */
function serialize(origin) {
  const text = String(origin);
  let parsed;
  try {
    parsed = new URL(text).origin;
  } catch {
    return text.toLowerCase();
  }
  // Schemes that URL does not know have no origin there.
  return parsed === 'null' ? text.toLowerCase() : parsed;
}

/** What one entry of `allowedOrigins` says, as a function. */
function compileEntry(entry) {
  if (entry instanceof RegExp) {
    return (origin) => {
      // With the flag g or y it would go on where the last match has ended.
      entry.lastIndex = 0;
      return entry.test(origin);
    };
  }
  if (typeof entry !== 'string' || !ORIGIN.test(entry)) {
    throw optionError('The option allowedOrigins takes origins such as https://example.com and RegExps, not ' +
      `${String(entry)}.`);
  }
  const wanted = serialize(entry);
  return (origin) => serialize(origin) === wanted;
}

/**
 * Turns the options `allowedOrigins` and `verifyOrigin` into one function.
 * @param {string|RegExp|(string|RegExp)[]|null} allowedOrigins
 * @param {((origin: string|undefined, request: WebSocketRequest) => boolean|Promise<boolean>)|null} verifyOrigin
 * @returns {((request: WebSocketRequest) => string|null|Promise<string|null>)|null} which says what is wrong with the
 *   origin of a request, if anything; null when there is nothing to check
 * @throws {Error} that names the option
 */
function compileOriginCheck(allowedOrigins, verifyOrigin) {
  if (verifyOrigin !== null && verifyOrigin !== undefined && typeof verifyOrigin !== 'function') {
    throw optionError(`The option verifyOrigin must be a function, not ${String(verifyOrigin)}.`);
  }
  let entries = null;
  if (allowedOrigins !== null && allowedOrigins !== undefined) {
    entries = (Array.isArray(allowedOrigins) ? allowedOrigins : [allowedOrigins]).map(compileEntry);
  }
  if (entries === null && !verifyOrigin) return null;

  return (request) => {
    const { origin } = request;
    // Only browsers are kept from inventing their origin, and they always send it.
    if (entries !== null && origin !== undefined && !entries.some((matches) => matches(origin))) {
      return problem(origin, 'allowedOrigins');
    }
    if (!verifyOrigin) return null;
    const answer = verifyOrigin(origin, request);
    const judge = (allowed) => (allowed ? null : problem(origin, 'verifyOrigin'));
    return answer !== null && typeof answer === 'object' && typeof answer.then === 'function'
      ? Promise.resolve(answer).then(judge)
      : judge(answer);
  };
}

function problem(origin, option) {
  return `The origin ${origin === undefined ? '(none)' : origin} is not allowed (${option}).`;
}

module.exports = { compileOriginCheck };
