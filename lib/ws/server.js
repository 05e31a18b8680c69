'use strict';

const { EventEmitter } = require('events');
const http = require('http');
const binding = require('../internal/addon/binding');
const { acceptDeflate } = require('../internal/compression/per-message-deflate');
const { statusPhrase } = require('../internal/handshake/http-status');
const { COMMON_DEFAULTS } = require('./constants');
const { settingsOf } = require('./deflate');
const { wsError } = require('./errors');
const { extension, subprotocol } = require('./header-fields');
const { WebSocket } = require('./websocket');

const [RUNNING, CLOSING, CLOSED] = [0, 1, 2];

const DEFAULTS = {
  ...COMMON_DEFAULTS,
  perMessageDeflate: false,
  handleProtocols: null,
  clientTracking: true,
  verifyClient: null,
  noServer: false,
  backlog: null,
  server: null,
  host: null,
  path: null,
  port: null,
  WebSocket,
};

/** What a client's key looks like: 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Sockets whose request was answered with 101. */
const upgraded = new WeakSet();

class WebSocketServer extends EventEmitter {
  /**
   * @param {object} options one of `port`, `server` and `noServer`; the others are in docs/ws.md
   * @param {() => void} [callback] a listener for `listening`, if there is a `port`
   */
  constructor(options, callback) {
    super();
    options = { ...DEFAULTS, ...options };
    const places = [options.port !== null && options.port !== undefined, Boolean(options.server), Boolean(options.noServer)];
    if (places.filter(Boolean).length !== 1) {
      throw wsError('ERR_WEBSOCKET_OPTION',
        'One and only one of the "port", "server", or "noServer" options must be specified', TypeError);
    }
    if (options.perMessageDeflate === true) options.perMessageDeflate = {};
    this.options = options;
    this._deflate = settingsOf(options.perMessageDeflate);
    this._state = RUNNING;
    this._shouldEmitClose = false;
    if (options.clientTracking) this.clients = new Set();

    this._server = null;
    if (places[0]) this._server = http.createServer(answerUpgradeRequired);
    else if (options.server) this._server = options.server;
    if (this._server === null) return;
    const emitConnection = this.emit.bind(this, 'connection');
    this._listeners = Object.entries({
      listening: this.emit.bind(this, 'listening'),
      error: this.emit.bind(this, 'error'),
      upgrade: (request, socket, head) => this.handleUpgrade(request, socket, head, emitConnection),
    });
    for (const [event, listener] of this._listeners) this._server.on(event, listener);
    if (places[0]) this._server.listen(options.port, options.host, options.backlog, callback);
  }

  /** Where the server listens, as `address()` of an http.Server says; null when it is closed. */
  address() {
    if (this.options.noServer) throw wsError('ERR_WEBSOCKET_NO_SERVER', 'The server is operating in "noServer" mode');
    return this._server === null ? null : this._server.address();
  }

  /**
   * Accepts no more connections. `close` comes when those there are have ended, or all that the program has to wait for.
   * @param {(error?: Error) => void} [callback]
   */
  close(callback) {
    if (this._state === CLOSED) {
      if (callback) this.once('close', () => callback(wsError('ERR_WEBSOCKET_CLOSED', 'The server is not running')));
      process.nextTick(emitClose, this);
      return;
    }
    if (callback) this.once('close', callback);
    if (this._state === CLOSING) return;
    this._state = CLOSING;
    const server = this._server;
    this._server = null;
    if (server !== null) for (const [event, listener] of this._listeners) server.removeListener(event, listener);
    if (server !== null && server !== this.options.server) server.close(() => emitClose(this));
    else if (this.clients && this.clients.size > 0) this._shouldEmitClose = true;
    else process.nextTick(emitClose, this);
  }

  /** Whether a request is for this server. Programs override it. */
  shouldHandle(request) {
    const { path } = this.options;
    return !path || request.url.split('?', 1)[0] === path;
  }

  /**
   * Answers a request to upgrade.
   * @param {http.IncomingMessage} request
   * @param {import('stream').Duplex} socket
   * @param {Buffer} head
   * @param {(websocket: WebSocket, request: http.IncomingMessage) => void} callback
   */
  handleUpgrade(request, socket, head, callback) {
    socket.on('error', destroy);
    const problem = requestProblem(request);
    if (problem !== null) {
      refuseOrTell(this, request, socket, problem);
      return;
    }
    if (!this.shouldHandle(request)) {
      refuse(socket, 400);
      return;
    }
    let protocols;
    let deflate;
    try {
      protocols = requestedProtocols(request);
      deflate = this._acceptDeflate(request);
    } catch (error) {
      refuseOrTell(this, request, socket, { status: 400, reason: error.reason });
      return;
    }
    this._verify(request, socket, () => this.completeUpgrade(deflate, protocols, request, socket, head, callback));
  }

