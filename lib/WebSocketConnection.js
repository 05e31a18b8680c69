'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const { Duplex } = require('stream');
const utils = require('./utils');
const WebSocketFrame = require('./WebSocketFrame');
const BufferList = require('../vendor/FastBufferList');
const { checkReason, defineCloseCodes, isSendableCloseCode, truncateReason } = require('./internal/close-codes');
const { OPCODE } = require('./internal/encode');
const { KIND, CLOSE_VALIDITY, MASK_POLICY } = require('./internal/events');
const { Inbox } = require('./internal/inbox');
const { StreamReceiver } = require('./internal/stream-receiver');
const { createContext } = require('./internal/context');
const { scheduleDelivery } = require('./internal/delivery');
const { destroyAfter } = require('./internal/linger');
const keepalive = require('./internal/keepalive');
const sending = require('./internal/sending');
const streamTransport = require('./internal/stream-transport');
const nativeTransport = require('./internal/native-transport');

// The values of `state`. `connected` is true in the first only.

/** Messages flow both ways. */
const STATE_OPEN = 'open';
/** The peer has sent a Close frame; ours is on its way and nothing follows it. */
const STATE_PEER_REQUESTED_CLOSE = 'peer_requested_close';
/** We have sent a Close frame and wait for the peer's; nothing else is sent or reported any more. */
const STATE_ENDING = 'ending';
/** It is over. */
const STATE_CLOSED = 'closed';

const DEFAULT_CLOSE_TIMEOUT = 5000;

/** Fragments that are queued one by one when the program has its own processFrame(). */
const MAX_QUEUED_FRAMES = 1024;

let lastId = 0;

/**
 * A WebSocket connection after its opening handshake. Servers and clients make these; a program may make one itself
 * on any socket, and then calls `_addSocketEventListeners()`.
 *
 * @param {import('net').Socket} socket a socket, another Duplex, or an EventEmitter with the methods of one
 * @param {object[]} extensions negotiated extensions
 * @param {string|null} protocol negotiated subprotocol
 * @param {boolean} maskOutgoingPackets true on the client's side (RFC 6455 section 5.3)
 * @param {object} config options, see docs/connection.md
 * @throws {Error} when `keepalive` is on and its intervals are no numbers, or the socket has no native keepalive
 */
function WebSocketConnection(socket, extensions, protocol, maskOutgoingPackets, config) {
  this._debug = utils.BufferingLogger('websocket:connection', ++lastId);
  this._debug('constructor');

  EventEmitter.call(this);

  this.config = config;
  this.socket = socket;
  this.protocol = protocol;
  this.extensions = extensions;
  this.remoteAddress = socket.remoteAddress;
  this.closeReasonCode = -1;
  this.closeDescription = null;
  this.closeEventEmitted = false;
  this.maskOutgoingPackets = maskOutgoingPackets;

  this.fragmentationSize = 0;
  this.frameQueue = [];

  this.connected = true;
  this.state = STATE_OPEN;
  this.waitingForCloseResponse = false;
  this.receivedEnd = false;

  this.closeTimeout = config.closeTimeout;
  this.outputBufferFull = false;
  this.inputPaused = false;

  // The async context in which events are emitted: that of the socket. Servers and clients know better than this.
  this._context = null;
  // Received events that wait to be delivered.
  this._inbox = new Inbox();
  // Who moves the bytes, and what it keeps: the Rust receiver of a stream, or the id of a taken-over socket.
  this._transport = streamTransport;
  this._receiver = null;
  this._nativeId = null;
  this._sendCallbacks = null;
  this._assembleFragments = config.assembleFragments;
  this._maxReceivedMessageSize = config.maxReceivedMessageSize;
  this._maxReceivedFrameSize = config.maxReceivedFrameSize;
  // Whether the socket was closed before the inbox was empty.
  this._socketClosed = false;
  // Whether both Close frames have been exchanged (RFC 6455 section 7.1.4).
  this._closedCleanly = false;
  // The Pong that waits for the socket to drain: the answer to the newest Ping.
  this._waitingPong = null;

  socket.setNoDelay(config.disableNagleAlgorithm);
  // A quiet connection is no dead connection: no inactivity timeout.
  socket.setTimeout(0);
  // When something was last received, for the keepalive timer of taken-over sockets; 0 for "not since it was set".
  this._receivedAt = 0;
  keepalive.startKeepalive(this);

  // Node's HTTP client listens for errors of the socket and would report them as its own.
  socket.removeAllListeners('error');
}

