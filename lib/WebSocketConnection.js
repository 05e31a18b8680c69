'use strict';

const util = require('util');
const { EventEmitter } = require('events');
const { Duplex } = require('stream');
const utils = require('./utils');
const BufferList = require('../vendor/FastBufferList');
const { defineCloseCodes } = require('./internal/base/close-codes');
const closing = require('./internal/connection/closing');
const { KIND, INFLATION, MASK_POLICY, TEXT_FORM } = require('./internal/addon/rows');
const { DEFAULT_IO } = require('./internal/transport/io-option');
const { defineGetter } = require('./internal/base/getter');
const { makeInspectable } = require('./internal/base/inspect');
const { changeTransport, settleFor } = require('./internal/transport/queueing-transport');
const { Inbox } = require('./internal/connection/inbox');
const { Listeners, compactListeners } = require('./internal/base/listener-store');
const { StreamReceiver } = require('./internal/transport/stream-receiver');
const { captureContext } = require('./internal/base/context');
const { scheduleDelivery, mayGoOn } = require('./internal/connection/delivery');
const channels = require('./internal/base/channels');
const { debugLines } = require('./internal/connection/debug-lines');
const frameProcessing = require('./internal/connection/frame-processing');
const heartbeat = require('./internal/connection/heartbeat');
const iterate = require('./internal/connection/iterate');
const keepalive = require('./internal/connection/keepalive');
const sending = require('./internal/connection/sending');
const { socketListeners, tellWhatHasHappened } = require('./internal/connection/socket-events');
const connectionStream = require('./internal/streams/connection-stream');
const { websocketError } = require('./internal/base/errors');
const { hasOwnMark } = require('./internal/transport/backpressure');
const { statsOf } = require('./internal/connection/stats');
const limits = require('./internal/connection/limits');
const topics = require('./internal/topics/connection-methods');
const { routeChanged } = require('./internal/topics/route');
const { checkConnectionOptions } = require('./internal/options/read-options');
const streamTransport = require('./internal/transport/stream-transport');
const nativeTransport = require('./internal/transport/native-transport');

// The values of `state`, of which `connected` is true in the first only.

/** Bytes from which on a chunk may take long to receive. */
const LARGE_CHUNK = 16 * 1024;

/** Messages flow both ways. */
const STATE_OPEN = 'open';
/** The peer has sent a Close frame; ours is on its way and nothing follows it. */
const STATE_PEER_REQUESTED_CLOSE = 'peer_requested_close';
/** We have sent a Close frame and wait for the peer's; nothing else is sent or reported any more. */
const STATE_ENDING = 'ending';
/** It is over. */
const STATE_CLOSED = 'closed';

/**
 * A WebSocket connection after its opening handshake. Servers and clients make these; a program may make one itself
 * on any socket, and then calls `_addSocketEventListeners()`.
 *
 * @param {import('net').Socket} socket a socket, another Duplex, or an EventEmitter with the methods of one
 * @param {object[]} extensions negotiated extensions
 * @param {string|null} protocol negotiated subprotocol
 * @param {boolean} maskOutgoingPackets true on the client's side (RFC 6455 section 5.3)
 * @param {object} config options, see docs/connection.md
 * @throws {Error} for options that mean nothing, and when the socket has no native keepalive that the options ask for
 */
