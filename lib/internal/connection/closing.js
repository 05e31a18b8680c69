'use strict';

// How a connection ends: the closing handshake (RFC 6455 section 7), and what comes after it.
//
// The closing handshake is here, and not in `protocol::Connection` of the Rust core, because programs override these methods
// and write these properties, as they could in websocket 1.0.35.
//
// `connected` is true in the state `open` only. FIN means that `socket.end()` ends our direction, behind all that waits. From the
// peer's Close or FIN on, and from `closeTimeout` on, the peer has another `closeTimeout` to end its own direction; then the
// socket is destroyed.
//
// | state                | what happens                            | next state           | sent               | event           |
// |----------------------|-----------------------------------------|----------------------|--------------------|-----------------|
// | open                 | `close(code)`                           | ending               | Close(code), FIN   |                 |
// | open                 | Close                                   | peer_requested_close | Close(1000), FIN   |                 |
// | open                 | Close with a bad code, or half a code   | peer_requested_close | Close(1002), FIN   |                 |
// | open                 | Close whose reason is not UTF-8         | closed               | Close(1007), reset | `close` at once |
// | open                 | the peer breaks the protocol or a limit | closed               | Close(code), reset | `close` at once |
// | open                 | `drop(code)`                            | closed               | Close(code), reset | `close` at once |
// | open                 | FIN, without a Close before             | open                 | FIN                |                 |
// | ending               | Close, whatever is in it                | closed               |                    |                 |
// | ending               | `closeTimeout` passes                   | closed               |                    |                 |
// | ending               | messages, errors in frames              | ending               |                    |                 |
// | peer_requested_close | anything in frames, `close()`           | peer_requested_close |                    |                 |
// | all but open         | `drop(code)`                            | closed               | reset              | `close` at once |
// | all but closed       | the socket fails                        | closed               | reset              | `error`         |
// | any                  | the socket has closed                   | closed               |                    | `close`         |
//
// `close` is emitted once, with `closeReasonCode`: the code of `close()`, of `drop()` or of the peer's Close, whichever came last;
// 1006 when there was none, or the socket has failed. With `echoCloseCode` the answer to a Close has the code of the peer. "Reset"
// stands for `socket.destroy()`: what the operating system has not taken by then is lost. A code that must not be on the wire
// (1005, 1006, …) is not sent. A socket that fails before the 101 response has left is `drop(1006)`, without `error`. What was
// received before FIN and before the end of the socket is delivered first.

const { CLOSE_DESCRIPTIONS, checkReason, isSendableCloseCode, truncateReason } = require('../base/close-codes');
const { CLOSE_VALIDITY } = require('../addon/rows');
const channels = require('../base/channels');
const { endHeartbeat } = require('./heartbeat');
const { debugCode } = require('./debug-lines');
const { stopDeadlines } = require('./limits');
const { startTimer, stopTimer } = require('../time/connection-timer');
const { destroyAfter } = require('../time/linger');
const { websocketError } = require('../base/errors');
const { abandon } = require('../transport/giving-back');

const DEFAULT_CLOSE_TIMEOUT = 5000;

/** What a connection is told that its client has left before the response of the opening handshake. */
const LOST_IN_HANDSHAKE = 'TCP connection lost before handshake completed.';

/** A Close frame of the peer: the answer to ours, or the beginning of the closing handshake. */
function handleCloseFrame(connection, { code, validity, reason }) {
  if (connection._debug.enabled) connection._debug('Close frame received: %s', debugCode(code, reason));
  if (connection.waitingForCloseResponse) {
    connection.clearCloseTimer();
    connection.waitingForCloseResponse = false;
    connection._closedCleanly = true;
    connection.state = 'closed';
    connection.socket.end();
    linger(connection);
    return;
  }
  if (!connection.connected) return;
  if (validity === CLOSE_VALIDITY.INVALID_REASON) {
    connection.drop(1007, 'Invalid UTF-8 Data Received');
    return;
  }
  connection.state = 'peer_requested_close';
  const valid = validity === CLOSE_VALIDITY.VALID;
  let response = valid ? 1000 : 1002;
  if (connection.config.echoCloseCode && valid && code !== 1005) response = code;
  if (validity === CLOSE_VALIDITY.INVALID_CODE) {
    connection.closeReasonCode = 1002;
    connection.closeDescription = `Invalid close code ${code} received from the peer.`;
  } else {
    connection.closeReasonCode = code;
    connection.closeDescription = reason || CLOSE_DESCRIPTIONS[code];
  }
  connection._closedCleanly = valid;
  connection.sendCloseFrame(response, null);
  connection.connected = false;
  endMembership(connection);
  linger(connection);
}

function releaseResources(connection) {
  endMembership(connection);
  connection.clearCloseTimer();
  connection.clearKeepaliveTimer();
  connection.clearGracePeriodTimer();
  stopDeadlines(connection);
  endHeartbeat(connection);
  connection._waitingPong = null;
  connection._inbox.clear();
  abandon(connection);
  if (connection._compressor !== null) {
    connection._compressedBytesSent = connection._compressor.bytesSent;
    connection._compressor.release();
    connection._compressor = null;
  }
}

