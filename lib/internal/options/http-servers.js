'use strict';

// What the options httpServer and fallback may be. For httpServer, Node's servers are not all there is: libraries wrap them, and
// tests have their own. A fallback has to be one of Node's: it is given sockets.

const http = require('http');
const net = require('net');
const tls = require('tls');
const { optionError } = require('../base/errors');
const { shown } = require('./kinds');

/** Properties by which applications of web frameworks have their HTTP server. */
const SERVER_PROPERTIES = ['server', 'httpServer', 'listener'];

function isEmitter(value) {
  return typeof value === 'object' && value !== null && typeof value.on === 'function' &&
    typeof value.removeListener === 'function';
}

/** The applications of web frameworks take middleware and know no address. */
function isApplication(value) {
  return typeof value.use === 'function' && typeof value.address !== 'function';
}

/** A server that hands out sockets and never emits `upgrade`. */
function isPlainSocketServer(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === net.Server.prototype || prototype === tls.Server.prototype;
}

/** Whether a value is a server, or looks like one. */
function isHttpServer(value) {
  return isEmitter(value) && !isApplication(value) && !isPlainSocketServer(value);
}

/** How to get at the server instead of what was given. */
function advice(value) {
  if (typeof value === 'function') return 'An application such as Express\'s is none; the server is what its listen() returns.';
  if (typeof value !== 'object' || value === null) return 'To listen on a port without one, use the option port.';
  const property = SERVER_PROPERTIES.find((name) => isEmitter(value[name]));
  if (property !== undefined) return `Its property ${property} may be one.`;
  if (typeof value.getHttpServer === 'function') return 'Its getHttpServer() returns one.';
  if (typeof value.callback === 'function') return 'For an application such as Koa\'s: http.createServer(app.callback()).';
  if (isEmitter(value) && isPlainSocketServer(value)) return 'A server of node:net or node:tls has no event upgrade.';
  return 'The server is what http.createServer() or https.createServer() returns.';
}

function described(value) {
  return typeof value === 'object' && value !== null && value.constructor ? `an object of class ${value.constructor.name}` : shown(value);
}

function checkServer(value) {
  if (isHttpServer(value)) return;
  const what = described(value);
  throw optionError(`The option httpServer must be an HTTP server or an array of them, not ${what}. ${advice(value)}`);
}

/** The kind of the option: a server or several; nothing is an error of its own, of mount(). */
function httpServers(value) {
  if (Array.isArray(value)) value.forEach(checkServer);
  else if (value) checkServer(value);
  return value;
}

/** How to get at a server that can be the fallback. */
function fallbackAdvice(value) {
  if (typeof value === 'function') return 'For an application such as Express\'s: http.createServer(app).';
  if (value instanceof tls.Server) return 'Requests come to it without TLS: http.createServer() makes one.';
  return typeof value === 'object' ? advice(value) : 'http.createServer() makes one.';
}

/** The kind of the option: an HTTP server of Node, or nothing. */
function fallbackServer(value) {
  if (value === null || value instanceof http.Server) return value;
  throw optionError(`The option fallback must be an HTTP server, not ${described(value)}. ${fallbackAdvice(value)}`);
}

module.exports = { fallbackServer, httpServers, isHttpServer };
