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
const { targetUrl, hostOf, hostHeader, requestPath, publicUrl, basicAuthorization } = require('./internal/handshake/client-url');
const {
  headerEntries, programFields, NO_OFFER, offerOf, writeOffer, answeredExtensions,
} = require('./internal/handshake/request-headers');
const { connectError, answerFacts, handshakeError } = require('./internal/handshake/connect-errors');
const { connectStarted, connectEnded } = require('./internal/handshake/watched-handshakes');
const channels = require('./internal/base/channels');
const { makeInspectable } = require('./internal/base/inspect');
const { startReceiving } = require('./internal/connection/start-receiving');
const { deflateSettings, useDeflate } = require('./internal/compression/per-message-deflate');
const { destroyAfter } = require('./internal/time/linger');
const { websocketError } = require('./internal/base/errors');

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
  // The settings of permessage-deflate, null for none; and all that is offered besides `protocols`.
  this._deflate = null;
  this._offer = NO_OFFER;
}

util.inherits(WebSocketClient, EventEmitter);

/**
 * Opens a connection. Ends in `connect`, `connectFailed` or `httpResponse`.
 * @param {string|object} requestUrl a `ws:` or `wss:` URL (`http:` and `https:` mean the same), or one parsed by `url.parse()`
 *   or `new URL()`
 * @param {string|string[]} [protocols] subprotocols in order of preference
 * @param {string} [origin]
 * @param {object|Iterable<[string, unknown]>} [headers] additional request headers
 * @param {object} [extraRequestOptions] options for `http.request()`, such as `agent`; and for this attempt `signal`,
 *   `handshakeTimeout`, `followRedirects` and `maxRedirects`
 * @throws {Error} for an incomplete URL or one of another scheme, for subprotocols that are no tokens and for options that mean nothing
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

  if (options.signal !== undefined && options.signal.aborted) {
    process.nextTick(fail, this, abortError(options.signal));
    return;
  }
  const attempt = {
    headers: headerEntries(headers), requestOptions, tlsOptions: this.config.tlsOptions, options, redirects: 0, giveUp: null,
  };
  attempt.interruption = new Interruption(options, (error) => attempt.giveUp(error));
  connectStarted(this, attempt.headers);
  try {
    sendRequest(this, attempt);
  } catch (error) {
    attempt.interruption.stop();
    connectEnded(this, { error });
    throw error;
  }
};

/** Sends the request of the opening handshake to `client.url`. */
function sendRequest(client, attempt) {
  const request = client._req = (client.secure ? https : http).request(requestOptions(client, attempt));
  const end = () => {
    client._req = null;
    attempt.interruption.stop();
  };
  const onError = (error) => {
    end();
    fail(client, error);
  };
  request.on('error', onError);
  attempt.giveUp = (error) => {
    // A request that has no socket yet would not report it.
    request.removeListener('error', onError);
    request.on('error', noop);
    request.destroy(error);
    end();
    process.nextTick(fail, client, error);
  };
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
        fail(client, Object.assign(error, answerFacts(response)));
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
  const from = publicUrl(before);
  const target = redirectTarget(from, location);
  const sameHost = target.host === new URL(from).host && target.protocol === before.protocol;
  const url = targetUrl(target);
  if (sameHost) {
    if (!url.auth) url.auth = before.auth;
  } else {
    attempt.headers = withoutCredentialHeaders(attempt.headers);
    attempt.requestOptions = withoutCredentialOptions(attempt.requestOptions);
    attempt.tlsOptions = withoutCredentialOptions(attempt.tlsOptions);
    attempt.tlsOptions.headers = withoutCredentialHeaders(headerEntries(attempt.tlsOptions.headers));
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
    if (name === undefined || name === null) throw websocketError('ERR_WEBSOCKET_SUBPROTOCOL', `Protocol list contains ${name}`);
    const text = String(name);
    if (binding.isToken(text)) continue;
    const illegal = Array.from(text).find((character) => !binding.isToken(character));
    throw websocketError('ERR_WEBSOCKET_SUBPROTOCOL', illegal === undefined
      ? 'Protocol list contains an empty name'
      : `Protocol list contains invalid character "${illegal}"`);
  }
  return names;
}

