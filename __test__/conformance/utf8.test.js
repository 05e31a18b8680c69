'use strict';

// RFC 6455 sections 5.6 and 8.1: text is UTF-8, and what is not fails the connection with 1007, in both roles.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, turns } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');
const { valid, invalid } = require('./utf8-vectors');

const { CONTINUATION, TEXT, BINARY, CLOSE } = OPCODE;

async function failsWith1007(pair) {
  assert.strictEqual((await pair.received(CLOSE)).code, 1007);
  assert.strictEqual((await pair.closed()).code, 1007);
  assert.deepStrictEqual(pair.seen.messages, []);
}

/** The text as one fragment for each byte. */
function bytewise(bytes) {
  return Array.from(bytes, (byte, index) => ({
    opcode: index === 0 ? TEXT : CONTINUATION, payload: Buffer.from([byte]), fin: index === bytes.length - 1,
  }));
}

for (const role of ['server', 'client']) {
  for (const [what, bytes] of valid) {
    test(`RFC 6455 5.6: ${role}: ${what} is valid text`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: TEXT, payload: bytes });
      const [text] = await pair.messages();
      assert.deepStrictEqual(Buffer.from(text), bytes);
    });

    test(`RFC 6455 5.6: ${role}: ${what} is valid text when cut at every byte`, async (t) => {
      const pair = await openPair(t, role);
      let count = 0;
      for (let cut = 0; cut <= bytes.length; cut++) {
        pair.send({ opcode: TEXT, payload: bytes.subarray(0, cut), fin: false },
          { opcode: CONTINUATION, payload: bytes.subarray(cut) });
        count++;
      }
      pair.send(...bytewise(bytes));
      const messages = await pair.messages(count + 1);
      for (const text of messages) assert.deepStrictEqual(Buffer.from(text), bytes);
    });
  }

  for (const [what, bytes, decidedAt] of invalid) {
    test(`RFC 6455 8.1: ${role}: ${what} fails with 1007`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: TEXT, payload: bytes });
      await failsWith1007(pair);
    });

    test(`RFC 6455 8.1: ${role}: ${what} fails with 1007 after good text, with good text behind`, async (t) => {
      const pair = await openPair(t, role);
      // Long enough to have more than one vector register on either side.
      const good = Buffer.from('all is well, '.repeat(11));
      pair.send({ opcode: TEXT, payload: Buffer.concat([good, bytes, decidedAt === Infinity ? Buffer.alloc(0) : good]) });
      await failsWith1007(pair);
    });

    test(`RFC 6455 8.1: ${role}: ${what} fails with 1007 in fragments of one byte`, async (t) => {
      const pair = await openPair(t, role);
      pair.send(...bytewise(bytes));
      await failsWith1007(pair);
    });

    if (decidedAt !== Infinity) {
      test(`RFC 6455 8.1: ${role}: ${what} fails with 1007 at byte ${decidedAt}, though the message goes on`, async (t) => {
        const pair = await openPair(t, role);
        if (decidedAt > 0) {
          pair.send({ opcode: TEXT, payload: bytes.subarray(0, decidedAt), declaredLength: 100, mask: role === 'server' && Buffer.alloc(4) });
          await turns();
          assert.deepStrictEqual(pair.peer.frames, []);
          assert.strictEqual(pair.connection.connected, true);
          pair.peer.write(bytes.subarray(decidedAt, decidedAt + 1));
        } else {
          pair.send({ opcode: TEXT, payload: bytes.subarray(0, 1), declaredLength: 100 });
        }
        await failsWith1007(pair);
      });
    }

    test(`RFC 6455 7.1.6: ${role}: ${what} as the reason of a Close fails with 1007`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: CLOSE, payload: Buffer.concat([closePayload(1000), bytes]) });
      await failsWith1007(pair);
    });

    test(`RFC 6455 5.6: ${role}: ${what} is valid in a binary message`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: BINARY, payload: bytes });
      assert.deepStrictEqual(await pair.messages(), [bytes]);
    });
  }

  test(`RFC 6455 8.1: ${role}: text before the broken one is delivered`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: TEXT, payload: 'fine' }, { opcode: TEXT, payload: Buffer.from([0xff]) }, { opcode: TEXT, payload: 'late' });
    assert.strictEqual((await pair.received(CLOSE)).code, 1007);
    await pair.closed();
    assert.deepStrictEqual(pair.seen.messages, ['fine']);
  });

  test(`RFC 6455 8.1: ${role}: a reason of a Close may use every length of character`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: CLOSE, payload: closePayload(3000, 'aä€𝄞') });
    assert.deepStrictEqual(await pair.closed(), { code: 3000, description: 'aä€𝄞' });
  });

  test(`RFC 6455 8.1: ${role}: a text frame sent from a string with a lone surrogate is valid UTF-8`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.sendUTF('a\ud800b');
    const frame = await pair.received(TEXT);
    assert.strictEqual(new TextDecoder('utf-8', { fatal: true }).decode(frame.payload), 'a\ufffdb');
  });

  test(`RFC 6455 8.1: ${role}: the first broken byte of a long message is found wherever it stands`, async (t) => {
    for (const position of [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 999]) {
      const pair = await openPair(t, role);
      const payload = Buffer.alloc(1000, 'x');
      payload[position] = 0xff;
      pair.send({ opcode: TEXT, payload });
      await failsWith1007(pair);
    }
  });
}
