'use strict';

// The connection under a WebSocket of this façade: it receives and sends as any other does, and leaves to its WebSocket what
// events mean and how the connection ends.

const WebSocketConnection = require('../WebSocketConnection');
const channels = require('../internal/base/channels');
const { KIND, TEXT_FORM } = require('../internal/addon/rows');
const { heartbeatOf } = require('../internal/connection/heartbeat');
const { linger } = require('../internal/connection/closing');
const { settleFor, sendCompressed } = require('../internal/transport/queueing-transport');
const { receiveError, closeFrameError } = require('./errors');

/** What a connection is told for the options of ws. */
function connectionConfig({ maxPayload, maxFragments, closeTimeout }) {
  const most = maxPayload > 0 ? maxPayload : Infinity;
  return {
    maxReceivedFrameSize: most,
    maxReceivedMessageSize: most,
    maxFragments: maxFragments > 0 ? maxFragments : Infinity,
    closeTimeout: closeTimeout > 0 ? closeTimeout : 0,
    disableNagleAlgorithm: true,
    assembleFragments: true,
    fragmentOutgoingMessages: false,
  };
}

class Connection extends WebSocketConnection {
  /**
   * @param {WebSocket} websocket
   * @param {import('stream').Duplex} socket
   * @param {object} config of connectionConfig()
   * @param {boolean} checksUtf8
   */
  constructor(websocket, socket, config, checksUtf8) {
    // Those of the program stay: it was the owner of the socket.
    const errorListeners = socket.rawListeners('error');
    super(socket, [], websocket.protocol, !websocket._isServer, config);
    for (const listener of errorListeners) socket.on('error', listener);
    // handleSocketEnd() ends our side: behind the answer to a Close frame, which may still wait for its turn.
    socket.allowHalfOpen = true;
    this.websocket = websocket;
    this._textForm = checksUtf8 ? TEXT_FORM.CHECKED_BYTES : TEXT_FORM.UNCHECKED_BYTES;
    // Whether the peer's Close frame or a mistake of the peer has ended receiving.
    this._concluded = false;
    this.on('close', connectionClosed);
  }

  // ---------------------------------------------------------------------------------------------- receiving

  _deliver(kind, value) {
    if (kind === KIND.END) {
      this.socket.push(null);
      return;
    }
    if (this._concluded) return;
    switch (kind) {
      case KIND.TEXT_BYTES:
        this._received(value, false);
        break;
      case KIND.BINARY:
        this._received(value, true);
        break;
      case KIND.PING:
        this._debug('Ping received');
        heartbeatOf(this).pingsReceived++;
        this.websocket._pinged(value);
        break;
      case KIND.PONG:
        this._debug('Pong received');
        heartbeatOf(this).answered(value);
        this.websocket.emit('pong', value);
        break;
      case KIND.CLOSE:
        this._conclude(closeFrameError(value), value);
        break;
      default:
        this._conclude(receiveError(value));
    }
  }

  _received(data, isBinary) {
    this._messagesReceived++;
    if (channels.message.hasSubscribers) {
      const message = isBinary ? { type: 'binary', binaryData: data } : { type: 'utf8', utf8Data: data.toString() };
      channels.message.publish({ connection: this, message });
    }
    this.websocket._received(data, isBinary);
  }

  /** Nothing that comes now matters, but the end of the socket does. */
  _conclude(failure, close = undefined) {
    this._concluded = true;
    process.nextTick(resume, this);
    if (failure !== null) this.websocket._failed(failure.error, failure.closeCode);
    else this.websocket._concluded(close.code, close.reason);
  }

  handleSocketEnd() {
    this.receivedEnd = true;
    if (this._hasUntold()) {
      this._endPending = true;
      return;
    }
    this.websocket._socketEnded();
    settleFor(this);
    this.socket.end();
    linger(this);
  }

  handleSocketError(error) {
    this._debug('socket error: %s', error.message || error.code);
    this.websocket._socketEnded();
    this.socket.destroy();
  }

  // ------------------------------------------------------------------------------------------------ sending

  /** Sends a whole message; `data` is a string or a Buffer. */
  sendMessage(opcode, data, compress, cb) {
    this._messagesSent++;
    if (compress && this._compressor !== null) sendCompressed(this, opcode, data, Infinity, cb);
    else if (typeof data === 'string') this._transport.sendText(this, opcode, data, Infinity, cb);
    else this._transport.sendBytes(this, opcode, data, Infinity, cb);
  }

  /** Sends bytes that are frames already. */
  sendRaw(bytes, cb) {
    this._transport.sendRaw(this, bytes, cb);
  }

  /** Bytes that the operating system does not take. What merely waits for the end of the tick leaves now. */
  unsentBytes() {
    return this.closeEventEmitted ? 0 : this._transport.flush(this);
  }

  /** Keeps the answer to the newest Ping while the peer does not read; false when it can be sent now. */
  keepsAnswer(payload) {
    if (!this._transport.isBackedUp(this)) return false;
    this._waitingPong = payload;
    return true;
  }

  /** Only Close frames are sent from now on. */
  startClosing() {
    this.connected = false;
    this.state = 'ending';
    this._waitingPong = null;
  }
}

function resume(connection) {
  connection.socket.resume();
}

function connectionClosed() {
  this.websocket._connectionClosed();
}

module.exports = { Connection, connectionConfig };
