'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const { WebSocket, once, openPair, startServer, messages } = require('./endpoints');
const { encodeFrame, openRawClient } = require('../helpers/raw');

for (const perMessageDeflate of [false, true]) {
  const how = perMessageDeflate ? 'compressed' : 'plain';

  test(`text and binary arrive as Buffers and say which they are (${how})`, async (t) => {
    const { client, accepted } = await openPair(t, { perMessageDeflate }, { perMessageDeflate });
    assert.strictEqual(client.extensions, perMessageDeflate ? 'permessage-deflate' : '');
    accepted.on('message', (data, isBinary) => accepted.send(data, { binary: isBinary }));
    const received = messages(client, 5);
    client.send('Grüße');
    client.send(Buffer.from([1, 2, 3]));
    client.send('');
    client.send(42);
    client.send('x'.repeat(300000));
    assert.deepStrictEqual(await received, [
      [Buffer.from('Grüße'), false], [Buffer.from([1, 2, 3]), true], [Buffer.alloc(0), false], [Buffer.from('42'), false],
      [Buffer.from('x'.repeat(300000)), false],
    ]);
  });
}

test('bytes can be sent as text, and text as bytes', async (t) => {
  const { client, accepted } = await openPair(t);
  const received = messages(accepted, 2);
  client.send(Buffer.from('text'), { binary: false });
  client.send('bytes', { binary: true });
  assert.deepStrictEqual(await received, [[Buffer.from('text'), false], [Buffer.from('bytes'), true]]);
});

test('binaryType says in which form bytes arrive; text stays a Buffer', async (t) => {
  const { client, accepted } = await openPair(t);
  const bytes = Buffer.from([1, 2, 3]);
  for (const [type, check] of [
    ['nodebuffer', (data) => assert.deepStrictEqual(data, bytes)],
    ['arraybuffer', (data) => assert.deepStrictEqual(Buffer.from(data), bytes)],
    ['fragments', (data) => assert.deepStrictEqual(Buffer.concat(data), bytes)],
    ['blob', async (data) => assert.deepStrictEqual(Buffer.from(await data.arrayBuffer()), bytes)],
  ]) {
    client.binaryType = type;
    assert.strictEqual(client.binaryType, type);
    const received = messages(client, 2);
    accepted.send(bytes);
    accepted.send('text');
    const [[data], [text]] = await received;
    await check(data);
    assert.deepStrictEqual(text, Buffer.from('text'));
  }
  client.binaryType = 'nonsense';
  assert.strictEqual(client.binaryType, 'blob');
});

test('a message can be sent in fragments', async (t) => {
  const { client, accepted } = await openPair(t, { perMessageDeflate: true });
  const received = messages(accepted, 2);
  client.send('one ', { fin: false });
  client.send('message', { fin: true });
  client.send('another');
  assert.deepStrictEqual(await received, [[Buffer.from('one message'), false], [Buffer.from('another'), false]]);
});

test('what is sent behind a Blob arrives behind it', async (t) => {
  const { client, accepted } = await openPair(t);
  const received = messages(accepted, 4);
  const closed = once(accepted, 'close');
  client.send(new Blob(['first']));
  client.send('second');
  client.send(new Blob(['third']));
  client.send('fourth');
  assert.strictEqual(client.bufferedAmount, 22);
  client.close(1000);
  assert.deepStrictEqual((await received).map(([data]) => data.toString()), ['first', 'second', 'third', 'fourth']);
  assert.strictEqual((await closed)[0], 1000);
});

test('the callback of send() is called when the message was handed over, and with an Error when it is too late', async (t) => {
  const { client } = await openPair(t);
  await new Promise((resolve, reject) => { client.send('x', (error) => (error ? reject(error) : resolve())); });
  client.close();
  const error = await new Promise((resolve) => { client.send('late', resolve); });
  assert.strictEqual(error.message, 'WebSocket is not open: readyState 2 (CLOSING)');
  assert.ok(client.bufferedAmount >= 4);
});

test('Pings are answered, and told', async (t) => {
  const { client, accepted } = await openPair(t);
  const pinged = once(accepted, 'ping');
  const answered = once(client, 'pong');
  client.ping('are you there?');
  assert.deepStrictEqual(await pinged, [Buffer.from('are you there?')]);
  assert.deepStrictEqual(await answered, [Buffer.from('are you there?')]);
  assert.throws(() => client.ping('x'.repeat(126)), RangeError);
});

