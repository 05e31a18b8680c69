'use strict';

// The class of the browsers' API. COMPATIBILITY: C1 to C8.

const { test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { websocket } = require('../helpers/under-test');
const { rawServer, eventually, turns, startServer } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

const W3CWebSocket = websocket.w3cwebsocket;

/** An open W3CWebSocket, its raw peer, and the events in order. */
async function open(t, { answer, config } = {}) {
  const raw = await rawServer(answer);
  t.after(() => raw.close());
  const socket = new W3CWebSocket(raw.url, undefined, undefined, undefined, undefined, config);
  const events = record(socket);
  t.after(() => socket._connection && socket._connection.socket.destroy());
  if (!answer) await eventually(() => events.length > 0, 'the open event');
  const peer = answer ? null : await raw.next();
  return { raw, socket, events, peer, send: (frame) => peer.send({ mask: false, ...frame }) };
}

function record(socket) {
  const events = [];
  for (const type of ['open', 'message', 'error', 'close']) socket[`on${type}`] = (event) => events.push(event);
  return events;
}

const types = (events) => events.map((event) => event.type);

/** A port of this machine on which nobody listens. */
async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

test('C1: an empty text message is delivered', async (t) => {
  const { events, send } = await open(t);
  send({ opcode: OPCODE.TEXT });
  await eventually(() => events.length === 2, 'the message event');
  assert.strictEqual(events[1].type, 'message');
  assert.strictEqual(events[1].data, '');
});

test('C1: empty text messages keep their place among others', async (t) => {
  const { events, send } = await open(t);
  for (const payload of ['a', '', 'b', '']) send({ opcode: OPCODE.TEXT, payload });
  await eventually(() => events.length === 5, 'four message events');
  assert.deepStrictEqual(events.slice(1).map((event) => event.data), ['a', '', 'b', '']);
});

for (const [code, wire] of [[3000, closePayload(3000, 'bye')], [1001, closePayload(1001)], [1011, closePayload(1011, 'x')]]) {
  test(`C2: a closing handshake with code ${code} was clean`, async (t) => {
    const { events, send } = await open(t);
    send({ opcode: OPCODE.CLOSE, payload: wire });
    await eventually(() => types(events).includes('close'), 'the close event');
    const event = events[events.length - 1];
    assert.strictEqual(event.code, code);
    assert.strictEqual(event.wasClean, true);
  });
}

test('C2: a close() the peer never answers was not clean', async (t) => {
  const { socket, events, peer } = await open(t);
  socket.close();
  await peer.until(() => peer.frames.length > 0, 'the Close frame');
  peer.destroy();
  await eventually(() => types(events).includes('close'), 'the close event');
  assert.strictEqual(events[events.length - 1].wasClean, false);
});

test('C2: a close() with code 3000 and its answer was clean', async (t) => {
  const { socket, events, peer, send } = await open(t);
  peer.socket.allowHalfOpen = true;
  socket.close(3000, 'done');
  const frame = await peer.frame();
  send({ opcode: OPCODE.CLOSE, payload: frame.payload });
  peer.socket.end();
  await eventually(() => types(events).includes('close'), 'the close event');
  const event = events[events.length - 1];
  assert.strictEqual(event.wasClean, true);
});

test('C3: bufferedAmount counts what the peer has not taken yet, and falls to 0', async (t) => {
  const { socket, peer } = await open(t);
  assert.strictEqual(socket.bufferedAmount, 0);
  peer.socket.pause();
  const chunk = Buffer.alloc(1 << 20, 'x');
  const count = 32;
  for (let i = 0; i < count; i++) socket.send(chunk);
  assert.strictEqual(socket.bufferedAmount, count * chunk.length, 'what was sent in this task, without frame headers');
  peer.socket.removeAllListeners('data');
  peer.socket.resume();
  await eventually(() => socket.bufferedAmount === 0, 'bufferedAmount to fall to 0', 5000);
});

test('C3: bufferedAmount is the length of messages in UTF-8, and does not fall before the task ends', async (t) => {
  const { socket, peer } = await open(t);
  for (const [data, length] of [['', 0], ['abc', 3], ['\ud83d\ude00\u00e9', 6], ['\ud800', 3], [new Uint16Array(5), 10], [new ArrayBuffer(7), 7]]) {
    const before = socket.bufferedAmount;
    socket.send(data);
    assert.strictEqual(socket.bufferedAmount, before + length);
  }
  await Promise.resolve();
  assert.strictEqual(socket.bufferedAmount, 29, 'microtasks belong to the task');
  for (let i = 0; i < 6; i++) await peer.frame();
  await eventually(() => socket.bufferedAmount === 0, 'bufferedAmount to fall to 0', 5000);
});

test('C3: what a connection had not sent when it closed stays in bufferedAmount', async (t) => {
  const { socket, events, peer } = await open(t);
  peer.socket.pause();
  for (let i = 0; i < 32; i++) socket.send(Buffer.alloc(1 << 20));
  peer.socket.resetAndDestroy();
  await eventually(() => types(events).includes('close'), 'the close event');
  await new Promise(setImmediate);
  assert.ok(socket.bufferedAmount > 0);
  assert.ok(socket.bufferedAmount <= 32 << 20);
});

test('C3: a message that maxBufferedAmountPolicy drops does not stay in bufferedAmount', async (t) => {
  const { socket, peer } = await open(t, { config: { maxBufferedAmount: 1 << 20, maxBufferedAmountPolicy: 'drop' } });
  peer.socket.pause();
  for (let i = 0; i < 32; i++) socket.send(Buffer.alloc(1 << 20));
  peer.socket.removeAllListeners('data');
  peer.socket.resume();
  await eventually(() => socket.bufferedAmount === 0, 'bufferedAmount to fall to 0', 5000);
});

test('C5: a lone surrogate in the reason of close() is replaced, on the wire and in the close event', async (t) => {
  const { socket, peer, events, send } = await open(t);
  socket.close(4000, 'a\ud807b');
  const frame = await peer.frame();
  assert.strictEqual(frame.reason, 'a\ufffdb');
  send({ opcode: OPCODE.CLOSE, payload: frame.payload });
  peer.socket.end();
  await eventually(() => types(events).includes('close'), 'the close event');
  assert.strictEqual(events[events.length - 1].reason, 'a\ufffdb');
});

test('C4: binaryType is arraybuffer by default and can be blob', async (t) => {
  const { socket, events, send } = await open(t);
  assert.strictEqual(socket.binaryType, 'arraybuffer');
  const bytes = Buffer.from([0, 1, 2, 254, 255]);
  send({ opcode: OPCODE.BINARY, payload: bytes });
  await eventually(() => events.length === 2, 'the message event');
  assert.strictEqual(events[1].data.constructor, ArrayBuffer);
  assert.deepStrictEqual(Buffer.from(events[1].data), bytes);

  socket.binaryType = 'blob';
  assert.strictEqual(socket.binaryType, 'blob');
  send({ opcode: OPCODE.BINARY, payload: bytes });
  await eventually(() => events.length === 3, 'the message event');
  assert.ok(events[2].data instanceof Blob);
  assert.deepStrictEqual(Buffer.from(await events[2].data.arrayBuffer()), bytes);

  socket.binaryType = 'arraybuffer';
  send({ opcode: OPCODE.BINARY });
  await eventually(() => events.length === 4, 'the message event');
  assert.strictEqual(events[3].data.byteLength, 0);
});

for (const code of [0, 999, 1001, 1005, 1006, 1011, 2999, 5000, 70000]) {
  test(`C5: close(${code}) throws an InvalidAccessError and closes nothing`, async (t) => {
    const { socket, peer } = await open(t);
    assert.throws(() => socket.close(code), { name: 'InvalidAccessError' });
    assert.strictEqual(socket.readyState, W3CWebSocket.OPEN);
    await turns();
    assert.deepStrictEqual(peer.frames, []);
  });
}

for (const [what, reason] of [['124 ASCII characters', 'x'.repeat(124)], ['42 characters of three bytes', '€'.repeat(42)]]) {
  test(`C5: close() with a reason of ${what} throws a SyntaxError and closes nothing`, async (t) => {
    const { socket, peer } = await open(t);
    assert.throws(() => socket.close(1000, reason), { name: 'SyntaxError' });
    assert.strictEqual(socket.readyState, W3CWebSocket.OPEN);
    socket.close(4999, '€'.repeat(41));
    const frame = await peer.frame();
    assert.deepStrictEqual([frame.code, frame.reason], [4999, '€'.repeat(41)]);
  });
}

test('C6: close() while connecting aborts the attempt, and tells so later', async (t) => {
  let taken = null;
  const { socket, events } = await open(t, { answer: (peer) => { taken = peer; } });
  await eventually(() => taken, 'the request');
  socket.close();
  assert.strictEqual(socket.readyState, W3CWebSocket.CLOSING);
  assert.deepStrictEqual(events, []);
  await taken.close();
  await eventually(() => types(events).includes('close'), 'the close event');
  assert.deepStrictEqual(types(events), ['error', 'close']);
  assert.strictEqual(events[1].code, 1006);
  assert.strictEqual(events[1].wasClean, false);
  assert.strictEqual(socket.readyState, W3CWebSocket.CLOSED);
});

test('C6: close() right after the constructor leaves no connection at the server', async (t) => {
  const started = await startServer(t);
  const socket = new W3CWebSocket(started.url);
  const events = record(socket);
  socket.close();
  assert.strictEqual(socket.readyState, W3CWebSocket.CLOSING);
  await eventually(() => types(events).includes('close'), 'the close event');
  await turns();
  assert.deepStrictEqual(types(events), ['error', 'close']);
  await eventually(() => started.server.connections.length === 0, 'the server to have no connection');
});

test('C6: a handler set after close() still hears the events', async (t) => {
  const { url } = await startServer(t);
  const socket = new W3CWebSocket(url);
  socket.close();
  let event = null;
  socket.onclose = (closeEvent) => { event = closeEvent; };
  await eventually(() => event !== null, 'the close event');
  assert.strictEqual(event.code, 1006);
});

test("C7: the caller's config object is not modified", async (t) => {
  const config = { closeTimeout: 100, tlsOptions: { rejectUnauthorized: false } };
  const before = structuredClone(config);
  await open(t, { config });
  assert.deepStrictEqual(config, before);
});

test('C7: the config object may be frozen and used again', async (t) => {
  const config = Object.freeze({ assembleFragments: false, tlsOptions: Object.freeze({}) });
  for (let i = 0; i < 2; i++) {
    const { events, send } = await open(t, { config });
    send({ opcode: OPCODE.TEXT, payload: 'a', fin: false });
    send({ opcode: OPCODE.CONTINUATION, payload: 'b' });
    await eventually(() => events.length === 2, 'the message event');
    assert.strictEqual(events[1].data, 'ab');
  }
});

test("C7: a client does not modify the caller's config object either", () => {
  const config = { tlsOptions: { rejectUnauthorized: false }, maxReceivedFrameSize: 10 };
  const before = structuredClone(config);
  const client = new websocket.client(config);
  assert.deepStrictEqual(config, before);
  assert.strictEqual(client.config.tlsOptions.rejectUnauthorized, false);
});

test('C8: the error event of a refused connection carries error and message', async () => {
  const events = record(new W3CWebSocket(`ws://127.0.0.1:${await closedPort()}/`));
  await eventually(() => events.length === 2, 'error and close');
  assert.deepStrictEqual(types(events), ['error', 'close']);
  assert.ok(events[0].error instanceof Error);
  assert.strictEqual(events[0].error.code, 'ECONNREFUSED');
  assert.match(events[0].message, /ECONNREFUSED/);
});

test('C8: the error event of a refused handshake carries error and message', async (t) => {
  const { events } = await open(t, {
    answer: (peer) => peer.socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'),
  });
  await eventually(() => events.length === 2, 'error and close');
  assert.ok(events[0].error instanceof Error);
  assert.match(events[0].error.message, /non-101 status: 401 Unauthorized/);
  assert.match(events[0].message, /401/);
});
