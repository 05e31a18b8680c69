'use strict';

// Large compressed messages, which are inflated on another thread while the connection is not read: nothing that happens
// meanwhile may change what comes out, or its order.

const { test } = require('node:test');
const assert = require('node:assert');
const zlib = require('zlib');
const { root } = require('../helpers/under-test');
const { openPair, eventually, turns } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');
const binding = require(`${root}/lib/internal/addon/binding`);

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = OPCODE;
const RSV1 = 4;
const MIB = 1 << 20;
/** Well above what is inflated on the spot. */
const LARGE = 'a text that is repeated, and repeated '.repeat(300000);

const limits = { maxReceivedFrameSize: 64 * MIB, maxReceivedMessageSize: 64 * MIB };

function open(t, role, config = {}) {
  return openPair(t, role, { ...limits, perMessageDeflate: true, ...config }, undefined, 'permessage-deflate');
}

function deflated(data) {
  return zlib.deflateRawSync(data, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const large = { opcode: TEXT, rsv: RSV1, payload: deflated(LARGE) };
/** 48 MiB out of 48 KiB: all of it comes in one read. */
const bomb = { opcode: BINARY, rsv: RSV1, payload: deflated(Buffer.alloc(48 * MIB, 'x')) };

/** Whether something is being inflated for a connection, whoever moves its bytes. */
function isInflating({ _nativeId: id, _receiver: receiver }) {
  return id === null ? receiver !== null && receiver.hasMore : binding.nativeIsInflating(id);
}

/** Waits until a connection is inflating. False, and the test is skipped, when that was over before this thread has seen it. */
async function untilInflating(t, { connection, seen }) {
  for (const end = Date.now() + 10000; !isInflating(connection); await turns(1)) {
    assert.ok(Date.now() < end, 'nothing is inflated on another thread');
    if (seen.log.length > 0) {
      assert.strictEqual(connection.transport, 'threads', 'nothing is inflated on another thread');
      t.skip('it was over before this thread came to look');
      return false;
    }
  }
  return true;
}

for (const role of ['server', 'client']) {
  test(`${role}: the event loop goes on while a large message is inflated, and the message comes whole`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, { opcode: TEXT, payload: 'after it' });
    if (!await untilInflating(t, pair)) return;
    const messages = await pair.messages(2);
    assert.ok(messages[0].equals(Buffer.alloc(48 * MIB, 'x')));
    assert.strictEqual(messages[1], 'after it');
  });

  test(`${role}: messages and control frames keep their order around large messages`, async (t) => {
    const pair = await open(t, role);
    const third = Math.ceil(large.payload.length / 3);
    pair.send(
      { opcode: TEXT, payload: 'one' }, large, { opcode: PONG, payload: 'two' }, { opcode: TEXT, payload: 'three' },
      { ...large, payload: large.payload.subarray(0, third), fin: false },
      { opcode: PONG, payload: 'in between' },
      { opcode: CONTINUATION, payload: large.payload.subarray(third, 2 * third), fin: false },
      { opcode: CONTINUATION, payload: large.payload.subarray(2 * third) },
      { opcode: TEXT, payload: 'four' });
    await pair.messages(5);
    assert.deepStrictEqual(pair.seen.log.map(([, ...what]) => String(what[what.length - 1])),
      ['one', LARGE, 'two', 'three', 'in between', LARGE, 'four']);
  });

  test(`${role}: large messages in a row come all, and those of several connections at the same time`, async (t) => {
    const pairs = await Promise.all([open(t, role), open(t, role), open(t, role)]);
    for (const pair of pairs) pair.send(large, large, bomb, large);
    for (const pair of pairs) {
      const messages = await pair.messages(4, 20000);
      assert.deepStrictEqual(messages.map(({ length }) => length), [LARGE.length, LARGE.length, 48 * MIB, LARGE.length]);
    }
  });

  test(`${role}: a message larger than maxReceivedMessageSize ends the connection with 1009`, async (t) => {
    const pair = await open(t, role, { maxReceivedMessageSize: 24 * MIB });
    pair.send(bomb, { opcode: TEXT, payload: 'too late' });
    assert.strictEqual((await pair.received(CLOSE)).code, 1009);
    assert.strictEqual((await pair.closed()).code, 1009);
    assert.deepStrictEqual(pair.seen.messages, []);
  });

  test(`${role}: what does not inflate ends the connection with 1007, far into the message as well`, async (t) => {
    const pair = await open(t, role);
    const broken = Buffer.concat([bomb.payload, Buffer.from([0x07])]);
    pair.send({ ...bomb, payload: broken });
    if (!await untilInflating(t, pair)) return;
    assert.strictEqual((await pair.received(CLOSE)).code, 1007);
  });

  test(`${role}: the socket ends right behind a large message: it comes before the close`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, { opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) });
    pair.peer.socket.end();
    await pair.closed();
    assert.deepStrictEqual(pair.seen.log.map(([what]) => what), ['message', 'close']);
    assert.strictEqual(pair.seen.closes[0].code, 1000);
  });

  test(`${role}: pause() while a large message is inflated keeps it back, resume() brings it`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, { opcode: TEXT, payload: 'next' });
    if (!await untilInflating(t, pair)) return;
    const events = [];
    for (const event of ['pause', 'resume']) pair.connection.on(event, () => events.push(event));
    pair.connection.pause();
    await eventually(() => !isInflating(pair.connection), 'the end of inflating');
    await turns(20);
    assert.deepStrictEqual(pair.seen.messages, []);
    pair.connection.resume();
    assert.strictEqual((await pair.messages(2))[1], 'next');
    assert.deepStrictEqual(events, ['pause', 'resume']);
  });

  test(`${role}: pause() and resume() at once, while and after a message is inflated`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, bomb, { opcode: TEXT, payload: 'next' });
    if (!await untilInflating(t, pair)) return;
    pair.connection.pause();
    pair.connection.resume();
    pair.connection.on('message', () => {
      pair.connection.pause();
      pair.connection.resume();
    });
    assert.strictEqual((await pair.messages(3))[2], 'next');
  });

  test(`${role}: the program does not see that the socket is not read`, async (t) => {
    const pair = await open(t, role);
    // A socket says once that it begins to flow, on Deno later than elsewhere.
    await turns(5);
    const events = [];
    for (const event of ['pause', 'resume']) pair.connection.on(event, () => events.push(event));
    pair.send(bomb);
    if (!await untilInflating(t, pair)) return;
    assert.strictEqual(pair.connection.inputPaused, false);
    await pair.messages(1);
    await turns(5);
    assert.deepStrictEqual([events, pair.connection.inputPaused], [[], false]);
    pair.send({ opcode: PING, payload: 'goes on' });
    assert.strictEqual((await pair.received(PONG)).payload.toString(), 'goes on');
  });

  test(`${role}: send() and options go on while a large message is inflated`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, large);
    if (!await untilInflating(t, pair)) return;
    pair.connection.sendUTF('meanwhile');
    pair.connection.maxReceivedMessageSize = MIB;
    assert.strictEqual(pair.connection.stats().messagesReceived, 0);
    assert.strictEqual((await pair.received(TEXT)).payload.toString(), 'meanwhile');
    // It holds for what is not being inflated yet.
    pair.send(large);
    assert.strictEqual((await pair.received(CLOSE)).code, 1009);
  });

  for (const [what, end, code] of [
    ['close()', (connection) => connection.close(4001), 4001],
    ['drop()', (connection) => connection.drop(4002), 4002],
  ]) {
    test(`${role}: ${what} while a large message is inflated`, async (t) => {
      const pair = await open(t, role);
      pair.send(bomb);
      if (!await untilInflating(t, pair)) return;
      end(pair.connection);
      assert.strictEqual((await pair.received(CLOSE)).code, code);
      pair.send({ opcode: CLOSE, payload: Buffer.from([code >> 8, code & 255]) });
      pair.peer.socket.end();
      assert.strictEqual((await pair.closed()).code, code);
      assert.deepStrictEqual(pair.seen.messages, []);
    });
  }

  for (const [what, end] of [
    ['socket.destroy()', ({ connection }) => connection.socket.destroy()],
    ['a reset by the peer', ({ peer }) => peer.socket.resetAndDestroy?.() ?? peer.destroy()],
  ]) {
    test(`${role}: ${what} while a large message is inflated closes the connection once`, async (t) => {
      const pair = await open(t, role);
      pair.send(bomb);
      if (!await untilInflating(t, pair)) return;
      end(pair);
      await pair.closed();
      await turns(50);
      assert.strictEqual(pair.seen.closes.length, 1);
    });
  }

  test(`${role}: somebody begins to read the socket while a large message is inflated`, async (t) => {
    const pair = await open(t, role);
    pair.send(bomb, large, { opcode: TEXT, payload: 'next' });
    if (!await untilInflating(t, pair)) return;
    const chunks = [];
    pair.connection.socket.on('data', (chunk) => chunks.push(chunk));
    const messages = await pair.messages(3);
    assert.deepStrictEqual(messages.map(({ length }) => length), [48 * MIB, LARGE.length, 4]);
    assert.strictEqual(pair.connection.transport, 'stream');
  });
}
