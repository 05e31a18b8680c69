'use strict';

// One HTTP request may be seen by several WebSocket servers on one HTTP server, each with a WebSocketRequest of its own. Only
// one of these can be answered.

/** At an HTTP request: its socket, the WebSocketRequests that wait, and whether one of them was answered. */
const kSeen = Symbol('seen');

/**
 * Notes a new WebSocketRequest.
 * @returns {boolean} whether another one for the same HTTP request was answered before
 */
function noteRequest(wsRequest) {
  const { httpRequest, socket } = wsRequest;
  const known = httpRequest[kSeen];
  if (known === undefined || known.socket !== socket) {
    httpRequest[kSeen] = { socket, answered: false, waiting: [wsRequest] };
    return false;
  }
  if (!known.answered) known.waiting.push(wsRequest);
  return known.answered;
}

/**
 * Notes that a WebSocketRequest was answered.
 * @returns {WebSocketRequest[]} the others for the same HTTP request
 */
function noteAnswer(wsRequest) {
  const known = wsRequest.httpRequest[kSeen];
  if (known === undefined || known.socket !== wsRequest.socket) return [];
  const others = known.waiting.filter((other) => other !== wsRequest);
  known.answered = true;
  known.waiting = [];
  return others;
}

module.exports = { noteRequest, noteAnswer };
