'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const { Duplex } = require('stream');
const binding = require('./internal/addon/binding');
const WebSocketConnection = require('./WebSocketConnection');
const { LOST_IN_HANDSHAKE } = require('./internal/connection/closing');
const { noop } = require('./utils');
const { captureContext } = require('./internal/base/context');
const { startReceiving } = require('./internal/connection/start-receiving');
const { deflateSettings, acceptDeflate, useDeflate } = require('./internal/compression/per-message-deflate');
const { parseUrl } = require('./internal/handshake/legacy-url');
const { isFinalStatus, statusPhrase } = require('./internal/handshake/http-status');
const { serializeCookies } = require('./internal/handshake/set-cookie');
const { appendHeaders } = require('./internal/handshake/answer-headers');
const { headerText } = require('./internal/handshake/header-text');
const { compileTrustProxy, clientAddress } = require('./internal/handshake/trust-proxy');
const { requestEnded } = require('./internal/handshake/watched-handshakes');
const { noteRequest, noteAnswer } = require('./internal/handshake/single-answer');
const { peerAddress, withoutPort } = require('./internal/base/address');
const { destroyAfter } = require('./internal/time/linger');
const { checkConnectionOptions } = require('./internal/options/read-options');
const { makeInspectable } = require('./internal/base/inspect');
const { errorsWithCode, websocketError } = require('./internal/base/errors');

const requestError = errorsWithCode('ERR_WEBSOCKET_REQUEST');
const subprotocolError = errorsWithCode('ERR_WEBSOCKET_SUBPROTOCOL');

/**
 * A client's wish to open a connection, to be answered once with `accept()` or `reject()`.
 * @param {import('net').Socket} socket
 * @param {import('http').IncomingMessage} httpRequest
 * @param {object} serverConfig the complete options of a server, `httpServer` excepted
 * @param {Buffer} [head] bytes that came right behind the request head
 * @param {WebSocketServer} [server] whose request it is: its `_handlers` are told before everybody else
 */
function WebSocketRequest(socket, httpRequest, serverConfig, head, server) {
  EventEmitter.call(this);

  this.socket = socket;
  this.httpRequest = httpRequest;
  this.resource = httpRequest.url;
  this.remoteAddress = socket.remoteAddress;
  this.remoteAddresses = [this.remoteAddress];
  this.serverConfig = serverConfig;

  this._head = head;
  this._server = server || null;
  // Ends the time that the program has to answer; null while there is no such limit.
  this._stopTimeout = null;
  // The request comes in the async context of its socket; accept() may be called in any other.
  this._context = captureContext();
  // Another WebSocketRequest for the same HTTP request was answered: that of another server on the same HTTP server.
  this._answeredElsewhere = noteRequest(this);
  this._resolved = this._answeredElsewhere;
  this._handshakeRead = false;
  this._socketIsClosing = false;
  this._socketEndHandler = () => { this._socketIsClosing = true; };
  this._socketCloseHandler = this._handleSocketCloseBeforeAccept.bind(this);
  socket.on('end', this._socketEndHandler);
  socket.on('close', this._socketCloseHandler);
  // Nobody else listens between the upgrade and the answer: a reset by the peer would end the process.
  socket.on('error', noop);
  const { headers } = httpRequest;
  if (headers && headers['x-forwarded-for'] && !serverConfig.ignoreXForwardedFor) readForwardedFor(this, serverConfig.trustProxy);
}

util.inherits(WebSocketRequest, EventEmitter);

