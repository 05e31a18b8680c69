'use strict';

// What a connection owes: the callback of each message, `drain` after a call that returned false, an answer to each Ping, the
// news that the peer has gone. The program may write, flush, broadcast, pause, close or drop connections inside of every event
// and outside of all: what is owed still comes, without help of other traffic.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { once } = require('events');
const { OPCODE } = require('../helpers/raw');
const { eventually } = require('../helpers/under-test/endpoints');
const { WAYS, open, block, sleep, Account, isAlive } = require('./ways');

const { TEXT, PING, PONG } = OPCODE;
/** A Pong nobody has asked for, as bytes: legal, and not counted as a message (RFC 6455 section 5.5.3). */
const pongOf = ({ role }) => (role === 'server' ? Buffer.from([0x8a, 0]) : Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));

/** Moments: [options of the connection, has `act()` called at that moment, what makes the moment come]. */
const moments = {
  'message': [{}, ({ connection }, act) => connection.once('message', act), (pair) => pair.send({ opcode: TEXT, payload: 'go' })],
  'frame': [{ assembleFragments: false }, ({ connection }, act) => connection.once('frame', act),
    (pair) => pair.send({ opcode: TEXT, payload: 'go' })],
  'ping': [{}, ({ connection }, act) => connection.once('ping', act), (pair) => pair.send({ opcode: PING, payload: 'go' })],
  'pong': [{}, ({ connection }, act) => connection.once('pong', act), (pair) => pair.send({ opcode: PONG, payload: 'go' })],
  'drain': [{}, ({ connection }, act) => connection.once('drain', act), ({ account }) => account.fillUp()],
  'the callback of a message': [{}, () => {}, ({ connection }, act) => connection.sendUTF('0:', act)],
  'a tick of message': [{}, ({ connection }, act) => connection.once('message', () => process.nextTick(act)),
    (pair) => pair.send({ opcode: TEXT, payload: 'go' })],
  'a promise of message': [{}, ({ connection }, act) => once(connection, 'message').then(act), (pair) => pair.send({ opcode: TEXT, payload: 'go' })],
  'an immediate': [{}, () => {}, (pair, act) => setImmediate(act)],
  'a timer': [{}, () => {}, (pair, act) => setTimeout(act, 5)],
  'a timer after a long computation': [{}, () => {}, (pair, act) => setTimeout(() => { block(20); act(); }, 1)],
  'message, with more messages behind it': [{}, ({ connection }, act) => connection.once('message', act),
    (pair) => pair.send(...Array.from({ length: 50 }, (_, index) => ({ opcode: TEXT, payload: `${index}` })))],
};

/** What the program does then. `others` are connections of the same kind, with events of their own under way. */
const deeds = {
  'sends one message': ({ account }) => account.send(),
  'sends until a call returns false, or 32 KB': ({ account }) => account.fill(),
  'sends much with a bound on what may wait': ({ account }) => { for (let i = 0; i < 30; i++) account.send(4000); },
  'sends until a call returns false, and writes to the socket': (pair) => {
    pair.account.fill();
    pair.connection.socket.write(pongOf(pair));
  },
  'sends a message, and writes to the socket': (pair) => {
    pair.account.send(20000);
    pair.connection.socket.write(pongOf(pair));
  },
  'writes to the socket before and after': (pair) => {
    pair.connection.socket.write(pongOf(pair));
    pair.account.fill();
    pair.connection.socket.write(pongOf(pair));
    pair.account.send();
    pair.connection.socket.write(pongOf(pair));
  },
  'writes to the socket with a callback that sends': ({ connection, account, ...pair }) => {
    account.fill();
    connection.socket.write(pongOf(pair), () => account.send());
  },
  'asks how much waits': ({ connection, account }) => {
    account.fill();
    for (let i = 0; i < 3; i++) if (connection.bufferedAmount > 0) account.send();
  },
  'sends much and pings': ({ connection, account }) => {
    account.fill();
    connection.ping('are you there?');
  },
  'pauses and resumes': ({ connection, account }) => {
    account.fill();
    connection.pause();
    connection.resume();
  },
  'pauses, and resumes later': ({ connection, account }) => {
    account.fill();
    connection.pause();
    setTimeout(() => connection.resume(), 10);
  },
  'sends, and closes another connection': ({ account, others: [other] }) => {
    account.fill();
    other.connection.close();
  },
  'sends, and drops another connection': ({ account, others: [other] }) => {
    account.fill();
    other.connection.drop();
  },
  'sends, and destroys the socket of another connection': ({ account, others: [other] }) => {
    account.fill();
    other.connection.socket.destroy();
  },
  'sends, and gives the socket of another connection back': ({ account, others: [other] }) => {
    account.fill();
    other.connection.socket.on('data', () => {});
  },
  'sends on every connection, and writes to the sockets in turn': (pair) => {
    const everybody = [pair, ...pair.others];
    for (const { account } of everybody) account.fill();
    for (const one of everybody) one.connection.socket.write(pongOf(one));
    for (const { account } of everybody) account.send();
  },
};

