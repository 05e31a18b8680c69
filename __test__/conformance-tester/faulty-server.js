'use strict';

// An echo server made of a raw socket that gets one thing wrong, so that the tester can be seen to notice it.

const { once } = require('events');
const net = require('net');
const { RawPeer, encodeFrame, closePayload, acceptKey, OPCODE } = require('../helpers/raw');

const RIGHT = {
  accept: (key) => `Sec-WebSocket-Accept: ${acceptKey(key)}`,
  /** The answer to a message, a list of frames. */
  echo: ({ opcode, payload }) => [{ opcode, payload }],
  pong: ({ payload }) => [{ opcode: OPCODE.PONG, payload }],
  /** The answer to a Close frame. */
  close: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1000) }],
  /** What is done about a frame with reserved bits. */
  fail: () => [{ opcode: OPCODE.CLOSE, payload: closePayload(1002) }],
  end: (socket) => socket.end(),
  mask: false,
};

/**
 * Starts the server; only what the options say is wrong.
 * @param {import('node:test').TestContext} t
 * @param {Partial<typeof RIGHT>} faults
 * @returns {Promise<string>} its URL
 */
async function faultyServer(t, faults) {
  const behaviour = { ...RIGHT, ...faults };
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const peer = new RawPeer(socket);
    let handled = 0;
    let over = false;
    const send = (frames) => {
      for (const frame of frames) peer.write(Buffer.isBuffer(frame) ? frame : encodeFrame({ mask: behaviour.mask, ...frame }));
    };
    peer.until(() => peer.head !== null, 'a request').then(async () => {
      const [, key] = /^sec-websocket-key: *(.*)\r$/im.exec(peer.head);
      peer.write(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', behaviour.accept(key)].join('\r\n') + '\r\n\r\n');
      while (!over) {
        await peer.until(() => peer.frames.length > handled || peer.ended, 'a frame', 20000);
        if (peer.frames.length === handled) break;
        const frame = peer.frames[handled++];
        if (frame.rsv !== 0) {
          over = true;
          send(behaviour.fail(frame));
        } else if (frame.opcode === OPCODE.CLOSE) {
          over = true;
          send(behaviour.close(frame));
        } else if (frame.opcode === OPCODE.PING) {
          send(behaviour.pong(frame));
        } else {
          send(behaviour.echo(frame));
        }
      }
      behaviour.end(socket);
    }).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}/`;
}

module.exports = { faultyServer };
