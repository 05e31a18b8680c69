'use strict';

// Keepalive: a Ping after a time without input, and the end of the connection when nothing comes back.

const { startTimer, stopTimer } = require('../time/connection-timer');
const { optionError } = require('../base/errors');
const { checkKeepalive } = require('../options/read-options');

/**
 * Starts the keepalive that the options ask for.
 * @throws {Error} when its intervals are no numbers, or the socket has no native keepalive
 */
function startKeepalive(connection) {
  const { config, socket } = connection;
  if (!config.keepalive) return;
  if (config.useNativeKeepalive) {
    if (!('setKeepAlive' in socket)) {
      // A stream that is no socket, a tunnel for instance: whoever has made it looks after what it runs on.
      if (typeof socket.pipe === 'function') return;
      throw optionError('Unable to use native keepalive: unsupported by this version of Node.');
    }
    socket.setKeepAlive(true, config.keepaliveInterval);
    return;
  }
  checkKeepalive(config);
  connection.setKeepaliveTimer();
}

/** Milliseconds within which input counts as of one time: starting the timer anew for every message would be for nothing. */
const SLACK = 20;

/** Notes that something was received at `now`, by `performance.now()`. */
function noteInput(connection, now) {
  if (now - connection._receivedAt < SLACK && !connection._gracePeriodTimeoutID) return;
  connection._receivedAt = now;
  connection.setKeepaliveTimer();
}

function keepaliveIsDue(connection) {
  connection.handleKeepaliveTimer();
}

function gracePeriodIsOver(connection) {
  connection.handleGracePeriodTimer();
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
    this._keepaliveTimeoutID = startTimer(this, config.keepaliveInterval, keepaliveIsDue);
  },

  clearKeepaliveTimer() {
    if (!this._keepaliveTimeoutID) return;
    stopTimer(this._keepaliveTimeoutID);
    this._keepaliveTimeoutID = null;
  },

  /** Nothing was received for `keepaliveInterval` milliseconds. */
  handleKeepaliveTimer() {
    this._debug('nothing received for %d ms (keepaliveInterval)', this.config.keepaliveInterval);
    this._keepaliveTimeoutID = null;
    this.ping();
    if (this.config.dropConnectionOnKeepaliveTimeout) {
      this.setGracePeriodTimer();
    } else {
      this.setKeepaliveTimer();
    }
  },

  setGracePeriodTimer() {
    this.clearGracePeriodTimer();
    this._gracePeriodTimeoutID = startTimer(this, this.config.keepaliveGracePeriod, gracePeriodIsOver);
  },

  clearGracePeriodTimer() {
    if (!this._gracePeriodTimeoutID) return;
    stopTimer(this._gracePeriodTimeoutID);
    this._gracePeriodTimeoutID = null;
  },

  /** Nothing was received for `keepaliveGracePeriod` milliseconds after a ping. */
  handleGracePeriodTimer() {
    this._debug('no answer within %d ms (keepaliveGracePeriod)', this.config.keepaliveGracePeriod);
    this._gracePeriodTimeoutID = null;
    this.drop(1006, 'Peer not responding.', true);
  },
};

module.exports = { startKeepalive, noteInput, methods };
