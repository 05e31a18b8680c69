'use strict';

const { EventEmitter } = require('events');
const binding = require('../internal/addon/binding');
const { callBack } = require('../internal/base/arguments');
const { startReceiving } = require('../internal/connection/start-receiving');
const { useDeflate } = require('../internal/compression/per-message-deflate');
const {
  READY_STATES, CONNECTING, OPEN, CLOSING, CLOSED, BINARY_TYPES, DEFLATE, NO_BYTES,
} = require('./constants');
const { inForm } = require('./data');
const { Connection, connectionConfig } = require('./connection');
const { Sender, sizeOf } = require('./sender');
const { mixInEventTarget } = require('./event-target');
const { wsError } = require('./errors');
const { openHandshake, abandonHandshake } = require('./client');

/** Configurations of connections by the options they are made of: one for all connections of a server. */
const configs = new WeakMap();

function configOf(options) {
  let config = configs.get(options);
  if (config === undefined) {
    config = connectionConfig(options);
    configs.set(options, config);
  }
  return config;
}

/** The subprotocols that a client is given: as second argument, or among the options in its place. */
function protocolsAndOptions(protocols, options) {
  if (typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols)) {
    options = protocols;
    protocols = undefined;
  }
  if (protocols === undefined) protocols = options?.protocols === undefined ? [] : options.protocols;
  return [Array.isArray(protocols) ? protocols : [protocols], options];
}

/** A WebSocket with the interface of ws: that of a client, or one that a server has made. */
class WebSocket extends EventEmitter {
  /**
   * @param {string|URL|null} address null on the side of a server, which calls setSocket()
   * @param {string|string[]|object} [protocols]
   * @param {object} [options] see docs/ws.md
   */
  constructor(address, protocols, options) {
    super();
    this._isServer = address === null;
    this._readyState = CONNECTING;
    this._protocol = '';
    this._extensions = {};
    this._binaryType = BINARY_TYPES[0];
    this._paused = false;
    this._closeFrameReceived = false;
    this._closeFrameSent = false;
    this._closeCode = 1006;
    this._closeMessage = NO_BYTES;
    this._closeTimer = null;
    this._errorEmitted = false;
    // Of a client whose handshake has failed.
    this._bufferedAmount = 0;
    this._socket = null;
    this._sender = null;
    this._connection = null;
    if (!this._isServer) {
      this._redirects = 0;
      const [names, given] = protocolsAndOptions(protocols, options);
      options = openHandshake(this, address, names, given);
    }
    this._autoPong = options.autoPong;
    this._closeTimeout = options.closeTimeout;
  }

  get binaryType() { return this._binaryType; }

  set binaryType(type) {
    if (BINARY_TYPES.includes(type)) this._binaryType = type;
  }

  get bufferedAmount() {
    if (this._connection === null) return this._bufferedAmount;
    return this._connection.unsentBytes() + this._sender._bufferedBytes;
  }

  get extensions() { return Object.keys(this._extensions).join(); }

  get isPaused() { return this._paused; }

  get protocol() { return this._protocol; }

  get readyState() { return this._readyState; }

  get url() { return this._url; }

  /**
   * Opens the connection on a socket whose handshake is done. Servers and clients call this.
   * @param {import('stream').Duplex} socket
   * @param {Buffer} head what was read from the socket behind the handshake
   * @param {object} options of the server or the client
   * @param {object} [agreed] permessage-deflate: `settings` and `answer`; and the `response` that a server still has to send
   */
  setSocket(socket, head, options, { deflate = null, response = null } = {}) {
    const connection = new Connection(this, socket, configOf(options), !options.skipUTF8Validation);
    if (deflate !== null) {
      useDeflate(connection, deflate.settings, deflate.answer);
      this._extensions = { [DEFLATE]: { params: binding.deflateAgreement(deflate.answer)?.params } };
    }
    this._socket = socket;
    this._connection = connection;
    this._sender = new Sender(connection, options.generateMask);
    // With the addon, the response leaves together with what the program sends in this tick.
    const together = response !== null && connection._mayTakeOver();
    if (response !== null && !together) socket.write(response, 'latin1');
    startReceiving(connection, head);
    if (together) {
      connection._responseLength = response.length;
      connection._transport.sendRaw(connection, Buffer.from(response, 'latin1'));
    }
    this._readyState = OPEN;
    this.emit('open');
  }

  /**
   * Sends a message, or a fragment of one.
   * @param {any} data text, bytes or a Blob
   * @param {object|Function} [options] `binary`, `compress`, `fin`, `mask`
   * @param {(error?: Error) => void} [cb]
   */
  send(data, options, cb) {
    if (this._readyState === CONNECTING) throw notOpen(this);
    if (typeof options === 'function') {
      cb = options;
      options = undefined;
    }
    if (typeof data === 'number') data = data.toString();
    if (this._readyState !== OPEN) {
      this._tooLate(data, cb);
      return;
    }
    const isText = typeof data === 'string';
    if (options === undefined || options === null) {
      this._sender.send(isText || data ? data : NO_BYTES, !isText, true, true, !this._isServer, cb);
      return;
    }
    const { binary = !isText, compress = true, fin = true, mask = !this._isServer } = options;
    this._sender.send(data || NO_BYTES, binary, compress, fin, mask, cb);
  }