test('with autoPong: false the program answers Pings', async (t) => {
  const { client, accepted } = await openPair(t, { autoPong: false });
  const answered = once(client, 'pong');
  accepted.on('ping', () => accepted.pong('my own'));
  client.ping('x');
  assert.deepStrictEqual(await answered, [Buffer.from('my own')]);
});

test('a frame can be made once and sent to many, as engine.io does', async (t) => {
  const { client, accepted } = await openPair(t);
  const frame = WebSocket.Sender.frame(Buffer.from('for all'), { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true });
  const received = messages(client, 2);
  accepted._sender.sendFrame(frame);
  await new Promise((resolve) => { accepted._sender.sendFrame(frame, resolve); });
  assert.deepStrictEqual(await received, [[Buffer.from('for all'), false], [Buffer.from('for all'), false]]);
});

test('generateMask chooses the masking key', async (t) => {
  const { client, accepted } = await openPair(t, {}, { generateMask: (key) => key.fill(7) });
  const received = messages(accepted, 2);
  client.send('masked');
  client.send(Buffer.alloc(70000, 1));
  const [[text], [bytes]] = await received;
  assert.strictEqual(text.toString(), 'masked');
  assert.ok(bytes.equals(Buffer.alloc(70000, 1)));
});

test('paused messages wait', async (t) => {
  const { client, accepted } = await openPair(t);
  const seen = [];
  client.on('message', (data) => seen.push(data.toString()));
  client.pause();
  assert.strictEqual(client.isPaused, true);
  await new Promise((resolve) => { accepted.send('waits', resolve); });
  accepted.ping();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepStrictEqual(seen, []);
  const received = once(client, 'message');
  client.resume();
  await received;
  assert.deepStrictEqual(seen, ['waits']);
});

for (const [name, frame, code, closeCode] of [
  ['an opcode that is reserved', { opcode: 5 }, 'WS_ERR_INVALID_OPCODE', 1002],
  ['a continuation of nothing', { opcode: 0 }, 'WS_ERR_INVALID_OPCODE', 1002],
  ['RSV1 without compression', { opcode: 1, rsv: 4 }, 'WS_ERR_UNEXPECTED_RSV_1', 1002],
  ['RSV2', { opcode: 1, rsv: 2 }, 'WS_ERR_UNEXPECTED_RSV_2_3', 1002],
  ['a fragmented Ping', { opcode: 9, fin: false }, 'WS_ERR_EXPECTED_FIN', 1002],
  ['a frame without mask', { opcode: 1, mask: false }, 'WS_ERR_EXPECTED_MASK', 1002],
  ['a Ping of 126 bytes', { opcode: 9, payload: Buffer.alloc(126) }, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002],
  ['text that is no UTF-8', { opcode: 1, payload: Buffer.from([0xff]) }, 'WS_ERR_INVALID_UTF8', 1007],
  ['a message above maxPayload', { opcode: 1, payload: 'x'.repeat(11) }, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
  ['a Close frame with a bad code', { opcode: 8, payload: Buffer.from([0x03, 0xed]) }, 'WS_ERR_INVALID_CLOSE_CODE', 1002],
]) {
  test(`${name} is ${code}, and closes with ${closeCode}`, async (t) => {
    const { server } = await startServer(t, { maxPayload: 10 });
    const connected = once(server, 'connection');
    const peer = await rawClientOf(t, server);
    const [websocket] = await connected;
    const failed = once(websocket, 'error');
    const closed = new Promise((resolve) => { websocket.once('close', (...args) => resolve(args)); });
    peer.write(encodeFrame(frame));
    const [error] = await failed;
    assert.strictEqual(error.code, code);
    const close = await peer.frame();
    assert.deepStrictEqual([close.opcode, close.payload.readUInt16BE(0)], [8, closeCode]);
    peer.socket.end();
    assert.strictEqual((await closed)[0], 1006);
  });
}

test('skipUTF8Validation lets any text through', async (t) => {
  const { server } = await startServer(t, { skipUTF8Validation: true });
  const connected = once(server, 'connection');
  const peer = await rawClientOf(t, server);
  const [websocket] = await connected;
  const received = messages(websocket, 1);
  peer.write(encodeFrame({ opcode: 1, payload: Buffer.from([0xff]) }));
  assert.deepStrictEqual(await received, [[Buffer.from([0xff]), false]]);
});

async function rawClientOf(t, server) {
  const peer = await openRawClient(server.address().port);
  t.after(() => peer.destroy());
  return peer;
}
