'use strict';

// `for await (const message of connection)`.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { OPCODE, closePayload, writeUntilStopped } = require('../helpers/raw');
const { eventually, openPair, turns } = require('../helpers/under-test/endpoints');

const { TEXT, BINARY, CLOSE } = OPCODE;

const text = (payload) => ({ opcode: TEXT, payload });

for (const role of ['server', 'client']) {
  describe(`for await, ${role}`, () => {
    test('gives each message in order, and ends when the connection is closed', async (t) => {
      const pair = await openPair(t, role);
      pair.send(text('one'), { opcode: BINARY, payload: Buffer.from('two') }, text(''),
        { opcode: CLOSE, payload: closePayload(1000) });
      const messages = [];
      for await (const message of pair.connection) messages.push(message);
      assert.deepStrictEqual(messages, [
        { type: 'utf8', utf8Data: 'one' }, { type: 'binary', binaryData: Buffer.from('two') }, { type: 'utf8', utf8Data: '' },
      ]);
      assert.strictEqual(pair.connection.closeReasonCode, 1000);
    });

    test('goes at the pace of the program: what waits is bounded, and the peer is stopped', async (t) => {
      const pair = await openPair(t, role);
      const { connection, peer, encode } = pair;
      const bytes = encode(text('x'.repeat(50000)));
      const iterator = connection[Symbol.asyncIterator]();
      assert.strictEqual((await Promise.all([iterator.next(), peer.write(bytes)]))[0].done, false);
      const sent = 1 + await writeUntilStopped(peer, bytes, 4000);
      assert.ok(sent <= 4000, 'the peer is stopped');
      assert.strictEqual(connection.inputPaused, true);
      // 1 MiB, and what came with the last read.
      assert.ok(pair.seen.messages.length * 50000 < 2 << 20, `${pair.seen.messages.length} messages`);

      // Reading on, everything comes.
      let received = 1;
      while (received < sent) {
        await iterator.next();
        received++;
      }
      await turns();
      assert.strictEqual(pair.seen.messages.length, sent);
      assert.strictEqual(connection.inputPaused, false);
    });

    test('small messages are bounded by their number', async (t) => {
      const pair = await openPair(t, role);
      const iterator = pair.connection[Symbol.asyncIterator]();
      pair.send(...Array.from({ length: 1000 }, (_, i) => text(String(i))));
      await eventually(() => pair.connection.inputPaused, 'a pause');
      assert.strictEqual(pair.seen.messages.length, 64);
      for (let i = 0; i < 1000; i++) assert.strictEqual((await iterator.next()).value.utf8Data, String(i));
      assert.strictEqual(pair.connection.inputPaused, false);
    });

    test('break leaves the connection open, for listeners or the next loop', async (t) => {
      const pair = await openPair(t, role);
      const { connection } = pair;
      const listeners = () => ['message', 'close', 'error'].map((event) => connection.listenerCount(event));
      const before = listeners();
      pair.send(...Array.from({ length: 200 }, (_, i) => text(String(i))));
      let count = 0;
      for await (const message of connection) {
        await eventually(() => connection.inputPaused, 'a pause');
        assert.strictEqual(message.utf8Data, String(count));
        if (++count === 2) break;
      }
      assert.strictEqual(connection.connected, true);
      await eventually(() => !connection.inputPaused, 'the end of the pause');
      assert.deepStrictEqual(listeners(), before);
      await pair.messages(200);

      setImmediate(() => pair.send(text('next'), text('last')));
      const seen = [];
      for await (const message of connection) {
        seen.push(message.utf8Data);
        if (message.utf8Data === 'last') break;
      }
      assert.deepStrictEqual(seen, ['next', 'last']);
    });

    test('a pause of the program stays one', async (t) => {
      const pair = await openPair(t, role);
      const iterator = pair.connection[Symbol.asyncIterator]();
      pair.send(text('one'), text('two'));
      await pair.messages(2);
      pair.connection.pause();
      await turns();
      await iterator.next();
      await iterator.next();
      await turns();
      assert.strictEqual(pair.connection.inputPaused, true);
      pair.connection.resume();
    });

    test('messages that came before the end are given before it, whatever ended the connection', async (t) => {
      const pair = await openPair(t, role);
      const iterator = pair.connection[Symbol.asyncIterator]();
      pair.send(text('one'), text('two'));
      await pair.messages(2);
      pair.connection.drop(4000);
      assert.strictEqual((await iterator.next()).value.utf8Data, 'one');
      assert.strictEqual((await iterator.next()).value.utf8Data, 'two');
      assert.deepStrictEqual(await iterator.next(), { value: undefined, done: true });
      assert.deepStrictEqual(await iterator.next(), { value: undefined, done: true });
    });

    test('a socket that fails is an error of the loop, once', async (t) => {
      const pair = await openPair(t, role);
      const iterator = pair.connection[Symbol.asyncIterator]();
      const waiting = iterator.next();
      pair.connection.socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
      await assert.rejects(waiting, { code: 'ECONNRESET' });
      assert.deepStrictEqual(await iterator.next(), { value: undefined, done: true });
    });

    test('several calls of next() are answered in their order', async (t) => {
      const pair = await openPair(t, role);
      const iterator = pair.connection[Symbol.asyncIterator]();
      const all = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
      pair.send(text('a'), text('b'));
      await pair.messages(2);
      pair.connection.drop(1000);
      assert.deepStrictEqual((await all).map(({ value, done }) => (done ? null : value.utf8Data)), ['a', 'b', null]);
    });

    test('a loop over a connection that is closed ends at once', async (t) => {
      const pair = await openPair(t, role);
      pair.connection.drop(1000);
      for await (const message of pair.connection) assert.fail(String(message));
    });
  });
}
