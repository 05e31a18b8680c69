'use strict';

// What runs in child processes for w3c-handlers.test.js.

const { websocket } = require('../helpers/under-test');
const { encodeFrame, closePayload, rawServer, OPCODE } = require('../helpers/raw');

/** A handler throws; tells what became of it and whether the close event came. */
exports.throwInside = async ({ report, event }) => {
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  const raw = await rawServer(event === 'error' ? (peer) => peer.socket.end('HTTP/1.1 403 Forbidden\r\n\r\n') : undefined);
  const socket = new websocket.w3cwebsocket(raw.url);
  let closes = 0;
  socket.addEventListener('close', () => closes++);
  // A handler comes before the listeners: when it throws, so does dispatchEvent().
  socket[`on${event}`] = () => { throw new Error(`inside ${event}`); };
  const peer = await raw.next();
  if (event !== 'error') {
    setTimeout(() => {
      peer.write(encodeFrame({ opcode: OPCODE.TEXT, payload: 'x', mask: false }));
      peer.write(encodeFrame({ opcode: OPCODE.CLOSE, payload: closePayload(1000), mask: false }));
    }, 50);
  }
  // Late events would be faults as well, so some time has to pass.
  setTimeout(() => {
    report({ caught, closes, readyState: socket.readyState });
    process.exit(0);
  }, 400);
};