function WebSocketConnection(socket, extensions, protocol, maskOutgoingPackets, config) {
  checkConnectionOptions(config);
  this._debug = debugLines(this);

  EventEmitter.call(this);
  this._events = new Listeners();

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
  this._context = undefined;
  // Received events that wait to be delivered.
  this._inbox = new Inbox();
  // Who moves the bytes, and what it keeps: the Rust receiver of a stream, or the id of a taken-over socket.
  this._transport = streamTransport;
  this._receiver = null;
  // Whether the socket is not read until what was read is inflated, and whether that is over and not to be noticed.
  this._held = false;
  this._resumesUnseen = false;
  this._nativeId = null;
  // In which tick it has sent something outside of a turn of the addon; see leave() in transport/native-batches.
  this._sentInTick = 0;
  // While not everything was delivered that the addon has read: chunks that came since; see transport/giving-back.
  this._earlyChunks = null;
  // What the addon was asked to tell when all is written, in order: a BoundFunction, or null for `drain`.
  this._sendCallbacks = null;
  this._writeCallbacks = null;
  // What permessage-deflate needs, when it was agreed on; see internal/compression/per-message-deflate.
  this._compressor = null;
  this._compressedBytesSent = 0;
  this._inflation = INFLATION.NONE;
  // Whether the transport owes the program a `drain`.
  this._needDrain = false;
  this._assembleFragments = config.assembleFragments;
  this._maxReceivedMessageSize = config.maxReceivedMessageSize;
  this._maxReceivedFrameSize = config.maxReceivedFrameSize;
  // Whether the socket had ended, or was closed, before the inbox was empty.
  this._endPending = false;
  this._socketClosed = false;
  // Whether our answer to the peer's Close frame was sent.
  this._sentClose = false;
  // Whether both Close frames have been exchanged (RFC 6455 section 7.1.4).
  this._closedCleanly = false;
  // Messages so far, for stats() and idleTimeout.
  this._messagesReceived = 0;
  this._messagesSent = 0;
  // What is known of Pings and Pongs, once there was one.
  this._heartbeat = null;
  // The topics of its server, once it has been told, and its number there while it is a member; see internal/topics.
  this._topics = null;
  this._member = null;
  // The turn of the event loop since which a stream has been full; 0 when it is not.
  this._fullSince = 0;
  // Published messages that have not had their turn.
  this._owed = null;
  // What ends the connection at some time; null when nothing does.
  this._deadlines = null;
  // Bytes of the response to the opening handshake, when they go the same way as frames.
  this._responseLength = 0;
  // The Pong that waits for the socket to drain: the answer to the newest Ping.
  this._waitingPong = null;
  // Gets the messages that come between our Close frame and the peer's, when somebody wants them.
  this._lateMessage = null;

  // Streams that are no sockets have neither.
  if (typeof socket.setNoDelay === 'function') socket.setNoDelay(config.disableNagleAlgorithm);
  // A quiet connection is no dead connection: no inactivity timeout.
  if (typeof socket.setTimeout === 'function') socket.setTimeout(0);
  // When something was last received, for the keepalive timer of taken-over sockets; 0 for "not since it was set".
  this._receivedAt = 0;
  keepalive.startKeepalive(this);

  // Node's HTTP client listens for errors of the socket and would report them as its own.
  socket.removeAllListeners('error');
}

util.inherits(WebSocketConnection, EventEmitter);
Object.assign(WebSocketConnection.prototype, sending.methods, frameProcessing.methods, closing.methods, keepalive.methods,
  heartbeat.methods, iterate.methods, connectionStream.methods, topics.methods);
defineCloseCodes(WebSocketConnection);

// Parts of the original's parser that programs and tests look at. Nobody pays for them who does not.
lazyProperty('maskBytes', () => Buffer.alloc(4));
lazyProperty('frameHeader', () => Buffer.alloc(10));
lazyProperty('bufferList', () => new BufferList());
lazyProperty('currentFrame', (connection) => frameProcessing.newFrame(connection));

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

/** How text is received. Classes that extend this one may want bytes. */
WebSocketConnection.prototype._textForm = TEXT_FORM.STRINGS;

Object.defineProperty(WebSocketConnection.prototype, '_pingListenerCount', {
  configurable: true,
  get() { return this.listenerCount('ping'); },
});

/**
 * How the bytes of the connection are moved: `'stream'` by Node's socket, `'loop'` by the addon on Node's event
 * loop, `'threads'` by the addon on a thread of its own. */
defineGetter(WebSocketConnection.prototype, 'transport', (connection) => connection._transport.name);

/** Bytes accepted for sending, frame headers included, that the operating system has not taken yet. */
defineGetter(WebSocketConnection.prototype, 'bufferedAmount', (connection) => connection._transport.bufferedAmount(connection));

