'use strict';

// The opening handshake of a client. What the server answers is checked by the core, as for every client of this package; this file
// says in which order a program hears of it, and with which words.

const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');
const binding = require('../internal/addon/binding');
const { offerDeflate } = require('../internal/compression/per-message-deflate');
const { noop } = require('../utils');
const { CONNECTING, CLOSING, COMMON_DEFAULTS, DEFLATE } = require('./constants');
const { settingsOf } = require('./deflate');
const { wsError } = require('./errors');
const { extension } = require('./header-fields');

const PROTOCOL_VERSIONS = [8, 13];

const DEFAULTS = {
  ...COMMON_DEFAULTS,
  protocolVersion: 13,
  perMessageDeflate: true,
  followRedirects: false,
  maxRedirects: 10,
};

/** Options of http.request() that the URL decides. */
const NOT_FOR_THE_PROGRAM = ['socketPath', 'hostname', 'protocol', 'protocols', 'host', 'path', 'port', 'timeout', 'method'];

const CLOSED_EARLY = 'WebSocket was closed before the connection was established';

/**
 * Begins to connect.
 * @param {WebSocket} websocket
 * @param {string|URL} address
 * @param {string[]} protocols
 * @param {object} [given] the options of the program
 * @returns {object} the options, complete
 * @throws {RangeError|SyntaxError} for a version, a URL or a subprotocol that cannot be
 */
function openHandshake(websocket, address, protocols, given) {
  const options = { ...DEFAULTS, ...given };
  for (const name of NOT_FOR_THE_PROGRAM) delete options[name];
  if (!PROTOCOL_VERSIONS.includes(options.protocolVersion)) {
    throw wsError('ERR_WEBSOCKET_OPTION', `Unsupported protocol version: ${options.protocolVersion} ` +
      `(supported versions: ${PROTOCOL_VERSIONS.join(', ')})`, RangeError);
  }
  const target = targetOf(address, websocket);
  if (target.problem !== null) throw wsError('ERR_WEBSOCKET_URL', target.problem, SyntaxError);
  const attempt = {
    websocket,
    options,
    protocols: checkedProtocols(protocols),
    deflate: settingsOf(options.perMessageDeflate),
    offer: null,
    key: null,
    first: target,
    // Those of the program, which redirects may change.
    headers: { ...options.headers },
  };
  sendRequest(attempt, target);
  return options;
}

function checkedProtocols(protocols) {
  protocols.forEach((name, i) => {
    if (typeof name === 'string' && binding.isToken(name) && protocols.indexOf(name) === i) return;
    throw wsError('ERR_WEBSOCKET_SUBPROTOCOL', 'An invalid or duplicated subprotocol was specified', SyntaxError);
  });
  return protocols;
}

/** Where a URL leads, and what is wrong with it (null when it is right). Sets `url` of the WebSocket. */
function targetOf(address, websocket) {
  let url;
  try {
    url = new URL(address);
  } catch {
    throw wsError('ERR_WEBSOCKET_URL', `Invalid URL: ${address}`, SyntaxError);
  }
  if (url.protocol === 'http:') url.protocol = 'ws:';
  else if (url.protocol === 'https:') url.protocol = 'wss:';
  websocket._url = url.href;
  const secure = url.protocol === 'wss:';
  const unix = url.protocol === 'ws+unix:';
  let problem = null;
  if (url.protocol !== 'ws:' && !secure && !unix) {
    problem = 'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"';
  } else if (unix && url.pathname === '') {
    problem = 'The URL\'s pathname is empty';
  } else if (url.hash !== '') {
    problem = 'The URL contains a fragment identifier';
  }
  const path = url.pathname + url.search;
  // A colon stands between the name of a Unix socket and the path on its server.
  const [socketPath, ...rest] = unix ? path.split(':') : [undefined, path];
  return { url, secure, socketPath, path: rest.join(':'), problem, place: unix ? socketPath : url.host };
}

function basicCredentials({ url: { username, password } }) {
  return username === '' && password === '' ? undefined : `${percentDecoded(username)}:${percentDecoded(password)}`;
}

