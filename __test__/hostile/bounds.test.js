'use strict';

// Bounds that no option changes and that take their time to be seen; docs/robustness.md lists all of them.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { isReference, websocket } = require('../helpers/under-test');
const { openPair, startServer } = require('../helpers/under-test/endpoints');
const { OPCODE, requestHead } = require('../helpers/raw');

/** How long a refused client may keep its end of the socket open, in milliseconds, and how late the end may be seen. */
const LINGER = 5000;
const LATE = 3000;

/** Milliseconds until a client that is refused, and goes on writing to its end of the socket, loses it. */
async function timeUntilLost(t, port, head) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.resume();
  socket.write(head);
  await once(socket, 'end');
  const begun = performance.now();
  const timer = setInterval(() => socket.write('x'), 100);
  await new Promise((resolve) => socket.once('error', resolve).once('close', resolve));
  clearInterval(timer);
  return performance.now() - begun;
}

const onRequest = (request) => request.reject(403);

async function listen(t) {
  const server = new websocket.server({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  server.on('request', onRequest);
  await once(server, 'listening');
  return { port: server.address().port };
}

const refused = [
  ['an HTTP server', (t) => startServer(t, { onRequest }), requestHead()],
  ...(isReference ? [] : [
    ['a server that listens itself', listen, requestHead()],
    ['a server that listens itself, for a request that is no handshake', listen, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ]),
];

describe('a client that was refused and does not close its end of the socket loses it within five seconds', {
  concurrency: true, skip: isReference ? '1.0.35 keeps it for ever' : false,
}, () => {
  for (const [by, start, head] of refused) {
    test(`by ${by}`, { timeout: 30000 }, async (t) => {
      const { port } = await start(t);
      const passed = await timeUntilLost(t, port, head);
      assert.ok(passed < LINGER + LATE, `after ${Math.round(passed)} ms`);
    });
  }
});

for (const role of ['server', 'client']) {
  test(`${role}: of a message in endless fragments, no more than 1,024 are kept one by one for a processFrame() of the program`, {
    skip: isReference ? '1.0.35 keeps all' : false, timeout: 30000,
  }, async (t) => {
    const count = 5000;
    const pair = await openPair(t, role);
    const { connection } = pair;
    const { processFrame } = connection;
    let most = 0;
    let frames = 0;
    connection.processFrame = function spy(frame) {
      frames++;
      processFrame.call(this, frame);
      most = Math.max(most, this.frameQueue.length);
    };
    // The receiver has to learn of it before the first frame; an assignment says so.
    connection.assembleFragments = true;
    const message = once(connection, 'message');
    pair.send(...Array.from({ length: count }, (_, index) => ({
      opcode: index === 0 ? OPCODE.TEXT : OPCODE.CONTINUATION, payload: String(index % 10), fin: index === count - 1,
    })));
    const [{ utf8Data }] = await message;
    assert.strictEqual(utf8Data, '0123456789'.repeat(count / 10));
    assert.strictEqual(frames, count);
    assert.ok(most <= 1024, `${most} fragments`);
  });
}
