'use strict';

// Peers that read too slowly, seen by a program that sends; and programs that read too slowly, seen by the peer.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { inspect } = require('util');
const websocket = require('../..');
const { OPCODE, writeUntilStopped } = require('../helpers/raw');
const { next, eventually, startServer, openClient, openRawClient, openPair, turns } = require('../helpers/under-test/endpoints');

const { TEXT, PING, PONG, CLOSE } = OPCODE;
const BLOCK = Buffer.alloc(256 * 1024, 'x');
/** What the kernel's buffers of both ends cannot hold. */
const PLENTY = 64;

/** Sends until the system takes no more; returns how many messages that were. */
async function fill(connection, block = BLOCK) {
  for (let sent = 1; sent <= PLENTY * 4; sent++) {
    const room = connection.sendBytes(block);
    // What is merely on its way out leaves meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 3));
    if (connection.bufferedAmount < 1 << 20) continue;
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (connection.bufferedAmount < 1 << 20) continue;
    assert.strictEqual(room, false);
    return sent;
  }
  throw new Error('a peer that does not read takes everything');
}

/** Has the peer read nothing until the returned function is called. */
function stall({ peer }) {
  peer.socket.pause();
  return () => peer.socket.resume();
}

for (const role of ['server', 'client']) {
  describe(`sending, ${role}`, () => {
    test('calls that send return true as long as the peer reads, and false when nothing is sent any more', async (t) => {
      const { connection, peer } = await openPair(t, role);
      for (const call of [() => connection.send('a'), () => connection.sendUTF('b'), () => connection.sendBytes(Buffer.from('c'))]) {
        assert.strictEqual(call(), true);
      }
      await peer.frame(3);
      await eventually(() => connection.bufferedAmount === 0, 'an empty buffer');
      connection.drop(1000);
      assert.strictEqual(connection.send('d'), false);
    });

    test('they return false when the peer does not read; drain comes once, when all has been handed to the system', async (t) => {
      const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
      const { connection } = pair;
      const resume = stall(pair);
      const sent = await fill(connection);
      let drains = 0;
      connection.on('drain', () => drains++);
      assert.strictEqual(connection.outputBufferFull, true);
      assert.strictEqual(connection.sendUTF('more'), false);
      await turns(20);
      assert.strictEqual(drains, 0);
      const drained = next(connection, 'drain');
      resume();
      await drained;
      assert.strictEqual(connection.bufferedAmount, 0);
      assert.strictEqual(connection.outputBufferFull, false);
      await pair.peer.frame(sent + 1);
      assert.strictEqual(drains, 1);
    });

    test('bufferedAmount is what was accepted and is not with the system yet', async (t) => {
      const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
      const { connection } = pair;
      const resume = stall(pair);
      await fill(connection);
      await turns(20);
      const before = connection.bufferedAmount;
      connection.sendBytes(Buffer.alloc(1000));
      // Four bytes of header, and four of mask on the client's side.
      assert.strictEqual(connection.bufferedAmount - before, role === 'server' ? 1004 : 1008);
      const drained = next(connection, 'drain');
      resume();
      await drained;
      assert.strictEqual(connection.bufferedAmount, 0);
    });

    test('highWaterMark: false is returned from that many waiting bytes on, no sooner', async (t) => {
      const pair = await openPair(t, role, { highWaterMark: 3 << 20, fragmentOutgoingMessages: false });
      const { connection } = pair;
      const resume = stall(pair);
      let drains = 0;
      connection.on('drain', () => drains++);
      for (;;) {
        const room = connection.sendBytes(BLOCK);
        await turns(1);
        if (!room) break;
        assert.ok(connection.bufferedAmount < (3 << 20) + BLOCK.length);
      }
      assert.ok(connection.bufferedAmount >= 3 << 20);
      const drained = next(connection, 'drain');
      resume();
      await drained;
      await turns(20);
      assert.strictEqual(drains, 1);
    });

    test('highWaterMark: a mark below that of the socket is followed by drain, too', async (t) => {
      const { connection } = await openPair(t, role, { highWaterMark: 1 });
      for (let i = 0; i < 3; i++) {
        // Whether the system has taken it at once depends on who writes.
        if (!connection.sendUTF('x'.repeat(1000))) await next(connection, 'drain');
        assert.strictEqual(connection.outputBufferFull, false);
      }
    });

    test('callbacks are called once each and in order, with an Error when the connection ends before', async (t) => {
      const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
      const { connection } = pair;
      stall(pair);
      await fill(connection);
      const called = [];
      const send = (name, data) => connection.sendBytes(data, (error) => called.push([name, error instanceof Error]));
      for (let i = 0; i < 100; i++) send(i, BLOCK);
      connection.drop(1000);
      await eventually(() => called.length >= 100, 'all callbacks');
      send('late', Buffer.alloc(1));
      await turns(20);
      assert.deepStrictEqual(called, [...Array.from({ length: 100 }, (_, i) => [i, true]), ['late', true]]);
    });

    for (const when of ['in the same task', 'later']) {
      test(`callbacks get an Error when the peer resets the connection ${when}, before everything was sent`, async (t) => {
        const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
        const { connection } = pair;
        stall(pair);
        const results = [];
        for (let i = 0; i < PLENTY; i++) connection.sendBytes(Buffer.alloc(1 << 20), (error) => results.push(error instanceof Error));
        if (when === 'later') await turns(5);
        pair.peer.socket.resetAndDestroy();
        await eventually(() => results.length >= PLENTY, 'all callbacks');
        await turns(20);
        assert.strictEqual(results.length, PLENTY);
        assert.strictEqual(results[PLENTY - 1], true);
      });
    }

    test('callbacks of what has been handed to the system are called without an Error, in order', async (t) => {
      const { connection, peer } = await openPair(t, role);
      const called = [];
      for (let i = 0; i < 100; i++) connection.sendUTF(String(i), (error) => called.push([i, error instanceof Error]));
      await peer.frame(100);
      await eventually(() => called.length >= 100, 'all callbacks');
      assert.deepStrictEqual(called, Array.from({ length: 100 }, (_, i) => [i, false]));
    });

    for (const [what, end] of [['drop()', (connection) => connection.drop(1000)], ['socket.destroy()', ({ socket }) => socket.destroy()]]) {
      test(`a callback of what has left before ${what} is called without an Error`, async (t) => {
        const { connection, peer } = await openPair(t, role);
        const results = [];
        connection.sendUTF('gone', (error) => results.push(error));
        end(connection);
        await peer.frame();
        await eventually(() => results.length > 0, 'the callback');
        assert.ok(!results[0], String(results[0]));
        assert.strictEqual(results.length, 1);
      });
    }
  });

  test(`sending, ${role}: what waits for a large message that is being compressed counts, and is followed by drain`, async (t) => {
    const config = { perMessageDeflate: true, maxReceivedFrameSize: 1 << 24, maxReceivedMessageSize: 1 << 24, highWaterMark: 1000 };
    const started = await startServer(t, { config });
    const client = await openClient(t, started.url, { config });
    const [sender, receiver] = role === 'server' ? [await started.connection(), client] : [client, await started.connection()];
    const sizes = [];
    receiver.on('message', (message) => sizes.push(message.binaryData.length));
    for (let round = 1; round <= 3; round++) {
      const drained = next(sender, 'drain');
      assert.strictEqual(sender.sendBytes(Buffer.alloc(1 << 20)), false);
      assert.ok(sender.bufferedAmount >= 1 << 20);
      assert.strictEqual(sender.outputBufferFull, true);
      assert.strictEqual(sender.sendBytes(Buffer.from('behind it')), false);
      await drained;
      await eventually(() => sizes.length === 2 * round, 'both messages');
      assert.strictEqual(sender.outputBufferFull, false);
    }
    assert.deepStrictEqual(sizes, [1 << 20, 9, 1 << 20, 9, 1 << 20, 9]);
  });

  describe(`maxBufferedAmount, ${role}`, () => {
    const limit = 4 << 20;

    /** Sends until something is refused; tells how much had been accepted. */
    function overflow(connection, onError) {
      let accepted = 0;
      let refused = null;
      for (let i = 0; i < PLENTY * 4 && refused === null; i++) {
        let room = true;
        connection.sendBytes(BLOCK, (error) => {
          if (error && error.code === 'ERR_WEBSOCKET_BUFFER_FULL') onError(error);
        });
        if (!connection.connected || connection.bufferedAmount === refused) room = false;
        accepted += BLOCK.length;
        if (!room) refused = accepted;
      }
      return accepted;
    }

    test("policy 'close': the connection ends with 1008, the callback gets an Error, nothing is sent after it", async (t) => {
      const pair = await openPair(t, role, { maxBufferedAmount: limit, fragmentOutgoingMessages: false });
      const { connection, seen, peer } = pair;
      const resume = stall(pair);
      const errors = [];
      overflow(connection, (error) => errors.push(error));
      assert.strictEqual(connection.connected, false);
      const description = `More than ${limit} bytes wait to be sent (maxBufferedAmount).`;
      assert.deepStrictEqual(seen.closes, [{ code: 1008, description }]);
      assert.strictEqual(connection.sendUTF('late'), false);
      await turns();
      assert.deepStrictEqual(errors.map((error) => error.message), [
        `Nothing was sent: the peer reads too slowly, and with this message more than ${limit} bytes would wait for it ` +
          '(maxBufferedAmount).']);
      resume();
      await peer.close();
      assert.ok(!peer.frames.some((frame) => frame.payload.toString() === 'late'));
      assert.strictEqual(connection.socket.destroyed, true);
    });

    test("policy 'drop': the message is not sent, the event dropped tells, and the connection goes on", async (t) => {
      const config = { maxBufferedAmount: limit, maxBufferedAmountPolicy: 'drop', fragmentOutgoingMessages: false };
      const pair = await openPair(t, role, config);
      const { connection, peer } = pair;
      const resume = stall(pair);
      const dropped = [];
      connection.on('dropped', (data, error) => dropped.push([data, error.code]));
      let sent = 0;
      let most = 0;
      while (dropped.length === 0) {
        connection.sendBytes(BLOCK);
        sent++;
        most = Math.max(most, connection.bufferedAmount);
        await turns(1);
        assert.ok(sent < PLENTY * 4, 'something is dropped at some time');
      }
      assert.ok(most <= limit + 32, `${most} bytes waited`);
      assert.deepStrictEqual(dropped, [[BLOCK, 'ERR_WEBSOCKET_BUFFER_FULL']]);
      // The system may have taken some more meanwhile.
      const text = 'x'.repeat(BLOCK.length);
      const failure = await new Promise((resolve) => {
        for (let i = 0; i < 16; i++, sent++) connection.sendUTF(text, (error) => { if (error) resolve(error); });
      });
      assert.strictEqual(failure.code, 'ERR_WEBSOCKET_BUFFER_FULL');
      await turns();
      assert.strictEqual(dropped[1][0], text);

      const drained = next(connection, 'drain');
      resume();
      await drained;
      assert.strictEqual(connection.sendUTF('goes on'), true);
      await peer.until(() => peer.frames.some((frame) => frame.payload.toString() === 'goes on'), 'the last message');
      assert.strictEqual(peer.frames.length, sent - dropped.length + 1, 'what was not dropped has arrived, whole');
    });

    test("policy 'drop': nothing is told of a message after close", async (t) => {
      const pair = await openPair(t, role, { maxBufferedAmount: limit, maxBufferedAmountPolicy: 'drop' });
      const { connection } = pair;
      stall(pair);
      const events = [];
      for (const event of ['dropped', 'close']) connection.on(event, () => events.push(event));
      for (let i = 0, waiting = 0; waiting === 0 || waiting !== connection.bufferedAmount; i++) {
        waiting = connection.bufferedAmount;
        connection.sendBytes(BLOCK);
        assert.ok(i < PLENTY * 4, 'something is dropped at some time');
      }
      connection.drop();
      await turns();
      assert.deepStrictEqual(events, ['close']);
    });

    test('control frames are sent nevertheless', async (t) => {
      const config = { maxBufferedAmount: 1 << 20, maxBufferedAmountPolicy: 'drop', fragmentOutgoingMessages: false };
      const pair = await openPair(t, role, config);
      const { connection, peer } = pair;
      const resume = stall(pair);
      let full = false;
      connection.on('dropped', () => { full = true; });
      for (let sent = 0; !full; sent++) {
        assert.ok(sent < PLENTY * 4, 'something is dropped at some time');
        connection.sendBytes(BLOCK);
        await turns(2);
      }
      connection.ping('still here');
      connection.close(1000);
      resume();
      await peer.until(() => peer.frames.some(({ opcode }) => opcode === CLOSE), 'the Close frame', 20000);
      assert.strictEqual(peer.frames.find(({ opcode }) => opcode === PING).payload.toString(), 'still here');
    });

    test('a message longer than that may be sent when nothing waits', async (t) => {
      const { connection, peer } = await openPair(t, role, { maxBufferedAmount: 10 });
      assert.strictEqual(connection.sendUTF('x'.repeat(1000)), true);
      await peer.frame();
      await eventually(() => connection.bufferedAmount === 0, 'an empty buffer');
      connection.sendUTF('y'.repeat(1000));
      await peer.frame(2);
      assert.strictEqual(connection.connected, true);
    });

    test('many messages in one tick are no reason, if the peer takes them', async (t) => {
      // TLS has taken nothing before the tick is over; there it would be one.
      const { connection, peer } = await openPair(t, role, { maxBufferedAmount: 10000 }, false);
      for (let i = 0; i < 1000; i++) connection.sendUTF('x'.repeat(100));
      await peer.frame(1000);
      assert.strictEqual(connection.connected, true);
    });
  });
}

