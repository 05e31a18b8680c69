'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const debug = require('debug')('websocket:server');
const { eventEmitterListenerCount } = require('./utils');
const WebSocketRequest = require('./WebSocketRequest');
const { isToken } = require('./internal/addon/binding');
const { compileTrustProxy } = require('./internal/handshake/trust-proxy');
const { broadcast } = require('./internal/connection/sending');
const topics = require('./internal/topics/server-methods');
const { asBuffer } = require('./internal/base/arguments');
const channels = require('./internal/base/channels');
const { defineGetter } = require('./internal/base/getter');
const { makeInspectable } = require('./internal/base/inspect');
const { statsOfServer, Totals } = require('./internal/connection/stats');
const { compileFilter } = require('./internal/handshake/mount-filter');
const { upgradeListener, mountOn, unmountFrom, isOursAlone, offerUpgrade } = require('./internal/handshake/shared-upgrades');
const { isBehindResponse, afterResponses } = require('./internal/handshake/pipelining');
const { emitRequest } = require('./internal/handshake/request-event');
const { requestArrived, noteRefusal } = require('./internal/handshake/watched-handshakes');
const { compileOriginCheck } = require('./internal/handshake/origins');
const { BoundFunction } = require('./internal/base/context');
const { deadlinesOf } = require('./internal/time/deadlines');
const { Listener, takeListenOptions, listensByAddon } = require('./internal/listening/listener');
const { canShare } = require('./internal/listening/shared-port');
const { prepareTls } = require('./internal/tls/options');
const { isTime } = require('./internal/time/is-time');
const { SERVER_OPTIONS } = require('./internal/options/tables');
const { readOptions } = require('./internal/options/read-options');
const { isHttpServer } = require('./internal/options/http-servers');
const { becomeFallback } = require('./internal/listening/other-upgrades');
const { AddressCounts } = require('./internal/listening/address-counts');
const { optionError, websocketError } = require('./internal/base/errors');

/**
 * Accepts WebSocket connections on one or several servers of Node.
 * @param {object} [config] options, as for `mount()`, which is called with them
 */
function WebSocketServer(config) {
  EventEmitter.call(this);
  this._handlers = {
    upgrade: upgradeListener(this, this.handleUpgrade.bind(this), refuseForeign.bind(null, this)),
    requestAccepted: this.handleRequestAccepted.bind(this),
    requestResolved: this.handleRequestResolved.bind(this),
  };
  this.connections = [];
  this.pendingRequests = [];
  // The HTTP servers it is mounted on, and how often it was unmounted.
  this._mountedOn = [];
  this._unmounts = 0;
  this._unmounted = false;
  this._filter = null;
  this._listener = null;
  // What the listener needs of the option tls.
  this._tls = null;
  this._originProblem = null;
  this._addressCounts = new AddressCounts();
  this._totals = new Totals();
  // Who has subscribed to what, once somebody has.
  this._topics = null;
  if (config) this.mount(config);
}

util.inherits(WebSocketServer, EventEmitter);
Object.assign(WebSocketServer.prototype, topics.methods);

/** The topics that have a subscriber in this process, in no particular order. */
defineGetter(WebSocketServer.prototype, 'topics', topics.topicsOf);

/**
 * Starts listening for requests, besides where it does so already. The options are for all requests from now on.
 * @param {object} config `httpServer`, a server of Node or an array of them, `port` to listen itself, or `noServer: true`, and
 *   options
 * @throws {Error} without either, and for options that mean nothing
 */
WebSocketServer.prototype.mount = function mount(config) {
  if (isHttpServer(config) && !config.httpServer) {
    throw optionError('The HTTP server must be in the options of a WebSocketServer, as { httpServer }, not in place of them.');
  }
  const merged = readOptions(SERVER_OPTIONS, 'WebSocketServer', config);
  compileTrustProxy(merged.trustProxy);
  const listens = merged.port !== null && merged.port !== undefined;
  if (listens) takeListenOptions(merged);
  const tls = takeTls(merged, listens);
  // The host of a server that listens itself is where it listens.
  const filter = compileFilter(listens ? { path: merged.path } : merged);
  const originProblem = compileOriginCheck(merged.allowedOrigins, merged.verifyOrigin);
  if (merged.noServer && merged.httpServer) {
    throw optionError('The options noServer and httpServer exclude each other: with noServer, call handleUpgrade() yourself.');
  }
  if (listens && (merged.noServer || merged.httpServer)) {
    throw optionError('The option port excludes httpServer and noServer: the server either listens itself or has one that does.');
  }
  if (merged.reusePort && !listens) {
    throw optionError('The option reusePort needs the option port: with httpServer, it is an option of its listen().');
  }
  if (merged.fallback && !listens) {
    throw optionError('The option fallback needs the option port: the HTTP server gets what comes in there.');
  }
  if (merged.noServer || listens) merged.httpServer = [];
  if (!merged.httpServer) throw optionError('You must specify an httpServer on which to mount the WebSocket server.');
  if (!Array.isArray(merged.httpServer)) merged.httpServer = [merged.httpServer];
  // Nothing is changed before this line.
  this.config = merged;
  this._filter = filter;
  this._originProblem = originProblem;
  this._tls = tls;
  const { fallback } = merged;
  if (fallback) becomeFallback(fallback, () => isOursAlone(fallback));
  for (const httpServer of fallback ? [fallback] : merged.httpServer) {
    mountOn(httpServer, this, this._handlers.upgrade);
    if (!this._mountedOn.includes(httpServer)) this._mountedOn.push(httpServer);
  }
  this._unmounted = false;
  topics.startEngine(this);
  if (listens) this._listen();
};