/** As far as that is possible. */
function percentDecoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Sends a request to `target`: the first one, or the one of a redirect. */
function sendRequest(attempt, target) {
  const { websocket, options } = attempt;
  const requestOptions = { ...options, ...connectOptions(options, target) };
  requestOptions.auth = basicCredentials(target) || (websocket._redirects === 0 ? options.auth : undefined);
  if (options.followRedirects) keepOrDropCredentials(attempt, target, requestOptions);
  requestOptions.headers = requestHeaders(attempt);
  const request = (target.secure ? https : http).request(requestOptions);
  websocket._req = request;
  attempt.request = request;
  if (websocket._redirects > 0) websocket.emit('redirect', websocket.url, request);
  if (options.handshakeTimeout) {
    request.on('timeout', () => giveUp(websocket, 'ETIMEDOUT', 'Opening handshake has timed out'));
  }
  request.on('error', (error) => {
    if (websocket._req !== request) return;
    websocket._req = null;
    websocket._emitErrorAndClose(error);
  });
  request.on('response', (response) => answeredOtherwise(attempt, target, request, response));
  request.on('upgrade', (response, socket, head) => upgraded(attempt, request, response, socket, head));
  if (options.finishRequest) options.finishRequest(request, websocket);
  else request.end();
}

function connectOptions(options, { url, secure, socketPath, path }) {
  const defaultPort = secure ? 443 : 80;
  return {
    method: 'GET',
    createConnection: options.createConnection || (secure ? connectTls : connectPlain),
    defaultPort: options.defaultPort || defaultPort,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port || defaultPort,
    socketPath,
    path,
    timeout: options.handshakeTimeout,
  };
}

function connectPlain(options) {
  return net.connect({ ...options, path: options.socketPath });
}

function connectTls(options) {
  const { host, servername } = options;
  return tls.connect({
    ...options, path: undefined, servername: servername || servername === '' ? servername : net.isIP(host) ? '' : host,
  });
}

/**
 * What identifies the program to one host goes to that host only, and not from wss: to ws:, unless it decides itself, as a listener
 * for `redirect`.
 */
function keepOrDropCredentials(attempt, target, requestOptions) {
  const { websocket, first } = attempt;
  if (websocket._redirects === 0) {
    attempt.headers = Object.fromEntries(
      Object.entries(attempt.headers).map(([name, value]) => [name.toLowerCase(), value]));
  } else if (websocket.listenerCount('redirect') === 0) {
    const sameHost = target.place === first.place && (target.socketPath === undefined) === (first.socketPath === undefined);
    if (!sameHost || (first.secure && !target.secure)) {
      delete attempt.headers.authorization;
      delete attempt.headers.cookie;
      if (!sameHost) delete attempt.headers.host;
      delete requestOptions.auth;
    }
  }
  // Those of the first request go with the following ones.
  if (requestOptions.auth && !attempt.headers.authorization) {
    attempt.headers.authorization = `Basic ${Buffer.from(requestOptions.auth).toString('base64')}`;
  }
}

function requestHeaders(attempt) {
  const { options, protocols, deflate } = attempt;
  attempt.key = binding.randomKey();
  attempt.offer = deflate === null ? null : offerDeflate(deflate);
  const headers = {
    ...attempt.headers,
    'Sec-WebSocket-Version': options.protocolVersion,
    'Sec-WebSocket-Key': attempt.key,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
  };
  if (attempt.offer !== null) headers['Sec-WebSocket-Extensions'] = attempt.offer;
  if (protocols.length > 0) headers['Sec-WebSocket-Protocol'] = protocols.join(',');
  if (options.origin) headers[options.protocolVersion === 8 ? 'Sec-WebSocket-Origin' : 'Origin'] = options.origin;
  return headers;
}