/** Milliseconds that the newest Ping took to be answered, a keepalive one for instance; null when none was. */
defineGetter(WebSocketConnection.prototype, 'latency', ({ _heartbeat: heartbeat }) => (heartbeat === null ? null : heartbeat.latency));

/** The topics that the connection is subscribed to, in no particular order. */
defineGetter(WebSocketConnection.prototype, 'topics', topics.topicsOf);

/** Figures about the connection up to now; docs/connection.md describes them. */
WebSocketConnection.prototype.stats = function stats() {
  return statsOf(this);
};

/** Starts receiving. Called once, by whoever made the connection. */
WebSocketConnection.prototype._addSocketEventListeners = function _addSocketEventListeners() {
  const { socket } = this;
  if (this._context === undefined) this._context = captureContext();
  const isStream = socket instanceof Duplex;
  if (isStream) compactListeners(socket);
  for (const [event, listener] of socketListeners(this)) {
    // In front of what the program has added since accept(): it sees the same on every transport, and what it throws keeps
    // nothing from us.
    if (isStream) socket.prependListener(event, listener);
    else socket.on(event, listener);
  }
  if (this._mayTakeOver() && nativeTransport.takeOver(
    this, this.config.io || DEFAULT_IO, maskPolicy(this), receiverConfig(this), limits.receiverLimits(this))) {
    this._transport = nativeTransport;
    routeChanged(this);
  } else {
    socket.on('data', this.handleSocketData.bind(this));
    if (isStream) tellWhatHasHappened(this);
  }
  limits.startDeadlines(this);
  this._debug('open (%s, transport %s)', this.maskOutgoingPackets ? 'client' : 'server', this.transport);
  if (channels.open.hasSubscribers) channels.open.publish({ connection: this });
};

/** Sends through the socket; called by giving-back when Node writes it. */
WebSocketConnection.prototype._becomeStream = function _becomeStream() {
  changeTransport(this, streamTransport);
  this._responseLength = 0;
  this.socket.on('data', this.handleSocketData.bind(this));
  this._debug('transport is now %s', this._transport.name);
};

/** Receives chunks from the socket, those that came early too; called by giving-back when Node reads it. */
WebSocketConnection.prototype._receiveAsStream = function _receiveAsStream(receiver, chunks) {
  this._receiver = receiver;
  updateConfig(this);
  for (const chunk of chunks) this.handleSocketData(chunk);
};

/** Whether the addon may move the bytes. Programs that see or replace the handling of chunks get chunks. */
WebSocketConnection.prototype._mayTakeOver = function _mayTakeOver() {
  return (this.config.io || DEFAULT_IO) !== 'stream' &&
    this.handleSocketData === WebSocketConnection.prototype.handleSocketData && nativeTransport.mayTakeOver(this.socket);
};

// ---------------------------------------------------------------------------------------------- receiving

WebSocketConnection.prototype.handleSocketData = function handleSocketData(data) {
  if (!ArrayBuffer.isView(data)) {
    throw websocketError('ERR_WEBSOCKET_DATA', `The socket of a connection gives Buffers, and not ${data === null ? 'null' : typeof data}: ` +
      'it must not have an encoding (setEncoding).', {}, TypeError);
  }
  this.setKeepaliveTimer();
  if (this.state === STATE_CLOSED || this.state === STATE_PEER_REQUESTED_CLOSE) return;
  if (this._earlyChunks !== null) {
    this._earlyChunks.push(data);
    return;
  }
  if (this._receiver === null) {
    if (this._context === undefined) this._context = captureContext();
    this._receiver = new StreamReceiver(maskPolicy(this), receiverConfig(this), limits.receiverLimits(this));
  }
  if (this._maxReceivedFrameSize !== this.config.maxReceivedFrameSize) updateConfig(this);
  if (data.length >= LARGE_CHUNK && !mayGoOn()) {
    // Small frames make much work of a large chunk, and all sockets may have one at the same time.
    this._receiver.hold(data);
    this._holdInput();
    scheduleDelivery(this);
    return;
  }
  this._receiver.receive(data, this._inbox);
  if (this._receiver.hasMore) this._holdInput();
  this.processReceivedData();
};

