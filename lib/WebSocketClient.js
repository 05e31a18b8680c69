'use strict';

const util = require('util');
const http = require('http');
const https = require('https');
const { EventEmitter } = require('events');
const binding = require('./internal/addon/binding');
const WebSocketConnection = require('./WebSocketConnection');
const { extend, eventEmitterListenerCount, noop } = require('./utils');
const { CLIENT_OPTIONS } = require('./internal/options/tables');
const { readOptions } = require('./internal/options/read-options');
const {
  takeAttemptOptions, Interruption, abortError, isRedirect, redirectTarget, withoutCredentialHeaders, withoutCredentialOptions,
} = require('./internal/handshake/connect-attempt');
const channels = require('./internal/base/channels');
const { makeInspectable } = require('./internal/base/inspect');
const { startReceiving } = require('./internal/connection/start-receiving');
const { deflateSettings, offerDeflate, useDeflate } = require('./internal/compression/per-message-deflate');
const { parseUrl } = require('./internal/handshake/legacy-url');
const { destroyAfter } = require('./internal/time/linger');
const { errorsWithCode, websocketError } = require('./internal/base/errors');

const urlError = errorsWithCode('ERR_WEBSOCKET_URL');

const DEFAULT_PORTS = { 'ws:': '80', 'wss:': '443' };

/** TLS options that would redirect the request or replace its headers. */
const EXCLUDED_TLS_OPTIONS = ['hostname', 'port', 'method', 'path', 'headers'];

/**
 * Opens connections, one at a time.
 * @param {object} [config] options
 * @throws {Error} for a `webSocketVersion` other than 8 and 13, and for other options that mean nothing
 */
function WebSocketClient(config) {
  EventEmitter.call(this);
  this.config = readOptions(CLIENT_OPTIONS, 'WebSocketClient', config);
  // A copy: the object of the program may be used again.
  const { tlsOptions } = this.config;
  this.config.tlsOptions = {};
  extend(this.config.tlsOptions, tlsOptions);
  this._req = null;
  // The settings of permessage-deflate and the header that offers it, null for none.
  this._deflate = null;
  this._offer = null;
}

util.inherits(WebSocketClient, EventEmitter);

/**
 * Opens a connection. Ends in `connect`, `connectFailed` or `httpResponse`.
 * @param {string|object} requestUrl a `ws:` or `wss:` URL, or one parsed by `url.parse()` or `new URL()`
 * @param {string|string[]} [protocols] subprotocols in order of preference
 * @param {string} [origin]
 * @param {object} [headers] additional request headers
 * @param {object} [extraRequestOptions] options for `http.request()`, such as `agent`; and for this attempt `signal`,
 *   `handshakeTimeout`, `followRedirects` and `maxRedirects`
 * @throws {Error} for an incomplete URL, for subprotocols that are no tokens and for options that mean nothing
 */
WebSocketClient.prototype.connect = function connect(requestUrl, protocols, origin, headers, extraRequestOptions) {
  const names = protocolList(protocols);
  const url = targetUrl(requestUrl);
  const requestOptions = { agent: false };
  extend(requestOptions, extraRequestOptions);
  const options = takeAttemptOptions(requestOptions, this.config);

  this.protocols = names;
  this.origin = origin;
  this.url = url;
  this.secure = url.protocol === 'wss:';
  this.base64nonce = binding.randomKey();
  this._deflate = deflateSettings(this.config.perMessageDeflate);
  this._offer = this._deflate && offerDeflate(this._deflate);

  if (options.signal !== undefined && options.signal.aborted) {
    process.nextTick(fail, this, abortError(options.signal));
    return;
  }
  const attempt = { headers, requestOptions, tlsOptions: this.config.tlsOptions, options, redirects: 0, request: null };
  // It ends in the error event of the request under way.
  attempt.interruption = new Interruption(options, (error) => attempt.request.destroy(error));
  try {
    sendRequest(this, attempt);
  } catch (error) {
    attempt.interruption.stop();
    throw error;
  }
};

