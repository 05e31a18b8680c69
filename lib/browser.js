'use strict';

// What bundlers take in place of the package: the WebSocket class of the browser.

const NativeWebSocket = globalThis.WebSocket || globalThis.MozWebSocket;

/** A WebSocket of the browser; `protocols` is left out when there are none, as some browsers insist. */
function W3CWebSocket(uri, protocols) {
  // A constructor that returns an object gives that object in place of `this`.
  return protocols ? new NativeWebSocket(uri, protocols) : new NativeWebSocket(uri);
}

if (NativeWebSocket) {
  for (const state of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) {
    Object.defineProperty(W3CWebSocket, state, { get: () => NativeWebSocket[state] });
  }
}

module.exports = {
  w3cwebsocket: NativeWebSocket ? W3CWebSocket : null,
  version: require('./version'),
};
