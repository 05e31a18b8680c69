'use strict';

// The options `path` and `host`.

const { optionError } = require('../base/errors');
const { parseUrl } = require('./legacy-url');

const HOST_WITH_PORT = /:\d+$/;

function asList(option) {
  return Array.isArray(option) ? option : [option];
}

function matchesRegExp(expression, text) {
  // With the flag g or y it would go on where the last match has ended.
  expression.lastIndex = 0;
  return expression.test(text);
}

function compilePath(entry) {
  if (entry instanceof RegExp) return (path) => matchesRegExp(entry, path);
  if (typeof entry !== 'string' || !/^\/[^?#]*$/.test(entry)) {
    throw optionError(`The option path takes paths such as /chat, without a query, and RegExps, not ${String(entry)}.`);
  }
  return (path) => path === entry;
}

function compileHost(entry) {
  if (entry instanceof RegExp) return (host) => matchesRegExp(entry, host);
  if (typeof entry !== 'string' || !/^[^/?#@\s]+$/.test(entry)) {
    throw optionError(`The option host takes host names, with or without a port, and RegExps, not ${String(entry)}.`);
  }
  const wanted = entry.toLowerCase();
  // Without a port in the option, any port will do.
  if (HOST_WITH_PORT.test(wanted)) return (host) => host === wanted;
  return (host) => host.replace(HOST_WITH_PORT, '') === wanted;
}

/**
 * The path and the host that a request is for. A proxy may send the whole URL as the target (RFC 9112 section 3.2.2, RFC 6455
 * section 4.2.1); the host in it comes before that of the header.
 */
function wanted({ url, headers }) {
  const target = String(url);
  const host = String(headers.host || '').toLowerCase();
  if (target.startsWith('/')) return { path: target.split(/[?#]/, 1)[0], host };
  try {
    const parsed = parseUrl(target);
    return { path: parsed.pathname || '/', host: parsed.host || host };
  } catch {
    return { path: target, host };
  }
}

/**
 * Turns the options `path` and `host` into one function.
 * @returns {((request: import('http').IncomingMessage) => boolean)|null} null when every request is for the server
 * @throws {Error} that names the option
 */
function compileFilter({ path, host }) {
  const given = (option) => option !== null && option !== undefined;
  const paths = given(path) ? asList(path).map(compilePath) : null;
  const hosts = given(host) ? asList(host).map(compileHost) : null;
  if (paths === null && hosts === null) return null;
  return (request) => {
    const requested = wanted(request);
    return (paths === null || paths.some((matches) => matches(requested.path))) &&
      (hosts === null || hosts.some((matches) => matches(requested.host)));
  };
}

module.exports = { compileFilter };
