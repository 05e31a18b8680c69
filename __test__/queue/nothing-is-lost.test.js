'use strict';

// Thousands of messages in one segment, and what the program may do in the midst of them: every message arrives once and in
// order, up to the moment from which the program wants none.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const os = require('os');
const { OPCODE, closePayload, encodeFrame } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, TAKEN_OVER, TAKES_OVER, open, block, sleep } = require('./ways');

const { TEXT, BINARY, CLOSE, PING } = OPCODE;
const COUNT = 4000;
const numbers = (count = COUNT) => Array.from({ length: count }, (_, index) => `${index}`);
const batch = (pair, payloads, opcode = TEXT) => Buffer.concat(payloads.map((payload) => pair.encode({ opcode, payload })));

/** The first few differences, instead of thousands of lines. */
function assertSame(actual, expected, what = '') {
  const first = expected.findIndex((one, index) => one !== actual[index]);
  if (first === -1 && actual.length === expected.length) return;
  const known = new Set(actual);
  const lost = expected.filter((one) => !known.has(one)).length;
  const short = (list) => list.slice(first, first + 3).map((text) => text.slice(0, 20)).join(', ');
  assert.fail(`${what} ${actual.length} messages and not ${expected.length}, ${lost} lost, ${actual.length - known.size} twice` +
    (first === -1 ? '' : `; number ${first}: ${short(actual)} and not ${short(expected)}`));
}

/** Waits for as many messages, or for the end; returns them. */
async function received(pair, count) {
  const deadline = Date.now() + 5000;
  while (pair.seen.messages.length < count && pair.seen.closes.length === 0 && Date.now() < deadline) await sleep(2);
  // One too many would come now.
  await sleep(10);
  return pair.seen.messages;
}

/** What makes Node read a socket again. */
const giveBack = {
  'a data listener': (socket) => socket.on('data', () => {}),
  'a readable listener': (socket) => socket.on('readable', () => { while (socket.read() !== null); }),
  'pipe()': (socket) => socket.pipe(new (require('stream').PassThrough)().resume()),
  'a write() of its own': (socket) => {
    const { write } = socket;
    socket.write = function spy(...args) { return write.apply(this, args); };
  },
};

// Before any connection of this process names a driver.
test('auto: nothing is lost when many connections are busy, and then one', {
  skip: !TAKES_OVER || os.cpus().length < 2 ? 'there is one driver here' : false, timeout: 60000,
}, async (t) => {
  const pairs = await Promise.all(Array.from({ length: 48 }, () => open(t, WAYS[0])));
  const [first] = pairs;
  const drivers = [];
  const expected = [];
  for (const pair of pairs) pair.connection.on('message', ({ utf8Data }) => pair.connection.sendUTF(utf8Data));
  const busy = async (some, driver) => {
    for (const deadline = Date.now() + 10000; first.connection.transport !== driver && Date.now() < deadline;) {
      const texts = Array.from({ length: 5 }, (_, index) => `${expected.length + index}`);
      expected.push(...texts);
      for (const pair of some) pair.peer.write(batch(pair, texts));
      await sleep(1);
    }
    drivers.push(first.connection.transport);
  };
  await busy(pairs, 'threads');
  const many = expected.length;
  await busy([first], 'loop');
  for (const pair of pairs) {
    const wanted = pair === first ? expected : expected.slice(0, many);
    assertSame(await received(pair, wanted.length), wanted);
    await eventually(() => pair.peer.frames.length >= wanted.length, 'the echoes');
    assertSame(pair.peer.frames.map(({ payload }) => payload.toString()), wanted, 'echoes:');
  }
  assert.deepStrictEqual(drivers, ['threads', 'loop']);
});