/** Listens itself; ends in `listening`, or in `error`. */
WebSocketServer.prototype._listen = function _listen() {
  if (this._listener !== null) this._listener.close();
  const { fallback } = this.config;
  const handle = this.handleUpgrade.bind(this);
  this._listener = new Listener(this.config, this._tls, {
    onUpgrade: fallback ? offerUpgrade.bind(null, fallback, this._handlers.upgrade, handle) : handle,
    onTlsError: (error, address) => {
      debug('TLS of %s failed: %s', address.address, error.message);
      this.emit('tlsClientError', error, address);
    },
    onListening: (error) => {
      if (error === null) {
        this.emit('listening');
        return;
      }
      this._listener = null;
      this.emit('error', error);
    },
  }, listensByAddon(this.config));
};

/**
 * Gives new connections of a server with the option `tls` other certificates; those that are open keep theirs.
 * @param {object} tls as the option
 * @throws {Error} when they cannot be used, and without the option
 */
WebSocketServer.prototype.setSecureContext = function setSecureContext(tls) {
  if (this._tls === null) {
    throw websocketError('ERR_WEBSOCKET_TLS', 'setSecureContext() is for servers that listen themselves with the option tls.');
  }
  const prepared = prepareTls(tls, listensByAddon(this.config));
  this._tls = prepared;
  this.config.tls = tls;
  if (this._listener !== null) this._listener.secure(prepared);
};

/** What the listener needs of the option tls; null without it. */
function takeTls(config, listens) {
  const { tls, fallback } = config;
  if (tls === null || tls === undefined) return null;
  if (!listens) {
    throw optionError('The option tls is for servers that listen themselves (port): with httpServer, TLS is that of an https server.');
  }
  if (fallback && !canShare(fallback)) {
    throw optionError('The options tls and fallback do not go together on this runtime: use httpServer with an https server, ' +
      'or a proxy for TLS.');
  }
  return prepareTls(tls, listensByAddon(config));
}

/**
 * Where a server with the option `port` listens: address, family and port.
 * @returns {import('net').AddressInfo|null} null before `listening`, after `close()`, and without the option
 */
WebSocketServer.prototype.address = function address() {
  return this._listener === null ? null : this._listener.address();
};

/**
 * Stops listening for requests, as `unmount()`. Connections stay open.
 * @param {() => void} [callback] called once, when the last connection has closed
 */
WebSocketServer.prototype.close = function close(callback) {
  if (this.config) this.unmount();
  if (typeof callback !== 'function') return;
  const check = () => {
    if (this.connections.length > 0) return;
    this.removeListener('close', check);
    process.nextTick(callback);
  };
  this.on('close', check);
  check();
};

/** Stops listening for requests. Connections stay open. */
WebSocketServer.prototype.unmount = function unmount() {
  this._unmounts++;
  this._unmounted = true;
  topics.endEngineIfUnused(this);
  for (const httpServer of this._mountedOn.splice(0)) unmountFrom(httpServer, this, this._handlers.upgrade);
  if (this._listener === null) return;
  this._listener.close();
  this._listener = null;
};

/** Closes all connections with the closing handshake, and rejects requests that wait with 503. */
WebSocketServer.prototype.closeAllConnections = function closeAllConnections() {
  for (const connection of this.connections.slice()) connection.close();
  for (const request of this.pendingRequests.slice()) {
    process.nextTick(() => {
      // It may have been answered since.
      if (!request._resolved) request.reject(503);
    });
  }
};

/** Sends bytes as a binary message, or anything else as text, to all connections. */
WebSocketServer.prototype.broadcast = function broadcast(data) {
  if (data === null || data === undefined) {
    throw websocketError('ERR_WEBSOCKET_DATA', 'Data provided must either be a Node Buffer or implement toString()', {}, TypeError);
  }
  if (asBuffer(data) !== null) {
    this.broadcastBytes(data);
  } else if (typeof data.toString === 'function') {
    this.broadcastUTF(data);
  }
};