  /** Sends a Ping with up to 125 bytes. */
  ping(data, mask, cb) {
    sendControl(this, 'ping', data, mask, cb);
  }

  /** Sends a Pong with up to 125 bytes. */
  pong(data, mask, cb) {
    sendControl(this, 'pong', data, mask, cb);
  }

  /** Stops reading; messages that were read already wait as well. */
  pause() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;
    this._paused = true;
    this._connection.pause();
  }

  resume() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;
    this._paused = false;
    this._connection.resume();
  }

  /**
   * Starts or answers the closing handshake.
   * @param {number} [code]
   * @param {string|Buffer} [reason]
   */
  close(code, reason) {
    if (this._readyState === CLOSED) return;
    if (this._readyState === CONNECTING) {
      abandonHandshake(this);
      return;
    }
    if (this._readyState === CLOSING) {
      this._endAfterCloseFrames();
      return;
    }
    this._sender.close(code, reason, !this._isServer, (error) => {
      if (error) return;
      this._closeFrameSent = true;
      this._endAfterCloseFrames();
    });
    this._startClosing();
  }

  /** Destroys the socket. */
  terminate() {
    if (this._readyState === CLOSED) return;
    if (this._readyState === CONNECTING) {
      abandonHandshake(this);
      return;
    }
    // There is none when the handshake has failed, and a listener for that calls this.
    if (this._socket === null) return;
    this._readyState = CLOSING;
    this._socket.destroy();
  }

  // What follows is called by the connection, the client and the server.

  _startClosing() {
    this._readyState = CLOSING;
    this._connection.startClosing();
    this._closeTimer = setTimeout(() => this._socket.destroy(), this._closeTimeout);
  }

  /** When nothing more is to be expected of either side, the socket ends. */
  _endAfterCloseFrames() {
    if (this._closeFrameSent && this._connection._concluded) this._socket.end();
  }

  _received(data, isBinary) {
    this.emit('message', isBinary ? inForm(data, this._binaryType) : data, isBinary);
  }

  _pinged(data) {
    // Through the public method: programs put their own in its place.
    if (this._autoPong && this._readyState === OPEN && !this._connection.keepsAnswer(data)) this.pong(data);
    this.emit('ping', data);
  }

  /** The peer has sent its Close frame. */
  _concluded(code, reason) {
    this._closeFrameReceived = true;
    this._closeCode = code;
    this._closeMessage = reason === '' ? NO_BYTES : Buffer.from(reason);
    if (code === 1005) this.close();
    else this.close(code, this._closeMessage);
  }

  /** The peer has done something that it must not do. */
  _failed(error, closeCode) {
    this.close(closeCode);
    this._emitError(error);
  }

  /** What the program wanted to send cannot be read. */
  _sendFailed(error) {
    if (this._readyState === CLOSED) return;
    if (this._readyState === OPEN) this._startClosing();
    this._socket.end();
    this._emitError(error);
  }

  _emitError(error) {
    if (this._errorEmitted) return;
    this._errorEmitted = true;
    this.emit('error', error);
  }

  _socketEnded() {
    this._readyState = CLOSING;
    this._connection.startClosing();
  }

  _connectionClosed() {
    clearTimeout(this._closeTimer);
    // Behind the callbacks of what was sent, that of the Close frame among them: they are called in ticks of their own.
    process.nextTick(emitClose, this);
  }

  /** A handshake has failed. */
  _emitErrorAndClose(error) {
    this._readyState = CLOSING;
    this._errorEmitted = true;
    this.emit('error', error);
    this.emitClose();
  }

  emitClose() {
    this._readyState = CLOSED;
    this.emit('close', this._closeCode, this._closeMessage);
  }

  /** What comes when the connection is closing counts as waiting for ever. */
  _tooLate(data, cb) {
    if (data) {
      const size = sizeOf(data);
      if (this._sender !== null) this._sender._bufferedBytes += size;
      else this._bufferedAmount += size;
    }
    callBack(cb, notOpen(this));
  }
}

function emitClose(websocket) {
  websocket.emitClose();
}

function notOpen({ _readyState: state }) {
  return wsError('ERR_WEBSOCKET_CLOSED', `WebSocket is not open: readyState ${state} (${READY_STATES[state]})`);
}

function sendControl(websocket, method, data, mask, cb) {
  if (websocket._readyState === CONNECTING) throw notOpen(websocket);
  if (typeof data === 'function') {
    cb = data;
    data = mask = undefined;
  } else if (typeof mask === 'function') {
    cb = mask;
    mask = undefined;
  }
  if (typeof data === 'number') data = data.toString();
  if (websocket._readyState !== OPEN) {
    websocket._tooLate(data, cb);
    return;
  }
  websocket._sender[method](data || NO_BYTES, mask === undefined ? !websocket._isServer : mask, cb);
}

for (const [value, name] of READY_STATES.entries()) {
  for (const target of [WebSocket, WebSocket.prototype]) Object.defineProperty(target, name, { enumerable: true, value });
}
for (const name of ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url']) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}
mixInEventTarget(WebSocket);

module.exports = { WebSocket };
