'use strict';

// RFC 6455 section 5.2 and 5.3: the base framing protocol and masking, in both roles.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, turns, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE, encodeFrame } = require('../helpers/raw');

const roles = ['server', 'client'];
const generous = {
  maxReceivedFrameSize: 1 << 24, maxReceivedMessageSize: 1 << 24, fragmentOutgoingMessages: false,
};

/** Bytes without a period that could hide a shifted mask or a lost piece. */
function pattern(length) {
  const bytes = Buffer.allocUnsafe(length);
  let state = 12345;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

const ascii = (length) => pattern(length).map((byte) => 0x20 + (byte % 95)).toString('latin1');

/** Waits for a Close with this code from the package under test, which must report the same. */
async function failsWith(pair, code) {
  assert.strictEqual((await pair.received(OPCODE.CLOSE)).code, code);
  assert.strictEqual((await pair.closed()).code, code);
}

/** Bytes of the header that a frame of this length needs at least. */
const headerLength = (length, masked) => (length < 126 ? 2 : length < 65536 ? 4 : 10) + (masked ? 4 : 0);

for (const role of roles) {
  for (const length of [0, 1, 124, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20]) {
    test(`RFC 6455 5.2: ${role}: a binary message of ${length} bytes is received`, async (t) => {
      const pair = await openPair(t, role, generous);
      const payload = pattern(length);
      pair.send({ opcode: OPCODE.BINARY, payload });
      const [message] = await pair.messages();
      assert.ok(Buffer.isBuffer(message));
      assert.ok(message.equals(payload));
    });

    test(`RFC 6455 5.2: ${role}: a text message of ${length} characters is received`, async (t) => {
      const pair = await openPair(t, role, generous);
      const payload = ascii(length);
      pair.send({ opcode: OPCODE.TEXT, payload });
      assert.ok((await pair.messages())[0] === payload);
    });

    test(`RFC 6455 5.2: ${role}: a message of ${length} bytes is sent with the shortest length`, async (t) => {
      const pair = await openPair(t, role, generous);
      const payload = pattern(length);
      let bytes = 0;
      pair.peer.socket.on('data', (chunk) => { bytes += chunk.length; });
      pair.connection.sendBytes(payload);
      const frame = await pair.received(OPCODE.BINARY);
      assert.ok(frame.payload.equals(payload));
      assert.deepStrictEqual([frame.fin, frame.rsv, frame.masked], [true, 0, role === 'client']);
      assert.strictEqual(bytes, headerLength(length, role === 'client') + length);
    });
  }

  const longText = 'aä€𝄞'.repeat(5000);
  test(`RFC 6455 5.6: ${role}: text is sent as UTF-8`, async (t) => {
    const pair = await openPair(t, role, generous);
    pair.connection.sendUTF(longText);
    const frame = await pair.received(OPCODE.TEXT);
    assert.ok(frame.payload.equals(Buffer.from(longText)));
  });

  test(`RFC 6455 5.2: ${role}: a text message with a byte order mark keeps it`, async (t) => {
    const pair = await openPair(t, role, generous);
    pair.send({ opcode: OPCODE.TEXT, payload: '\ufeffmarked' });
    assert.deepStrictEqual(await pair.messages(), ['\ufeffmarked']);
  });

  for (let rsv = 1; rsv < 8; rsv++) {
    for (const [kind, frame] of [
      ['text', { opcode: OPCODE.TEXT, payload: 'x' }],
      ['empty binary', { opcode: OPCODE.BINARY }],
      ['ping', { opcode: OPCODE.PING, payload: 'x' }],
      ['close', { opcode: OPCODE.CLOSE }],
    ]) {
      test(`RFC 6455 5.2: ${role}: reserved bits ${rsv.toString(2).padStart(3, '0')} on a ${kind} frame fail with 1002`, async (t) => {
        const pair = await openPair(t, role);
        pair.send({ ...frame, rsv });
        await failsWith(pair, 1002);
        assert.deepStrictEqual(pair.seen.messages, []);
      });
    }
  }

  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    for (const [what, frame] of [
      ['empty', {}], ['with a payload', { payload: 'x' }], ['not final', { payload: 'x', fin: false }],
    ]) {
      test(`RFC 6455 5.2: ${role}: the reserved opcode 0x${opcode.toString(16)}, ${what}, fails with 1002`, async (t) => {
        const pair = await openPair(t, role);
        pair.send({ opcode: OPCODE.TEXT, payload: 'before' }, { opcode, ...frame });
        await failsWith(pair, 1002);
        assert.deepStrictEqual(pair.seen.messages, ['before']);
      });
    }
  }

  for (const length of [2n ** 63n, 2n ** 64n - 1n]) {
    test(`RFC 6455 5.2: ${role}: a 64-bit length with its most significant bit set (${length}) fails the connection`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.BINARY, declaredLength: length });
      const { code } = await pair.received(OPCODE.CLOSE);
      assert.ok(code === 1002 || code === 1009, `code ${code}`);
    });
  }

  for (const length of [5, 126, 70000]) {
    test(`RFC 6455 5.2: ${role}: a frame of ${length} bytes that arrives byte by byte, or cut anywhere, is one message`, async (t) => {
      const pair = await openPair(t, role, generous);
      const payload = pattern(length);
      const bytes = pair.encode({ opcode: OPCODE.BINARY, payload });
      const head = Math.min(bytes.length - 1, 20);
      for (let i = 0; i < head; i++) {
        pair.peer.write(bytes.subarray(i, i + 1));
        await turns(1);
      }
      pair.peer.write(bytes.subarray(head, -1));
      await turns();
      assert.deepStrictEqual(pair.seen.messages, []);
      pair.peer.write(bytes.subarray(-1));
      assert.ok((await pair.messages())[0].equals(payload));
    });
  }

  test(`RFC 6455 5.2: ${role}: many frames in one segment come in order`, async (t) => {
    const pair = await openPair(t, role, generous);
    const expected = Array.from({ length: 500 }, (_, index) => `message ${index}`);
    pair.send(...expected.map((payload) => ({ opcode: OPCODE.TEXT, payload })));
    await pair.messages(500);
    assert.deepStrictEqual(pair.seen.messages, expected);
  });

  test(`RFC 6455 5.2: ${role}: frames of every kind cut at every byte give the same events`, async (t) => {
    const frames = [
      { opcode: OPCODE.TEXT, payload: 'aä€𝄞' },
      { opcode: OPCODE.PING, payload: 'p' },
      { opcode: OPCODE.BINARY, payload: 'one ', fin: false },
      { opcode: OPCODE.PONG, payload: 'q' },
      { opcode: OPCODE.CONTINUATION, payload: pattern(130) },
      { opcode: OPCODE.TEXT },
    ];
    const pair = await openPair(t, role, generous);
    const bytes = Buffer.concat(frames.map(pair.encode));
    let rounds = 0;
    for (let cut = 1; cut < bytes.length; cut += cut < 40 ? 1 : 13) {
      pair.peer.write(bytes.subarray(0, cut));
      await turns(2);
      pair.peer.write(bytes.subarray(cut));
      rounds++;
      await pair.messages(3 * rounds);
    }
    const binary = Buffer.concat([Buffer.from('one '), pattern(130)]);
    const round = [['message', 'utf8', 'aä€𝄞'], ['pong', Buffer.from('q')], ['message', 'binary', binary], ['message', 'utf8', '']];
    assert.deepStrictEqual(pair.seen.log, Array.from({ length: rounds }, () => round).flat());
    await eventually(() => pair.peer.frames.length === rounds, 'a pong for each ping');
  });
}

