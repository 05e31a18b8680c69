'use strict';

const { toUSVString, types } = require('util');
const WebSocketClient = require('./WebSocketClient');
const { makeInspectable } = require('./internal/base/inspect');
const { extend } = require('./utils');
const { Event, mixInEventTarget } = require('./internal/base/event-target');
const { asBuffer } = require('./internal/base/arguments');
const { MAX_REASON_LENGTH } = require('./internal/base/close-codes');
const { websocketError } = require('./internal/base/errors');

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * The browser's WebSocket class (https://websockets.spec.whatwg.org/), with more arguments.
 * @param {string} url
 * @param {string|string[]} [protocols]
 * @param {string} [origin]
 * @param {object} [headers] additional request headers
 * @param {object} [requestOptions] options for `http.request()`
 * @param {object} [clientConfig] options of WebSocketClient
 * @throws {Error} as `WebSocketClient.connect()`, and without `new`
 */
function W3CWebSocket(url, protocols, origin, headers, requestOptions, clientConfig) {
  if (!(this instanceof W3CWebSocket)) {
    throw websocketError('ERR_WEBSOCKET_ARGUMENT', 'W3CWebSocket is a class: call it with new.', {}, TypeError);
  }
  this._url = url;
  this._readyState = CONNECTING;
  this._protocol = undefined;
  this._extensions = '';
  this._bufferedAmount = 0;
  this._binaryType = 'arraybuffer';
  this._connection = undefined;

  const config = {};
  extend(config, clientConfig);
  config.assembleFragments = true;
  this._client = new WebSocketClient(config);
  this._client.on('connect', (connection) => onConnect(this, connection));
  this._client.on('connectFailed', (error) => onConnectFailed(this, error));
  this._client.connect(url, protocols, origin, headers, requestOptions);
}

mixInEventTarget(W3CWebSocket.prototype);

Object.defineProperties(W3CWebSocket.prototype, {
  url: { get() { return this._url; } },
  readyState: { get() { return this._readyState; } },
  protocol: { get() { return this._protocol; } },
  extensions: { get() { return this._extensions; } },
  /** Bytes of messages given to `send()` that the operating system has not taken yet; what was never sent stays counted. */
  bufferedAmount: { get() { return this._bufferedAmount; } },
  /** What binary messages arrive as: `'arraybuffer'` (the default) or `'blob'`. */
  binaryType: {
    get() { return this._binaryType; },
    set(type) {
      if (type !== 'arraybuffer' && type !== 'blob') {
        throw websocketError('ERR_WEBSOCKET_ARGUMENT',
          `"arraybuffer" and "blob" are the values allowed for "binaryType", not "${type}"`, {}, SyntaxError);
      }
      this._binaryType = type;
    },
  },
});

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(W3CWebSocket, name, { get: () => value });
  Object.defineProperty(W3CWebSocket.prototype, name, { get: () => value });
}

/**
 * Sends a message: strings as text; Buffers, ArrayBuffers and views as binary.
 * @throws {Error} when the connection is not open, or for other data
 */
W3CWebSocket.prototype.send = function send(data) {
  if (this._readyState !== OPEN) throw websocketError('ERR_WEBSOCKET_NOT_OPEN', 'cannot call send() while not connected');
  if (typeof data === 'string' || types.isStringObject(data)) {
    const text = String(data);
    this._connection.sendUTF(text, counted(this, Buffer.byteLength(text)));
    return;
  }
  const bytes = asBuffer(data);
  if (bytes === null) {
    throw websocketError('ERR_WEBSOCKET_DATA', 'unknown binary data:', { cause: data });
  }
  this._connection.sendBytes(bytes, counted(this, bytes.length));
};

/** Adds the bytes of a message to `bufferedAmount`, until the callback returned here hears that they have been sent. */
function counted(socket, length) {
  socket._bufferedAmount += length;
  return (error) => {
    // As the standard has it, what a connection had not sent when it closed is counted for ever.
    if (!error || error.code === 'ERR_WEBSOCKET_BUFFER_FULL') socket._bufferedAmount -= length;
  };
}

