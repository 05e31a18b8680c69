'use strict';

const { EventEmitter } = require('events');
const { isPromise } = require('util').types;

const { emit } = EventEmitter.prototype;

/**
 * Emits `request`. A listener may return a promise. When that is rejected, the rejection stays the program's, but `onFailure` is
 * told, since the client waits for an answer. What a listener throws is the program's alone, as in websocket 1.0.35.
 * @param {WebSocketServer} server
 * @param {WebSocketRequest} wsRequest
 * @param {(error: any) => void} onFailure
 */
function emitRequest(server, wsRequest, onFailure) {
  if (server.emit !== emit || server.domain || EventEmitter.captureRejections) {
    // Somebody else has a hand in emitting.
    server.emit('request', wsRequest);
    return;
  }
  // As emit() does it, which keeps what listeners return to itself.
  for (const listener of server.rawListeners('request')) {
    const result = listener.call(server, wsRequest);
    if (isPromise(result)) passFailure(result, onFailure);
  }
}

function passFailure(promise, onFailure) {
  promise.then(undefined, (error) => {
    onFailure(error);
    // That nobody handles it is for Node to report.
    throw error;
  });
}

module.exports = { emitRequest };