for (const way of WAYS) {
  describe(`${way.name}: of ${COUNT} messages in one segment none is lost, none comes twice`, () => {
    test('when the program only listens', async (t) => {
      const pair = await open(t, way);
      pair.peer.write(batch(pair, numbers()));
      assertSame(await received(pair, COUNT), numbers());
    });

    test('when it answers each', async (t) => {
      const pair = await open(t, way);
      pair.connection.on('message', ({ utf8Data }) => pair.connection.sendUTF(utf8Data));
      pair.peer.write(batch(pair, numbers()));
      assertSame(await received(pair, COUNT), numbers());
      await eventually(() => pair.peer.frames.filter(({ opcode, payload }) => opcode === TEXT && payload.length <= 4).length >= COUNT, 'the echoes');
      assertSame(pair.peer.frames.map(({ payload }) => payload.toString()).slice(-COUNT), numbers());
    });

    for (const at of [0, 1, COUNT / 2, COUNT - 1]) {
      for (const [what, act] of Object.entries(giveBack)) {
        test(`when ${what} comes to the socket at message ${at}`, async (t) => {
          const pair = await open(t, way);
          pair.connection.on('message', ({ utf8Data }) => { if (utf8Data === `${at}`) act(pair.connection.socket); });
          pair.peer.write(batch(pair, numbers()));
          assertSame(await received(pair, COUNT), numbers());
          // And the connection goes on.
          pair.peer.write(batch(pair, ['one more']));
          assertSame(await received(pair, COUNT + 1), [...numbers(), 'one more']);
          assert.deepStrictEqual(pair.seen.closes, []);
        });
      }

      test(`when another connection's listener gives the socket back at message ${at}`, async (t) => {
        const pair = await open(t, way);
        const other = await open(t, way);
        let count = 0;
        other.connection.on('message', () => { if (count++ === at) pair.connection.socket.on('data', () => {}); });
        other.peer.write(batch(other, numbers()));
        pair.peer.write(batch(pair, numbers()));
        assertSame(await received(pair, COUNT), numbers());
        assertSame(await received(other, COUNT), numbers(), 'of the other connection');
      });

      test(`when it pauses at message ${at}, gives the socket back while paused, and resumes`, async (t) => {
        const pair = await open(t, way);
        pair.connection.on('message', ({ utf8Data }) => { if (utf8Data === `${at}`) pair.connection.pause(); });
        pair.peer.write(batch(pair, numbers()));
        await eventually(() => pair.seen.messages.length > at, `message ${at}`);
        await sleep(10);
        assertSame(pair.seen.messages, numbers().slice(0, at + 1), 'while paused:');
        pair.connection.socket.on('data', () => {});
        await sleep(10);
        pair.connection.resume();
        assertSame(await received(pair, COUNT), numbers(), 'after resume():');
      });
    }

    test('when it pauses and resumes at every hundredth', async (t) => {
      const pair = await open(t, way);
      pair.connection.on('message', () => {
        if (pair.seen.messages.length % 100 !== 0) return;
        pair.connection.pause();
        setImmediate(() => pair.connection.resume());
      });
      pair.peer.write(batch(pair, numbers()));
      assertSame(await received(pair, COUNT), numbers());
    });

    test('when listeners throw at every thousandth', async (t) => {
      const pair = await open(t, way);
      const uncaught = [];
      process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error.message));
      t.after(() => process.setUncaughtExceptionCaptureCallback(null));
      pair.connection.on('message', ({ utf8Data }) => { if (Number(utf8Data) % 1000 === 1) throw new Error(utf8Data); });
      pair.peer.write(batch(pair, numbers()));
      assertSame(await received(pair, COUNT), numbers());
      assert.deepStrictEqual(uncaught, ['1', '1001', '2001', '3001']);
    });

    for (const [how, end, expected] of [
      ['ends with a Close frame in the same segment', (pair) => pair.peer.write(
        Buffer.concat([batch(pair, numbers()), pair.encode({ opcode: CLOSE, payload: closePayload(4321) })])), 4321],
      ['ends with FIN', (pair) => pair.peer.socket.end(batch(pair, numbers())), 1006],
      ['ends with a frame that is wrong', (pair) => pair.peer.write(
        Buffer.concat([batch(pair, numbers()), encodeFrame({ opcode: 3, mask: pair.role === 'server' })])), 1002],
    ]) {
      for (const [what, act] of [['only listens', () => {}], ['gives the socket back at message 7', (pair) => pair.connection.socket.on('data', () => {})]]) {
        test(`when the peer ${how}, and the program ${what}`, async (t) => {
          const pair = await open(t, way);
          pair.connection.on('message', ({ utf8Data }) => { if (utf8Data === '7') act(pair); });
          end(pair);
          await pair.closed();
          assertSame(pair.seen.messages, numbers());
          assert.deepStrictEqual(pair.seen.closes.map(({ code }) => code), [expected]);
        });
      }
    }

    test('when both sides end a socket that was given back, while others are told what came before', async (t) => {
      const [busy, pair] = [await open(t, way), await open(t, way)];
      const { connection } = pair;
      busy.connection.on('message', ({ utf8Data }) => {
        if (Number(utf8Data) % 10 === 0) block(1);
        if (utf8Data !== '0') return;
        connection.socket.on('data', () => {});
        connection.pause();
        setImmediate(() => {
          connection.resume();
          connection.socket.end();
        });
      });
      busy.peer.write(batch(busy, numbers(1000)));
      pair.peer.socket.end(batch(pair, numbers(500)));
      await pair.closed();
      assertSame(pair.seen.messages, numbers(500));
      assert.deepStrictEqual(pair.seen.closes.map(({ code }) => code), [1006]);
    });

    for (const [what, act] of [['close()', (connection) => connection.close()], ['drop()', (connection) => connection.drop()],
      ['socket.destroy()', (connection) => connection.socket.destroy()]]) {
      test(`and none comes after ${what} in the midst of them, with the socket given back before or not`, async (t) => {
        for (const before of [() => {}, (connection) => connection.socket.on('data', () => {})]) {
          const pair = await open(t, way);
          pair.connection.on('message', ({ utf8Data }) => {
            if (utf8Data === '1000') before(pair.connection);
            if (utf8Data === '2000') act(pair.connection);
          });
          pair.peer.write(batch(pair, numbers()));
          await eventually(() => pair.seen.messages.length > 2000 || pair.seen.closes.length > 0, 'message 2000');
          await sleep(20);
          assertSame(pair.seen.messages, numbers(2001));
        }
      });
    }

    test('when every frame is delivered, and the socket given back at one', async (t) => {
      const pair = await open(t, way, { assembleFragments: false });
      const frames = [];
      pair.connection.on('frame', ({ binaryPayload }) => {
        frames.push(binaryPayload.toString());
        if (frames.length === 100) pair.connection.socket.on('data', () => {});
      });
      pair.peer.write(batch(pair, numbers()));
      await received(pair, COUNT);
      await eventually(() => frames.length >= COUNT, 'all frames');
      assertSame(frames, numbers());
    });

    for (const [what, opcode] of [['texts', TEXT], ['binary messages', BINARY]]) {
      for (const length of [300, 1000, 20000]) {
        test(`when they are ${what} of ${length} bytes, come during a long computation, and any of them gives the socket back`, async (t) => {
          const count = Math.min(COUNT, 4000000 / length);
          const expected = numbers(count).map((number) => `${number} `.padEnd(length, 'x'));
          for (const at of [0, 1, 100, Math.floor(count / 2), count - 1]) {
            const pair = await open(t, way);
            pair.connection.on('message', () => {
              if (pair.seen.messages.length === at + 1) pair.connection.socket.on('data', () => {});
            });
            pair.peer.write(batch(pair, expected, opcode));
            block(50);
            assertSame((await received(pair, count)).map(String), expected, `given back at ${at}:`);
            pair.peer.destroy();
          }
        });
      }
    }

    test('when a Ping in the midst gives the socket back', async (t) => {
      const pair = await open(t, way);
      pair.connection.on('ping', () => pair.connection.socket.on('data', () => {}));
      pair.peer.write(Buffer.concat([batch(pair, numbers().slice(0, 2000)), pair.encode({ opcode: PING, payload: '' }), batch(pair, numbers().slice(2000))]));
      assertSame(await received(pair, COUNT), numbers());
      await pair.received(OPCODE.PONG);
    });
  });
}

