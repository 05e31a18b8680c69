'use strict';

// What waits to be sent to a peer that reads too slowly: how much of it, and what happens when it is too much.

const { callBack } = require('../base/arguments');
const { websocketError } = require('../base/errors');

/** From how many waiting bytes on a call that sends returns false. */
function highWaterMarkOf({ config: { highWaterMark }, socket }) {
  return highWaterMark === null || highWaterMark === undefined ? socket.writableHighWaterMark : highWaterMark;
}

/** Whether the program has a mark of its own, so that Node's `drain` is not necessarily its. */
function hasOwnMark({ config: { highWaterMark } }) {
  return highWaterMark !== null && highWaterMark !== undefined;
}

/**
 * Whether a message may be sent without exceeding `maxBufferedAmount`. If not, does what `maxBufferedAmountPolicy` says.
 * Whatever its length, a message may be sent when nothing waits: how much the peer reads cannot be known before.
 * @param {WebSocketConnection} connection
 * @param {string|Buffer} data the message
 * @param {(error: Error) => void} [cb] gets an Error then
 * @param {number} [length] of `data` in bytes, if the caller knows it
 */
function hasRoom(connection, data, cb, length = undefined) {
  const { maxBufferedAmount } = connection.config;
  // Also for connections made by hand, which may have no such option.
  if (!(maxBufferedAmount < Infinity)) return true;
  const most = maxBufferedAmount - (length === undefined ? Buffer.byteLength(data) : length);
  if (connection._transport.bufferedAmount(connection) <= Math.max(0, most)) return true;
  // Some of it may merely have had no chance yet.
  if (connection._transport.flush(connection) <= Math.max(0, most)) return true;
  refuse(connection, data, cb);
  return false;
}

function refuse(connection, data, cb) {
  const { maxBufferedAmount, maxBufferedAmountPolicy } = connection.config;
  const error = websocketError('ERR_WEBSOCKET_BUFFER_FULL', 'Nothing was sent: the peer reads too slowly, and with this ' +
    `message more than ${maxBufferedAmount} bytes would wait for it (maxBufferedAmount).`);
  callBack(cb, error);
  if (maxBufferedAmountPolicy === 'drop') {
    // Not at once: a listener may send something itself. Nothing comes after `close`.
    process.nextTick(() => { if (!connection.closeEventEmitted) connection.emit('dropped', data, error); });
    return;
  }
  connection.drop(1008, `More than ${maxBufferedAmount} bytes wait to be sent (maxBufferedAmount).`);
}

module.exports = { highWaterMarkOf, hasOwnMark, hasRoom };