/** The server has answered with something other than 101. */
function answeredOtherwise(attempt, target, request, response) {
  const { websocket, options } = attempt;
  const { statusCode, headers: { location } } = response;
  if (!location || !options.followRedirects || statusCode < 300 || statusCode >= 400) {
    if (!websocket.emit('unexpected-response', request, response)) {
      giveUp(websocket, 'ERR_WEBSOCKET_REFUSED', `Unexpected server response: ${statusCode}`);
    }
    return;
  }
  if (++websocket._redirects > options.maxRedirects) {
    giveUp(websocket, 'ERR_WEBSOCKET_REDIRECT', 'Maximum redirects exceeded');
    return;
  }
  websocket._req = null;
  destroyRequest(request);
  let next;
  try {
    next = targetOf(new URL(location, target.url), websocket);
  } catch {
    websocket._emitErrorAndClose(wsError('ERR_WEBSOCKET_REDIRECT', `Invalid URL: ${location}`, SyntaxError));
    return;
  }
  if (next.problem !== null) {
    websocket._emitErrorAndClose(wsError('ERR_WEBSOCKET_REDIRECT', next.problem, SyntaxError));
    return;
  }
  sendRequest(attempt, next);
}

/** The server has answered with 101. */
function upgraded(attempt, request, response, socket, head) {
  const { websocket, options, deflate } = attempt;
  websocket.emit('upgrade', response);
  // The program may have closed it.
  if (websocket.readyState !== CONNECTING) return;
  const { headers } = response;
  const problem = problemOf(attempt, headers);
  if (problem !== null) {
    giveUp(websocket, 'ERR_WEBSOCKET_HANDSHAKE', problem, socket);
    return;
  }
  websocket._req = null;
  websocket._protocol = headers['sec-websocket-protocol'] || '';
  const answer = headers['sec-websocket-extensions'];
  websocket.setSocket(socket, head, options, { deflate: answer ? { settings: deflate, answer } : null });
}

/** What is wrong with the answer of the server; null when it opens the connection (RFC 6455 section 4.1). */
function problemOf({ key, protocols, offer }, headers) {
  const {
    upgrade, 'sec-websocket-accept': accept = '', 'sec-websocket-protocol': protocol, 'sec-websocket-extensions': extensions,
  } = headers;
  const check = (field) => binding.checkResponse(key, [], 'websocket', 'Upgrade', accept, null, field, offer);
  if (upgrade === undefined || upgrade.toLowerCase() !== 'websocket') return 'Invalid Upgrade header';
  if (check(null) !== null) return 'Invalid Sec-WebSocket-Accept header';
  if (protocol === undefined && protocols.length > 0) return 'Server sent no subprotocol';
  if (protocol !== undefined && protocols.length === 0) return 'Server sent a subprotocol but none was requested';
  if (protocol !== undefined && !protocols.includes(protocol)) return 'Server sent an invalid subprotocol';
  if (extensions === undefined) return null;
  if (offer === null) return 'Server sent a Sec-WebSocket-Extensions header but no extension was requested';
  const names = extensionNames(extensions);
  if (names !== null && (names.length !== 1 || names[0] !== DEFLATE)) return 'Server indicated an extension that was not requested';
  return names !== null && check(extensions) === null ? null : 'Invalid Sec-WebSocket-Extensions header';
}

/** The names in the header field; null when it is not correct. */
function extensionNames(header) {
  try {
    return Object.keys(extension.parse(header));
  } catch {
    return null;
  }
}

/** The program does not want the connection any more. */
function abandonHandshake(websocket) {
  giveUp(websocket, 'ERR_WEBSOCKET_ABORTED', CLOSED_EARLY);
}

/** Ends the attempt; `error` and `close` come with the next tick. */
function giveUp(websocket, code, message, socket = undefined) {
  const request = websocket._req;
  websocket._req = null;
  websocket._readyState = CLOSING;
  if (socket !== undefined) {
    socket.on('error', noop);
    socket.destroy();
  } else if (request) {
    destroyRequest(request);
  }
  process.nextTick(() => websocket._emitErrorAndClose(wsError(code, message)));
}

/** Destroys a request, and the socket of one that is answered. */
function destroyRequest(request) {
  request.on('error', noop);
  request.destroy();
  if (request.socket && !request.socket.destroyed) request.socket.destroy();
}

module.exports = { openHandshake, abandonHandshake };
