'use strict';

// RFC 7692: permessage-deflate in both roles, with a raw peer that compresses with Node's own zlib.

const { test } = require('node:test');
const assert = require('node:assert');
const zlib = require('zlib');
const { openPair, eventually, turns } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = OPCODE;
const RSV1 = 4;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** "Hello" as in section 7.2.3.1. */
const HELLO = Buffer.from([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);

const DEFLATE = 'permessage-deflate';

function open(t, role, perMessageDeflate = { threshold: 0 }, config = {}, extensions = DEFLATE) {
  return openPair(t, role, { maxReceivedFrameSize: 1 << 24, perMessageDeflate, ...config }, undefined, extensions);
}

/** A message as a peer without context takeover sends it. */
function deflated(data, options = {}) {
  const bytes = zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
  return bytes.subarray(0, -TAIL.length);
}

/** An inflater with the context of a connection. */
function inflater(options = {}) {
  const stream = zlib.createInflateRaw(options);
  const chunks = [];
  let fail;
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('error', (error) => fail(error));
  return (payload) => new Promise((resolve, reject) => {
    fail = reject;
    stream.write(Buffer.concat([payload, TAIL]));
    stream.flush(() => resolve(Buffer.concat(chunks.splice(0))));
  });
}

/** The data frames that the peer has received, put together to messages. */
function messagesOf(peer) {
  const messages = [];
  for (const { opcode, rsv, payload } of peer.frames) {
    if (opcode === CONTINUATION) {
      assert.strictEqual(rsv, 0, 'RSV1 in the first frame only');
      messages[messages.length - 1].payload.push(payload);
      messages[messages.length - 1].frames++;
    } else if (opcode < CLOSE) {
      messages.push({ opcode, compressed: rsv === RSV1, payload: [payload], frames: 1 });
    }
  }
  return messages.map((message) => ({ ...message, payload: Buffer.concat(message.payload) }));
}

async function received(pair, count) {
  await pair.peer.until(({ frames }) => frames.filter(({ opcode, fin }) => fin && opcode < CLOSE).length >= count,
    `${count} messages`);
  return messagesOf(pair.peer);
}

async function failsWith(pair, code) {
  assert.strictEqual((await pair.received(CLOSE)).code, code);
  assert.strictEqual((await pair.closed()).code, code);
}

for (const role of ['server', 'client']) {
  // ------------------------------------------------------------------------------------------------ receiving

  test(`RFC 7692 6.2: ${role}: compressed and uncompressed messages are received in their order`, async (t) => {
    const pair = await open(t, role);
    const long = Buffer.from('as long as it takes '.repeat(10000));
    pair.send(
      { opcode: TEXT, rsv: RSV1, payload: HELLO },
      { opcode: TEXT, payload: 'plain' },
      { opcode: BINARY, rsv: RSV1, payload: deflated(long) },
      { opcode: TEXT, rsv: RSV1, payload: deflated('äöü€😀'.repeat(100)) });
    assert.deepStrictEqual(await pair.messages(4), ['Hello', 'plain', long, 'äöü€😀'.repeat(100)]);
  });

  test(`RFC 7692 7.2.3: ${role}: the examples of the RFC are received, however they are split`, async (t) => {
    const pair = await open(t, role);
    const examples = [
      HELLO,
      [0xf2, 0x00, 0x11, 0x00, 0x00],
      [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
      [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
      [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ];
    for (const payload of examples) {
      const frame = pair.encode({ opcode: TEXT, rsv: RSV1, payload: Buffer.from(payload) });
      for (let i = 0; i < frame.length; i++) {
        pair.peer.write(frame.subarray(i, i + 1));
        await turns(1);
      }
    }
    pair.send({ opcode: TEXT, rsv: RSV1, payload: Buffer.from([0]) });
    assert.deepStrictEqual(await pair.messages(6), ['Hello', 'Hello', 'Hello', 'Hello', 'Hello', '']);
  });

  test(`RFC 7692 6.1: ${role}: control frames may come between the frames of a compressed message`, async (t) => {
    const pair = await open(t, role);
    pair.send(
      { opcode: TEXT, rsv: RSV1, payload: HELLO.subarray(0, 2), fin: false },
      { opcode: PING, payload: 'not compressed' },
      { opcode: CONTINUATION, fin: false },
      { opcode: CONTINUATION, payload: HELLO.subarray(2) });
    assert.deepStrictEqual(await pair.messages(), ['Hello']);
    const pong = await pair.received(PONG);
    assert.deepStrictEqual([pong.payload.toString(), pong.rsv], ['not compressed', 0]);
  });

  for (const [what, frames] of [
    ['RSV1 in a continuation', [
      { opcode: TEXT, rsv: RSV1, payload: HELLO, fin: false }, { opcode: CONTINUATION, rsv: RSV1, fin: false }]],
    ['RSV1 in a continuation of an uncompressed message', [
      { opcode: TEXT, payload: 'x', fin: false }, { opcode: CONTINUATION, rsv: RSV1, payload: HELLO, fin: false }]],
    ['RSV1 in a ping', [{ opcode: PING, rsv: RSV1 }]],
    ['RSV1 in a Close frame', [{ opcode: CLOSE, rsv: RSV1 }]],
    ['RSV1 and RSV2', [{ opcode: TEXT, rsv: 6, payload: HELLO }]],
    ['RSV3', [{ opcode: TEXT, rsv: 1, payload: HELLO }]],
  ]) {
    test(`RFC 7692 6: ${role}: ${what} fails with 1002`, async (t) => {
      const pair = await open(t, role);
      pair.send(...frames);
      await failsWith(pair, 1002);
      assert.deepStrictEqual(pair.seen.messages, []);
    });
  }

  test(`RFC 7692 6: ${role}: RSV1 fails with 1002 when nothing was agreed on`, async (t) => {
    const pair = await open(t, role, false, {}, role === 'server' ? DEFLATE : null);
    assert.deepStrictEqual(pair.connection.extensions, []);
    pair.send({ opcode: TEXT, rsv: RSV1, payload: HELLO });
    await failsWith(pair, 1002);
  });

  for (const [what, payload] of [
    ['a block of an unknown type', [0x07]],
    ['a reference to before the beginning', [0xf2, 0x00, 0x11, 0x00, 0x00]],
    ['lengths that do not match', [0x00, 0x05, 0x00, 0x00, 0x00]],
    ['UTF-8 that is none', deflated(Buffer.from('caf\xc3\x28', 'latin1'))],
    ['half a character', deflated(Buffer.from([0xe2, 0x82]))],
  ]) {
    test(`RFC 7692 7.2.2: ${role}: a compressed text with ${what} fails with 1007`, async (t) => {
      const pair = await open(t, role);
      pair.send({ opcode: TEXT, payload: 'before' }, { opcode: TEXT, rsv: RSV1, payload: Buffer.from(payload) });
      await failsWith(pair, 1007);
      assert.deepStrictEqual(pair.seen.messages, ['before']);
    });
  }

  test(`RFC 6455 8.1: ${role}: bad text fails before the rest of its compressed frame is there`, async (t) => {
    const pair = await open(t, role);
    const payload = deflated(Buffer.from('caf\xc3\x28', 'latin1'));
    pair.send({ opcode: TEXT, rsv: RSV1, payload: Buffer.concat([payload, TAIL]), declaredLength: 60000 });
    await failsWith(pair, 1007);
  });

  test(`RFC 7692 8: ${role}: the limit is for what a message contains`, async (t) => {
    const pair = await open(t, role, true, { maxReceivedMessageSize: 5000 });
    pair.send({ opcode: BINARY, rsv: RSV1, payload: deflated(Buffer.alloc(5000)) });
    assert.strictEqual((await pair.messages())[0].length, 5000);
    pair.send({ opcode: BINARY, rsv: RSV1, payload: deflated(Buffer.alloc(5001)) });
    await failsWith(pair, 1009);
  });

  test(`RFC 7692 8: ${role}: bombs end with 1009 and take no more memory than the limit`, async (t) => {
    // 256 MiB, compressed to a thousandth.
    const bomb = deflated(Buffer.alloc(256 << 20));
    const before = process.resourceUsage().maxRSS;
    for (let i = 0; i < 3; i++) {
      const pair = await open(t, role, true);
      pair.send({ opcode: BINARY, rsv: RSV1, payload: bomb });
      await failsWith(pair, 1009);
    }
    const grown = process.resourceUsage().maxRSS - before;
    assert.ok(grown < 64 * 1024, `${grown} KiB`);
  });

  test(`${role}: frames that are not assembled are handed out as if they had not been compressed`, async (t) => {
    const pair = await open(t, role, true, { assembleFragments: false });
    const text = 'each frame as far as it can be read by its end '.repeat(20);
    const payload = deflated(text);
    const half = payload.length >> 1;
    pair.send(
      { opcode: TEXT, rsv: RSV1, payload: payload.subarray(0, half), fin: false },
      { opcode: CONTINUATION, payload: payload.subarray(half) },
      { opcode: TEXT, rsv: RSV1, payload: HELLO });
    assert.deepStrictEqual(await pair.messages(), ['Hello']);
    const { frames } = pair.seen;
    assert.deepStrictEqual(frames.map(({ opcode, fin, rsv1 }) => [opcode, fin, rsv1]),
      [[TEXT, false, false], [CONTINUATION, true, false], [TEXT, true, false]]);
    assert.strictEqual(Buffer.concat([frames[0].binaryPayload, frames[1].binaryPayload]).toString(), text);
    assert.ok(frames.every((frame) => frame.length === frame.binaryPayload.length));
  });

  // -------------------------------------------------------------------------------------------------- sending

  test(`RFC 7692 6.1: ${role}: messages are compressed, with RSV1 in their first frame, and masked as always`, async (t) => {
    const pair = await open(t, role);
    const text = Array.from({ length: 100 }, (_, i) => `${i * i * 7919}`).join(' ');
    pair.connection.sendUTF(text);
    pair.connection.sendBytes(Buffer.from(text));
    const [first, second] = await received(pair, 2);
    assert.deepStrictEqual([first.opcode, first.compressed, second.opcode, second.compressed], [TEXT, true, BINARY, true]);
    assert.ok(pair.peer.frames.every(({ masked }) => masked === (role === 'client')));
    const inflate = inflater();
    assert.strictEqual((await inflate(first.payload)).toString(), text);
    assert.strictEqual((await inflate(second.payload)).toString(), text);
    // The second is little more than a reference to the first.
    assert.ok(second.payload.length < first.payload.length / 2, `${second.payload.length} ${first.payload.length}`);
  });

  test(`RFC 7692 6.1: ${role}: what is longer than fragmentationThreshold after compression goes in fragments`, async (t) => {
    const pair = await open(t, role, { threshold: 0 }, { fragmentationThreshold: 100 });
    const noise = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * i * 7919) >> 5 & 0xff));
    pair.connection.sendBytes(noise);
    pair.connection.sendBytes(Buffer.alloc(5000));
    const [cut, whole] = await received(pair, 2);
    const inflate = inflater();
    assert.ok((await inflate(cut.payload)).equals(noise));
    assert.ok((await inflate(whole.payload)).equals(Buffer.alloc(5000)));
    assert.deepStrictEqual([cut.frames, whole.frames], [Math.ceil(cut.payload.length / 100), 1]);
    assert.ok(pair.peer.frames.every(({ payload }) => payload.length <= 100));
  });

  test(`${role}: messages below the threshold, and those with compress: false, go out as they are`, async (t) => {
    const pair = await open(t, role, { threshold: 100 });
    const { connection } = pair;
    const sent = [];
    const done = (name) => (error) => sent.push([name, error || null]);
    connection.sendUTF('x'.repeat(99), done('short'));
    connection.sendUTF('x'.repeat(100), {}, done('long'));
    connection.send('x'.repeat(200), { compress: false }, done('not'));
    connection.sendBytes(Buffer.alloc(200), { compress: false }, done('bytes'));
    connection.sendUTF('ü'.repeat(50), { compress: true });
    connection.send(Buffer.alloc(200), undefined, done('undefined'));
    const messages = await received(pair, 6);
    assert.deepStrictEqual(messages.map(({ compressed }) => compressed), [false, true, false, false, true, true]);
    assert.strictEqual(messages[2].payload.toString(), 'x'.repeat(200));
    await eventually(() => sent.length === 5, 'all callbacks');
    assert.deepStrictEqual(sent, ['short', 'long', 'not', 'bytes', 'undefined'].map((name) => [name, null]));
  });

  test(`${role}: empty messages are sent`, async (t) => {
    const pair = await open(t, role);
    for (let i = 0; i < 3; i++) pair.connection.sendUTF('');
    pair.connection.sendUTF('text');
    const messages = await received(pair, 4);
    assert.deepStrictEqual(messages.map(({ payload, compressed }) => (compressed ? null : payload.length)), [0, 0, 0, null]);
    assert.strictEqual((await inflater()(messages[3].payload)).toString(), 'text');
  });

  test(`RFC 7692 7.1.1: ${role}: without context takeover no message refers to another`, async (t) => {
    const agreed = `${DEFLATE}; ${role}_no_context_takeover`;
    const pair = await open(t, role, { threshold: 0 }, {}, agreed);
    const text = 'the same as before, '.repeat(10);
    for (let i = 0; i < 3; i++) pair.connection.sendUTF(text);
    const messages = await received(pair, 3);
    for (const { payload, compressed } of messages) {
      assert.ok(compressed);
      assert.ok(payload.equals(messages[0].payload));
      assert.strictEqual((await inflater()(payload)).toString(), text);
    }
  });

  test(`RFC 7692 7.1.1: ${role}: with sharedCompressor no message refers to another`, async (t) => {
    const pair = await open(t, role, { threshold: 0, sharedCompressor: true });
    const text = 'the same as before, '.repeat(10);
    pair.connection.sendUTF(text);
    pair.connection.sendUTF(text);
    // What does not become shorter is not compressed.
    pair.connection.sendUTF('abc');
    const [first, second, third] = await received(pair, 3);
    assert.ok(first.compressed && second.payload.equals(first.payload));
    assert.deepStrictEqual([third.compressed, third.payload.toString()], [false, 'abc']);
  });

  for (let bits = 8; bits <= 15; bits++) {
    test(`RFC 7692 7.1.2: ${role}: a window of ${bits} bits is enough to inflate what is sent`, async (t) => {
      const agreed = role === 'server'
        ? `${DEFLATE}; server_max_window_bits=${bits}` : `${DEFLATE}; client_max_window_bits=${bits}`;
      const pair = await open(t, role, { threshold: 0, level: bits % 9 + 1 }, {}, agreed);
      // zlib looks no further back than its window and the output it was called with, which is 64 bytes here.
      const inflate = inflater({ windowBits: bits, chunkSize: 64 });
      const texts = [];
      for (let i = 0; i < 40; i++) texts.push(`${'0123456789abcdef'.repeat(i * 13 % 90)} ${i * 7919} `.repeat(1 + i % 5));
      for (const text of texts) pair.connection.sendUTF(text);
      const messages = await received(pair, texts.length);
      for (const [i, { payload }] of messages.entries()) assert.strictEqual((await inflate(payload)).toString(), texts[i]);
    });
  }
}
