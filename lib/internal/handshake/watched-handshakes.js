'use strict';

// Publishes the start and the end of opening handshakes. Both messages of a handshake are the same object, so that a tool can
// keep something with it; at the end it has the outcome as well. A handshake that began before anybody had subscribed is not
// published.
//
// server: { server, request }, then one of these:
//   connection             the request was accepted
//   statusCode, error      it was refused; `error` is that of `upgradeError`, if the server has refused it itself
//   neither                the client has gone, or another server on the same HTTP server has answered
// client: { client, url, headers }, then `connection`, `error`, or `statusCode` for an answer that is given to `httpResponse`.

const { serverHandshakeStart, serverHandshakeEnd, clientHandshakeStart, clientHandshakeEnd } = require('../base/channels');
const { publicUrl } = require('./client-url');

/** Handshakes under way that somebody watches, by WebSocketRequest or WebSocketClient. */
const watched = new WeakMap();

function isWatched(start, end) {
  return start.hasSubscribers || end.hasSubscribers;
}

function begin(subject, handshake, start) {
  watched.set(subject, handshake);
  if (start.hasSubscribers) start.publish(handshake);
}

/** Publishes the end of a handshake, once. */
function end(subject, channel, outcome) {
  const handshake = watched.get(subject);
  if (handshake === undefined) return;
  watched.delete(subject);
  Object.assign(handshake, outcome);
  if (channel.hasSubscribers) channel.publish(handshake);
}

/** A server has got a request. */
function requestArrived(server, request) {
  if (!isWatched(serverHandshakeStart, serverHandshakeEnd)) return;
  const gone = () => requestEnded(request, {});
  request.socket.once('close', gone);
  request.once('requestResolved', () => {
    request.socket.removeListener('close', gone);
    // Whoever has answered says how, after this event.
    process.nextTick(gone);
  });
  begin(request, { server, request }, serverHandshakeStart);
}

/**
 * A request has been answered.
 * @param {WebSocketRequest} request
 * @param {{ connection: WebSocketConnection }|{ statusCode: number }} outcome
 */
function requestEnded(request, outcome) {
  end(request, serverHandshakeEnd, outcome);
}

/** A server refuses a request by itself, because of `error`; called before the answer. */
function noteRefusal(request, error) {
  const handshake = watched.get(request);
  if (handshake !== undefined) handshake.error = error;
}

/**
 * A client begins to connect.
 * @param {WebSocketClient} client
 * @param {[string, unknown][]} headers of the request; a tool may add some
 */
function connectStarted(client, headers) {
  if (!isWatched(clientHandshakeStart, clientHandshakeEnd)) return;
  begin(client, { client, url: publicUrl(client.url), headers }, clientHandshakeStart);
}

/** @param {{ connection: WebSocketConnection }|{ error: Error }|{ statusCode: number }} outcome */
function connectEnded(client, outcome) {
  end(client, clientHandshakeEnd, outcome);
}

module.exports = { requestArrived, requestEnded, noteRefusal, connectStarted, connectEnded };
