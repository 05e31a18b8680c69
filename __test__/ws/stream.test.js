'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const { Readable } = require('stream');
const { WebSocket, once, openPair, startServer } = require('./endpoints');

const { createWebSocketStream } = WebSocket;

test('each chunk is a message, and both directions end', async (t) => {
  const { client, accepted } = await openPair(t);
  const echo = createWebSocketStream(accepted);
  echo.pipe(echo);
  const stream = createWebSocketStream(client, { encoding: 'utf8' });
  const received = [];
  stream.on('data', (chunk) => received.push(chunk));
  stream.write('one');
  stream.write('two');
  await once(client, 'message');
  if (received.length < 2) await once(client, 'message');
  const closed = once(stream, 'close');
  stream.end();
  await closed;
  assert.strictEqual(received.join(''), 'onetwo');
});

test('much more than fits anywhere arrives whole', async (t) => {
  const { server, url } = await startServer(t);
  const chunks = Array.from({ length: 200 }, (value, i) => Buffer.alloc(16384, i));
  server.on('connection', (websocket) => {
    Readable.from(chunks).pipe(createWebSocketStream(websocket));
  });
  const received = [];
  for await (const chunk of createWebSocketStream(new WebSocket(url))) {
    received.push(chunk);
    if (received.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(Buffer.concat(received).equals(Buffer.concat(chunks)));
});

test('text is read as strings in readableObjectMode', async (t) => {
  const { client, accepted } = await openPair(t);
  const stream = createWebSocketStream(client, { readableObjectMode: true });
  accepted.send('text');
  assert.deepStrictEqual(await once(stream, 'data'), ['text']);
  const closed = once(client, 'close');
  stream.destroy();
  assert.strictEqual((await closed)[0], 1006);
});

test('a handshake that fails is an error of the stream', async () => {
  const stream = createWebSocketStream(new WebSocket('ws://127.0.0.1:1'));
  const [error] = await once(stream, 'error');
  assert.strictEqual(error.code, 'ECONNREFUSED');
});
