'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { rawServer, acceptHead, encodeFrame, closePayload, OPCODE } = require('../helpers/raw');
const { WebSocket, once, openPair } = require('./endpoints');

test('close() sends code and reason, and the peer answers with the same', async (t) => {
  const { client, accepted } = await openPair(t);
  const both = Promise.all([once(client, 'close'), once(accepted, 'close')]);
  client.close(4001, 'enough');
  assert.strictEqual(client.readyState, WebSocket.CLOSING);
  for (const [code, reason] of await both) {
    assert.strictEqual(code, 4001);
    assert.deepStrictEqual(reason, Buffer.from('enough'));
  }
  assert.strictEqual(client.readyState, WebSocket.CLOSED);
  assert.strictEqual(accepted.readyState, WebSocket.CLOSED);
});

test('close() without a code is 1005 on both sides', async (t) => {
  const { client, accepted } = await openPair(t);
  const both = Promise.all([once(client, 'close'), once(accepted, 'close')]);
  accepted.close();
  for (const [code, reason] of await both) assert.deepStrictEqual([code, reason.length], [1005, 0]);
});

test('messages still arrive after close(), until the peer has closed as well', async (t) => {
  const { client, accepted } = await openPair(t);
  const received = once(client, 'message');
  accepted.send('before I have seen it');
  client.close();
  assert.strictEqual((await received)[0].toString(), 'before I have seen it');
});

test('terminate() ends with 1006', async (t) => {
  const { client, accepted } = await openPair(t);
  const both = Promise.all([once(client, 'close'), once(accepted, 'close')]);
  client.terminate();
  for (const [code] of await both) assert.strictEqual(code, 1006);
});

test('a peer that does not answer a Close frame is left after closeTimeout', async (t) => {
  const { client, accepted } = await openPair(t, { closeTimeout: 50 });
  client.pause();
  const [code] = await new Promise((resolve) => {
    accepted.once('close', (...args) => resolve(args));
    accepted.close(1000);
  });
  assert.strictEqual(code, 1006);
});

test('codes and reasons that a Close frame cannot have are refused', async (t) => {
  const { client } = await openPair(t);
  assert.throws(() => client.close(1005), TypeError);
  assert.throws(() => client.close('1000'), TypeError);
  assert.throws(() => client.close(1000, 'x'.repeat(124)), RangeError);
  assert.throws(() => client.close(1000, [1]), TypeError);
  assert.strictEqual(client.readyState, WebSocket.OPEN);
});

test('close() before the connection is open fails the attempt', async () => {
  const client = new WebSocket('ws://127.0.0.1:1');
  const failed = once(client, 'error');
  client.close();
  const [error] = await failed;
  assert.strictEqual(error.message, 'WebSocket was closed before the connection was established');
  assert.strictEqual(error.code, 'ERR_WEBSOCKET_ABORTED');
});

test('a server closes when its clients have gone, and tells its callback', async (t) => {
  const { server, client } = await openPair(t);
  assert.strictEqual(server.clients.size, 1);
  const closed = new Promise((resolve) => { server.close(resolve); });
  client.close();
  assert.strictEqual(await closed, undefined);
  const error = await new Promise((resolve) => { server.close(resolve); });
  assert.strictEqual(error.message, 'The server is not running');
});

test('callbacks of what was sent come before close', async (t) => {
  const { client } = await openPair(t);
  const order = [];
  client.send('never mind whether it arrives', () => order.push('callback'));
  client.once('close', () => order.push('close'));
  client.terminate();
  await once(client, 'close');
  assert.deepStrictEqual(order, ['callback', 'close']);
});

for (const transport of ['of the addon', 'of Node']) {
  test(`a Close frame is answered when the peer has ended its side right behind it; sockets ${transport}`, async (t) => {
    const frames = ['first', 'second', 'third'].map((text) => encodeFrame({ opcode: OPCODE.TEXT, payload: Buffer.from(text), mask: false }));
    frames.push(encodeFrame({ opcode: OPCODE.CLOSE, payload: closePayload(1000, 'enough'), mask: false }));
    const { port, close } = await rawServer((peer) => {
      peer.socket.write(acceptHead(/sec-websocket-key: (.*)/i.exec(peer.head)[1]));
      peer.socket.end(Buffer.concat(frames));
    });
    t.after(close);
    const createConnection = (options) => {
      const socket = net.connect(options.port, options.host);
      // The addon takes over no socket whose methods are somebody else's.
      if (transport === 'of Node') socket.write = (...args) => net.Socket.prototype.write.apply(socket, args);
      return socket;
    };
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { createConnection });
    // Longer than the connections may go on in one turn of the event loop.
    client.onmessage = () => { for (const end = performance.now() + 30; performance.now() < end;); };
    const { wasClean, code } = await new Promise((resolve) => { client.onclose = resolve; });
    assert.deepStrictEqual({ wasClean, code }, { wasClean: true, code: 1000 });
  });
}
