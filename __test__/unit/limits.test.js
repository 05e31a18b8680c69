'use strict';

// Limits on connections that servers and clients may set, each off by default.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { inspect } = require('util');
const websocket = require('../..');
const { OPCODE } = require('../helpers/raw');
const {
  next, startServer, startHttpServer, openPair, openRawClient, rawClient, turns,
} = require('../helpers/under-test/endpoints');

const { TEXT, BINARY, CONTINUATION, PING, CLOSE } = OPCODE;

/** Waits for a connection to be ended by a limit, seen from both sides. */
async function endsWith(pair, code, text) {
  const close = await pair.received(CLOSE);
  assert.deepStrictEqual([close.code, close.reason], [code, text]);
  assert.deepStrictEqual(await pair.closed(), { code, description: text });
}

for (const role of ['server', 'client']) {
  describe(`limits of a ${role}'s connection`, () => {
    test('maxFragments: a message may have as many fragments as that', async (t) => {
      const pair = await openPair(t, role, { maxFragments: 3 });
      for (let i = 0; i < 2; i++) {
        pair.send({ opcode: TEXT, payload: 'a', fin: false }, { opcode: CONTINUATION, payload: 'b', fin: false },
          { opcode: PING, payload: 'between' }, { opcode: CONTINUATION, payload: 'c' });
      }
      assert.deepStrictEqual(await pair.messages(2), ['abc', 'abc']);
    });

    test('maxFragments: one more ends the connection with 1009, however small they are', async (t) => {
      const pair = await openPair(t, role, { maxFragments: 3 });
      pair.send({ opcode: TEXT, fin: false }, { opcode: CONTINUATION, fin: false }, { opcode: CONTINUATION, fin: false },
        { opcode: CONTINUATION, fin: false });
      await endsWith(pair, 1009, 'The message has more than 3 fragments (maxFragments).');
    });

    test('maxFragments holds when frames are not assembled', async (t) => {
      const pair = await openPair(t, role, { maxFragments: 1, assembleFragments: false });
      pair.send({ opcode: TEXT, payload: 'fine' }, { opcode: BINARY, fin: false }, { opcode: CONTINUATION });
      await endsWith(pair, 1009, 'The message has more than 1 fragments (maxFragments).');
      assert.deepStrictEqual(pair.seen.messages, ['fine']);
    });

    test('maxMessagesPerSecond: messages up to that are delivered, one more ends the connection with 1008', async (t) => {
      const pair = await openPair(t, role, { maxMessagesPerSecond: 5 });
      pair.send(...Array.from({ length: 6 }, (_, i) => ({ opcode: TEXT, payload: String(i) })));
      await endsWith(pair, 1008, 'More than 5 messages within a second (maxMessagesPerSecond).');
      assert.deepStrictEqual(pair.seen.messages, ['0', '1', '2', '3', '4']);
    });

    test('maxMessagesPerSecond: pings are no messages', async (t) => {
      const pair = await openPair(t, role, { maxMessagesPerSecond: 1 });
      pair.send(...Array.from({ length: 20 }, () => ({ opcode: PING })), { opcode: TEXT, payload: 'one' });
      assert.deepStrictEqual(await pair.messages(), ['one']);
    });

    test('maxMessagesPerSecond: what comes at the allowed rate goes on for ever', async (t) => {
      const pair = await openPair(t, role, { maxMessagesPerSecond: 200 });
      let sent = 0;
      // 200 at once, and then a hundred a second.
      pair.send(...Array.from({ length: 150 }, () => ({ opcode: TEXT })));
      while (sent < 70) {
        pair.send({ opcode: TEXT });
        sent++;
        await pair.messages(150 + sent);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.strictEqual(pair.connection.connected, true);
    });

    test('maxBytesPerSecond: more ends the connection with 1008', async (t) => {
      const pair = await openPair(t, role, { maxBytesPerSecond: 1000 });
      pair.send({ opcode: TEXT, payload: 'x'.repeat(900) });
      await pair.messages();
      // However slow the machine, this is more than a second's.
      pair.send(...Array.from({ length: 12 }, () => ({ opcode: PING, payload: 'x'.repeat(120) })));
      await endsWith(pair, 1008, 'More than 1000 bytes within a second (maxBytesPerSecond).');
    });

    test('maxLifetime: the connection is closed with 1001, whatever happens on it', async (t) => {
      const begin = performance.now();
      const pair = await openPair(t, role, { maxLifetime: 60 });
      const busy = setInterval(() => pair.send({ opcode: TEXT }), 5);
      t.after(() => clearInterval(busy));
      const close = await pair.received(CLOSE);
      assert.ok(performance.now() - begin > 40);
      assert.deepStrictEqual([close.code, close.reason], [1001, 'The connection has lasted 60 ms (maxLifetime).']);
      assert.strictEqual(pair.connection.state, 'ending');
    });

    test('idleTimeout: without a message the connection is closed with 1001, pings or not', async (t) => {
      const begin = performance.now();
      const pair = await openPair(t, role, { idleTimeout: 80 });
      const pings = setInterval(() => pair.send({ opcode: PING }), 5);
      t.after(() => clearInterval(pings));
      const close = await pair.received(CLOSE);
      assert.ok(performance.now() - begin > 70);
      assert.deepStrictEqual([close.code, close.reason], [1001, 'There was no message for 80 ms (idleTimeout).']);
    });

    for (const direction of ['received', 'sent']) {
      test(`idleTimeout: messages that are ${direction} keep the connection`, async (t) => {
        const pair = await openPair(t, role, { idleTimeout: 200 });
        const until = Date.now() + 500;
        while (Date.now() < until) {
          if (direction === 'received') pair.send({ opcode: TEXT });
          else pair.connection.sendUTF('x');
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.strictEqual(pair.connection.connected, true);
        await pair.received(CLOSE);
      });
    }

    for (const name of ['maxLifetime', 'idleTimeout']) {
      test(`${name} does not keep anything of a connection that has ended before`, async (t) => {
        const pair = await openPair(t, role, { [name]: 60000 });
        assert.notStrictEqual(pair.connection._deadlines, null);
        const { connection } = pair;
        const [{ entry }] = connection._deadlines;
        connection.drop(1000);
        assert.strictEqual(connection._deadlines, null);
        assert.strictEqual(entry.isPending, false);
      });
    }
  });
}

test('limits on rates hold for a socket that is given back to Node', async (t) => {
  const pair = await openPair(t, 'server', { maxMessagesPerSecond: 2 });
  pair.send({ opcode: TEXT, payload: '1' });
  await pair.messages(1);
  pair.connection.socket.on('data', () => {});
  assert.strictEqual(pair.connection.transport, 'stream');
  pair.send({ opcode: TEXT, payload: '2' }, { opcode: TEXT, payload: '3' });
  await endsWith(pair, 1008, 'More than 2 messages within a second (maxMessagesPerSecond).');
});

describe('maxConnectionsPerAddress', () => {
  test('a request beyond it is refused with 429, and accepted when another one has left', async (t) => {
    const started = await startServer(t, { config: { maxConnectionsPerAddress: 2 } });
    const first = await openRawClient(started.port);
    const second = await openRawClient(started.port);
    const third = await rawClient(started.port);
    await third.until(() => third.head !== null, 'an answer');
    assert.strictEqual(third.status, 429);
    assert.match(third.head, /X-WebSocket-Reject-Reason: The limit is 2 connections from one address \(maxConnectionsPerAddress\)/);
    assert.deepStrictEqual(started.upgradeErrors.map((error) => error.httpCode), [429]);

    const closed = next(started.server, 'close');
    first.destroy();
    await closed;
    await turns();
    const fourth = await openRawClient(started.port);
    for (const peer of [second, third, fourth]) peer.destroy();
  });

  test('requests that wait for an answer count, those that were rejected do not', async (t) => {
    const requests = [];
    const started = await startServer(t, {
      config: { maxConnectionsPerAddress: 1 },
      onRequest: (request) => requests.push(request),
    });
    const first = await rawClient(started.port);
    await once(started.server, 'request');
    const second = await rawClient(started.port);
    await second.until(() => second.status === 429, 'a refusal');
    requests[0].reject(403);
    await first.close();
    await turns();
    await rawClient(started.port);
    await once(started.server, 'request');
    assert.strictEqual(requests.length, 2);
    second.destroy();
  });

  test('the address is the one that trustProxy gives', async (t) => {
    const started = await startServer(t, { config: { maxConnectionsPerAddress: 1, trustProxy: '127.0.0.1' } });
    const from = (address) => rawClient(started.port, { headers: { 'X-Forwarded-For': address } });
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '198.51.100.7, 192.0.2.1']) {
      const peer = await from(address);
      t.after(() => peer.destroy());
      await peer.until(() => peer.head !== null, 'an answer');
      statuses.push(peer.status);
    }
    // The last one has invented a proxy in front of itself.
    assert.deepStrictEqual(statuses, [101, 101, 429]);
  });

  test('an IPv4 address is the same one in the form that sockets for IPv6 give it', async (t) => {
    const started = await startServer(t, { config: { maxConnectionsPerAddress: 1, trustProxy: '127.0.0.1' } });
    const statuses = [];
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1']) {
      const peer = await rawClient(started.port, { headers: { 'X-Forwarded-For': address } });
      t.after(() => peer.destroy());
      await peer.until(() => peer.head !== null, 'an answer');
      statuses.push(peer.status);
    }
    assert.deepStrictEqual(statuses, [101, 429]);
  });

  test('nothing is kept about addresses that have left', async (t) => {
    const started = await startServer(t, { config: { maxConnectionsPerAddress: 5 } });
    const peers = [];
    for (let i = 0; i < 3; i++) peers.push(await openRawClient(started.port));
    assert.strictEqual(started.server._addressCounts.of('127.0.0.1'), 3);
    for (const peer of peers) {
      const closed = next(started.server, 'close');
      peer.destroy();
      await closed;
    }
    await turns();
    assert.strictEqual(started.server._addressCounts._counts.size, 0);
  });
});