  /** What is agreed on for permessage-deflate; null for nothing. */
  _acceptDeflate({ headers: { 'sec-websocket-extensions': offers } }) {
    if (this._deflate === null || offers === undefined) return null;
    const reason = 'Invalid or unacceptable Sec-WebSocket-Extensions header';
    const parsed = withReason(reason, () => extension.parse(offers));
    if (parsed['permessage-deflate'] === undefined) return null;
    const answer = acceptDeflate(this._deflate, offers);
    // Nothing of what the client offers for it can be accepted.
    if (answer === null) throw withReason.error(reason);
    return { settings: this._deflate, answer };
  }

  /** Has the program decide, if it wants to. */
  _verify(request, socket, accept) {
    const { verifyClient } = this.options;
    if (!verifyClient) {
      accept();
      return;
    }
    const { headers } = request;
    const info = {
      origin: headers[Number(headers['sec-websocket-version']) === 8 ? 'sec-websocket-origin' : 'origin'],
      secure: Boolean(request.socket.authorized || request.socket.encrypted),
      req: request,
    };
    const decide = (verified, status = 401, message = undefined, extraHeaders = undefined) => {
      if (verified) accept();
      else refuse(socket, status || 401, message, extraHeaders);
    };
    if (verifyClient.length === 2) verifyClient(info, decide);
    else decide(verifyClient(info));
  }

  /**
   * Opens the connection.
   * @throws {Error} when this socket was upgraded before
   */
  completeUpgrade(deflate, protocols, request, socket, head, callback) {
    // The client has gone.
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return;
    }
    if (upgraded.has(socket)) {
      throw wsError('ERR_WEBSOCKET_ANSWERED',
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration');
    }
    if (this._state !== RUNNING) {
      refuse(socket, 503);
      return;
    }
    upgraded.add(socket);
    const websocket = new this.options.WebSocket(null, undefined, this.options);
    const fields = [];
    if (protocols.size > 0) {
      const { handleProtocols } = this.options;
      const protocol = handleProtocols ? handleProtocols(protocols, request) : protocols.values().next().value;
      if (protocol) {
        fields.push('Sec-WebSocket-Protocol', protocol);
        websocket._protocol = protocol;
      }
    }
    if (deflate !== null) fields.push('Sec-WebSocket-Extensions', deflate.answer);
    const lines = binding.acceptResponse(request.headers['sec-websocket-key'], fields).trimEnd().split('\r\n');
    this.emit('headers', lines, request);
    socket.removeListener('error', destroy);
    websocket.setSocket(socket, head, this.options, { deflate, response: `${lines.join('\r\n')}\r\n\r\n` });
    if (this.clients) {
      this.clients.add(websocket);
      websocket.on('close', () => {
        this.clients.delete(websocket);
        if (this._shouldEmitClose && this.clients.size === 0) process.nextTick(emitClose, this);
      });
    }
    callback(websocket, request);
  }
}

/** What is wrong with a request (RFC 6455 section 4.2.1); null for nothing. */
function requestProblem({ method, headers }) {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers;
  if (method !== 'GET') return { status: 405, reason: 'Invalid HTTP method' };
  if (upgrade === undefined || upgrade.toLowerCase() !== 'websocket') return { status: 400, reason: 'Invalid Upgrade header' };
  if (key === undefined || !KEY.test(key)) return { status: 400, reason: 'Missing or invalid Sec-WebSocket-Key header' };
  if (Number(version) !== 13 && Number(version) !== 8) {
    return {
      status: 400, reason: 'Missing or invalid Sec-WebSocket-Version header', headers: { 'Sec-WebSocket-Version': '13, 8' },
    };
  }
  return null;
}

function requestedProtocols({ headers: { 'sec-websocket-protocol': header } }) {
  if (header === undefined) return new Set();
  return withReason('Invalid Sec-WebSocket-Protocol header', () => subprotocol.parse(header));
}

/** Calls a function whose error means `reason`. */
function withReason(reason, parse) {
  try {
    return parse();
  } catch (cause) {
    throw Object.assign(cause, { reason });
  }
}
withReason.error = (reason) => Object.assign(wsError('ERR_WEBSOCKET_REQUEST', reason), { reason });

/** Answers with an error, unless the program wants to do that itself. */
function refuseOrTell(server, request, socket, { status, reason, headers }) {
  if (server.listenerCount('wsClientError') > 0) {
    server.emit('wsClientError', wsError('ERR_WEBSOCKET_REQUEST', reason), socket, request);
  } else {
    refuse(socket, status, reason, headers);
  }
}

/** Answers with an error and closes the socket. */
function refuse(socket, status, message = http.STATUS_CODES[status], headers = undefined) {
  const body = message || http.STATUS_CODES[status] || '';
  const fields = { Connection: 'close', 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', destroy);
  socket.end(`${[`HTTP/1.1 ${status} ${statusPhrase(status)}`, ...lines].join('\r\n')}\r\n\r\n${body}`);
}

function destroy() {
  this.destroy();
}

/** What a server of its own says to requests that want no WebSocket. */
function answerUpgradeRequired(request, response) {
  const body = http.STATUS_CODES[426];
  response.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' });
  response.end(body);
}

function emitClose(server) {
  server._state = CLOSED;
  server.emit('close');
}

module.exports = { WebSocketServer };