// What the headers say is taken apart when somebody wants to know it: slow, and seldom needed.
for (const [name, parse] of Object.entries({
  host: ({ headers }) => headers.host,
  key: ({ headers }) => headers['sec-websocket-key'],
  webSocketVersion: ({ headers }) => parseInt(headers['sec-websocket-version'], 10),
  origin: ({ headers }, request) => (request.webSocketVersion === 8 ? headers['sec-websocket-origin'] : headers.origin),
  protocolFullCaseMap: (httpRequest) => Object.assign(Object.create(null),
    Object.fromEntries(protocolsOf(httpRequest).map((protocol) => [protocol.toLowerCase(), protocol]))),
  requestedProtocols: (httpRequest) => protocolsOf(httpRequest).map((protocol) => protocol.toLowerCase()),
  requestedExtensions: ({ headers }, request) =>
    (request.serverConfig.parseExtensions ? request.parseExtensions(headers['sec-websocket-extensions']) : []),
  cookies: ({ headers }, request) => (request.serverConfig.parseCookies ? request.parseCookies(headers.cookie) : []),
  resourceURL: (httpRequest, request) => parseUrl(request.resource, true),
})) {
  const define = (request, value) => {
    Object.defineProperty(request, name, { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(WebSocketRequest.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      // Of the prototype itself somebody may ask who looks at what there is.
      if (this.httpRequest === undefined) return undefined;
      define(this, parse(this.httpRequest, this));
      return this[name];
    },
    set(value) { define(this, value); },
  });
}

/** The subprotocols that a client asks for, as it spells them. */
function protocolsOf({ headers }) {
  return binding.parseList(headers['sec-websocket-protocol'] || '');
}

/** The protocol version as the documentation of WebSocket-Node has it: a string. */
Object.defineProperty(WebSocketRequest.prototype, 'websocketVersion', {
  configurable: true,
  get() { return String(this.webSocketVersion); },
});

/**
 * Parses and checks the handshake (RFC 6455 section 4.2.1). `accept()` calls it if nobody else has; `reject()` works without it.
 * @throws {Error} with `httpCode` and `headers` to answer with, when it is not correct
 */
WebSocketRequest.prototype.readHandshake = function readHandshake() {
  const { method, headers } = this.httpRequest;
  checkHead(this.httpRequest);
  const refusal = binding.checkRequest(
    optional(method), optional(headers.host), optional(headers.upgrade), optional(headers.connection),
    optional(headers['sec-websocket-key']), optional(headers['sec-websocket-version']));
  if (refusal === null) {
    this._handshakeRead = true;
    return;
  }
  const error = requestError(refusal.reason);
  // 400 goes without saying.
  if (refusal.status !== 400) error.httpCode = refusal.status;
  if (refusal.headerName) error.headers = { [refusal.headerName]: refusal.headerValue };
  throw error;
};

/**
 * Refuses what Node's parser lets pass: a request of HTTP/0.9, which has no header fields, and two `Host` fields, of which
 * it keeps the first (RFC 9112 section 3.2).
 */
function checkHead({ httpVersionMajor, rawHeaders }) {
  if (typeof httpVersionMajor === 'number' && httpVersionMajor < 1) throw requestError('A WebSocket request must be HTTP/1.1.');
  if (!Array.isArray(rawHeaders)) return;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name.length === 4 && name.toLowerCase() === 'host' && ++hosts === 2) {
      throw requestError('Client must provide a single Host header.');
    }
  }
}

/** A value for the binding: a string, or null for a header that is not there. */
function optional(value) {
  return value === undefined || value === null ? null : String(value);
}

/** Takes the client's address from `X-Forwarded-For`, as far as those are trusted who have written it. */
function readForwardedFor(request, trustProxy = true) {
  const isTrusted = typeof trustProxy === 'function' ? trustProxy : compileTrustProxy(trustProxy);
  const peer = peerAddress(request.socket);
  if (!isTrusted(peer)) return;
  const forwarded = binding.parseList(String(request.httpRequest.headers['x-forwarded-for'])).map(withoutPort);
  if (forwarded.length === 0) return;
  request.remoteAddresses = [...forwarded, request.socket.remoteAddress];
  request.remoteAddress = clientAddress([...forwarded, peer], isTrusted);
}

/**
 * Takes a `Sec-WebSocket-Extensions` header apart.
 * @param {string} [extensionsString]
 * @returns {{name: string, params: {name: string, value?: string}[]}[]} in lower case
 */
WebSocketRequest.prototype.parseExtensions = function parseExtensions(extensionsString) {
  if (!extensionsString) return [];
  return binding.parseExtensions(String(extensionsString).toLowerCase())
    .map(({ name, params }) => ({ name, params: params.map((param) => ({ name: param.name, value: param.value })) }));
};

