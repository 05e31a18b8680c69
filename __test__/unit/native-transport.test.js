'use strict';

// Which sockets are taken over, what they are like then, and how they are given back.

const { test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const http = require('http');
const { once } = require('events');
const websocket = require('../..');
const binding = require('../../lib/internal/addon/binding');
const { openRawClient, encodeFrame, OPCODE } = require('../helpers/raw');

const native = process.platform !== 'win32' && typeof binding.nativeStart === 'function';
const skip = native ? false : 'sockets cannot be taken over on this platform';

/** A server that accepts everybody, and the connection of its first client. */
async function openServer(t, config = {}) {
  const httpServer = http.createServer();
  const server = new websocket.server({ httpServer, autoAcceptConnections: true, io: 'loop', keepalive: false, ...config });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const { port } = httpServer.address();
  const peers = [];
  t.after(() => {
    for (const peer of peers) peer.destroy();
    server.shutDown();
    httpServer.close();
  });
  return {
    server,
    httpServer,
    async open() {
      const accepted = once(server, 'connect');
      const peer = await openRawClient(port);
      peers.push(peer);
      const [connection] = await accepted;
      await new Promise((resolve) => setImmediate(resolve));
      return { connection, peer };
    },
  };
}

test('a plain socket of a server is taken over with io: loop and stays a net.Socket', { skip }, async (t) => {
  const { connection, peer } = await (await openServer(t)).open();
  assert.strictEqual(connection.transport, 'loop');
  assert.ok(connection.socket instanceof net.Socket);
  assert.strictEqual(connection.socket.constructor, net.Socket);
  assert.strictEqual(connection.socket.remoteAddress, '127.0.0.1');
  peer.send({ opcode: OPCODE.TEXT, payload: 'x'.repeat(100) });
  const before = connection.socket.bytesRead;
  const [message] = await once(connection, 'message');
  assert.strictEqual(message.utf8Data.length, 100);
  assert.ok(connection.socket.bytesRead >= before + 106, 'bytesRead counts what the addon has read');
  connection.sendUTF('y'.repeat(100));
  await peer.frame();
  assert.ok(connection.socket.bytesWritten >= 102, 'bytesWritten counts what the addon has written');
});

test('io: stream leaves the socket to Node', async (t) => {
  const { connection } = await (await openServer(t, { io: 'stream' })).open();
  assert.strictEqual(connection.transport, 'stream');
  assert.strictEqual(Object.getPrototypeOf(connection.socket), net.Socket.prototype);
});

test('an unknown value of io is refused by server and client, with the values there are', () => {
  const refusal = /option io must be one of 'auto', 'loop', 'threads', 'stream', not turbo/;
  assert.throws(() => new websocket.server({ httpServer: http.createServer(), io: 'turbo' }), refusal);
  assert.throws(() => new websocket.client({ io: 'turbo' }), refusal);
});

test('a socket with a foreign data listener is not taken over', { skip }, async (t) => {
  const opened = await openServer(t);
  opened.httpServer.prependListener('upgrade', (request, socket) => socket.on('data', () => {}));
  const { connection } = await opened.open();
  assert.strictEqual(connection.transport, 'stream');
});

for (const [what, act] of [
  ['a data listener is added', (socket) => socket.on('data', () => {})],
  ['write is replaced', (socket) => { const { write } = socket; socket.write = function spy(...args) { return write.apply(this, args); }; }],
  ['it is piped somewhere', (socket) => socket.pipe(new (require('stream').PassThrough)().resume())],
]) {
  test(`a socket is given back to Node when ${what}, in the middle of a message as well`, { skip }, async (t) => {
    const { connection, peer } = await (await openServer(t)).open();
    assert.strictEqual(connection.transport, 'loop');
    const messages = [];
    connection.on('message', ({ utf8Data }) => messages.push(utf8Data));
    peer.send({ opcode: OPCODE.TEXT, payload: 'first ', fin: false });
    await new Promise((resolve) => setTimeout(resolve, 20));
    act(connection.socket);
    assert.strictEqual(connection.transport, 'stream');
    peer.send({ opcode: OPCODE.CONTINUATION, payload: 'half' });
    peer.send({ opcode: OPCODE.TEXT, payload: 'second' });
    while (messages.length < 2) await once(connection, 'message');
    assert.deepStrictEqual(messages, ['first half', 'second']);
    connection.sendUTF('answer');
    assert.strictEqual((await peer.frame()).payload.toString(), 'answer');
  });
}

test('destroy() of a taken-over socket lets go of its descriptor', { skip }, async (t) => {
  const opened = await openServer(t);
  const before = binding.nativeCount();
  const { connection, peer } = await opened.open();
  assert.strictEqual(binding.nativeCount(), before + 1);
  connection.socket.destroy();
  assert.strictEqual(binding.nativeCount(), before);
  await peer.close();
});

test('what was sent before end() of a taken-over socket arrives before FIN, however much it is', { skip }, async (t) => {
  const { connection, peer } = await (await openServer(t, { fragmentOutgoingMessages: false })).open();
  connection.sendBytes(Buffer.alloc(8 * 1024 * 1024, 7));
  connection.socket.end();
  const frame = await peer.frame();
  assert.strictEqual(frame.payload.length, 8 * 1024 * 1024);
  await peer.until(() => peer.ended, 'FIN');
});

test('a broadcast reaches connections of every kind, in order with other sends', async (t) => {
  const opened = await openServer(t, { fragmentationThreshold: 100 });
  const clients = [await opened.open(), await opened.open(), await opened.open()];
  const own = [];
  clients[1].connection.sendUTF = function sendUTF(data) {
    own.push(data);
    websocket.connection.prototype.sendUTF.call(this, data);
  };
  clients[2].connection.socket.on('data', () => {});
  clients[0].connection.sendUTF('before');
  opened.server.broadcastUTF('to all');
  opened.server.broadcast(Buffer.alloc(250));
  clients[0].connection.sendUTF('after');
  await Promise.all([clients[0].peer.frame(6), clients[1].peer.frame(4), clients[2].peer.frame(4)]);
  const shape = ({ peer }) => peer.frames.map(({ opcode, fin, payload }) => `${opcode}${fin ? '.' : '-'}${payload.length}`).join(' ');
  assert.strictEqual(shape(clients[0]), '1.6 1.6 2-100 0-100 0.50 1.5');
  assert.strictEqual(shape(clients[1]), '1.6 2-100 0-100 0.50');
  assert.strictEqual(shape(clients[2]), '1.6 2-100 0-100 0.50');
  assert.deepStrictEqual(own, ['to all']);
  assert.throws(() => opened.server.broadcastBytes('no bytes'), /must pass a Node Buffer/);
});

test('text of every kind and length arrives as it was sent, and half a surrogate pair as U+FFFD', { skip }, async (t) => {
  const { connection, peer } = await (await openServer(t, { fragmentOutgoingMessages: false })).open();
  const ascii = 'a';
  const latin1 = 'é';
  const wide = '漢';
  const pair = '\u{1f600}';
  const texts = ['', ascii, latin1, wide, pair, '\ud800', `${wide}\udc00${ascii}`];
  // Around the lengths at which strings take another way.
  for (const length of [1000, 21843, 21844, 21845, 21846, 65531, 65532, 65533, 65536, 100000]) {
    for (const unit of [ascii, latin1, wide, pair]) texts.push(unit.repeat(Math.ceil(length / unit.length)), ascii);
  }
  for (const text of texts) connection.sendUTF(text);
  await peer.frame(texts.length);
  for (const [index, text] of texts.entries()) {
    const { payload } = peer.frames[index];
    assert.ok(payload.equals(Buffer.from(text)), `${text.length} units beginning with ${JSON.stringify(text.slice(0, 4))}`);
  }
  const received = [];
  connection.on('message', ({ utf8Data }) => received.push(utf8Data));
  const whole = texts.filter((text) => Buffer.from(text).length < 65536 && !/[\ud800-\udfff]/.test(text.replaceAll(pair, '')));
  for (const text of whole) peer.send({ opcode: OPCODE.TEXT, payload: text });
  while (received.length < whole.length) await once(connection, 'message');
  assert.deepStrictEqual(received, whole);
});

test('what a listener enters in an AsyncLocalStorage is seen by its own ticks, not by the next event', { skip }, async (t) => {
  const { AsyncLocalStorage } = require('async_hooks');
  const storage = new AsyncLocalStorage();
  const { connection, peer } = await (await openServer(t)).open();
  const seen = [];
  connection.on('message', ({ utf8Data }) => {
    seen.push(storage.getStore());
    storage.enterWith(utf8Data);
    process.nextTick(() => seen.push(storage.getStore()));
  });
  // Two of one batch, and one of another.
  peer.write(Buffer.concat(['a', 'b'].map((payload) => encodeFrame({ opcode: OPCODE.TEXT, payload }))));
  while (seen.length < 4) await new Promise((resolve) => setImmediate(resolve));
  peer.send({ opcode: OPCODE.TEXT, payload: 'c' });
  while (seen.length < 6) await new Promise((resolve) => setImmediate(resolve));
  assert.deepStrictEqual(seen, [undefined, 'a', undefined, 'b', undefined, 'c']);
});

test('an exception of a listener or of its tick is uncaught, and the other messages of the batch still come', { skip }, async (t) => {
  const { connection, peer } = await (await openServer(t)).open();
  const uncaught = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error.message));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const received = [];
  connection.on('message', ({ utf8Data }) => {
    received.push(utf8Data);
    if (utf8Data === 'a') throw new Error('listener');
    if (utf8Data === 'b') process.nextTick(() => { throw new Error('tick'); });
    if (utf8Data === 'd') process.nextTick(() => { throw new Error('last tick'); });
  });
  peer.write(Buffer.concat(['a', 'b', 'c', 'd'].map((payload) => encodeFrame({ opcode: OPCODE.TEXT, payload }))));
  while (uncaught.length < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.deepStrictEqual(received, ['a', 'b', 'c', 'd']);
  assert.deepStrictEqual(uncaught, ['listener', 'tick', 'last tick']);
});
