'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const { makeInspectable } = require('./internal/base/inspect');

/**
 * A request as a handler of a router sees it: the subprotocol is settled.
 * @param {WebSocketRequest} webSocketRequest
 * @param {string} resolvedProtocol the subprotocol it was routed by
 */
function WebSocketRouterRequest(webSocketRequest, resolvedProtocol) {
  EventEmitter.call(this);
  this.webSocketRequest = webSocketRequest;
  this.protocol = resolvedProtocol === '____no_protocol____' ? null : resolvedProtocol;
  this.origin = webSocketRequest.origin;
  this.resource = webSocketRequest.resource;
  this.resourceURL = webSocketRequest.resourceURL;
  this.httpRequest = webSocketRequest.httpRequest;
  this.remoteAddress = webSocketRequest.remoteAddress;
  this.webSocketVersion = webSocketRequest.webSocketVersion;
  this.requestedExtensions = webSocketRequest.requestedExtensions;
  this.cookies = webSocketRequest.cookies;
}

util.inherits(WebSocketRouterRequest, EventEmitter);

/** Opens the connection with the subprotocol the request was routed by; see WebSocketRequest. */
WebSocketRouterRequest.prototype.accept = function accept(origin, cookies, options) {
  const connection = this.webSocketRequest.accept(this.protocol, origin, cookies, options);
  this.emit('requestAccepted', connection);
  return connection;
};

/** Refuses the request; see WebSocketRequest. */
WebSocketRouterRequest.prototype.reject = function reject(status, reason, extraHeaders) {
  this.webSocketRequest.reject(status, reason, extraHeaders);
  this.emit('requestRejected', this);
};

makeInspectable(WebSocketRouterRequest, ['resource', 'remoteAddress', 'origin', 'protocol'], ['webSocketRequest']);

module.exports = WebSocketRouterRequest;