WebSocketServer.prototype.broadcastUTF = function broadcastUTF(utfData) {
  broadcast(this, topics.tableOf(this), 'sendUTF', utfData);
};

WebSocketServer.prototype.broadcastBytes = function broadcastBytes(binaryData) {
  broadcast(this, topics.tableOf(this), 'sendBytes', binaryData);
};

/** Figures about the server up to now; docs/server.md describes them. */
WebSocketServer.prototype.stats = function stats() {
  return statsOfServer(this);
};

/** `unmount()` and `closeAllConnections()`. */
WebSocketServer.prototype.shutDown = function shutDown() {
  this.unmount();
  this.closeAllConnections();
};

/**
 * Handles a request for an upgrade: the listener for `upgrade` of the HTTP server, or called by one of the program's.
 * @param {import('http').IncomingMessage} request
 * @param {import('net').Socket} socket
 * @param {Buffer} [head]
 */
WebSocketServer.prototype.handleUpgrade = function handleUpgrade(request, socket, head) {
  if (!this.config) {
    throw websocketError('ERR_WEBSOCKET_NOT_MOUNTED',
      'mount() has to be called, with the options of the server, before handleUpgrade().');
  }
  if (isBehindResponse(request, socket)) {
    waitForResponses(this, request, socket, head);
    return;
  }
  const wsRequest = new WebSocketRequest(socket, request, this.config, head, this);
  requestArrived(this, wsRequest);
  try {
    if (this._filter !== null && !this._filter(request)) throw foreign();
    wsRequest.readHandshake();
    checkLimits(this, wsRequest);
  } catch (error) {
    refuse(this, wsRequest, error);
    return;
  }

  // Another server on the HTTP server has been faster. The program is told all the same, as it always was.
  const answeredBefore = wsRequest._answeredElsewhere;
  this.pendingRequests.push(wsRequest);
  if (this.config.maxConnectionsPerAddress !== Infinity && !answeredBefore) this._addressCounts.add(wsRequest.remoteAddress, socket);

  try {
    if (this._originProblem === null) announce(this, wsRequest);
    else checkOrigin(this, wsRequest);
  } finally {
    if (answeredBefore) wsRequest._leaveToOther();
    else if (!wsRequest._resolved && !wsRequest._socketIsClosing) startHandshakeTimeout(this, wsRequest);
  }
};

/** Refuses a request that the program is not asked about. */
function refuseAtOnce(server, request, socket, error) {
  const wsRequest = new WebSocketRequest(socket, request, server.config);
  requestArrived(server, wsRequest);
  refuse(server, wsRequest, error);
}

/** Handles a pipelined request when the responses before have been written. */
function waitForResponses(server, request, socket, head) {
  const unmounts = server._unmounts;
  afterResponses(request, socket, () => {
    if (server._unmounts === unmounts) server.handleUpgrade(request, socket, head);
    else refuseAtOnce(server, request, socket, refusal(503, 'The server was unmounted.'));
  });
}

/** What is wrong with a request for another path or host. */
function foreign() {
  return refusal(404, 'There is no WebSocket server here (path, host).');
}

/** Refuses a request that no server on its HTTP server wants. */
function refuseForeign(server, request, socket) {
  const proceed = () => refuseAtOnce(server, request, socket, foreign());
  if (isBehindResponse(request, socket)) afterResponses(request, socket, proceed);
  else proceed();
}

/** Goes on with a request whose origin is one of those that are wanted, now or when the program has made up its mind. */
function checkOrigin(server, wsRequest) {
  const judge = (problem) => {
    // Time may have passed, and the client may have gone or the server have been shut down.
    if ((wsRequest._resolved && !wsRequest._answeredElsewhere) || wsRequest._socketIsClosing) return;
    if (problem === null) announce(server, wsRequest);
    else refuse(server, wsRequest, refusal(403, problem));
  };
  const fail = (cause) => {
    if (wsRequest._resolved) return;
    const error = refusal(500, 'The origin could not be checked (verifyOrigin).');
    error.cause = cause;
    refuse(server, wsRequest, error);
  };
  let problem;
  try {
    problem = server._originProblem(wsRequest);
  } catch (error) {
    fail(error);
    return;
  }
  if (problem === null || typeof problem === 'string') {
    judge(problem);
  } else {
    // A listener that throws is not the check's failure.
    problem.then((answer) => process.nextTick(judge, answer), fail);
  }
}

