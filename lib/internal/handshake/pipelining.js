'use strict';

// A client may send its request for an upgrade before it has the answer to a request before it (pipelining). The answers have
// to keep the order of the requests (RFC 9112 section 9.3.2). Node emits `upgrade` at once.

const { BoundFunction } = require('../base/context');
const { noop } = require('../../utils');

/** The socket of a request; Node 26 hands out something else for an upgrade with a body. */
function socketOf(request, socket) {
  return request.socket || socket;
}

/** Whether responses to requests before this one have still to be written. */
function isBehindResponse(request, socket) {
  const { _httpMessage: response } = socketOf(request, socket);
  return response !== undefined && response !== null;
}

/**
 * Calls `proceed` when all responses before have been written; never, if the connection ends with one of them.
 * @param {import('http').IncomingMessage} request of the upgrade
 * @param {import('stream').Duplex} socket
 * @param {() => void} proceed
 */
function afterResponses(request, socket, proceed) {
  const carrier = socketOf(request, socket);
  const bound = new BoundFunction(proceed);
  // Node has taken off its own listeners for both.
  const passDrain = () => {
    const response = carrier._httpMessage;
    if (response && response.writableNeedDrain) response.emit('drain');
  };
  carrier.on('drain', passDrain);
  carrier.on('error', noop);

  const next = () => {
    if (!carrier.destroyed && isBehindResponse(request, socket)) {
      carrier._httpMessage.once('close', next);
      return;
    }
    carrier.removeListener('drain', passDrain);
    carrier.removeListener('error', noop);
    // The response before was the last one that the connection was to have.
    if (!carrier.destroyed && !carrier.writableEnded) bound.call();
  };
  next();
}

module.exports = { isBehindResponse, afterResponses };
