'use strict';

const { optionError } = require('../base/errors');

// Several WebSocket servers on one HTTP server: the options `path` and `host`, and whose turn an `upgrade` event is.

/** The server whose listener a function is. */
const kServer = Symbol('server');

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
    if (paths !== null) {
      const [requested] = String(request.url).split(/[?#]/, 1);
      if (!paths.some((matches) => matches(requested))) return false;
    }
    if (hosts !== null) {
      const requested = String(request.headers.host || '').toLowerCase();
      if (!hosts.some((matches) => matches(requested))) return false;
    }
    return true;
  };
}

/**
 * A listener for `upgrade` events that passes those on to `handle` which are the server's.
 * @param {WebSocketServer} server whose `_filter` is as compileFilter() has made it
 * @param {(request: object, socket: object, head: Buffer) => void} handle
 */
function upgradeListener(server, handle) {
  function onUpgrade(request, socket, head) {
    if (!this || typeof this.listeners !== 'function' || isFor(server, request, this.listeners('upgrade'))) {
      handle(request, socket, head);
    }
  }
  onUpgrade[kServer] = server;
  return onUpgrade;
}

/** Whether a server is to answer a request, given all listeners there are. */
function isFor(server, request, listeners) {
  if (listeners.length === 1) return true;
  const servers = listeners.map((listener) => listener[kServer]);
  // Who asks for it by path or host comes before who takes everything.
  const asking = servers.find((other) => other !== undefined && other._filter !== null && other._filter(request));
  if (asking !== undefined) return asking === server;
  if (server._filter === null) return true;
  // It is nobody's of those who are known. Someone else may take it; but if there is nobody else, the last one refuses it.
  const mayBeTaken = servers.some((other) => other === undefined || other._filter === null);
  return !mayBeTaken && servers[servers.length - 1] === server;
}

module.exports = { compileFilter, upgradeListener };