/** Has nothing more be read, unseen by the program, until there are events for all that was read. */
WebSocketConnection.prototype._holdInput = function _holdInput() {
  if (this._held) return;
  this._held = true;
  this._receiver.whenReceived = () => {
    if (!this._receiver.hasMore) this._releaseInput();
    scheduleDelivery(this);
  };
  this.socket.pause();
};

WebSocketConnection.prototype._releaseInput = function _releaseInput() {
  if (!this._held) return;
  this._held = false;
  if (this.inputPaused) return;
  this._resumesUnseen = true;
  this.socket.resume();
};

/** Goes on with what was held back; called by delivery when all events have been told. */
WebSocketConnection.prototype._receiveHeld = function _receiveHeld() {
  this._receiver.receiveHeld(this._inbox);
  if (this._receiver.hasMore) this._holdInput();
  else this._releaseInput();
};

/** Whether something was received that the program has not been told of. */
WebSocketConnection.prototype._hasUntold = function _hasUntold() {
  return this._inbox.length > 0 || this._earlyChunks !== null || (this._receiver !== null && this._receiver.hasMore);
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
      connection.processFrame === frameProcessing.methods.processFrame,
    inflation: connection._inflation,
    text: connection._textForm,
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
  // Given back, and destroyed by the program since: it does not want to hear more of it.
  if (this._earlyChunks !== null && this.socket.destroyed && !this.receivedEnd) return;
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
    closing.handleCloseFrame(this, value);
    return;
  }
  if (kind === KIND.END) {
    this.socket.push(null);
    return;
  }
  if (!this.connected) {
    // After close() only the peer's Close matters, and what a stream still reads.
    if (this._lateMessage !== null && this.state === STATE_ENDING) frameProcessing.tellLate(this, kind, value);
    return;
  }
  switch (kind) {
    case KIND.TEXT:
      frameProcessing.tellMessage(this, { type: 'utf8', utf8Data: value });
      break;
    case KIND.BINARY:
      frameProcessing.tellMessage(this, { type: 'binary', binaryData: value });
      break;
    case KIND.PING:
      frameProcessing.handlePing(this, value);
      break;
    case KIND.PONG:
      frameProcessing.handlePong(this, value);
      break;
    case KIND.FRAME: {
      const frame = frameProcessing.receivedFrame(this, value);
      // An event of its own, so that ticks run in between and a listener that throws does not prevent it.
      this._inbox.unshift(KIND.PROCESS_FRAME, frame);
      if (!this.assembleFragments) this.emit('frame', frame);
      break;
    }
    case KIND.PROCESS_FRAME:
      this.processFrame(value);
      break;
    default:
      this.drop(value.code, value.reason);
  }
};

// ---------------------------------------------------------------------------------------------- the socket

WebSocketConnection.prototype.handleSocketError = function handleSocketError(error) {
  this._debug('socket error: %s', error.message || error.code);
  if (this.state === STATE_CLOSED) return;
  if (channels.error.hasSubscribers) channels.error.publish({ connection: this, error });
  if (this._transport.bytesWritten(this) < this._responseLength) {
    this.drop(WebSocketConnection.CLOSE_REASON_ABNORMAL, closing.LOST_IN_HANDSHAKE, true);
    return;
  }
  this.closeReasonCode = WebSocketConnection.CLOSE_REASON_ABNORMAL;
  this.closeDescription = `Socket Error: ${error.syscall} ${error.code}`;
  this._closedCleanly = false;
  this.connected = false;
  this.state = STATE_CLOSED;
  this.fragmentationSize = 0;
  closing.endMembership(this);
  try {
    if (utils.eventEmitterListenerCount(this, 'error') > 0) this.emit('error', error);
  } finally {
    this.socket.destroy();
    this._debug.printOutput();
  }
};