/**
 * Takes a `Cookie` header apart. Values are percent-decoded where that is possible.
 * @param {string} [str]
 * @returns {{name: string, value: string|null}[]}
 */
WebSocketRequest.prototype.parseCookies = function parseCookies(str) {
  return typeof str === 'string' && str !== '' ? binding.parseCookies(str) : [];
};

/**
 * Opens the connection.
 * @param {string|null} [acceptedProtocol] one of `requestedProtocols`, in any case
 * @param {string|null} [allowedOrigin] the origin to confirm to a browser
 * @param {object[]} [cookies] cookies to set, see docs/request.md
 * @param {object} [options]
 * @param {Object<string, string|number|(string|number)[]>} [options.headers] more headers for the answer
 * @returns {WebSocketConnection} which is closed with 1006 on the next tick when the client has gone meanwhile
 * @throws {Error} when the request was answered before; and, after it was refused with 500, for a protocol that was
 *   not requested, for invalid cookies and for headers that cannot be sent
 */
WebSocketRequest.prototype.accept = function accept(acceptedProtocol, allowedOrigin, cookies, options) {
  this._verifyResolution();
  let response;
  let deflate;
  let extensions;
  try {
    if (!this._handshakeRead) this.readHandshake();
    checkConnectionOptions(this.serverConfig);
    deflate = deflateSettings(this.serverConfig.perMessageDeflate);
    extensions = deflate && acceptDeflate(deflate, this.httpRequest.headers['sec-websocket-extensions']);
    response = acceptResponse(this, acceptedProtocol, allowedOrigin, cookies, extensions, options);
  } catch (error) {
    if (this._handshakeRead) this.reject(500);
    else this.reject(error.httpCode || 400, error.message, error.headers);
    throw error;
  }
  this.protocolFullCaseMap = null;
  this.requestedProtocols = null;

  this._resolve();

  const { socket } = this;
  const connection = new WebSocketConnection(socket, [], acceptedProtocol, false, this.serverConfig);
  connection.webSocketVersion = this.webSocketVersion;
  connection.remoteAddress = this.remoteAddress;
  connection.remoteAddresses = this.remoteAddresses;
  connection._context = this._context;
  if (extensions) useDeflate(connection, deflate, extensions);
  // The connection has removed all listeners for errors, and adds its own when the response is out.
  socket.on('error', noop);

  const begin = () => {
    this._removeSocketCloseListeners();
    socket.removeListener('error', noop);
    startReceiving(connection, this._head);
  };
  if (this._socketIsClosing || socket.destroyed) {
    failConnection(connection);
  } else if (connection._mayTakeOver()) {
    begin();
    connection._responseLength = response.length;
    connection._transport.sendResponse(connection, response);
  } else {
    socket.write(response, 'ascii', (error) => {
      if (error) failConnection(connection);
      else begin();
    });
  }

  requestEnded(this, { connection });
  if (this._server !== null) this._server._handlers.requestAccepted(connection);
  this.emit('requestAccepted', connection);
  return connection;
};

function acceptResponse(request, acceptedProtocol, allowedOrigin, cookies, extensions, options) {
  const headers = [];
  if (acceptedProtocol) headers.push('Sec-WebSocket-Protocol', negotiatedProtocol(request, acceptedProtocol));
  if (allowedOrigin) {
    const name = request.webSocketVersion === 8 ? 'Sec-WebSocket-Origin' : 'Origin';
    headers.push(name, headerText(allowedOrigin));
  }
  if (cookies) {
    for (const value of serializeCookies(cookies)) headers.push('Set-Cookie', value);
  }
  if (extensions) headers.push('Sec-WebSocket-Extensions', extensions);
  if (options) appendHeaders(headers, options.headers);
  return binding.acceptResponse(String(request.key), headers);
}

/** The protocol as the client has spelt it. */
function negotiatedProtocol(request, acceptedProtocol) {
  const lowerCase = String(acceptedProtocol).toLowerCase();
  const protocol = request.protocolFullCaseMap[lowerCase] || String(acceptedProtocol);
  if (!binding.isToken(protocol)) {
    const illegal = Array.from(protocol).find((character) => !binding.isToken(character));
    throw subprotocolError(`Illegal character "${illegal}" in subprotocol.`);
  }
  if (!request.requestedProtocols.includes(lowerCase)) {
    throw subprotocolError('Specified protocol was not requested by the client.');
  }
  return protocol;
}

