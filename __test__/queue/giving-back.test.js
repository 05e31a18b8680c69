'use strict';

// A socket is given back to Node when a program begins to look at its bytes. What the connection owes at that moment stays
// owed: callbacks, `drain`, messages that wait for a slow peer, FIN, and messages that are being compressed or inflated.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { once } = require('events');
const { OPCODE } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, TAKEN_OVER, open, block, sleep, Account, isAlive } = require('./ways');
const { DEFLATE, longText, compressed, inflated } = require('./compressed');

const { TEXT, PING } = OPCODE;
const text = (payload) => ({ opcode: TEXT, payload });
const look = ({ connection }) => connection.socket.on('data', () => {});

/** When the program begins to look: [name, has `look()` called then]. */
const moments = {
  'in the same tick': (pair, then) => then(),
  'in the next tick': (pair, then) => process.nextTick(then),
  'in a microtask': (pair, then) => Promise.resolve().then(then),
  'in the next turn': (pair, then) => setImmediate(then),
  'a few milliseconds later': (pair, then) => setTimeout(then, 3),
  'after a computation': (pair, then) => {
    block(20);
    then();
  },
  'inside the next message': (pair, then) => {
    pair.connection.once('message', then);
    pair.send(text('now'));
  },
  'inside the next message, which came during a computation': (pair, then) => {
    pair.connection.once('message', then);
    pair.send(text('now'));
    block(30);
  },
  'inside the callback of a message': (pair, then) => pair.account.callback(then),
};

/** Has the account tell when the callback of its next message is called. */
function withCallback(account, connection) {
  account.callback = (then) => {
    const index = account.sent.push('with a callback') - 1;
    account.called.push([]);
    connection.sendUTF('with a callback', (error) => {
      account.called[index].push(error);
      then();
    });
  };
  return account;
}

for (const way of WAYS) {
  describe(`${way.name}: what is owed when the socket is given back still comes`, () => {
    for (const [when, at] of Object.entries(moments)) {
      test(`callbacks and drain, given back ${when}`, async (t) => {
        const pair = await open(t, way, { highWaterMark: 16 * 1024 });
        pair.account = withCallback(new Account(pair.connection), pair.connection);
        pair.account.send();
        pair.account.fill();
        at(pair, () => look(pair));
        await pair.account.settled(pair, when);
        await isAlive(pair, when);
      });

      test(`messages that wait for a slow peer, given back ${when}`, async (t) => {
        const pair = await open(t, way, { highWaterMark: 16 * 1024 });
        pair.account = withCallback(new Account(pair.connection), pair.connection);
        pair.peer.socket.pause();
        for (let i = 0; i < 200; i++) pair.account.send(50000);
        await sleep(20);
        let done = false;
        // That callback does not come before the peer reads.
        if (when === 'inside the callback of a message') pair.peer.socket.resume();
        at(pair, () => {
          look(pair);
          done = true;
        });
        await eventually(() => done, when);
        pair.account.send();
        pair.peer.socket.resume();
        await pair.account.settled(pair, when, 8000);
        await isAlive(pair, when);
      });
    }

    test('FIN comes behind all messages when the program has ended the socket before it looks', async (t) => {
      const pair = await open(t, way);
      const expected = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(50000, 'x'));
      pair.peer.socket.pause();
      for (const one of expected) pair.connection.sendUTF(one);
      pair.connection.socket.end();
      look(pair);
      await sleep(20);
      pair.peer.socket.resume();
      await pair.peer.until(() => pair.peer.ended, 'FIN').catch(() => {});
      assert.strictEqual(pair.peer.ended, true, 'FIN');
      assert.deepStrictEqual(pair.peer.frames.map(({ payload }) => payload.length), expected.map(({ length }) => length));
    });

    test('the closing handshake goes on', async (t) => {
      const pair = await open(t, way);
      pair.connection.sendUTF('last');
      pair.connection.close(1001);
      look(pair);
      const close = await pair.received(OPCODE.CLOSE);
      assert.strictEqual(close.code, 1001);
      pair.send({ opcode: OPCODE.CLOSE, payload: close.payload });
      assert.strictEqual((await pair.closed()).code, 1001);
      assert.deepStrictEqual(pair.peer.frames.map(({ opcode }) => opcode), [TEXT, OPCODE.CLOSE]);
    });

    for (const [when, at] of Object.entries(moments).filter(([name]) => !name.includes('callback'))) {
      test(`a large message is being compressed, given back ${when}`, async (t) => {
        const pair = await open(t, way, { perMessageDeflate: true, highWaterMark: 16 * 1024 }, DEFLATE);
        assert.strictEqual(pair.connection.extensions.length, 1);
        const expected = [longText(1000000), 'behind it', longText(600000), 'last'];
        const called = [];
        let drains = 0;
        let room = true;
        pair.connection.on('drain', () => drains++);
        for (const one of expected) room = pair.connection.sendUTF(one, (error) => called.push([one.length, error || null])) && room;
        let thrown = null;
        at(pair, () => {
          try {
            look(pair);
          } catch (error) {
            thrown = error;
          }
        });
        const count = () => pair.peer.frames.filter(({ opcode }) => opcode === TEXT).length;
        await eventually(() => count() >= 4 || pair.seen.closes.length > 0, 'all messages').catch(() => {});
        assert.deepStrictEqual([thrown, pair.seen.closes], [null, []]);
        assert.deepStrictEqual((await inflated(pair.peer.frames)).map((one) => one.length), expected.map((one) => one.length));
        assert.deepStrictEqual(await inflated(pair.peer.frames), expected);
        await eventually(() => called.length === 4, 'the callbacks');
        assert.deepStrictEqual(called, expected.map((one) => [one.length, null]));
        if (!room) await eventually(() => drains > 0, 'drain');
        await isAlive(pair, when);
      });

      test(`large messages are being inflated, given back ${when}`, async (t) => {
        const pair = await open(t, way, { perMessageDeflate: true, maxReceivedFrameSize: 1 << 20 }, DEFLATE);
        const large = longText(1000000);
        const expected = ['before', large, 'between', large, 'behind', 'last'];
        // Nothing but messages of the list is wanted.
        const now = when.includes('message') ? ['now'] : [];
        pair.peer.write(Buffer.concat(expected.map((one) => pair.encode(one.length > 100
          ? { opcode: TEXT, rsv: 4, payload: compressed(Buffer.from(one)) } : text(one)))));
        if (now.length > 0) {
          pair.connection.once('message', () => look(pair));
          if (when.includes('computation')) block(30);
        } else {
          await once(pair.connection, 'message');
          at(pair, () => look(pair));
        }
        await eventually(() => pair.seen.messages.length >= expected.length || pair.seen.closes.length > 0, 'all messages').catch(() => {});
        assert.deepStrictEqual(pair.seen.closes, []);
        assert.deepStrictEqual(pair.seen.messages.map((one) => one.slice(0, 10)), expected.map((one) => one.slice(0, 10)));
        assert.deepStrictEqual(pair.seen.messages, expected);
        await isAlive(pair, when);
      });
    }
  });
}

