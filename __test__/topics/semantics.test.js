'use strict';

// What publishing promises, over every transport; see docs/topics.md.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { openClient, record, eventually, turns } = require('../helpers/under-test/endpoints');
const { WAYS, open, received } = require('./ways');

for (const way of WAYS) {
  describe(`topics: ${way.name}`, () => {
    test('a message reaches all subscribers of its topic, and nobody else', async (t) => {
      const { server, connections, seen } = await open(t, way, 4);
      await connections[0].subscribe('a');
      await connections[1].subscribe('a');
      await connections[1].subscribe('b');
      await connections[2].subscribe('b');
      assert.strictEqual(server.publish('a', 'to a'), 2);
      assert.strictEqual(server.publish('b', Buffer.from('to b')), 2);
      assert.strictEqual(server.publish('nobody', 'x'), 0);
      for (const connection of connections) connection.sendUTF('last');
      await eventually(() => seen.every(({ messages }) => messages.at(-1) === 'last'), 'the last message');
      assert.deepStrictEqual(seen.map(({ messages }) => messages.map(String)),
        [['to a', 'last'], ['to a', 'to b', 'last'], ['to b', 'last'], ['last']]);
      assert.ok(Buffer.isBuffer(seen[2].messages[0]));
    });

    test('who publishes does not get it, and need not be a subscriber', async (t) => {
      const { connections, seen } = await open(t, way, 3);
      connections[0].subscribe('a');
      connections[1].subscribe('a');
      assert.strictEqual(connections[0].publish('a', 'from a member'), true);
      assert.strictEqual(connections[2].publish('a', 'from elsewhere'), true);
      await received([seen[1]], 2);
      await received([seen[0]], 1);
      assert.deepStrictEqual(seen.map(({ messages }) => messages),
        [['from elsewhere'], ['from a member', 'from elsewhere'], []]);
    });

    test('those in except do not get it', async (t) => {
      const { server, connections, seen } = await open(t, way, 4);
      for (const connection of connections) connection.subscribe('a');
      assert.strictEqual(server.publish('a', 'to two', { except: [connections[0], connections[3]] }), 2);
      assert.strictEqual(server.publish('a', 'to three', { except: connections[1] }), 3);
      connections[0].publish('a', 'to one', { except: connections.slice(2) });
      for (const connection of connections) connection.sendUTF('last');
      await eventually(() => seen.every(({ messages }) => messages.at(-1) === 'last'), 'the last message');
      assert.deepStrictEqual(seen.map(({ messages }) => messages.slice(0, -1)),
        [['to three'], ['to two', 'to one'], ['to two', 'to three'], ['to three']]);
    });

    test('messages come in the order in which they were published, with what was sent in between', async (t) => {
      const { server, connections, seen } = await open(t, way, 2, { fragmentationThreshold: 700 });
      for (const connection of connections) connection.subscribe('a');
      const sent = [];
      for (let i = 0; i < 200; i++) {
        const text = `${i} ${'ä€'.repeat(i * 3)}`;
        sent.push(text);
        if (i % 3 === 0) server.broadcastUTF(text);
        else if (i % 3 === 1) for (const connection of connections) connection.sendUTF(text);
        else server.publish('a', text, { compress: i % 2 === 0 });
        if (i % 50 === 0) await turns(1);
      }
      await received(seen, sent.length);
      for (const { messages } of seen) assert.deepStrictEqual(messages, sent);
    });

    test('large messages and empty ones arrive', async (t) => {
      const { server, connections, seen } = await open(t, way, 2);
      for (const connection of connections) connection.subscribe('a');
      const large = Buffer.alloc(700000, 'abcdefg');
      server.publish('a', '');
      server.publish('a', large);
      server.publish('a', Buffer.alloc(0));
      server.publish('a', 'behind it');
      await received(seen, 4);
      for (const { messages } of seen) {
        assert.deepStrictEqual([messages[0], messages[1].equals(large), messages[2].length, messages[3]], ['', true, 0, 'behind it']);
      }
    });

    test('after unsubscribe nothing comes any more', async (t) => {
      const { server, connections, seen } = await open(t, way, 2);
      for (const connection of connections) connection.subscribe('a');
      server.publish('a', 'one');
      assert.strictEqual(connections[0].unsubscribe('a'), true);
      assert.strictEqual(connections[0].unsubscribe('a'), false);
      assert.strictEqual(server.publish('a', 'two'), 1);
      await received([seen[1]], 2);
      await received([seen[0]], 1);
      assert.deepStrictEqual(seen[0].messages, ['one']);
    });

    test('what the program writes into the memory of a message afterwards is not sent', async (t) => {
      const { server, connections, seen } = await open(t, way, 2);
      for (const connection of connections) connection.subscribe('a');
      const bytes = Buffer.alloc(20000, 1);
      server.publish('a', bytes);
      // Node's own sockets keep what they are given.
      if (connections[0].transport !== 'stream') bytes.fill(2);
      await received(seen, 1);
      for (const { messages } of seen) assert.ok(messages[0].every((byte) => byte === 1));
    });

    test('subscriptions end with the connection, before close is emitted', async (t) => {
      const { server, connections, clients } = await open(t, way, 3);
      for (const connection of connections) connection.subscribe('a');
      connections[0].subscribe('b');
      const log = [];
      server.on('unsubscribe', (connection, topic) => log.push(`unsubscribe ${topic}`));
      server.on('close', (connection) => log.push(`close ${connection.topics.length} ${connection.isSubscribed('a')}`));
      connections[0].close();
      assert.deepStrictEqual([connections[0].topics, server.topics], [[], ['a']]);
      assert.strictEqual(server.publish('a', 'x'), 2);
      clients[1].close();
      await eventually(() => server.subscribers('a').length === 1, 'the peer to be gone');
      clients[2].socket.destroy();
      await eventually(() => server.connections.length === 0, 'all to be closed');
      assert.deepStrictEqual(server.topics, []);
      assert.deepStrictEqual(log.filter((line) => line.startsWith('close')), Array(3).fill('close 0 false'));
      assert.strictEqual(log.filter((line) => line === 'unsubscribe a').length, 3);
      assert.ok(log.indexOf('unsubscribe b') < log.indexOf('close 0 false'));
    });

    test('drop() ends them at once, and a connection that closes cannot subscribe', async (t) => {
      const { server, connections } = await open(t, way, 2);
      await connections[0].subscribe('a');
      connections[0].drop(1008);
      assert.deepStrictEqual([server.topics, server.publish('a', 'x')], [[], 0]);
      connections[1].close();
      for (const connection of connections) {
        await assert.rejects(connection.subscribe('a'), { code: 'ERR_WEBSOCKET_CLOSED' });
        assert.strictEqual(connection.publish('a', 'x', (error) => assert.strictEqual(error.code, 'ERR_WEBSOCKET_CLOSED')), false);
        assert.deepStrictEqual([connection.unsubscribe('a'), connection.topics], [false, []]);
      }
    });

    test('messages are counted for each connection', async (t) => {
      const { server, connections, seen } = await open(t, way, 2);
      connections[0].subscribe('a');
      for (let i = 0; i < 5; i++) server.publish('a', 'x'.repeat(100));
      server.broadcastUTF('y'.repeat(100));
      connections[0].sendUTF('z');
      await received([seen[0]], 7);
      await received([seen[1]], 1);
      assert.deepStrictEqual(connections.map((connection) => connection.stats().messagesSent), [7, 1]);
      const bytes = connections.map((connection) => connection.stats().compressedBytesSent);
      assert.strictEqual(bytes[1] > 0, way.config.perMessageDeflate !== undefined);
      if (!/context/.test(way.name)) assert.strictEqual(bytes[0] > bytes[1] * 3, way.config.perMessageDeflate !== undefined);
      connections[0].close();
      await eventually(() => server.connections.length === 1, 'the connection to be closed');
      assert.strictEqual(connections[0].stats().messagesSent, 7);
      assert.strictEqual(server.stats().messagesSent, 8);
    });
  });
}

