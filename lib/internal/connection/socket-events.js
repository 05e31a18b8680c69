'use strict';

// The events of a connection's socket, except `data`: which method of the connection handles each.

const { Duplex } = require('stream');
const { throwLater } = require('../base/arguments');

/** A socket whose events a connection has come too late for does not emit them again. */
function tellWhatHasHappened(connection) {
  const { socket } = connection;
  if (socket.closed === true) process.nextTick(() => connection.handleSocketClose(Boolean(socket.errored)));
  else if (socket.readableEnded === true && socket.destroyed !== true) process.nextTick(() => connection.handleSocketEnd());
}

const kConnection = Symbol('connection');

/** The methods for the events of a socket, but `data`. */
const SOCKET_HANDLERS = Object.entries({
  error: 'handleSocketError',
  end: 'handleSocketEnd',
  close: 'handleSocketClose',
  drain: 'handleSocketDrain',
  pause: 'handleSocketPause',
  resume: 'handleSocketResume',
});

/** Handles an event of the socket. What a listener of the program throws keeps Node from nothing that comes behind the event. */
function onSocketEvent(connection, method, argument) {
  try {
    connection[method](argument);
  } catch (error) {
    throwLater(error);
  }
}

/** Listeners that all connections share: a socket knows its connection. Six functions less for each. */
const SHARED_LISTENERS = SOCKET_HANDLERS.map(([event, method]) => [
  event, function listener(argument) { onSocketEvent(this[kConnection], method, argument); },
]);

/** Pairs of event and listener for the socket of a connection. */
function socketListeners(connection) {
  const { socket } = connection;
  if (socket instanceof Duplex && socket[kConnection] === undefined) {
    socket[kConnection] = connection;
    return SHARED_LISTENERS;
  }
  // Two connections on one socket, or something that may call its listeners in any way it likes.
  return SOCKET_HANDLERS.map(([event, method]) => [event, (argument) => onSocketEvent(connection, method, argument)]);
}

module.exports = { socketListeners, tellWhatHasHappened };