util.inherits(WebSocketConnection, EventEmitter);
Object.assign(WebSocketConnection.prototype, sending.methods, keepalive.methods);
defineCloseCodes(WebSocketConnection);

// Parts of the original's parser that programs and tests look at. Nobody pays for them who does not.
lazyProperty('maskBytes', () => Buffer.alloc(4));
lazyProperty('frameHeader', () => Buffer.alloc(10));
lazyProperty('bufferList', () => new BufferList());
lazyProperty('currentFrame', (connection) => newFrame(connection));

function lazyProperty(name, create) {
  const define = (target, value) => {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(WebSocketConnection.prototype, name, {
    configurable: true,
    get() {
      const value = create(this);
      define(this, value);
      return value;
    },
    set(value) { define(this, value); },
  });
}

Object.defineProperty(WebSocketConnection.prototype, '_pingListenerCount', {
  configurable: true,
  get() { return this.listenerCount('ping'); },
});

/**
 * How the bytes of the connection are moved: `'stream'` by Node's socket, `'loop'` by the addon on Node's event
 * loop, `'threads'` by the addon on a thread of its own. */
Object.defineProperty(WebSocketConnection.prototype, 'transport', {
  configurable: true,
  get() { return this._transport.name; },
});

/** Starts receiving. Called once, by whoever made the connection. */
WebSocketConnection.prototype._addSocketEventListeners = function _addSocketEventListeners() {
  const { socket } = this;
  if (this._context === null) this._context = createContext();
  for (const [event, listener] of socketListeners(this)) socket.on(event, listener);
  if (mayTakeOver(this) && nativeTransport.takeOver(this, this.config.io, maskPolicy(this), receiverConfig(this))) {
    this._transport = nativeTransport;
  } else {
    socket.on('data', this.handleSocketData.bind(this));
  }
  this._debug('transport: %s', this._transport.name);
};

const kConnection = Symbol('connection');

/** The methods for the events of a socket, but `data`. */
const SOCKET_HANDLERS = Object.entries({
  error: 'handleSocketError',
  end: 'handleSocketEnd',
  close: 'handleSocketClose',
  drain: 'handleSocketDrain',
  pause: 'handleSocketPause',
  resume: 'handleSocketResume',
});

/** Listeners that all connections share: a socket knows its connection. Six functions less for each. */
const SHARED_LISTENERS = SOCKET_HANDLERS.map(([event, method]) => [
  event, function onSocketEvent(argument) { this[kConnection][method](argument); },
]);

/** Pairs of event and listener for the socket of a connection. */
function socketListeners(connection) {
  const { socket } = connection;
  if (socket instanceof Duplex && socket[kConnection] === undefined) {
    socket[kConnection] = connection;
    return SHARED_LISTENERS;
  }
  // Two connections on one socket, or something that may call its listeners in any way it likes.
  return SOCKET_HANDLERS.map(([event, method]) => [event, connection[method].bind(connection)]);
}

/** Goes on with chunks from the socket; called by native-transport when it has given the socket back. */
WebSocketConnection.prototype._becomeStream = function _becomeStream(receiver) {
  this._transport = streamTransport;
  this._receiver = receiver;
  this.socket.on('data', this.handleSocketData.bind(this));
  this._debug('transport: %s', this._transport.name);
};

/** Programs that see or replace the handling of chunks get chunks. */
function mayTakeOver(connection) {
  return connection.config.io !== 'stream' &&
    connection.handleSocketData === WebSocketConnection.prototype.handleSocketData;
}

// ---------------------------------------------------------------------------------------------- receiving

WebSocketConnection.prototype.handleSocketData = function handleSocketData(data) {
  this._debug('handleSocketData: %d bytes', data.length);
  this.setKeepaliveTimer();
  if (this.state === STATE_CLOSED || this.state === STATE_PEER_REQUESTED_CLOSE) return;
  if (this._receiver === null) {
    if (this._context === null) this._context = createContext();
    this._receiver = new StreamReceiver(maskPolicy(this), receiverConfig(this));
  }
  if (this._maxReceivedFrameSize !== this.config.maxReceivedFrameSize) updateConfig(this);
  this._receiver.receive(data, this._inbox);
  this.processReceivedData();
};

/** Strict with real streams; objects that merely look like sockets may feed whatever they like. */
function maskPolicy({ socket, maskOutgoingPackets }) {
  if (!(socket instanceof Duplex)) return MASK_POLICY.EITHER;
  return maskOutgoingPackets ? MASK_POLICY.FORBIDDEN : MASK_POLICY.REQUIRED;
}

/** What the receiver has to know: limits in bytes (NaN is none), and whether frames are put together to messages. */
function receiverConfig(connection) {
  return {
    maxFrameSize: Number(connection.config.maxReceivedFrameSize),
    maxMessageSize: Number(connection._maxReceivedMessageSize),
    // A program that has its own processFrame() gets to see every frame.
    assemble: Boolean(connection._assembleFragments) &&
      connection.processFrame === WebSocketConnection.prototype.processFrame,
  };
}

/** Tells the receiver what the program has changed; it holds from the next frame on. */
function updateConfig(connection) {
  connection._maxReceivedFrameSize = connection.config.maxReceivedFrameSize;
  connection._transport.configure(connection, receiverConfig(connection));
}

for (const name of ['assembleFragments', 'maxReceivedMessageSize']) {
  Object.defineProperty(WebSocketConnection.prototype, name, {
    configurable: true,
    enumerable: true,
    get() { return this[`_${name}`]; },
    set(value) {
      this[`_${name}`] = value;
      updateConfig(this);
    },
  });
}

/** An event that came at `now`, from the transport that delivers them in their order; called by native-transport. */
WebSocketConnection.prototype._arrive = function _arrive(kind, value, now) {
  keepalive.noteInput(this, now);
  if (this._maxReceivedFrameSize !== this.config.maxReceivedFrameSize) updateConfig(this);
  if (this._inbox.length > 0 || this.inputPaused) {
    this._inbox.push(kind, value);
  } else {
    try {
      this._deliver(kind, value);
    } finally {
      // A frame has two events; what a listener of the first throws does not prevent the second.
      this.processReceivedData();
    }
  }
};

/** Has the events that wait delivered, one at a time, each after the ticks and promises of the one before. */
WebSocketConnection.prototype.processReceivedData = function processReceivedData() {
  if (this._inbox.length > 0) scheduleDelivery(this);
};

/** Delivers an event to the program. */
WebSocketConnection.prototype._deliver = function _deliver(kind, value) {
  if (kind === KIND.CLOSE) {
    handleCloseFrame(this, value);
    return;
  }
  if (kind === KIND.END) {
    this.socket.push(null);
    return;
  }
  // After close() only the peer's Close matters.
  if (!this.connected) return;
  switch (kind) {
    case KIND.TEXT:
      this.emit('message', { type: 'utf8', utf8Data: value });
      break;
    case KIND.BINARY:
      this.emit('message', { type: 'binary', binaryData: value });
      break;
    case KIND.PING:
      handlePing(this, value);
      break;
    case KIND.PONG:
      this.emit('pong', value);
      break;
    case KIND.FRAME: {
      const frame = receivedFrame(this, value);
      // An event of its own, so that ticks run in between and a listener that throws does not prevent it.
      this._inbox.unshift(KIND.PROCESS_FRAME, frame);
      if (!this.assembleFragments) this.emit('frame', frame);
      break;
    }
    case KIND.PROCESS_FRAME:
      this.processFrame(value);
      break;
    default:
      this._debug('-- failed: %d %s', value.code, value.reason);
      this.drop(value.code, value.reason);
  }
};

function newFrame(connection) {
  return new WebSocketFrame(connection.maskBytes, connection.frameHeader, connection.config);
}

/** A WebSocketFrame as if its own parser had read it. */
function receivedFrame(connection, { first, masked, payload }) {
  const frame = newFrame(connection);
  frame._setReceived(first, masked, payload);
  return frame;
}

/**
 * What happens with a frame when frames are not assembled: control frames are answered and reported, data frames
 * become messages. An overridden method sees every frame of the connection.
 */
WebSocketConnection.prototype.processFrame = function processFrame(frame) {
  this._debug('processFrame: %s', frame);
  const { opcode } = frame;
  if (this.frameQueue.length > 0 && opcode > OPCODE.CONTINUATION && opcode < OPCODE.CLOSE) {
    this.drop(1002, `Illegal frame opcode 0x${opcode.toString(16)} received in middle of fragmented message.`);
    return;
  }
  switch (opcode) {
    case OPCODE.TEXT:
    case OPCODE.BINARY:
    case OPCODE.CONTINUATION:
      processDataFrame(this, frame);
      break;
    case OPCODE.PING:
      handlePing(this, frame.binaryPayload);
      break;
    case OPCODE.PONG:
      this.emit('pong', frame.binaryPayload);
      break;
    case OPCODE.CLOSE:
      handleCloseFrame(this, frame._closeContent());
      break;
    default:
      this.drop(1002, `Unrecognized Opcode: 0x${opcode.toString(16)}`);
  }
};

/** Puts messages together from WebSocketFrame objects; with `assembleFragments` off, only those of one frame. */
function processDataFrame(connection, frame) {
  if (frame.opcode !== OPCODE.CONTINUATION && frame.fin) {
    emitMessage(connection, frame.opcode, frame.binaryPayload);
    return;
  }
  if (!connection.assembleFragments) return;
  if (frame.opcode === OPCODE.CONTINUATION) {
    if (connection.frameQueue.length === 0) {
      connection.drop(1002, 'Unexpected Continuation Frame');
      return;
    }
    connection.fragmentationSize += frame.length;
    if (connection.fragmentationSize > connection.maxReceivedMessageSize) {
      connection.drop(1009, 'Maximum message size exceeded.');
      return;
    }
  } else {
    connection.fragmentationSize = frame.length;
  }
  connection.frameQueue.push(frame);
  // However small the fragments are, what is kept of them is not many times their payload.
  if (connection.frameQueue.length > MAX_QUEUED_FRAMES) mergeQueue(connection);
  if (!frame.fin) return;
  const { opcode } = connection.frameQueue[0];
  const payload = Buffer.concat(connection.frameQueue.map((fragment) => fragment.binaryPayload));
  connection.frameQueue = [];
  connection.fragmentationSize = 0;
  emitMessage(connection, opcode, payload);
}

/** Puts all queued fragments into the first one. */
function mergeQueue(connection) {
  const [first] = connection.frameQueue;
  first.binaryPayload = Buffer.concat(connection.frameQueue.map((fragment) => fragment.binaryPayload));
  connection.frameQueue = [first];
}

function emitMessage(connection, opcode, payload) {
  // The receiver has validated the text, whether it assembles frames or not.
  connection.emit('message', opcode === OPCODE.TEXT
    ? { type: 'utf8', utf8Data: payload.toString() }
    : { type: 'binary', binaryData: payload });
}

function handlePing(connection, payload) {
  if (connection._pingListenerCount > 0) {
    let cancelled = false;
    connection.emit('ping', () => { cancelled = true; }, payload);
    if (cancelled) return;
  }
  if (connection._transport.isBackedUp(connection)) {
    // The peer does not read: keep the newest answer only (RFC 6455 section 5.5.3), or Pongs would pile up.
    connection._waitingPong = payload;
    return;
  }
  connection.pong(payload);
}

/** A Close frame of the peer: the answer to ours, or the beginning of the closing handshake. */
function handleCloseFrame(connection, { code, validity, reason }) {
  connection._debug('-- Close frame: %d %s', code, reason);
  if (connection.waitingForCloseResponse) {
    connection.clearCloseTimer();
    connection.waitingForCloseResponse = false;
    connection._closedCleanly = true;
    connection.state = STATE_CLOSED;
    connection.socket.end();
    linger(connection);
    return;
  }
  if (!connection.connected) return;
  if (validity === CLOSE_VALIDITY.INVALID_REASON) {
    connection.drop(1007, 'Invalid UTF-8 Data Received');
    return;
  }
  connection.state = STATE_PEER_REQUESTED_CLOSE;
  const valid = validity === CLOSE_VALIDITY.VALID;
  let response = valid ? 1000 : 1002;
  if (connection.config.echoCloseCode && valid && code !== 1005) response = code;
  if (validity === CLOSE_VALIDITY.INVALID_CODE) {
    connection.closeReasonCode = 1002;
    connection.closeDescription = `Invalid close code ${code} received from the peer.`;
  } else {
    connection.closeReasonCode = code;
    connection.closeDescription = reason || WebSocketConnection.CLOSE_DESCRIPTIONS[code];
  }
  connection._closedCleanly = valid;
  connection.sendCloseFrame(response, null);
  connection.connected = false;
  linger(connection);
}

// ---------------------------------------------------------------------------------------------- the socket

WebSocketConnection.prototype.handleSocketError = function handleSocketError(error) {
  this._debug('handleSocketError: %j', error);
  if (this.state === STATE_CLOSED) return;
  this.closeReasonCode = WebSocketConnection.CLOSE_REASON_ABNORMAL;
  this.closeDescription = `Socket Error: ${error.syscall} ${error.code}`;
  this._closedCleanly = false;
  this.connected = false;
  this.state = STATE_CLOSED;
  this.fragmentationSize = 0;
  try {
    if (utils.eventEmitterListenerCount(this, 'error') > 0) this.emit('error', error);
  } finally {
    this.socket.destroy();
    this._debug.printOutput();
  }
};

WebSocketConnection.prototype.handleSocketEnd = function handleSocketEnd() {
  this._debug('handleSocketEnd: state = %s', this.state);
  this.receivedEnd = true;
  if (this.state === STATE_OPEN) {
    this.socket.end();
    linger(this);
  }
};

WebSocketConnection.prototype.handleSocketClose = function handleSocketClose(hadError) {
  this._debug('handleSocketClose');
  this.socketHadError = hadError;
  if (this._inbox.length > 0 && this.state !== STATE_CLOSED && !this.inputPaused) {
    // What was received before comes before the close event.
    this._socketClosed = true;
    return;
  }
  this._finishClose();
};

/** The last act of a connection, when its socket is closed and all it brought has been delivered. */
WebSocketConnection.prototype._finishClose = function _finishClose() {
  this._socketClosed = false;
  this.connected = false;
  this.state = STATE_CLOSED;
  if (this.closeReasonCode === -1) {
    this.closeReasonCode = WebSocketConnection.CLOSE_REASON_ABNORMAL;
    this.closeDescription = 'Connection dropped by remote peer.';
  }
  releaseResources(this);
  emitClose(this);
};

function releaseResources(connection) {
  connection.clearCloseTimer();
  connection.clearKeepaliveTimer();
  connection.clearGracePeriodTimer();
  connection._waitingPong = null;
  connection._inbox.clear();
  connection._transport.release(connection);
}

function emitClose(connection) {
  if (connection.closeEventEmitted) return;
  connection.closeEventEmitted = true;
  connection._debug('-- emitting close: %d %s', connection.closeReasonCode, connection.closeDescription);
  connection.emit('close', connection.closeReasonCode, connection.closeDescription);
}

/** Destroys the socket if the peer has not closed its end within the close timeout after we have closed ours. */
function linger(connection) {
  const { closeTimeout } = connection;
  destroyAfter(connection.socket, closeTimeout > 0 ? closeTimeout : DEFAULT_CLOSE_TIMEOUT);
}

WebSocketConnection.prototype.handleSocketDrain = function handleSocketDrain() {
  this._debug('handleSocketDrain');
  this.outputBufferFull = false;
  if (this._waitingPong !== null) {
    const payload = this._waitingPong;
    this._waitingPong = null;
    this.pong(payload);
  }
  this.emit('drain');
};

WebSocketConnection.prototype.handleSocketPause = function handleSocketPause() {
  this._debug('handleSocketPause');
  this.inputPaused = true;
  this._transport.setPaused(this, true);
  this.emit('pause');
};

WebSocketConnection.prototype.handleSocketResume = function handleSocketResume() {
  this._debug('handleSocketResume');
  this.inputPaused = false;
  this._transport.setPaused(this, false);
  this.emit('resume');
  this.processReceivedData();
};

/** Stops reading from the socket; messages that were read already wait until `resume()`. */
WebSocketConnection.prototype.pause = function pause() {
  this._debug('pause');
  this.socket.pause();
};

WebSocketConnection.prototype.resume = function resume() {
  this._debug('resume');
  this.socket.resume();
};

// ---------------------------------------------------------------------------------------------- closing

/**
 * Starts the closing handshake (RFC 6455 section 7.1.2): sends a Close frame and waits up to `closeTimeout`
 * milliseconds for the answer. Does nothing when the connection is not open.
 * @param {number} [reasonCode=1000]
 * @param {string} [description] at most 123 bytes in UTF-8; default: what the code means
 * @throws {Error} for a code that must not be sent or a description that is too long; the connection stays open
 */
WebSocketConnection.prototype.close = function close(reasonCode, description) {
  if (!this.connected) return;
  this._debug('close');
  if (typeof reasonCode !== 'number') reasonCode = WebSocketConnection.CLOSE_REASON_NORMAL;
  if (!isSendableCloseCode(reasonCode)) throw new Error(`Close code ${reasonCode} is not valid.`);
  if (typeof description !== 'string') description = WebSocketConnection.CLOSE_DESCRIPTIONS[reasonCode];
  checkReason(description);
  this.closeReasonCode = reasonCode;
  this.closeDescription = description;
  this.setCloseTimer();
  this.sendCloseFrame(reasonCode, description);
  this.state = STATE_ENDING;
  this.connected = false;
};

/**
 * Ends the connection at once: sends a Close frame if that is still possible, emits `close` and destroys the socket.
 * @param {number} [reasonCode=1002] codes that must not be on the wire (1005, 1006, …) end it without a Close frame
 * @param {string} [description] default: what the code means; the peer sees its first 123 bytes
 * @param {boolean} [skipCloseFrame=false]
 */
WebSocketConnection.prototype.drop = function drop(reasonCode, description, skipCloseFrame) {
  if (typeof reasonCode !== 'number') reasonCode = WebSocketConnection.CLOSE_REASON_PROTOCOL_ERROR;
  if (typeof description !== 'string') description = WebSocketConnection.CLOSE_DESCRIPTIONS[reasonCode];
  this._debug('drop: %d %s, skipCloseFrame %s', reasonCode, description, skipCloseFrame);

  this.closeReasonCode = reasonCode;
  this.closeDescription = description;
  this.frameQueue = [];
  this.fragmentationSize = 0;
  this._closedCleanly = false;
  try {
    if (!skipCloseFrame && isSendableCloseCode(reasonCode)) {
      this.sendCloseFrame(reasonCode, typeof description === 'string' ? truncateReason(description) : description);
    }
  } finally {
    this.connected = false;
    this.state = STATE_CLOSED;
    releaseResources(this);
    try {
      emitClose(this);
    } finally {
      // Even when a listener throws: nobody else would.
      this.socket.destroy();
    }
  }
};

WebSocketConnection.prototype.setCloseTimer = function setCloseTimer() {
  this.clearCloseTimer();
  this.waitingForCloseResponse = true;
  this.closeTimer = setTimeout(() => this.handleCloseTimer(), this.closeTimeout);
};

WebSocketConnection.prototype.clearCloseTimer = function clearCloseTimer() {
  if (!this.closeTimer) return;
  clearTimeout(this.closeTimer);
  this.waitingForCloseResponse = false;
  this.closeTimer = null;
};

/** The peer has not answered our Close frame in time. */
WebSocketConnection.prototype.handleCloseTimer = function handleCloseTimer() {
  this._debug('handleCloseTimer');
  this.closeTimer = null;
  if (!this.waitingForCloseResponse) return;
  this.waitingForCloseResponse = false;
  this.state = STATE_CLOSED;
  this.socket.end();
  linger(this);
};

module.exports = WebSocketConnection;