/** Accepts a request, or has the program do it. */
function announce(server, wsRequest) {
  if (server.config.autoAcceptConnections) {
    // No exception: it would be thrown out of the `upgrade` event, for any client to end the process.
    if (wsRequest._answeredElsewhere) refuse(server, wsRequest, wsRequest._answeredError());
    else autoAccept(server, wsRequest);
  } else if (eventEmitterListenerCount(server, 'request') > 0) {
    emitRequest(server, wsRequest, (cause) => listenerFailed(server, wsRequest, cause));
  } else if (!wsRequest._answeredElsewhere) {
    wsRequest.reject(404, 'No handler is configured to accept the connection.');
  }
}

/** The program will not answer any more, since it has failed. */
function listenerFailed(server, wsRequest, cause) {
  if (wsRequest._resolved || wsRequest._socketIsClosing) return;
  const error = refusal(500, 'A listener for the event request has failed before the request was answered.');
  error.code = 'ERR_WEBSOCKET_REQUEST_LISTENER';
  error.cause = cause;
  refuse(server, wsRequest, error);
}

/** Answers a request that cannot be accepted, and tells the program. */
function refuse(server, wsRequest, error) {
  debug('%s refused: %s', wsRequest.remoteAddress, error.message);
  error.statusCode = error.httpCode || 400;
  noteRefusal(wsRequest, error);
  if (!wsRequest._resolved) wsRequest.reject(error.httpCode || 400, error.message, error.headers);
  server._totals.refused++;
  if (channels.upgradeError.hasSubscribers) channels.upgradeError.publish({ server, request: wsRequest, error });
  server.emit('upgradeError', error);
}

/** The code of the Error for each status that this server refuses requests with by itself. */
const REFUSAL_CODES = {
  400: 'ERR_WEBSOCKET_REQUEST',
  403: 'ERR_WEBSOCKET_ORIGIN',
  404: 'ERR_WEBSOCKET_NO_SERVER',
  408: 'ERR_WEBSOCKET_HANDSHAKE_TIMEOUT',
  429: 'ERR_WEBSOCKET_LIMIT',
  500: 'ERR_WEBSOCKET_VERIFY_ORIGIN',
  503: 'ERR_WEBSOCKET_LIMIT',
};

function refusal(httpCode, message) {
  return websocketError(REFUSAL_CODES[httpCode], message, { httpCode });
}

function checkLimits({ config, connections, pendingRequests, _addressCounts: counts }, { remoteAddress }) {
  if (connections.length >= config.maxConnections) {
    throw refusal(503, `The server has reached its limit of ${config.maxConnections} connections (maxConnections).`);
  }
  if (pendingRequests.length >= config.maxPendingRequests) {
    throw refusal(503,
      `The server has reached its limit of ${config.maxPendingRequests} unanswered requests (maxPendingRequests).`);
  }
  if (counts.of(remoteAddress) >= config.maxConnectionsPerAddress) {
    throw refusal(429, `The limit is ${config.maxConnectionsPerAddress} connections from one address ` +
      '(maxConnectionsPerAddress).');
  }
}

/** Gives the program `handshakeTimeout` milliseconds to answer a request. */
function startHandshakeTimeout(server, wsRequest) {
  const { handshakeTimeout } = server.config;
  if (!isTime(handshakeTimeout)) return;
  const list = deadlinesOf(handshakeTimeout);
  const late = new BoundFunction(() => {
    refuse(server, wsRequest, refusal(408,
      `The request was not answered within ${handshakeTimeout} ms (handshakeTimeout).`));
  });
  const entry = list.add(late, (bound) => bound.call());
  wsRequest._stopTimeout = () => list.remove(entry);
}

function autoAccept(server, wsRequest) {
  const [protocol] = wsRequest.requestedProtocols;
  if (protocol && !isToken(protocol)) {
    refuse(server, wsRequest, refusal(400, `The client asked for a subprotocol that is no token: ${protocol}`));
    return;
  }
  wsRequest.accept(protocol, wsRequest.origin);
}

WebSocketServer.prototype.handleRequestAccepted = function handleRequestAccepted(connection) {
  connection.once('close', (closeReason, description) => {
    this.handleConnectionClose(connection, closeReason, description);
  });
  connection._topics = topics.tableOf(this);
  this.connections.push(connection);
  this.emit('connect', connection);
  // The name in the documentation of WebSocket-Node.
  this.emit('connection', connection);
};

WebSocketServer.prototype.handleConnectionClose = function handleConnectionClose(connection, closeReason, description) {
  remove(this.connections, connection);
  this._totals.add(connection);
  topics.endEngineIfUnused(this);
  this.emit('close', connection, closeReason, description);
};

WebSocketServer.prototype.handleRequestResolved = function handleRequestResolved(request) {
  remove(this.pendingRequests, request);
};

function remove(array, item) {
  const index = array.indexOf(item);
  if (index !== -1) array.splice(index, 1);
}

makeInspectable(WebSocketServer, ['connections', 'pendingRequests']);

module.exports = WebSocketServer;