/** The caller of accept() gets a connection in any case; this one is over before it has begun. */
function failConnection(connection) {
  process.nextTick(() => connection.drop(1006, LOST_IN_HANDSHAKE, true));
}

/**
 * Refuses the request and closes the connection.
 * @param {number} [status=403] HTTP status; a number that is none is sent as 500
 * @param {string} [reason] sent as `X-WebSocket-Reject-Reason`
 * @param {Object<string, any>} [extraHeaders] those that are undefined or null are left out
 * @throws {Error} when the request was answered before, or for a header whose name or value cannot be sent
 */
WebSocketRequest.prototype.reject = function reject(status, reason, extraHeaders) {
  this._verifyResolution();
  if (typeof status !== 'number') status = 403;
  // No client could read the response.
  else if (!isFinalStatus(status)) status = 500;
  const headers = ['Connection', 'close'];
  if (reason) headers.push('X-WebSocket-Reject-Reason', headerText(reason));
  for (const name in extraHeaders) {
    const text = headerText(name);
    if (!binding.isToken(text)) {
      throw websocketError('ERR_WEBSOCKET_HEADER',
        `Header ${JSON.stringify(text)} is not a token, or its value contains control characters.`);
    }
    const value = extraHeaders[name];
    if (value !== undefined && value !== null) headers.push(text, headerText(value));
  }
  const response = binding.response(status, statusPhrase(status), headers);

  this._resolve();
  const { socket } = this;
  socket.end(response, 'ascii');
  if (socket instanceof Duplex) {
    // What the client sends nevertheless is thrown away, so that its FIN is seen; it gets five seconds to close.
    socket.resume();
    destroyAfter(socket, 5000);
  }
  requestEnded(this, { statusCode: status });
  this.emit('requestRejected', this);
};

WebSocketRequest.prototype._handleSocketCloseBeforeAccept = function _handleSocketCloseBeforeAccept() {
  this._socketIsClosing = true;
  this._removeSocketCloseListeners();
  this._leaveServer();
};

WebSocketRequest.prototype._removeSocketCloseListeners = function _removeSocketCloseListeners() {
  this.socket.removeListener('end', this._socketEndHandler);
  this.socket.removeListener('close', this._socketCloseHandler);
};

WebSocketRequest.prototype._verifyResolution = function _verifyResolution() {
  if (this._answeredElsewhere) throw this._answeredError();
  if (!this._resolved) return;
  throw websocketError('ERR_WEBSOCKET_ANSWERED', 'WebSocketRequest may only be accepted or rejected one time.');
};

/** What is wrong with answering a request that another server has answered. */
WebSocketRequest.prototype._answeredError = function _answeredError() {
  return websocketError('ERR_WEBSOCKET_ALREADY_ANSWERED', `The request for ${this.resource} was already answered by another ` +
    'WebSocket server on the same HTTP server. Give each server requests of its own (options path and host), or have only ' +
    'one of them answer.');
};

/** The request is answered now. Resolved before anybody is told, so that no listener can answer a second time. */
WebSocketRequest.prototype._resolve = function _resolve() {
  this._resolved = true;
  const others = noteAnswer(this);
  for (const other of others) {
    other._resolved = true;
    other._answeredElsewhere = true;
  }
  this._leaveServer();
  this.emit('requestResolved', this);
  for (const other of others) other._leaveToOther();
};

/** There is nothing left to answer. */
WebSocketRequest.prototype._leaveServer = function _leaveServer() {
  if (this._stopTimeout !== null) this._stopTimeout();
  if (this._server !== null) this._server._handlers.requestResolved(this);
};

/** Another server has answered: its connection needs nothing of this request. */
WebSocketRequest.prototype._leaveToOther = function _leaveToOther() {
  this._removeSocketCloseListeners();
  this._leaveServer();
  this.emit('requestResolved', this);
};

makeInspectable(WebSocketRequest, ['resource', 'remoteAddress', 'origin', 'host', 'requestedProtocols']);

module.exports = WebSocketRequest;