test('clients can subscribe as well: all of a process have the same topics', async (t) => {
  const { server, clients, connections } = await open(t, WAYS[0], 3);
  const seen = connections.map(record);
  for (const client of clients) await client.subscribe('news');
  clients[0].publish('news', 'from one client to the servers of the others');
  await received(seen.slice(1), 1);
  assert.deepStrictEqual(seen.map(({ messages }) => messages.length), [0, 1, 1]);
  assert.deepStrictEqual(clients[0].topics, ['news']);
  assert.deepStrictEqual(server.topics, []);
});

test('a connection that changes its transport stays a subscriber', async (t) => {
  const { server, connections, seen } = await open(t, WAYS[1], 2);
  for (const connection of connections) connection.subscribe('a');
  server.publish('a', '1');
  connections[0].socket.on('data', () => {});
  assert.strictEqual(connections[0].transport, 'stream');
  assert.strictEqual(server.publish('a', '2'), 2);
  server.broadcastUTF('3');
  await received(seen, 3);
  for (const { messages } of seen) assert.deepStrictEqual(messages, ['1', '2', '3']);
  assert.deepStrictEqual(connections.map((connection) => connection.stats().messagesSent), [3, 3]);
});

test('topics are those of one server', async (t) => {
  const one = await open(t, WAYS[0], 1);
  const other = await open(t, WAYS[0], 1);
  await one.connections[0].subscribe('a');
  await other.connections[0].subscribe('a');
  assert.strictEqual(one.server.publish('a', 'x'), 1);
  await received(one.seen, 1);
  assert.deepStrictEqual(other.seen[0].messages, []);
  assert.strictEqual(other.server.publish('a', 'y', { except: one.connections }), 1);
});

