'use strict';

// What a program does with the socket itself keeps its place behind what it has sent, also behind messages that are still being
// compressed.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { OPCODE, encodeFrame } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, open, block, sleep } = require('./ways');
const { DEFLATE, longText, inflated } = require('./compressed');

const { TEXT } = OPCODE;

for (const way of WAYS) {
  for (const [what, end, { computes = false, waiting = 100 }] of [
    ['the peer breaks off', ({ peer }) => peer.socket.resetAndDestroy(), {}],
    ['the peer breaks off while the program computes', ({ peer }) => peer.socket.resetAndDestroy(), { computes: true }],
    ['the peer breaks off before, while the program computes', ({ peer }) => peer.socket.resetAndDestroy(), { computes: true, waiting: 0 }],
    ['the program destroys the socket', ({ connection }) => connection.socket.destroy(), {}],
    ['the program drops the connection', ({ connection }) => connection.drop(), {}],
  ]) {
    test(`${way.name}: when ${what}, all callbacks come, in their order`, async (t) => {
      const pair = await open(t, way);
      const { connection, peer } = pair;
      peer.socket.pause();
      const called = [];
      let count = 0;
      const send = () => {
        const index = count++;
        connection.sendUTF('x'.repeat(100000), (error) => called.push([index, Boolean(error)]));
      };
      for (let i = 0; i < waiting; i++) send();
      await sleep(20);
      end(pair);
      if (computes) block(20);
      for (let i = 0; i < 10 && connection.connected && !connection.socket.destroyed; i++) send();
      await eventually(() => called.length === count && pair.seen.closes.length === 1, 'all callbacks and close');
      assert.deepStrictEqual(called.map(([index]) => index), Array.from({ length: count }, (_, index) => index));
      const failed = called.findIndex(([, error]) => error);
      assert.ok(failed === -1 || called.slice(failed).every(([, error]) => error), 'nothing was sent behind what was not');
    });
  }
}

for (const way of WAYS) {
  describe(`${way.name}: behind large messages that are being compressed`, () => {
    const start = async (t) => {
      const pair = await open(t, way, { perMessageDeflate: true }, DEFLATE);
      assert.strictEqual(pair.connection.extensions.length, 1);
      const sent = [longText(1000000), 'between', longText(600000), 'last'];
      const called = [];
      for (const one of sent) pair.connection.sendUTF(one, (error) => called.push(error || null));
      const arrived = async (count) => {
        const texts = () => pair.peer.frames.filter(({ opcode }) => opcode === TEXT);
        await eventually(() => texts().length >= count || pair.peer.ended, 'all messages');
        return (await inflated(texts())).map((one) => one.slice(0, 20));
      };
      return { ...pair, sent: sent.map((one) => one.slice(0, 20)), called, arrived };
    };
    const frame = (payload) => encodeFrame({ opcode: TEXT, payload, mask: way.role === 'client' });

    test('come the bytes of socket.write()', async (t) => {
      const { connection, sent, called, arrived } = await start(t);
      let written = 0;
      connection.socket.write(frame('raw'), () => written++);
      connection.sendUTF('behind');
      assert.deepStrictEqual(await arrived(6), [...sent, 'raw', 'behind']);
      await eventually(() => called.length === 4 && written === 1, 'the callbacks');
      assert.deepStrictEqual(called, [null, null, null, null]);
      assert.strictEqual(connection.connected, true);
    });

    for (const [what, end, more] of [
      ['the FIN of socket.end()', (socket) => socket.end(), []],
      ['the bytes and the FIN of socket.end(bytes)', (socket) => socket.end(frame('bye')), ['bye']],
      ['the FIN of socket.destroySoon()', (socket) => socket.destroySoon(), []],
    ]) {
      test(`comes ${what}`, async (t) => {
        const { connection, peer, sent, called, arrived } = await start(t);
        end(connection.socket);
        await eventually(() => peer.ended, 'FIN');
        assert.deepStrictEqual(await arrived(4 + more.length), [...sent, ...more]);
        await eventually(() => called.length === 4, 'the callbacks');
        assert.deepStrictEqual(called, [null, null, null, null]);
      });
    }
  });
}
