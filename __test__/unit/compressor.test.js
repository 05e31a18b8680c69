'use strict';

// What compressors hold, and for how long; what becomes of them when sockets are taken over, given back and closed.

const { test } = require('node:test');
const assert = require('node:assert');
const zlib = require('zlib');
const websocket = require('../..');
const binding = require('../../lib/internal/addon/binding');
const { startServer, openClient, openPair, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const DEFLATE = 'permessage-deflate';
const text = Array.from({ length: 300 }, (_, i) => `${i * i * 7919}`).join(' ');

const counts = () => {
  const [alive, inUse] = binding.compressorCounts();
  return { alive, inUse };
};

/** Inflates messages that refer to each other. */
function inflateAll(payloads) {
  const stream = Buffer.concat(payloads.flatMap((payload) => [payload, TAIL]));
  return zlib.inflateRawSync(stream, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString();
}

const open = (t, perMessageDeflate = { threshold: 0 }, config = {}) =>
  openPair(t, 'server', { perMessageDeflate, ...config }, false, DEFLATE);

test('a context takes memory from the first compressed message on, and until the connection closes', async (t) => {
  const before = counts();
  const pair = await open(t);
  assert.deepStrictEqual(counts(), { alive: before.alive + 1, inUse: before.inUse });
  pair.connection.sendUTF(text);
  assert.deepStrictEqual(counts(), { alive: before.alive + 1, inUse: before.inUse + 1 });
  pair.peer.destroy();
  await pair.closed();
  assert.deepStrictEqual(counts(), before);
});

test('without context takeover a connection holds no context', async (t) => {
  const before = counts();
  const pair = await open(t, { threshold: 0, sharedCompressor: true });
  pair.connection.sendUTF(text);
  assert.strictEqual(counts().inUse, before.inUse);
  assert.strictEqual(inflateAll([(await pair.peer.frame()).payload]), text);
});

test('a context that is not used for a while is given back, and the peer can read on', async (t) => {
  const pair = await open(t);
  const { inUse } = counts();
  pair.connection.sendUTF(text);
  for (let i = 0; i < 2; i++) binding.forgetIdleContexts();
  pair.connection.sendUTF(text);
  for (let i = 0; i < 2; i++) binding.forgetIdleContexts();
  assert.strictEqual(counts().inUse, inUse + 1, 'it was used a short while ago');
  binding.forgetIdleContexts();
  assert.strictEqual(counts().inUse, inUse);
  pair.connection.sendUTF(text);
  await pair.peer.frame(3);
  const payloads = pair.peer.frames.map(({ payload }) => payload);
  assert.ok(payloads[1].length < payloads[0].length / 4, 'the second refers to the first');
  assert.strictEqual(payloads[2].length, payloads[0].length, 'the third to none');
  assert.strictEqual(inflateAll(payloads), text.repeat(3));
});

test('contexts in both directions survive that a socket is given back in the middle of a message', async (t) => {
  const pair = await open(t, { threshold: 0 }, { io: 'loop' });
  const deflate = zlib.createDeflateRaw();
  const chunks = [];
  deflate.on('data', (chunk) => chunks.push(chunk));
  const compress = (data) => new Promise((resolve) => {
    deflate.write(data);
    deflate.flush(zlib.constants.Z_SYNC_FLUSH, () => resolve(Buffer.concat(chunks.splice(0)).subarray(0, -4)));
  });
  const send = (payload) => pair.send({ opcode: OPCODE.TEXT, rsv: 4, payload });
  send(await compress(text));
  await pair.messages(1);
  pair.connection.sendUTF(text);
  const second = pair.encode({ opcode: OPCODE.TEXT, rsv: 4, payload: await compress(text) });
  const { socket } = pair.connection;
  const before = socket.bytesRead;
  pair.peer.write(second.subarray(0, 20));
  await eventually(() => socket.bytesRead === before + 20, 'the beginning of the message');
  pair.connection.socket.on('data', () => {});
  assert.strictEqual(pair.connection.transport, 'stream');
  pair.peer.write(second.subarray(20));
  send(await compress(text));
  assert.deepStrictEqual(await pair.messages(3), [text, text, text]);
  pair.connection.sendUTF(text);
  await pair.peer.frame(2);
  assert.strictEqual(inflateAll(pair.peer.frames.map(({ payload }) => payload)), text + text);
});

for (const io of ['stream', 'loop']) {
  test(`broadcasts reach connections of every kind of compression: ${io}`, async (t) => {
    const started = await startServer(t, { config: { io, keepalive: false, perMessageDeflate: { threshold: 0 } } });
    const alone = { serverNoContextTakeover: true };
    const kinds = [undefined, true, alone, { ...alone, serverMaxWindowBits: 9 }, alone, true, undefined];
    const received = [];
    for (const [i, perMessageDeflate] of kinds.entries()) {
      const connection = await openClient(t, started.url, { config: { io, perMessageDeflate } });
      received[i] = [];
      connection.on('message', ({ utf8Data, binaryData }) => received[i].push(utf8Data ?? binaryData.toString()));
    }
    await started.connection(kinds.length);
    started.server.broadcastUTF(text);
    started.server.broadcastBytes(Buffer.from(text));
    started.server.broadcast('');
    await eventually(() => received.every(({ length }) => length === 3), 'all messages');
    for (const messages of received) assert.deepStrictEqual(messages, [text, text, '']);
  });
}

test('methods that programs have put in the place of sendUTF, sendBytes and sendFrame are called as before', async (t) => {
  const pair = await open(t);
  const { connection } = pair;
  const calls = [];
  const { sendUTF } = connection;
  connection.sendUTF = function replaced(...args) {
    calls.push(args.length);
    return sendUTF.apply(this, args);
  };
  const done = () => {};
  connection.send('a', done);
  connection.send('b');
  connection.send('c', { compress: false }, done);
  assert.deepStrictEqual(calls, [2, 2, 3]);
  delete connection.sendUTF;
  const frames = [];
  const { sendFrame } = connection;
  connection.sendFrame = function replaced(frame, cb) {
    frames.push(frame.binaryPayload.toString());
    return sendFrame.call(this, frame, cb);
  };
  connection.sendUTF(text);
  await pair.peer.frame(4);
  // A program that makes the frames itself gets them uncompressed.
  assert.deepStrictEqual([frames, pair.peer.frames[3].rsv, pair.peer.frames[3].payload.toString()], [[text], 0, text]);
});

test('the lengths of the sending methods are those of websocket 1.0.35', () => {
  const { send, sendUTF, sendBytes } = websocket.connection.prototype;
  assert.deepStrictEqual([send.length, sendUTF.length, sendBytes.length], [2, 2, 2]);
});