async function owes(t, way, moment, deed) {
  const [config, when, come] = moments[moment];
  // Nothing is refused: the peer reads, so what waits can leave at any time.
  const bound = deed.includes('bound') ? { maxBufferedAmount: 64 * 1024 } : {};
  const pairs = await Promise.all([1, 2].map(() => open(t, way, { ...config, ...bound, highWaterMark: 16 * 1024 })));
  for (const pair of pairs) pair.account = new Account(pair.connection);
  const [pair, other] = pairs;
  pair.others = [other];
  let error = null;
  let done = false;
  const act = () => {
    if (done) return;
    done = true;
    try {
      deeds[deed](pair);
    } catch (thrown) {
      error = thrown;
    }
  };
  when(pair, act);
  // The other one has an event of its own in the same turn.
  other.send({ opcode: TEXT, payload: 'meanwhile' });
  if (moment === 'the callback of a message') {
    // This message is not on the account.
    pair.account.sent.push('0:');
    pair.account.called.push([undefined]);
  }
  await come(pair, act);
  await eventually(() => done, `${deed}: the moment`, 15000);
  if (error) throw Object.assign(error, { message: `${deed}: ${error.message}` });
  await pair.account.settled(pair, deed);
  if (!deed.includes('another')) await other.account.settled(other, `${deed} (the other connection)`);
  await isAlive(pair, deed);
}

for (const way of WAYS) {
  describe(`${way.name}: what is owed comes`, () => {
    for (const moment of Object.keys(moments)) {
      test(`whatever the program does inside ${moment}`, { timeout: 60000 }, async (t) => {
        // All at once, so that a batch has events of many connections.
        const done = await Promise.allSettled(Object.keys(deeds).map((deed) => owes(t, way, moment, deed)));
        const wrong = done.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message);
        assert.deepStrictEqual(wrong, []);
      });
    }

    test('outside of all events, while nothing else happens', { timeout: 60000 }, async (t) => {
      for (const deed of Object.keys(deeds)) {
        const pairs = [await open(t, way, { highWaterMark: 16 * 1024 }), await open(t, way)];
        for (const pair of pairs) pair.account = new Account(pair.connection);
        pairs[0].others = [pairs[1]];
        await sleep(30);
        deeds[deed](pairs[0]);
        await pairs[0].account.settled(pairs[0], deed);
        await isAlive(pairs[0], deed);
      }
    });

    test('although the thread computes right after the calls', async (t) => {
      const pair = await open(t, way, { highWaterMark: 16 * 1024 });
      const account = new Account(pair.connection);
      for (let i = 0; i < 5; i++) {
        account.fill();
        block(20);
        pair.connection.socket.write(pongOf(pair));
        block(20);
        await account.settled(pair, `round ${i}`);
      }
      await isAlive(pair, 'afterwards');
    });

    test('and a broadcast inside of message takes nothing from what others are owed', { skip: way.role === 'client' && 'clients do not broadcast' }, async (t) => {
      const pair = await open(t, way, { highWaterMark: 16 * 1024 });
      const account = new Account(pair.connection);
      pair.connection.once('message', () => {
        account.fill();
        // It is a message to this connection as well.
        account.sent.push('to all');
        account.called.push([undefined]);
        pair.server.broadcastUTF('to all');
        account.send();
        pair.connection.socket.write(pongOf(pair));
      });
      pair.send({ opcode: TEXT, payload: 'go' });
      await eventually(() => account.sent.length > 0, 'the message');
      await account.settled(pair, 'broadcast');
      await isAlive(pair, 'broadcast');
    });

    for (const [what, write] of [
      ['sends', ({ account }) => account.send()],
      ['sends much', ({ account }) => { for (let i = 0; i < 30; i++) account.send(100000); }],
      ['writes to the socket', (pair) => pair.connection.socket.write(pongOf(pair))],
      ['sends, and writes to the socket', (pair) => {
        pair.account.send(20000);
        pair.connection.socket.write(pongOf(pair));
      }],
      ['pings, and asks how much waits', ({ connection }) => {
        connection.ping('');
        return connection.bufferedAmount;
      }],
    ]) {
      test(`and a peer that has reset the connection when the program ${what} is told as one end`, async (t) => {
        for (const moment of ['message', 'ping', 'a tick of message', 'message, with more messages behind it', 'an immediate']) {
          const pair = await open(t, way, { highWaterMark: 16 * 1024 });
          pair.account = new Account(pair.connection);
          const [, when, come] = moments[moment];
          const act = () => {
            pair.peer.socket.resetAndDestroy();
            // Twice: the first call may be the one that meets the reset.
            write(pair);
            write(pair);
          };
          when(pair, act);
          await come(pair, act);
          await eventually(() => pair.seen.closes.length > 0, `close, after a reset inside ${moment}`);
          await sleep(5);
          assert.strictEqual(pair.seen.closes.length, 1);
          assert.strictEqual(pair.connection.connected, false);
          assert.deepStrictEqual(pair.account.called.map((calls) => calls.length), pair.account.sent.map(() => 1), 'one call of each callback');
        }
      });
    }

    test('and a peer that goes in the midst of all is told, once, as an end', async (t) => {
      const pair = await open(t, way, { highWaterMark: 16 * 1024 });
      let called = 0;
      let sent = 0;
      pair.connection.on('message', () => {
        for (let i = 0; i < 20; i++) {
          sent++;
          pair.connection.sendUTF('x'.repeat(4000), () => { called++; });
        }
        pair.connection.socket.write(pongOf(pair));
      });
      pair.send(...Array.from({ length: 20 }, () => ({ opcode: TEXT, payload: 'go' })));
      pair.peer.socket.once('data', () => pair.peer.socket.resetAndDestroy());
      await pair.closed();
      await sleep(20);
      assert.strictEqual(called, sent, 'callbacks called');
      assert.deepStrictEqual([pair.seen.closes.length, pair.connection.connected], [1, false]);
    });
  });
}
