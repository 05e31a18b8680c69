'use strict';

// What a program does with the socket itself keeps its place behind what it has sent, also behind messages that are still being
// compressed.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { OPCODE, encodeFrame } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, open } = require('./ways');
const { DEFLATE, longText, inflated } = require('./compressed');

const { TEXT } = OPCODE;

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
