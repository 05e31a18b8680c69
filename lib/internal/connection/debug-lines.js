'use strict';

// What DEBUG=websocket:connection prints: one line for each thing that happens on a connection, at once, with the number
// of the connection and the peer's address.

const createDebug = require('debug');
const { noop } = require('../../utils');

// One for all connections: making one costs more than a connection may. Its `enabled` follows createDebug.enable().
const print = createDebug('websocket:connection');

/** The logger of every connection while DEBUG does not name the namespace. */
function silent() {}
silent.enabled = false;
silent.printOutput = noop;

let lastId = 0;

/** The peer's address, with the port where it is the port of that address and not of a proxy. */
function peerOf({ remoteAddress, socket }) {
  if (!remoteAddress) return '(no address)';
  if (remoteAddress !== socket.remoteAddress || !socket.remotePort) return remoteAddress;
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${socket.remotePort}` : `${remoteAddress}:${socket.remotePort}`;
}

/**
 * The function `_debug` of a connection: prints a line, with the arguments of `console.log()`.
 * Its `printOutput()` is there because programs call it; no line waits to be printed.
 */
function debugLines(connection) {
  if (!print.enabled) return silent;
  const id = ++lastId;
  let peer = '';
  const line = (format, ...args) => {
    // A socket that is closed has no address any more.
    if (connection.socket.remotePort || peer === '') peer = peerOf(connection);
    print(`#%d %s ${format}`, id, peer, ...args);
  };
  line.enabled = true;
  line.printOutput = noop;
  return line;
}

/** Prints that a message, given as a string or as bytes, was received or is being sent. Called only while `_debug.enabled`. */
function debugMessage(connection, what, isText, data) {
  connection._debug('%s: %s, %d bytes', what, isText ? 'text' : 'binary', Buffer.byteLength(data));
}

/** A close code with its description, if there is one. */
function debugCode(code, description) {
  return description ? `${code} ${description}` : String(code);
}

module.exports = { debugLines, debugMessage, debugCode };
