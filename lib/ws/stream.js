'use strict';

const { Duplex } = require('stream');
const { CONNECTING, CLOSED } = require('./constants');

/**
 * A WebSocket as a Duplex: each chunk written is a message, and each message a chunk to read. Text is read as bytes, and as
 * strings in `readableObjectMode`.
 * @param {WebSocket} websocket
 * @param {import('stream').DuplexOptions} [options]
 * @returns {Duplex}
 */
function createWebSocketStream(websocket, options) {
  // An error of the WebSocket has it close by itself: its Close frame still has to leave.
  let terminates = true;

  const whenOpen = (act) => {
    if (websocket.readyState === CONNECTING) websocket.once('open', act);
    else act();
  };

  const stream = new Duplex({
    ...options,
    // The stream ends with the WebSocket, not before.
    autoDestroy: false,
    emitClose: false,
    objectMode: false,
    writableObjectMode: false,
    read() {
      if (websocket.isPaused) websocket.resume();
    },
    write(chunk, encoding, callback) {
      whenOpen(() => websocket.send(chunk, callback));
    },
    final(callback) {
      whenOpen(() => finish(websocket, stream, callback));
    },
    destroy(error, callback) {
      const end = () => {
        callback(error);
        process.nextTick(() => stream.emit('close'));
      };
      if (websocket.readyState === CLOSED) {
        end();
        return;
      }
      websocket.once('error', (reason) => { error = reason; });
      websocket.once('close', end);
      if (terminates) websocket.terminate();
    },
  });

  websocket.on('message', (data, isBinary) => {
    const chunk = !isBinary && stream.readableObjectMode ? data.toString() : data;
    if (!stream.push(chunk)) websocket.pause();
  });
  websocket.once('error', (error) => {
    if (stream.destroyed) return;
    terminates = false;
    stream.destroy(error);
  });
  websocket.once('close', () => {
    if (!stream.destroyed) stream.push(null);
  });
  stream.on('end', () => {
    if (!stream.destroyed && stream.writableFinished) stream.destroy();
  });
  stream.on('error', throwUnlessHeard);
  return stream;
}

/** Everything was written: closes the WebSocket, and waits until the socket has taken all. */
function finish(websocket, stream, callback) {
  const { _socket: socket } = websocket;
  // The handshake has failed, and its error is on its way.
  if (socket === null) return;
  if (socket.writableFinished) {
    callback();
    if (stream.readableEnded) stream.destroy();
    return;
  }
  socket.once('finish', () => callback());
  websocket.close();
}

/** An error that nobody listens for is thrown, as that of any stream; but the WebSocket is closed first. */
function throwUnlessHeard(error) {
  this.removeListener('error', throwUnlessHeard);
  this.destroy();
  if (this.listenerCount('error') === 0) this.emit('error', error);
}

module.exports = { createWebSocketStream };
