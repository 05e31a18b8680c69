'use strict';

const { format } = require('./format');

// What the harness writes down about the library's own objects.

/** Names for instances of the library's classes, so that a trace shows `<connection>` and not its inside. */
function namer(pkg) {
  const { lib } = pkg;
  const RouterRequest = pkg.deep('lib/WebSocketRouterRequest');
  return (value) => {
    if (typeof value === 'function') return undefined;
    if (value instanceof lib.connection) return '<connection>';
    if (value instanceof lib.request) return '<request>';
    if (value instanceof lib.server) return '<server>';
    if (value instanceof lib.client) return '<client>';
    if (value instanceof lib.router) return '<router>';
    if (value instanceof RouterRequest) return '<routerRequest>';
    if (value instanceof lib.w3cwebsocket) return '<w3c>';
    return undefined;
  };
}

/** The fields of a frame that are visible to programs. */
function frameFields(frame) {
  const fields = {};
  for (const key of ['fin', 'rsv1', 'rsv2', 'rsv3', 'mask', 'opcode', 'length', 'binaryPayload', 'closeStatus',
    'protocolError', 'frameTooLarge', 'invalidCloseFrameLength', 'dropReason', 'parseState']) {
    if (frame[key] === undefined) continue;
    fields[key] = frame[key];
  }
  return fields;
}

/** State of a connection in one word each: only what is not as in a fresh connection is named. */
function stateOf(connection) {
  const parts = [`| ${connection.state}`, connection.connected ? 'connected' : 'unconnected'];
  parts.push(String(connection.closeReasonCode), format(connection.closeDescription));
  if (connection.waitingForCloseResponse) parts.push('waiting');
  if (connection.closeEventEmitted) parts.push('emitted');
  if (connection.receivedEnd) parts.push('receivedEnd');
  if (connection.outputBufferFull) parts.push('full');
  if (connection.inputPaused) parts.push('paused');
  return parts.join(' ');
}

const CONNECTION_EVENTS = ['message', 'frame', 'pong', 'close', 'error', 'drain', 'pause', 'resume'];

/**
 * Writes every event of a connection into the trace, with the state at that moment.
 * `ping` is not among the default events: listening for it changes what the library does.
 */
function watchConnection(trace, connection, label = 'connection', events = CONNECTION_EVENTS) {
  for (const event of events) {
    connection.on(event, (...args) => {
      const shown = event === 'frame' ? [frameFields(args[0]), ...args.slice(1)] : args;
      trace(`${label} ${event}`, ...shown, raw(stateOf(connection)));
    });
  }
  return connection;
}

/** Events of a server with the lengths of its two lists. */
function watchServer(trace, server, label = 'server', events = ['connect', 'close', 'upgradeError']) {
  for (const event of events) {
    server.on(event, (...args) => {
      trace(`${label} ${event}`, ...args, raw(`| pending ${server.pendingRequests.length}, connections ${server.connections.length}`));
    });
  }
  return server;
}

function watchRequest(trace, request, label = 'request') {
  for (const event of ['requestAccepted', 'requestRejected', 'requestResolved']) {
    request.on(event, (...args) => trace(`${label} ${event}`, ...args));
  }
  return request;
}

function watchClient(trace, client, label = 'client', events = ['connect', 'connectFailed']) {
  for (const event of events) client.on(event, (...args) => trace(`${label} ${event}`, ...args));
  return client;
}

/** Events of a W3C socket with readyState, and the fields each kind of event has. */
function watchW3C(trace, socket, label = 'w3c') {
  const fields = { message: ['data'], close: ['code', 'reason', 'wasClean'] };
  for (const type of ['open', 'message', 'error', 'close']) {
    socket.addEventListener(type, (event) => {
      const shown = { type: event.type, target: event.target === socket };
      for (const key of fields[type] || []) shown[key] = event[key];
      trace(`${label} ${type}`, shown, raw(`| readyState ${socket.readyState}`));
    });
  }
  return socket;
}

/** Text that goes into the trace as it is. */
class Raw { constructor(text) { this.text = text; } }
const raw = (text) => new Raw(text);

module.exports = {
  namer, frameFields, stateOf, watchConnection, watchServer, watchRequest, watchClient, watchW3C, raw, Raw, CONNECTION_EVENTS,
};