function requestOptions(client, attempt) {
  const { url } = client;
  const options = {};
  extend(options, attempt.requestOptions);
  // Not for the program to change.
  extend(options, {
    hostname: hostOf(url),
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
  // Node asks it only where no agent is named, and false names one.
  if (typeof options.createConnection === 'function' && !options.agent) delete options.agent;
  return options;
}

function requestHeaders(client, attempt) {
  const { url, config, secure } = client;
  const fields = programFields(secure ? headerEntries(attempt.tlsOptions.headers) : [], attempt.headers);
  client._offer = offerOf(fields, client._deflate);
  const authorization = basicAuthorization(url);
  if (authorization !== null && fields.get('authorization') === undefined) fields.set('Authorization', authorization);
  fields.set('Upgrade', 'websocket');
  fields.set('Connection', 'Upgrade');
  fields.set('Sec-WebSocket-Version', String(config.webSocketVersion));
  fields.set('Sec-WebSocket-Key', client.base64nonce);
  fields.set('Host', fields.get('host') || hostHeader(url));
  writeOffer(fields, client._offer, client.protocols);
  if (client.origin) fields.set(config.webSocketVersion === 8 ? 'Sec-WebSocket-Origin' : 'Origin', client.origin);
  return fields.toObject();
}

/** The server has answered with something other than 101. */
function handleHttpResponse(client, response) {
  if (eventEmitterListenerCount(client, 'httpResponse') > 0) {
    connectEnded(client, { statusCode: response.statusCode });
    try {
      client.emit('httpResponse', response, client);
    } finally {
      if (response.socket) response.socket.end();
    }
    return;
  }
  const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`);
  try {
    client.failHandshake(`Server responded with a non-101 status: ${response.statusCode} ${response.statusMessage}` +
      `\nResponse Headers Follow:\n${headers.join('\n')}\n`, response);
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
  const { rest } = answeredExtensions(optional('sec-websocket-extensions'), this._offer);
  const problem = binding.checkResponse(
    this.base64nonce, expectedProtocols(this, headers['sec-websocket-protocol']), optional('upgrade'), optional('connection'),
    optional('sec-websocket-accept'), optional('sec-websocket-protocol'), rest, this._offer.deflate);
  this.protocol = headers['sec-websocket-protocol'];
  if (problem === null) this.succeedHandshake();
  else this.failHandshake(problem);
};

/** The server has to choose one of the subprotocols that connect() was given; of those in the headers it may choose one. */
function expectedProtocols({ protocols, _offer: offer }, answer) {
  if (protocols.length > 0) return protocols.map(String);
  return answer ? offer.protocols : [];
}

/**
 * The server's answer does not open a connection.
 * @param {string} errorDescription
 * @param {import('http').IncomingMessage} [response] one that is no 101; its socket is not that of the client
 */
WebSocketClient.prototype.failHandshake = function failHandshake(errorDescription, response) {
  const { socket } = this;
  if (response === undefined && socket && socket.writable) {
    // Nobody listens to this socket any more.
    socket.on('error', noop);
    socket.end();
    if (typeof socket.resume === 'function') socket.resume();
    destroyAfter(socket, this.config.closeTimeout);
  }
  fail(this, handshakeError(errorDescription, response || this.response));
};

function fail(client, reason) {
  const error = connectError(reason, client.url);
  connectEnded(client, { error });
  if (channels.connectFailed.hasSubscribers) channels.connectFailed.publish({ client, error });
  client.emit('connectFailed', error);
  // The name in the documentation of WebSocket-Node; without a listener an `error` event would be thrown.
  if (eventEmitterListenerCount(client, 'error') > 0) client.emit('error', error);
}

WebSocketClient.prototype.succeedHandshake = function succeedHandshake() {
  const { socket } = this;
  const connection = new WebSocketConnection(socket, [], this.protocol, true, this.config);
  connection.webSocketVersion = this.config.webSocketVersion;
  const { agreed, rest } = answeredExtensions(this.response.headers['sec-websocket-extensions'], this._offer);
  if (rest !== null && this._offer.deflate !== null) useDeflate(connection, this._deflate || deflateSettings(true), rest);
  connection.extensions.unshift(...agreed);
  startReceiving(connection, this.firstDataChunk);
  connectEnded(this, { connection });
  this.emit('connect', connection);
  this.firstDataChunk = null;
};

/** Gives an attempt up that has not come to an end; it ends in `connectFailed` if it had got as far as a socket. */
WebSocketClient.prototype.abort = function abort() {
  if (this._req) this._req.abort();
};

makeInspectable(WebSocketClient, ['url', 'protocol']);

module.exports = WebSocketClient;