/** Sends the request of the opening handshake to `client.url`. */
function sendRequest(client, attempt) {
  const request = client._req = (client.secure ? https : http).request(requestOptions(client, attempt));
  attempt.request = request;
  const end = () => {
    client._req = null;
    attempt.interruption.stop();
  };
  const onError = (error) => {
    end();
    fail(client, error);
  };
  request.on('error', onError);
  // The first answer counts: Node 18 reports one more that comes behind a 101 without the headers of one.
  let answered = false;
  request.on('upgrade', (response, socket, head) => {
    if (answered) {
      socket.on('error', noop);
      socket.destroy();
      return;
    }
    answered = true;
    end();
    request.removeListener('error', onError);
    client.socket = socket;
    client.response = response;
    client.firstDataChunk = head;
    client.validateHandshake();
  });
  request.on('response', (response) => {
    if (answered) {
      response.on('error', noop);
      response.destroy();
      return;
    }
    answered = true;
    request.removeListener('error', onError);
    request.on('error', noop);
    if (attempt.options.followRedirects && isRedirect(response)) {
      client._req = null;
      response.on('error', noop);
      response.destroy();
      try {
        redirect(client, attempt, response.headers.location);
      } catch (error) {
        end();
        fail(client, error);
      }
      return;
    }
    end();
    handleHttpResponse(client, response);
  });
  request.end();
}

/** Goes where the server has sent the client to. */
function redirect(client, attempt, location) {
  const { maxRedirects } = attempt.options;
  if (attempt.redirects >= maxRedirects) {
    throw websocketError('ERR_WEBSOCKET_REDIRECT', `The server redirected more than ${maxRedirects} times (maxRedirects).`);
  }
  attempt.redirects++;
  const { url: before } = client;
  const from = `${before.protocol}//${hostHeader(before)}${requestPath(before)}`;
  const target = redirectTarget(from, location);
  const sameHost = target.host === new URL(from).host && target.protocol === before.protocol;
  const url = targetUrl(target);
  if (sameHost) {
    if (!url.auth) url.auth = before.auth;
  } else {
    attempt.headers = withoutCredentialHeaders(attempt.headers);
    attempt.requestOptions = withoutCredentialOptions(attempt.requestOptions);
    attempt.tlsOptions = withoutCredentialOptions(attempt.tlsOptions);
    attempt.tlsOptions.headers = withoutCredentialHeaders(attempt.tlsOptions.headers);
  }
  client.url = url;
  client.secure = url.protocol === 'wss:';
  client.base64nonce = binding.randomKey();
  sendRequest(client, attempt);
}

function protocolList(protocols) {
  let names = [];
  if (typeof protocols === 'string' && protocols !== '') names = [protocols];
  else if (Array.isArray(protocols)) names = protocols;
  for (const name of names) {
    const text = String(name);
    if (binding.isToken(text)) continue;
    const illegal = Array.from(text).find((character) => !binding.isToken(character));
    throw websocketError('ERR_WEBSOCKET_SUBPROTOCOL', illegal === undefined
      ? 'Protocol list contains an empty name'
      : `Protocol list contains invalid character "${illegal}"`);
  }
  return names;
}

/** The URL with its port filled in, in the object of the program as long as that can be changed. */
function targetUrl(requestUrl) {
  let url = typeof requestUrl === 'string' ? parseUrl(requestUrl) : requestUrl;
  if (url instanceof URL) url = parseUrl(url.href);
  if (!url || !url.protocol) throw urlError('You must specify a full WebSocket URL, including protocol.');
  if (!url.host) {
    throw urlError('You must specify a full WebSocket URL, including hostname. Relative URLs are not supported.');
  }
  if (url.port) return url;
  if (!Object.isExtensible(url)) url = { ...url };
  url.port = DEFAULT_PORTS[url.protocol];
  return url;
}

function requestOptions(client, attempt) {
  const { url } = client;
  const options = {};
  extend(options, attempt.requestOptions);
  // Not for the program to change.
  extend(options, {
    hostname: url.hostname,
    port: url.port,
    method: 'GET',
    path: requestPath(url),
    headers: requestHeaders(client, attempt),
  });
  if (client.secure) {
    for (const name of Object.keys(attempt.tlsOptions)) {
      if (!EXCLUDED_TLS_OPTIONS.includes(name)) options[name] = attempt.tlsOptions[name];
    }
  }
  return options;
}

function requestPath(url) {
  if (url.pathname) return url.path;
  return url.path ? `/${url.path}` : '/';
}