describe('handshakeTimeout of a server', () => {
  test('requests that nobody answers are refused with 408, each after its own time', async (t) => {
    const answered = [];
    const started = await startServer(t, { config: { handshakeTimeout: 60 }, onRequest: (request) => answered.push(request) });
    const begin = performance.now();
    const peers = [await rawClient(started.port), await rawClient(started.port)];
    for (const peer of peers) await peer.until(() => peer.status === 408, 'a refusal');
    assert.ok(performance.now() - begin > 50);
    assert.deepStrictEqual(started.upgradeErrors.map((error) => error.message),
      Array(2).fill('The request was not answered within 60 ms (handshakeTimeout).'));
    assert.deepStrictEqual(started.server.pendingRequests, []);
  });
});

describe('limits that mean nothing', () => {
  for (const [name, least] of [
    ['handshakeTimeout', 0], ['maxConnections', 0], ['maxConnectionsPerAddress', 0], ['maxPendingRequests', 0],
    ['maxLifetime', 0], ['idleTimeout', 0], ['maxFragments', 1], ['maxMessagesPerSecond', 1], ['maxBytesPerSecond', 1],
  ]) {
    test(`${name} is refused with an error that names it`, async (t) => {
      const { httpServer } = await startHttpServer(t);
      for (const value of [least - 1, NaN, 'five', null, {}]) {
        const expected = { message: `The option ${name} must be a number of at least ${least}, not ${inspect(value)}.` };
        assert.throws(() => new websocket.server({ httpServer, [name]: value }), expected);
        if (/Fragments|Second|Lifetime|idle/.test(name)) {
          assert.throws(() => new websocket.client({ [name]: value }), expected);
        }
      }
      assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
      assert.doesNotThrow(() => new websocket.server({ httpServer, [name]: least }));
    });
  }
});

test('a connection made by hand needs none of these options', async (t) => {
  const { port } = await startHttpServer(t);
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  t.after(() => socket.destroy());
  const connection = new websocket.connection(socket, [], null, true, { closeTimeout: 100 });
  connection._addSocketEventListeners();
  assert.strictEqual(connection._deadlines, null);
});
