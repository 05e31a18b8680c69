'use strict';

// Requests that come in unusual ways, and programs that answer them so. COMPATIBILITY: H5, H6, U7, U8, U12, U13, S1, S2.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const net = require('net');
const { websocket } = require('../helpers/under-test');
const { startHttpServer, startServer, rawClient, eventually } = require('../helpers/under-test/endpoints');
const { requestHead } = require('../helpers/raw');

test('U7: an upgrade that was pipelined behind another request is answered after that', async (t) => {
  const { httpServer, port } = await startHttpServer(t,
    http.createServer((request, response) => setTimeout(() => response.end('page'), 20)));
  new websocket.server({ httpServer }).on('request', (request) => request.accept());
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${requestHead()}`);
  await eventually(() => text.includes('101 Switching') && text.includes('page'), 'both responses');
  assert.ok(text.indexOf('page') < text.indexOf('101 Switching'), text);
});

test('U8: the second of two servers that answer one request is told so, and the connection lives', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  let connection;
  let thrown;
  new websocket.server({ httpServer }).on('request', (request) => { connection = request.accept(); });
  new websocket.server({ httpServer }).on('request', (request) => {
    try {
      request.reject();
    } catch (error) {
      thrown = error;
    }
  });
  const peer = await rawClient(port);
  t.after(() => peer.destroy());
  await eventually(() => thrown, 'the exception');
  connection.sendUTF('alive');
  await peer.until(() => peer.frames.length > 0, 'the message');
});

for (const [forwarded, address] of [['203.0.113.7:50001', '203.0.113.7'], ['[2001:db8::7]:50001', '2001:db8::7']]) {
  test(`U12: of "X-Forwarded-For: ${forwarded}" the port is no part of the address`, async (t) => {
    const { connection, port } = await startServer(t);
    const peer = await rawClient(port, { headers: { 'X-Forwarded-For': forwarded } });
    t.after(() => peer.destroy());
    assert.strictEqual((await connection()).remoteAddress, address);
  });
}

test('U13: when a listener for request returns a promise that is rejected, the client gets 500', async (t) => {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const reasons = [];
  const collect = (reason) => reasons.push(reason.message);
  process.on('unhandledRejection', collect);
  t.after(() => {
    process.removeListener('unhandledRejection', collect);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  const { port } = await startServer(t, { onRequest: async () => { throw new Error('boom'); } });
  const peer = await rawClient(port);
  t.after(() => peer.destroy());
  await peer.until(() => peer.status === 500, 'an answer');
  assert.deepStrictEqual(reasons, ['boom']);
});

for (const status of [NaN, Infinity, -1, 99, 101, 404.5, 1000]) {
  test(`H5: reject(${status}) sends a response that a client can read`, async (t) => {
    const { port } = await startServer(t, { onRequest: (request) => request.reject(status) });
    const peer = await rawClient(port);
    t.after(() => peer.destroy());
    await peer.until(() => peer.head !== null, 'an answer');
    assert.match(peer.head, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  });
}

test('H6: headers of reject() that have no value are left out', async (t) => {
  const { port } = await startServer(t, {
    onRequest: (request) => request.reject(401, 'no', { 'X-Undefined': undefined, 'X-Null': null, 'X-Zero': 0, 'X-Empty': '' }),
  });
  const peer = await rawClient(port);
  t.after(() => peer.destroy());
  await peer.until(() => peer.head !== null, 'an answer');
  assert.doesNotMatch(peer.head, /X-Undefined|X-Null/);
  assert.match(peer.head, /^X-Zero: 0\r\nX-Empty: ?\r$/m);
});

test('S1: a server that is mounted twice on one HTTP server handles a request once', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const server = new websocket.server({ httpServer });
  server.mount({ httpServer });
  let requests = 0;
  server.on('request', (request) => {
    requests++;
    if (requests === 1) setTimeout(() => request.accept(), 10);
  });
  const peer = await rawClient(port);
  t.after(() => peer.destroy());
  await peer.until(() => peer.status === 101, 'the answer');
  assert.strictEqual(requests, 1);
});

test('S1: unmount() ends what each of several mount() calls has begun', async (t) => {
  const servers = [await startHttpServer(t), await startHttpServer(t)];
  const server = new websocket.server();
  for (const { httpServer } of servers) server.mount({ httpServer });
  server.unmount();
  for (const { httpServer } of servers) assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
});

test('S2: a server that was never mounted can be unmounted and shut down', () => {
  const server = new websocket.server();
  server.unmount();
  server.shutDown();
});