const keys = [[0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [1, 2, 3, 4], [0x80, 0, 0, 0], [0, 0, 0, 1], [0xde, 0xad, 0xbe, 0xef]];
for (const key of keys) {
  test(`RFC 6455 5.3: the masking key ${Buffer.from(key).toString('hex')} is taken off payloads of every length`, async (t) => {
    const pair = await openPair(t, 'server', generous);
    // Every remainder of 4, 8, 16 and 32, and what follows lies at another address each time.
    const lengths = [...Array.from({ length: 40 }, (_, index) => index), 63, 64, 65, 127, 129, 255, 1021, 4099];
    pair.peer.write(Buffer.concat(lengths.map((length) => encodeFrame({
      opcode: OPCODE.BINARY, payload: pattern(length), mask: Buffer.from(key),
    }))));
    await pair.messages(lengths.length);
    lengths.forEach((length, index) => assert.ok(pair.seen.messages[index].equals(pattern(length)), `${length} bytes`));
  });
}

test('RFC 6455 5.3: a client masks every frame, each with a key of its own', async (t) => {
  const pair = await openPair(t, 'client', generous);
  const chunks = [];
  pair.peer.socket.on('data', (chunk) => chunks.push(chunk));
  for (let i = 0; i < 50; i++) pair.connection.sendUTF('x');
  pair.connection.ping('y');
  pair.connection.pong(Buffer.from('z'));
  pair.connection.close();
  await pair.received(OPCODE.CLOSE);
  assert.ok(pair.peer.frames.every((frame) => frame.masked));
  const bytes = Buffer.concat(chunks);
  const seen = new Set();
  for (let i = 0; i < 50; i++) seen.add(bytes.subarray(i * 7 + 2, i * 7 + 6).toString('hex'));
  assert.strictEqual(seen.size, 50);
});

test('RFC 6455 5.1: a server masks no frame', async (t) => {
  const pair = await openPair(t, 'server', generous);
  pair.connection.sendUTF('x');
  pair.connection.sendBytes(Buffer.from('x'));
  pair.connection.ping('y');
  pair.connection.pong(Buffer.from('z'));
  pair.connection.close();
  await pair.received(OPCODE.CLOSE);
  assert.deepStrictEqual(pair.peer.frames.map((frame) => frame.masked), [false, false, false, false, false]);
});

for (const [what, role, masked] of [['a client sends unmasked', 'server', false], ['a server sends masked', 'client', true]]) {
  test(`RFC 6455 5.1: a frame ${what} fails with 1002`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: OPCODE.TEXT, payload: 'before' }, { opcode: OPCODE.TEXT, payload: 'x', mask: masked });
    await failsWith(pair, 1002);
    assert.deepStrictEqual(pair.seen.messages, ['before']);
  });
}
