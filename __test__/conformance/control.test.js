'use strict';

// RFC 6455 section 5.5: control frames, in both roles.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, turns, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

const { TEXT, CLOSE, PING, PONG } = OPCODE;
const names = { [CLOSE]: 'close', [PING]: 'ping', [PONG]: 'pong' };

for (const role of ['server', 'client']) {
  for (const opcode of [CLOSE, PING, PONG]) {
    for (const length of [126, 127, 65535, 65536]) {
      test(`RFC 6455 5.5: ${role}: a ${names[opcode]} frame of ${length} bytes fails with 1002`, async (t) => {
        const pair = await openPair(t, role);
        pair.send({ opcode, payload: Buffer.concat([closePayload(1000), Buffer.alloc(length - 2, 'x')]) });
        assert.strictEqual((await pair.received(CLOSE)).code, 1002);
        assert.strictEqual((await pair.closed()).code, 1002);
        assert.deepStrictEqual(pair.seen.pongs, []);
      });
    }

    test(`RFC 6455 5.5: ${role}: a fragmented ${names[opcode]} frame fails with 1002`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode, fin: false, payload: opcode === CLOSE ? closePayload(1000) : 'x' });
      assert.strictEqual((await pair.received(CLOSE)).code, 1002);
      assert.strictEqual((await pair.closed()).code, 1002);
      assert.deepStrictEqual(pair.seen.pongs, []);
    });
  }

  for (const length of [0, 1, 4, 124, 125]) {
    test(`RFC 6455 5.5.2: ${role}: a ping of ${length} bytes is answered with the same bytes`, async (t) => {
      const pair = await openPair(t, role);
      const payload = Buffer.from(Array.from({ length }, (_, index) => 255 - index));
      pair.send({ opcode: PING, payload });
      const pong = await pair.received(PONG);
      assert.deepStrictEqual(pong.payload, payload);
      assert.deepStrictEqual([pong.fin, pong.rsv, pong.masked], [true, 0, role === 'client']);
    });

    test(`RFC 6455 5.5.3: ${role}: a pong of ${length} bytes nobody asked for is reported and not answered`, async (t) => {
      const pair = await openPair(t, role);
      const payload = Buffer.alloc(length, 7);
      pair.send({ opcode: PONG, payload }, { opcode: TEXT, payload: 'after' });
      await pair.messages();
      assert.deepStrictEqual(pair.seen.pongs, [payload]);
      assert.deepStrictEqual(pair.peer.frames, []);
    });

    test(`RFC 6455 5.5.2: ${role}: ping() sends ${length} bytes`, async (t) => {
      const pair = await openPair(t, role);
      const payload = Buffer.alloc(length, 9);
      pair.connection.ping(payload);
      const ping = await pair.received(PING);
      assert.deepStrictEqual(ping.payload, payload);
      assert.deepStrictEqual([ping.fin, ping.rsv, ping.masked], [true, 0, role === 'client']);
      pair.send({ opcode: PONG, payload: ping.payload });
      await eventually(() => pair.seen.pongs.length === 1, 'the pong event');
      assert.deepStrictEqual(pair.seen.pongs[0], payload);
    });
  }

  test(`RFC 6455 5.5.2: ${role}: pings are answered in order, between messages`, async (t) => {
    const pair = await openPair(t, role);
    const frames = [];
    for (let i = 0; i < 20; i++) frames.push({ opcode: PING, payload: `${i}` }, { opcode: TEXT, payload: `${i}` });
    pair.send(...frames);
    await pair.messages(20);
    await pair.peer.frame(20);
    const pongs = pair.peer.frames.map((frame) => frame.payload.toString());
    assert.deepStrictEqual(pongs, Array.from({ length: 20 }, (_, index) => `${index}`));
  });

  test(`RFC 6455 5.5.2: ${role}: a program that listens for pings may keep the pong`, async (t) => {
    const pair = await openPair(t, role);
    const pings = [];
    pair.connection.on('ping', (cancel, data) => {
      pings.push(data.toString());
      if (data.toString() === 'kept') cancel();
    });
    pair.send({ opcode: PING, payload: 'kept' }, { opcode: PING, payload: 'answered' });
    const pong = await pair.received(PONG);
    assert.strictEqual(pong.payload.toString(), 'answered');
    await turns();
    assert.deepStrictEqual(pings, ['kept', 'answered']);
    assert.strictEqual(pair.peer.frames.length, 1);
  });

  test(`RFC 6455 5.5.1: ${role}: a Close frame may have a reason of 123 bytes`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: CLOSE, payload: closePayload(1000, 'x'.repeat(123)) });
    assert.strictEqual((await pair.received(CLOSE)).code, 1000);
    assert.deepStrictEqual(await pair.closed(), { code: 1000, description: 'x'.repeat(123) });
  });

  test(`RFC 6455 5.5.1: ${role}: a Close frame of one byte fails with 1002`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: CLOSE, payload: Buffer.from([3]) });
    assert.strictEqual((await pair.received(CLOSE)).code, 1002);
    assert.strictEqual((await pair.closed()).code === 1000, false);
  });

  for (const [what, frames] of [
    ['text', [{ opcode: TEXT, payload: 'late' }]],
    ['a ping', [{ opcode: PING, payload: 'late' }]],
    ['another Close', [{ opcode: CLOSE, payload: closePayload(1002) }]],
    ['garbage', [{ opcode: 15, rsv: 7, payload: 'late' }]],
  ]) {
    test(`RFC 6455 5.5.1: ${role}: ${what} after a Close is ignored`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: CLOSE, payload: closePayload(1001, 'bye') }, ...frames);
      assert.deepStrictEqual(await pair.closed(), { code: 1001, description: 'bye' });
      await pair.peer.close();
      assert.deepStrictEqual(pair.seen.log, [['close', 1001, 'bye']]);
      assert.deepStrictEqual(pair.peer.frames.map((frame) => [frame.opcode, frame.code]), [[CLOSE, 1000]]);
    });
  }
}