for (const way of TAKEN_OVER) {
  test(`${way.name}: Node reads a socket that was given back behind everything that was read before`, async (t) => {
    const pair = await open(t, way);
    const { connection, seen } = pair;
    const expected = Array.from({ length: 2100 }, (_, i) => `${i}`);
    const frames = expected.map((one) => pair.encode(text(one)));
    let readByNode = 0;
    let toldBefore;
    connection.once('message', () => {
      connection.socket.on('data', ({ length }) => {
        readByNode += length;
        toldBefore ??= seen.messages.length;
      });
      // What makes a stream read, were it not waiting for its turn.
      connection.pause();
      process.nextTick(() => connection.resume());
      pair.peer.socket.end(Buffer.concat(frames.slice(2000)));
    });
    connection.on('message', ({ utf8Data }) => { if (utf8Data.endsWith('0')) block(1); });
    pair.peer.write(Buffer.concat(frames.slice(0, 2000)));
    await eventually(() => seen.closes.length > 0, 'close');
    assert.deepStrictEqual(seen.messages, expected);
    let left = frames.reduce((sum, { length }) => sum + length, 0) - readByNode;
    const readBefore = frames.findIndex(({ length }) => (left -= length) < 0);
    assert.ok(readByNode > 0 && readBefore > 0);
    assert.ok(toldBefore >= readBefore, `${toldBefore} of ${readBefore} messages were told before Node read`);
  });

  test(`${way.name}: a listener looks at the bytes while an answer to a callback is behind it in the same batch`, async (t) => {
    const pair = await open(t, way);
    let called = 0;
    pair.connection.on('message', ({ utf8Data }) => { if (utf8Data === 'one') look(pair); });
    pair.send(text('one'));
    // A worker reads it meanwhile,
    block(50);
    // and writes that.
    pair.connection.sendUTF('answer', () => { called++; });
    block(50);
    await eventually(() => pair.seen.messages.length > 0, 'the first message');
    await sleep(20);
    pair.send(text('two'), { opcode: PING, payload: '' });
    await eventually(() => pair.seen.messages.length > 1 || pair.seen.closes.length > 0, 'the second message').catch(() => {});
    assert.deepStrictEqual([pair.seen.messages, pair.seen.closes, called], [['one', 'two'], [], 1]);
    await isAlive(pair, 'afterwards');
  });
}
