'use strict';

const { EventEmitter } = require('events');
const { isPromise } = require('util').types;

const { emit } = EventEmitter.prototype;

/**
 * Emits `request`. What a listener throws, or rejects its promise with, stays the program's; but `onFailure` is told, since the
 * client waits for an answer.
 * @param {WebSocketServer} server
 * @param {WebSocketRequest} wsRequest
 * @param {(error: any) => void} onFailure
 */
function emitRequest(server, wsRequest, onFailure) {
  try {
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
  } catch (error) {
    onFailure(error);
    throw error;
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
