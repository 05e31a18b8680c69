'use strict';

// Small helpers. The names are those of WebSocket-Node, since programs and test suites import them.

const { EventEmitter } = require('events');
const createDebug = require('debug');

const noop = function noop() {};

/** Copies all enumerable properties, inherited ones included, from `source` to `dest`. */
function extend(dest, source) {
  for (const name in source) {
    if (name === '__proto__') {
      // Assigning it would change the prototype of `dest` instead of adding a property.
      Object.defineProperty(dest, name, { value: source[name], writable: true, enumerable: true, configurable: true });
    } else {
      dest[name] = source[name];
    }
  }
}

/** The number of listeners `emitter` has for `type`. */
function eventEmitterListenerCount(emitter, type) {
  return EventEmitter.prototype.listenerCount.call(emitter, type);
}

/**
 * Keeps what is logged about one connection until it is asked to print, so that the story of a connection is read in
 * one piece. Without a `DEBUG` variable that names `identifier`, a function that does nothing.
 * @param {string} identifier namespace for the `debug` package
 * @param {number} uniqueID printed with every line
 */
function createBufferingLogger(identifier, uniqueID) {
  const logFunction = silentLogger(identifier);
  if (!logFunction.enabled) return logFunction;
  const logger = new BufferingLogger(identifier, uniqueID, logFunction);
  const debug = logger.log.bind(logger);
  debug.printOutput = logger.printOutput.bind(logger);
  debug.enabled = true;
  return debug;
}

const loggers = new Map();

/** One function of the `debug` package for each namespace: making one for each connection would cost more than it. */
function silentLogger(identifier) {
  let logFunction = loggers.get(identifier);
  if (logFunction === undefined) {
    logFunction = createDebug(identifier);
    logFunction.printOutput = noop;
    loggers.set(identifier, logFunction);
  }
  return logFunction;
}

function BufferingLogger(identifier, uniqueID, logFunction) {
  this.logFunction = logFunction;
  this.identifier = identifier;
  this.uniqueID = uniqueID;
  this.buffer = [];
}

BufferingLogger.prototype.log = function log(...args) {
  this.buffer.push([new Date(), args]);
  return this;
};

BufferingLogger.prototype.clear = function clear() {
  this.buffer = [];
  return this;
};

BufferingLogger.prototype.printOutput = function printOutput(logFunction = this.logFunction) {
  for (const [date, [format, ...args]] of this.buffer) {
    if (format === undefined || format === null) continue;
    logFunction(`%s - %s - ${format}`, date.toLocaleString(), this.uniqueID, ...args);
  }
};

const bufferAllocUnsafe = Buffer.allocUnsafe;
const bufferFromString = Buffer.from;

// One by one, so that Node finds the names for `import { extend } from 'websocket/lib/utils.js'`.
exports.noop = noop;
exports.extend = extend;
exports.eventEmitterListenerCount = eventEmitterListenerCount;
exports.bufferAllocUnsafe = bufferAllocUnsafe;
exports.bufferFromString = bufferFromString;
exports.BufferingLogger = createBufferingLogger;