/** The connection has no topics any more, and gets no broadcasts. */
function endMembership(connection) {
  if (connection._member !== null) connection._topics.leave(connection);
}

function emitClose(connection) {
  if (connection.closeEventEmitted) return;
  connection.closeEventEmitted = true;
  if (connection._debug.enabled) {
    connection._debug('closed: %s', debugCode(connection.closeReasonCode, connection.closeDescription));
  }
  if (channels.close.hasSubscribers) {
    channels.close.publish({ connection, code: connection.closeReasonCode, description: connection.closeDescription });
  }
  connection.emit('close', connection.closeReasonCode, connection.closeDescription);
}

/** Destroys the socket if the peer has not closed its end within the close timeout after we have closed ours. */
function linger(connection) {
  const { closeTimeout } = connection;
  destroyAfter(connection.socket, closeTimeout > 0 ? closeTimeout : DEFAULT_CLOSE_TIMEOUT);
}

function closeIsOverdue(connection) {
  connection.handleCloseTimer();
}

/** Methods of WebSocketConnection. */
const methods = {
  /** The last act of a connection, when its socket is closed and all it brought has been delivered. */
  _finishClose() {
    this._socketClosed = false;
    this.connected = false;
    this.state = 'closed';
    if (this.closeReasonCode === -1) {
      this.closeReasonCode = 1006;
      this.closeDescription = 'Connection dropped by remote peer.';
    }
    releaseResources(this);
    this._transport.release(this);
    emitClose(this);
  },

  /**
   * Starts the closing handshake (RFC 6455 section 7.1.2): sends a Close frame and waits up to `closeTimeout`
   * milliseconds for the answer. Does nothing when the connection is not open.
   * @param {number} [reasonCode=1000]
   * @param {string} [description] at most 123 bytes in UTF-8; default: what the code means
   * @param {(error?: Error) => void} [cb] for `stream()`: called when the Close frame has been written, if this call sends one
   * @throws {Error} for a code that must not be sent or a description that is too long; the connection stays open
   */
  close(reasonCode, description, cb = undefined) {
    if (!this.connected) return;
    if (typeof reasonCode !== 'number') reasonCode = 1000;
    if (!isSendableCloseCode(reasonCode)) {
      throw websocketError('ERR_WEBSOCKET_CLOSE_CODE', `Close code ${reasonCode} is not valid.`);
    }
    if (typeof description !== 'string') description = CLOSE_DESCRIPTIONS[reasonCode];
    checkReason(description);
    this.closeReasonCode = reasonCode;
    this.closeDescription = description;
    this.setCloseTimer();
    // Programs that have put a method of their own there may know of two arguments only.
    if (cb === undefined) this.sendCloseFrame(reasonCode, description);
    else this.sendCloseFrame(reasonCode, description, cb);
    this.state = 'ending';
    this.connected = false;
    endMembership(this);
  },

  /**
   * Ends the connection at once: sends a Close frame if that is still possible, emits `close` and destroys the socket.
   * @param {number} [reasonCode=1002] codes that must not be on the wire (1005, 1006, …) end it without a Close frame
   * @param {string} [description] default: what the code means; the peer sees its first 123 bytes
   * @param {boolean} [skipCloseFrame=false]
   */
  drop(reasonCode, description, skipCloseFrame) {
    if (typeof reasonCode !== 'number') reasonCode = 1002;
    if (typeof description !== 'string') description = CLOSE_DESCRIPTIONS[reasonCode];
    if (this._debug.enabled) this._debug('dropped by this side: %s', debugCode(reasonCode, description));

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
      this.state = 'closed';
      releaseResources(this);
      try {
        emitClose(this);
      } finally {
        // Even when a listener throws: nobody else would. Until now the socket could be written to.
        this._transport.release(this);
        this.socket.destroy();
      }
    }
  },

  setCloseTimer() {
    this.clearCloseTimer();
    this.waitingForCloseResponse = true;
    this.closeTimer = startTimer(this, this.closeTimeout, closeIsOverdue);
  },

  clearCloseTimer() {
    if (!this.closeTimer) return;
    stopTimer(this.closeTimer);
    this.waitingForCloseResponse = false;
    this.closeTimer = null;
  },

  /** The peer has not answered our Close frame in time. */
  handleCloseTimer() {
    this.closeTimer = null;
    if (!this.waitingForCloseResponse) return;
    this._debug('no Close frame within closeTimeout (%d ms)', this.closeTimeout);
    this.waitingForCloseResponse = false;
    this.state = 'closed';
    this.socket.end();
    linger(this);
  },
};

module.exports = { LOST_IN_HANDSHAKE, endMembership, handleCloseFrame, linger, methods };