function requestHeaders(client, attempt) {
  const { url, config, secure } = client;
  const headers = {};
  if (secure) extend(headers, attempt.tlsOptions.headers);
  extend(headers, attempt.headers);
  if (url.auth && !Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) {
    headers.Authorization = `Basic ${Buffer.from(url.auth).toString('base64')}`;
  }
  extend(headers, {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': String(config.webSocketVersion),
    'Sec-WebSocket-Key': client.base64nonce,
    Host: headers.Host || hostHeader(url),
  });
  if (client.protocols.length > 0) headers['Sec-WebSocket-Protocol'] = client.protocols.join(', ');
  if (client._offer) headers['Sec-WebSocket-Extensions'] = client._offer;
  if (client.origin) headers[config.webSocketVersion === 8 ? 'Sec-WebSocket-Origin' : 'Origin'] = client.origin;
  return headers;
}

/** Host and port, the port left out where it is the scheme's own, IPv6 addresses in brackets. */
function hostHeader(url) {
  const host = url.hostname.includes(':') && !url.hostname.startsWith('[') ? `[${url.hostname}]` : url.hostname;
  return String(url.port) === DEFAULT_PORTS[url.protocol] ? host : `${host}:${url.port}`;
}

/** The server has answered with something other than 101. */
function handleHttpResponse(client, response) {
  if (eventEmitterListenerCount(client, 'httpResponse') > 0) {
    client.emit('httpResponse', response, client);
    if (response.socket) response.socket.end();
    return;
  }
  const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`);
  try {
    client.failHandshake(`Server responded with a non-101 status: ${response.statusCode} ${response.statusMessage}` +
      `\nResponse Headers Follow:\n${headers.join('\n')}\n`, {
      code: 'ERR_WEBSOCKET_STATUS',
      statusCode: response.statusCode,
      headers: response.headers,
      reason: response.headers['x-websocket-reject-reason'],
    });
  } finally {
    // Whatever the body is, and however long the server would take to send it, nobody wants it.
    response.on('error', noop);
    response.destroy();
  }
}

/** Checks the server's 101 response (RFC 6455 section 4.1), then goes on with it. */
WebSocketClient.prototype.validateHandshake = function validateHandshake() {
  const { headers } = this.response;
  const optional = (name) => (headers[name] === undefined ? null : String(headers[name]));
  const problem = binding.checkResponse(
    this.base64nonce, this.protocols.map(String), optional('upgrade'), optional('connection'),
    optional('sec-websocket-accept'), optional('sec-websocket-protocol'), optional('sec-websocket-extensions'),
    this._offer);
  this.protocol = headers['sec-websocket-protocol'];
  if (problem === null) this.succeedHandshake();
  else this.failHandshake(problem);
};

WebSocketClient.prototype.failHandshake = function failHandshake(errorDescription, properties) {
  const { socket } = this;
  if (socket && socket.writable) {
    // Nobody listens to this socket any more.
    socket.on('error', noop);
    socket.end();
    if (typeof socket.resume === 'function') socket.resume();
    destroyAfter(socket, this.config.closeTimeout);
  }
  fail(this, websocketError('ERR_WEBSOCKET_RESPONSE', errorDescription, properties));
};

function fail(client, error) {
  if (channels.connectFailed.hasSubscribers) channels.connectFailed.publish({ client, error });
  client.emit('connectFailed', error);
  // The name in the documentation of WebSocket-Node; without a listener an `error` event would be thrown.
  if (eventEmitterListenerCount(client, 'error') > 0) client.emit('error', error);
}

WebSocketClient.prototype.succeedHandshake = function succeedHandshake() {
  const { socket } = this;
  const connection = new WebSocketConnection(socket, [], this.protocol, true, this.config);
  connection.webSocketVersion = this.config.webSocketVersion;
  const answer = this._offer && this.response.headers['sec-websocket-extensions'];
  if (answer) useDeflate(connection, this._deflate, answer);
  startReceiving(connection, this.firstDataChunk);
  this.emit('connect', connection);
  this.firstDataChunk = null;
};

/** Gives an attempt up that has not come to an end; it ends in `connectFailed` if it had got as far as a socket. */
WebSocketClient.prototype.abort = function abort() {
  if (this._req) this._req.abort();
};

makeInspectable(WebSocketClient, ['url', 'protocol']);

module.exports = WebSocketClient;
