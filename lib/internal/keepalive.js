'use strict';

// Keepalive: a Ping after a time without input, and the end of the connection when nothing comes back.

/**
 * Starts the keepalive that the options ask for.
 * @throws {Error} when its intervals are no numbers, or the socket has no native keepalive
 */
function startKeepalive(connection) {
  const { config, socket } = connection;
  if (!config.keepalive) return;
  if (config.useNativeKeepalive) {
    if (!('setKeepAlive' in socket)) {
      throw new Error('Unable to use native keepalive: unsupported by this version of Node.');
    }
    socket.setKeepAlive(true, config.keepaliveInterval);
    return;
  }
  if (typeof config.keepaliveInterval !== 'number') {
    throw new Error('keepaliveInterval must be specified and numeric if keepalive is true.');
  }
  // The double space stands in the text that programs know.
  if (config.dropConnectionOnKeepaliveTimeout && typeof config.keepaliveGracePeriod !== 'number') {
    throw new Error('keepaliveGracePeriod  must be specified and numeric if dropConnectionOnKeepaliveTimeout is true.');
  }
  connection.setKeepaliveTimer();
}

/**
 * Notes that something was received at `now` (of `performance.now()`). Cheaper than a timer for each message: the timer
 * looks at it when it fires.
 */
function noteInput(connection, now) {
  connection._receivedAt = now;
  if (connection._gracePeriodTimeoutID) connection.setKeepaliveTimer();
}

/** How long after now the timer of a connection has to fire that has received something since it was set; else 0. */
function timeLeft(connection) {
  const { _receivedAt: receivedAt } = connection;
  if (receivedAt === 0) return 0;
  connection._receivedAt = 0;
  return receivedAt + connection.config.keepaliveInterval - performance.now();
}

/** Methods of WebSocketConnection. */
const methods = {
  /** Starts the keepalive timer afresh: something was received. */
  setKeepaliveTimer() {
    const { config } = this;
    if (!config.keepalive || config.useNativeKeepalive) return;
    this.clearGracePeriodTimer();
    const timer = this._keepaliveTimeoutID;
    if (timer && typeof timer.refresh === 'function') {
      timer.refresh();
      return;
    }
    this.clearKeepaliveTimer();
    this._keepaliveTimeoutID = setTimeout(() => this.handleKeepaliveTimer(), config.keepaliveInterval);
  },

  clearKeepaliveTimer() {
    if (!this._keepaliveTimeoutID) return;
    clearTimeout(this._keepaliveTimeoutID);
    this._keepaliveTimeoutID = null;
  },

  /** Nothing was received for `keepaliveInterval` milliseconds. */
  handleKeepaliveTimer() {
    this._debug('handleKeepaliveTimer');
    this._keepaliveTimeoutID = null;
    const left = timeLeft(this);
    if (left > 0) {
      this._keepaliveTimeoutID = setTimeout(() => this.handleKeepaliveTimer(), left);
      return;
    }
    this.ping();
    if (this.config.dropConnectionOnKeepaliveTimeout) {
      this.setGracePeriodTimer();
    } else {
      this.setKeepaliveTimer();
    }
  },

  setGracePeriodTimer() {
    this.clearGracePeriodTimer();
    this._gracePeriodTimeoutID = setTimeout(() => this.handleGracePeriodTimer(), this.config.keepaliveGracePeriod);
  },

  clearGracePeriodTimer() {
    if (!this._gracePeriodTimeoutID) return;
    clearTimeout(this._gracePeriodTimeoutID);
    this._gracePeriodTimeoutID = null;
  },

  /** Nothing was received for `keepaliveGracePeriod` milliseconds after a ping. */
  handleGracePeriodTimer() {
    this._debug('handleGracePeriodTimer');
    this._gracePeriodTimeoutID = null;
    this.drop(1006, 'Peer not responding.', true);
  },
};

module.exports = { startKeepalive, noteInput, methods };
