'use strict';

// The Errors that `connectFailed` gives.

const { websocketError } = require('../base/errors');
const { hostHeader } = require('./client-url');

/**
 * What the system has said about an attempt to connect. Where a host has several addresses Node gives an AggregateError,
 * whose message is empty: in its place stands an Error that names what was wrong with each.
 * @param {Error} error
 * @param {import('url').Url} url
 */
function connectError(error, url) {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return error;
  const reasons = new Set(error.errors.map((one) => one?.message || one?.code || String(one)));
  const { code, errno, syscall, address, port } = error.errors[0] || {};
  const facts = Object.entries({ errno, syscall, address, port }).filter(([, value]) => value !== undefined);
  const what = error.message || `Could not connect to ${hostHeader(url)}`;
  const result = websocketError(code || error.code, `${what}: ${[...reasons].join(', ')}`,
    { cause: error, ...Object.fromEntries(facts) });
  // As the AggregateError has it, which programs may expect.
  return Object.defineProperty(result, 'errors', { value: error.errors, writable: true, configurable: true });
}

/** What an Error tells about the answer of the server: its status, its headers, and why it refuses. */
function answerFacts({ statusCode, statusMessage, headers }) {
  return { statusCode, headers, reason: headers['x-websocket-reject-reason'] || statusMessage };
}

/**
 * An Error about the answer of the server.
 * @param {string} message
 * @param {import('http').IncomingMessage} [response]
 */
function handshakeError(message, response) {
  if (!response) return websocketError('ERR_WEBSOCKET_HANDSHAKE', message);
  const code = response.statusCode === 101 ? 'ERR_WEBSOCKET_HANDSHAKE' : 'ERR_WEBSOCKET_REFUSED';
  return websocketError(code, message, answerFacts(response));
}

module.exports = { connectError, answerFacts, handshakeError };