WebSocketConnection.prototype.handleSocketEnd = function handleSocketEnd() {
  this._debug('the peer has ended its side of the socket');
  this.receivedEnd = true;
  if (this.state !== STATE_OPEN) return;
  if (this._hasUntold()) {
    // A Close frame may be among what came before.
    this._endPending = true;
    return;
  }
  settleFor(this);
  this.socket.end();
  closing.linger(this);
};

WebSocketConnection.prototype.handleSocketClose = function handleSocketClose(hadError) {
  this.socketHadError = hadError;
  // When the program has destroyed the socket, it does not want to hear more of it.
  if (this.receivedEnd && this._hasUntold() && this.state !== STATE_CLOSED) {
    // What was received before comes before the close event; when the program has paused, after resume().
    this._socketClosed = true;
    return;
  }
  this._finishClose();
};

WebSocketConnection.prototype.handleSocketDrain = function handleSocketDrain() {
  if (this.closeEventEmitted) return;
  this._debug('everything sent so far is written (drain)');
  this.outputBufferFull = false;
  this._sendWaitingPong();
  if (this._transport.name === 'stream' && hasOwnMark(this)) {
    // Node's own mark is another one.
    if (!this._needDrain) return;
    this._needDrain = false;
  }
  this.emit('drain');
};

/** Sends the answer to the newest Ping, which has waited because too much else did. */
WebSocketConnection.prototype._sendWaitingPong = function _sendWaitingPong() {
  if (this._waitingPong === null) return;
  const payload = this._waitingPong;
  this._waitingPong = null;
  this.pong(payload);
};

WebSocketConnection.prototype.handleSocketPause = function handleSocketPause() {
  if (this._held) return;
  this._debug('paused');
  this._pauseInput();
};

/**
 * Whether a stream was paused; objects that merely look like sockets do not say. Its method isPaused() is wrong when the program
 * resumes it within the event `pause`.
 */
function isPaused(socket) {
  return socket.readableFlowing === false;
}

WebSocketConnection.prototype._pauseInput = function _pauseInput() {
  if (this.inputPaused) return;
  this.inputPaused = true;
  this._transport.setPaused(this, true);
  this.emit('pause');
};

WebSocketConnection.prototype.handleSocketResume = function handleSocketResume() {
  if (this._resumesUnseen) {
    this._resumesUnseen = false;
    // Unless the program has paused and resumed since, for which Node has this one event.
    if (!this.inputPaused || isPaused(this.socket)) return;
  }
  // It was paused again since, and a stream says later that it flows.
  if (isPaused(this.socket)) return;
  this._debug('resumed');
  this._resumeInput();
};

WebSocketConnection.prototype._resumeInput = function _resumeInput() {
  this.inputPaused = false;
  this._transport.setPaused(this, false);
  try {
    this.emit('resume');
  } finally {
    this.processReceivedData();
  }
};

/** Stops reading from the socket; messages that were read already wait until `resume()`. */
WebSocketConnection.prototype.pause = function pause() {
  // A socket that is held does not say it again.
  if (this._held && !this.inputPaused) this._pauseInput();
  else this.socket.pause();
};

WebSocketConnection.prototype.resume = function resume() {
  if (this._held && this.inputPaused) this._resumeInput();
  else if (!this._held) this.socket.resume();
  if (!this._socketClosed) return;
  // A closed socket has nothing more to tell.
  this.inputPaused = false;
  this.processReceivedData();
};

makeInspectable(WebSocketConnection,
  ['state', 'remoteAddress', 'protocol', 'transport', 'bufferedAmount', 'closeReasonCode', 'closeDescription'],
  ['maskBytes', 'frameHeader', 'bufferList', 'currentFrame', 'frameQueue', 'fragmentationSize', 'closeEventEmitted',
    'waitingForCloseResponse', 'receivedEnd', 'socketHadError', 'maskOutgoingPackets', 'remoteAddresses']);

module.exports = WebSocketConnection;