test('maxBufferedAmount: a broadcast ends the connections that do not read, and reaches the others', async (t) => {
  const started = await startServer(t, { config: { maxBufferedAmount: 1 << 20 } });
  const slow = await openRawClient(started.port);
  const fast = await openRawClient(started.port);
  slow.socket.pause();
  const closed = next(started.server, 'close');
  for (let i = 1; started.server.connections.length === 2 && i <= PLENTY * 4; i++) {
    started.server.broadcastBytes(BLOCK);
    // The one that reads has its time to.
    await eventually(() => started.connections[1].bufferedAmount === 0, 'the fast one to be served', 10000);
  }
  const [connection, code] = await closed;
  assert.strictEqual(code, 1008);
  assert.strictEqual(connection, started.connections[0]);
  started.server.broadcastUTF('done');
  await fast.until(() => fast.frames.some((frame) => frame.payload.toString() === 'done'), 'the last message', 10000);
  for (const peer of [slow, fast]) peer.destroy();
});

describe('options for sending that mean nothing', () => {
  for (const [option, values, text] of [
    ['highWaterMark', [0, -1, NaN, 'five', {}], 'must be null or a number of at least 1'],
    ['maxBufferedAmount', [0, -1, NaN, 'five', null], 'must be a number of at least 1'],
    ['maxBufferedAmountPolicy', ['wait', null, 5], "must be 'close' or 'drop'"],
  ]) {
    test(`${option} is refused with an error that names it`, () => {
      for (const value of values) {
        const expected = { message: `The option ${option} ${text}, not ${inspect(value)}.` };
        assert.throws(() => new websocket.server({ httpServer: http.createServer(), [option]: value }), expected);
        assert.throws(() => new websocket.client({ [option]: value }), expected);
      }
    });
  }
});

