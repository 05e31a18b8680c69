'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const { extend } = require('./utils');
const WebSocketRouterRequest = require('./WebSocketRouterRequest');
const { errorsWithCode } = require('./internal/base/errors');

const routeError = errorsWithCode('ERR_WEBSOCKET_ROUTE');

/** Stands for "the client asked for no subprotocol"; underscores at both ends keep it apart from real names. */
const NO_PROTOCOL = '____no_protocol____';

/**
 * Distributes the requests of a server among handlers, by path and subprotocol.
 * @param {object} [config]
 * @param {WebSocketServer} [config.server] the server to attach to
 */
function WebSocketRouter(config) {
  EventEmitter.call(this);
  this.config = { server: null };
  if (config) extend(this.config, config);
  this.handlers = [];
  this._requestHandler = this.handleRequest.bind(this);
  if (this.config.server) this.attachServer(this.config.server);
}

util.inherits(WebSocketRouter, EventEmitter);

WebSocketRouter.prototype.attachServer = function attachServer(server) {
  if (!server) throw routeError('You must specify a WebSocketServer instance to attach to.');
  this.server = server;
  this.server.on('request', this._requestHandler);
};

WebSocketRouter.prototype.detachServer = function detachServer() {
  if (!this.server) throw routeError('Cannot detach from server: not attached.');
  this.server.removeListener('request', this._requestHandler);
  this.server = null;
};

/**
 * Adds a handler.
 * @param {string|RegExp} path a path, `*` for all, or an expression for paths
 * @param {string|null} protocol a subprotocol, `*` for any, or null for requests without one
 * @param {(request: WebSocketRouterRequest) => void} callback
 * @throws {Error} for missing arguments, and when there is a handler for the same path and protocol
 */
WebSocketRouter.prototype.mount = function mount(path, protocol, callback) {
  if (!path) throw routeError('You must specify a path for this handler.');
  if (!protocol) protocol = NO_PROTOCOL;
  if (!callback) throw routeError('You must specify a callback for this handler.');
  path = this.pathToRegExp(path);
  if (!(path instanceof RegExp)) throw routeError('Path must be specified as either a string or a RegExp.');
  const pathString = path.toString();
  protocol = protocol.toLowerCase();
  if (this.findHandlerIndex(pathString, protocol) !== -1) {
    throw routeError('You may only mount one handler per path/protocol combination.');
  }
  this.handlers.push({ path, pathString, protocol, callback });
};

/**
 * Removes the handler for a path and a subprotocol.
 * @throws {Error} when there is none
 */
WebSocketRouter.prototype.unmount = function unmount(path, protocol) {
  const index = this.findHandlerIndex(this.pathToRegExp(path).toString(), protocol || NO_PROTOCOL);
  if (index === -1) throw routeError('Unable to find a route matching the specified path and protocol.');
  this.handlers.splice(index, 1);
};

/** The place in `handlers` of the handler for an expression (as a string) and a subprotocol, or -1. */
WebSocketRouter.prototype.findHandlerIndex = function findHandlerIndex(pathString, protocol) {
  const wanted = protocol.toLowerCase();
  return this.handlers.findIndex((handler) => handler.pathString === pathString && handler.protocol === wanted);
};

/** The expression for a path; what is no string is returned as it is. */
WebSocketRouter.prototype.pathToRegExp = function pathToRegExp(path) {
  if (typeof path !== 'string') return path;
  if (path === '*') return /^.*$/;
  return new RegExp(`^${path.replace(/[-[\]{}()*+?.,\\^$|#\s]/g, '\\$&')}$`);
};

/**
 * Passes a request to the first handler that fits, in the client's order of subprotocols; 404 when none does.
 * @returns {any} what the handler returns: the server looks after promises that are rejected
 */
WebSocketRouter.prototype.handleRequest = function handleRequest(request) {
  let { requestedProtocols } = request;
  if (requestedProtocols.length === 0) requestedProtocols = [NO_PROTOCOL];
  for (const requested of requestedProtocols) {
    const protocol = requested.toLowerCase();
    const fits = (handler) => {
      // An expression with the flags g or y remembers where its last match ended.
      handler.path.lastIndex = 0;
      return handler.path.test(request.resourceURL.pathname) &&
        (handler.protocol === protocol || handler.protocol === '*');
    };
    const handler = this.handlers.find(fits);
    if (handler !== undefined) {
      return handler.callback(new WebSocketRouterRequest(request, protocol));
    }
  }
  // Another server on the same HTTP server may have had one.
  if (!request._answeredElsewhere) request.reject(404, 'No handler is available for the given request.');
  return undefined;
};

module.exports = WebSocketRouter;