test('the server tells of subscriptions, and what its listeners throw is uncaught and stops nothing', async (t) => {
  const { server, connections } = await open(t, WAYS[0], 2);
  const log = [];
  server.on('subscribe', (connection, topic) => log.push(['subscribe', connections.indexOf(connection), topic]));
  server.on('unsubscribe', (connection, topic) => {
    log.push(['unsubscribe', connections.indexOf(connection), topic]);
    throw new Error('of a listener');
  });
  const uncaught = [];
  const handlers = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error.message));
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    for (const handler of handlers) process.on('uncaughtException', handler);
  });
  await connections[0].subscribe('a');
  await connections[0].subscribe('a', { slow: 'drop' });
  await connections[1].subscribe('a');
  connections[1].unsubscribe('a');
  connections[0].close();
  await eventually(() => uncaught.length === 2, 'the errors');
  assert.deepStrictEqual(log, [['subscribe', 0, 'a'], ['subscribe', 1, 'a'], ['unsubscribe', 1, 'a'], ['unsubscribe', 0, 'a']]);
  assert.deepStrictEqual(uncaught, ['of a listener', 'of a listener']);
});

test('a listener that unsubscribes others, or closes them, while something is published', async (t) => {
  const { server, connections, seen } = await open(t, WAYS[3], 5);
  for (const connection of connections) connection.subscribe('a');
  server.on('unsubscribe', (connection) => {
    const next = connections[connections.indexOf(connection) + 1];
    next?.unsubscribe('a');
  });
  connections[0].drop(1000);
  assert.deepStrictEqual(server.topics, []);
  assert.strictEqual(server.publish('a', 'x'), 0);
  assert.strictEqual(seen.every(({ messages }) => messages.length === 0), true);
});

test('what there is can be looked at', async (t) => {
  const { server, connections } = await open(t, WAYS[0], 2);
  await Promise.all([connections[0].subscribe('a'), connections[0].subscribe('b'), connections[1].subscribe('b')]);
  assert.deepStrictEqual(server.topics.sort(), ['a', 'b']);
  assert.deepStrictEqual(connections[0].topics.sort(), ['a', 'b']);
  assert.deepStrictEqual(new Set(server.subscribers('b')), new Set(connections));
  assert.deepStrictEqual(server.subscribers('c'), []);
  assert.deepStrictEqual([connections[1].isSubscribed('a'), connections[1].isSubscribed('b')], [false, true]);
  assert.deepStrictEqual(await server.count('b'), { connections: 2, nodes: 1, silent: [] });
  const { topics, subscriptions } = server.stats().pubsub;
  assert.deepStrictEqual([topics, subscriptions], [2, 3]);
});

test('the callback of publish() is called once, without an Error', async (t) => {
  const { server, connections } = await open(t, WAYS[0], 1);
  connections[0].subscribe('a');
  const calls = [];
  await new Promise((resolve) => {
    server.publish('a', 'x', (...args) => calls.push(args));
    server.publish('nobody', 'x', { local: true }, (...args) => calls.push(args));
    connections[0].publish('a', 'x', undefined, (...args) => {
      calls.push(args);
      resolve();
    });
  });
  await turns();
  assert.deepStrictEqual(calls.map((args) => args[0]), [undefined, undefined, undefined]);
});

test('a server that is mounted again with other options uses them for its topics', async (t) => {
  const opened = await open(t, WAYS[1], 2, { fragmentationThreshold: 100 });
  const { server, connections, seen, httpServer } = opened;
  for (const connection of connections) connection.subscribe('a');
  server.publish('a', 'x'.repeat(250));
  server.mount({ httpServer, autoAcceptConnections: true, keepalive: false, maxTopicsPerConnection: 1 });
  assert.strictEqual(server.publish('a', 'y'.repeat(250)), 2);
  await assert.rejects(connections[0].subscribe('b'), { code: 'ERR_WEBSOCKET_TOO_MANY_TOPICS' });
  await openClient(t, opened.url);
  await received(seen, 2);
  assert.deepStrictEqual(seen[0].messages, ['x'.repeat(250), 'y'.repeat(250)]);
});
