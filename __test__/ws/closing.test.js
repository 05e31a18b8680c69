'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
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
