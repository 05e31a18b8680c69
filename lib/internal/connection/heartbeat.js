'use strict';

// What Pings and Pongs tell about a connection: how many there were, and how long one took to be answered.

const { callBack } = require('../base/arguments');
const { websocketError } = require('../base/errors');

/** Pings that may be unanswered at a time; of older ones nothing is remembered. */
const MAX_OUTSTANDING = 32;

const NO_BYTES = Buffer.alloc(0);
const noop = () => {};

/** What is kept about a connection once there was a Ping or Pong on it. */
class Heartbeat {
  constructor() {
    this.pingsSent = 0;
    this.pingsReceived = 0;
    this.pongsReceived = 0;
    /** Milliseconds that the newest answered Ping took; null when none was answered. */
    this.latency = null;
    /** Unanswered Pings, the oldest first: their payload, when they were sent, and who waits. Null for none. */
    this._outstanding = null;
    this._lastMeasurement = 0;
  }

  /** A Ping is sent. `done(error, latency)` is called when it is answered, or cannot be any more. */
  sent(payload, done = null) {
    this.pingsSent++;
    if (this._outstanding === null) this._outstanding = [];
    // The program may write into its own Buffer afterwards.
    const copy = payload.length === 0 ? NO_BYTES : Buffer.from(payload);
    this._outstanding.push({ payload: copy, at: performance.now(), done });
    if (this._outstanding.length > MAX_OUTSTANDING) settle(this._outstanding.shift(), tooMany());
  }

  /**
   * A Pong was received. It answers the oldest Ping with its payload, and those before, which need no answer of their
   * own (RFC 6455 section 5.5.3). Others are unsolicited.
   */
  answered(payload) {
    this.pongsReceived++;
    const outstanding = this._outstanding;
    const index = outstanding === null ? -1 : outstanding.findIndex((ping) => ping.payload.equals(payload));
    if (index === -1) return;
    this.latency = performance.now() - outstanding[index].at;
    const answered = outstanding.splice(0, index + 1);
    if (outstanding.length === 0) this._outstanding = null;
    for (const ping of answered) settle(ping, null, this.latency);
  }

  /** The connection is over. */
  end(error) {
    const outstanding = this._outstanding;
    this._outstanding = null;
    if (outstanding !== null) for (const ping of outstanding) settle(ping, error);
  }

  /** A payload that no other Ping of this connection has. */
  nextPayload() {
    return Buffer.from(`latency ${++this._lastMeasurement}`);
  }
}

function settle({ done }, error, latency) {
  if (done !== null) done(error, latency);
}

function tooMany() {
  return websocketError('ERR_WEBSOCKET_NO_PONG', `The Ping was not answered, and ${MAX_OUTSTANDING} more were sent after it.`);
}

function heartbeatOf(connection) {
  if (connection._heartbeat === null) connection._heartbeat = new Heartbeat();
  return connection._heartbeat;
}

function closedError(connection) {
  return websocketError('ERR_WEBSOCKET_CLOSED',
    `The connection to ${connection.remoteAddress} has ended before the Ping was answered.`);
}

/** Nobody will answer any more. */
function endHeartbeat(connection) {
  if (connection._heartbeat !== null) connection._heartbeat.end(closedError(connection));
}

/** Methods of WebSocketConnection. */
const methods = {
  /**
   * Sends a Ping and waits for its Pong.
   * @returns {Promise<number>} milliseconds. Rejected with an Error when the connection ends before, or is not open
   */
  measureLatency() {
    const promise = new Promise((resolve, reject) => {
      const done = (error, latency) => (error ? reject(error) : resolve(latency));
      if (!this.connected || this.state !== 'open') {
        callBack(done, closedError(this));
        return;
      }
      this._pingWith(heartbeatOf(this).nextPayload(), done);
    });
    // Whoever does not wait for it does not want to hear of it either.
    promise.catch(noop);
    return promise;
  },
};

module.exports = { heartbeatOf, endHeartbeat, methods };