for (const role of ['server', 'client']) {
  describe(`receiving, ${role}`, () => {
    const frame = { opcode: TEXT, payload: 'x'.repeat(60000) };

    /** Has the peer send until its socket takes no more; returns how many messages that were. */
    async function flood({ encode, peer }) {
      const sent = await writeUntilStopped(peer, encode(frame), 4000);
      assert.ok(sent < 4000, 'the peer is stopped');
      return sent;
    }

    test('pause() stops the socket: the peer can send no more than the kernel holds, until resume()', async (t) => {
      const pair = await openPair(t, role);
      pair.connection.pause();
      const sent = await flood(pair);
      assert.ok(pair.peer.socket.writableLength >= 1 << 20);
      assert.deepStrictEqual(pair.seen.messages, []);
      const { bytesRead } = pair.connection.socket;
      await turns(20);
      assert.strictEqual(pair.connection.socket.bytesRead, bytesRead);
      pair.connection.resume();
      assert.strictEqual((await pair.messages(sent, 20000)).length, sent);
    });

    test('pongs for a peer that does not read are bounded, and the newest ping is answered', async (t) => {
      const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
      const { connection, peer } = pair;
      const resume = stall(pair);
      await fill(connection);
      await turns(20);
      const before = connection.bufferedAmount;
      const count = 20000;
      let pings = 0;
      connection.on('ping', () => pings++);
      const each = Buffer.concat(Array.from({ length: 100 }, (_, i) => pair.encode({ opcode: PING, payload: String(i) })));
      for (let i = 0; i < count / 100; i++) peer.write(each);
      await eventually(() => pings === count, 'all pings', 10000);
      assert.ok(connection.bufferedAmount - before < 1000, `${connection.bufferedAmount - before} bytes more`);
      resume();
      await peer.until(() => peer.frames.some(({ opcode }) => opcode === PONG), 'a Pong', 10000);
      const pongs = peer.frames.filter(({ opcode }) => opcode === PONG);
      assert.strictEqual(pongs[pongs.length - 1].payload.toString(), '99');
      assert.ok(pongs.length < 10, `${pongs.length} pongs`);
    });
  });
}