describe('while messages keep coming', () => {
  for (const way of TAKEN_OVER) {
    test(`${way.name}: a socket that is given back at any moment loses nothing`, { timeout: 60000 }, async (t) => {
      for (let round = 0; round < 20; round++) {
        const pair = await open(t, way);
        const expected = numbers(2000);
        setTimeout(() => pair.connection.socket.on('data', () => {}), round % 7);
        for (let i = 0; i < expected.length; i += 20) {
          pair.peer.write(batch(pair, expected.slice(i, i + 20)));
          if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
          if (i % 1000 === 0) block(3);
        }
        assertSame(await received(pair, expected.length), expected, `round ${round}:`);
        pair.peer.destroy();
      }
    });
  }

  test('connections lose nothing when the driver changes', { skip: TAKES_OVER ? false : 'there is one driver here', timeout: 60000 }, async (t) => {
    const pairs = [];
    for (let i = 0; i < 8; i++) {
      const pair = await open(t, WAYS[0]);
      pair.connection.on('message', ({ utf8Data }) => pair.connection.sendUTF(utf8Data));
      pairs.push(pair);
    }
    const expected = numbers(3000);
    const drivers = new Set();
    for (let i = 0; i < expected.length; i += 100) {
      // Whoever was explicit last is obeyed for all connections of the process.
      await open(t, WAYS.find(({ io }) => io === (i % 200 === 0 ? 'threads' : 'loop')));
      for (const pair of pairs) pair.peer.write(batch(pair, expected.slice(i, i + 100)));
      await sleep(i % 3);
      drivers.add(pairs[0].connection.transport);
    }
    for (const pair of pairs) {
      assertSame(await received(pair, expected.length), expected);
      await eventually(() => pair.peer.frames.length >= expected.length, 'the echoes');
      assertSame(pair.peer.frames.map(({ payload }) => payload.toString()), expected, 'echoes:');
    }
    assert.deepStrictEqual([...drivers].sort(), ['loop', 'threads']);
  });
});