/**
 * Closes the connection, or gives it up when it is not open yet.
 * @param {number} [code] 1000, or 3000 to 4999
 * @param {string} [reason] at most 123 bytes in UTF-8
 * @throws {DOMException} InvalidAccessError for another code, SyntaxError for a longer reason
 */
W3CWebSocket.prototype.close = function close(code, reason) {
  // What cannot be encoded is replaced here already, so that the `close` event tells what was sent.
  if (reason !== undefined) reason = toUSVString(String(reason));
  code = checkCloseArguments(code, reason);
  switch (this._readyState) {
    case CONNECTING:
      this._readyState = CLOSING;
      giveUp(this);
      break;
    case OPEN:
      this._readyState = CLOSING;
      this._connection.close(code, reason);
      break;
    default:
  }
};

function checkCloseArguments(code, reason) {
  // To a number as WebIDL has it for `[Clamp] unsigned short`.
  const number = code === undefined ? undefined : Math.round(Math.min(Math.max(Number(code) || 0, 0), 65535));
  if (number !== undefined && number !== 1000 && !(number >= 3000 && number <= 4999)) {
    throw new DOMException(`The close code must be 1000 or from 3000 to 4999, not ${code}.`, 'InvalidAccessError');
  }
  if (reason !== undefined && Buffer.byteLength(reason) > MAX_REASON_LENGTH) {
    throw new DOMException(`The close reason must not be longer than ${MAX_REASON_LENGTH} bytes.`, 'SyntaxError');
  }
  return number;
}

/** Ends an attempt to connect; the events come as for any other failure, but never within close(). */
function giveUp(socket) {
  const client = socket._client;
  // Should it connect at this very moment: there is nobody any more who wants it.
  client.removeAllListeners('connect');
  client.on('connect', (connection) => connection.drop(1000));
  process.nextTick(() => {
    client.abort();
    client.emit('connectFailed', websocketError('ERR_WEBSOCKET_ABORTED',
      'The WebSocket was closed before the connection was established.'));
  });
}

function onConnect(socket, connection) {
  socket._readyState = OPEN;
  socket._connection = connection;
  socket._protocol = connection.protocol;
  // As in 1.0.35 a list when there is none, as in browsers a string when there are.
  const { extensions } = connection;
  socket._extensions = Array.isArray(extensions) && extensions.length > 0 ? headerOf(extensions) : extensions;
  connection.on('close', (code, reason) => onClose(socket, code, reason));
  connection.on('message', (message) => onMessage(socket, message));
  socket.dispatchEvent(new Event('open'));
}

/** Extensions as they stood in the server's answer. */
function headerOf(extensions) {
  return extensions.map(({ name, value }) => (value ? `${name}; ${value}` : name)).join(', ');
}

function onConnectFailed(socket, error) {
  destroy(socket);
  socket._readyState = CLOSED;
  const event = new Event('error');
  event.error = error;
  event.message = error ? error.message : '';
  try {
    socket.dispatchEvent(event);
  } finally {
    dispatchClose(socket, 1006, 'connection failed', false);
  }
}

function onClose(socket, code, reason) {
  destroy(socket);
  socket._readyState = CLOSED;
  // A connection that a program has made up knows nothing of closing handshakes; 1.0.35 goes by the code.
  const { _closedCleanly: wasClean = code === undefined || code === 1000 } = socket._connection;
  dispatchClose(socket, code, reason || '', Boolean(wasClean));
}

function dispatchClose(socket, code, reason, wasClean) {
  socket.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean }));
}

function onMessage(socket, message) {
  const event = new Event('message');
  if (message.type === 'utf8') {
    event.data = message.utf8Data;
  } else if (socket._binaryType === 'blob') {
    event.data = new Blob([message.binaryData]);
  } else {
    // A copy that is an ArrayBuffer of its own: a Buffer may be a part of a larger one.
    event.data = new Uint8Array(message.binaryData).buffer;
  }
  socket.dispatchEvent(event);
}

function destroy(socket) {
  socket._client.removeAllListeners();
  if (socket._connection) socket._connection.removeAllListeners();
}

makeInspectable(W3CWebSocket, ['url', 'readyState', 'protocol', 'extensions', 'binaryType', 'bufferedAmount']);

module.exports = W3CWebSocket;
