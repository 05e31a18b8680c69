'use strict';

// Figures about connections and servers, and latency.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const websocket = require('../..');
const { OPCODE } = require('../helpers/raw');
const {
  next, eventually, startServer, openClient, openRawClient, rawClient, openPair,
} = require('../helpers/under-test/endpoints');
const { secureByDefault } = require('../helpers/under-test/transport');

const { TEXT, CONTINUATION, PING, PONG } = OPCODE;

for (const role of ['server', 'client']) {
  describe(`stats() of a ${role}'s connection`, () => {
    test('count messages, frames and bytes in both directions', async (t) => {
      const pair = await openPair(t, role);
      const { connection, peer } = pair;
      const before = connection.stats();
      assert.deepStrictEqual(
        [before.messagesReceived, before.messagesSent, before.framesReceived, before.latency, before.bufferedAmount],
        [0, 0, 0, null, 0]);
      const frames = [{ opcode: TEXT, payload: 'one' }, { opcode: TEXT, payload: 'tw', fin: false },
        { opcode: PING }, { opcode: CONTINUATION, payload: 'o' }];
      pair.send(...frames);
      await pair.messages(2);
      connection.sendUTF('answer');
      connection.sendBytes(Buffer.alloc(100));
      connection.ping();
      await peer.frame(4);
      await eventually(() => connection.bufferedAmount === 0, 'an empty buffer');

      const after = connection.stats();
      const masked = role === 'client' ? 4 : 0;
      assert.deepStrictEqual(
        [after.messagesReceived, after.messagesSent, after.framesReceived, after.pingsReceived, after.pingsSent, after.pongsReceived],
        [2, 2, 4, 1, 1, 0]);
      assert.strictEqual(after.transport, connection.transport);
      assert.deepStrictEqual([after.compressedBytesReceived, after.compressedBytesSent], [0, 0]);
      // Two messages, a Ping and a Pong. Below TLS there is more.
      if (!secureByDefault) {
        assert.strictEqual(after.bytesReceived - before.bytesReceived, Buffer.concat(frames.map(pair.encode)).length);
        assert.strictEqual(after.bytesSent - before.bytesSent, 2 + 6 + 2 + 100 + 2 + 2 + 4 * masked);
      }
    });

    test('stay what they were when the connection is closed', async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: TEXT, payload: 'one' }, { opcode: PING });
      await pair.peer.frame();
      pair.connection.drop(1000);
      const { messagesReceived, framesReceived, pingsReceived, bytesReceived } = pair.connection.stats();
      assert.deepStrictEqual([messagesReceived, framesReceived, pingsReceived], [1, 2, 1]);
      assert.ok(bytesReceived > 0);
    });

    test('go on when the socket is given back to Node', async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: TEXT, payload: 'one' });
      await pair.messages();
      pair.connection.socket.on('data', () => {});
      pair.send({ opcode: TEXT, payload: 'two' });
      await pair.messages(2);
      const { framesReceived, messagesReceived, transport } = pair.connection.stats();
      assert.deepStrictEqual([framesReceived, messagesReceived, transport], [2, 2, 'stream']);
    });

    test('count when frames are handed out one by one', async (t) => {
      const pair = await openPair(t, role, { assembleFragments: false });
      pair.send({ opcode: TEXT, payload: 'one' }, { opcode: TEXT, fin: false }, { opcode: CONTINUATION }, { opcode: PONG });
      await eventually(() => pair.seen.pongs.length === 1, 'the last frame');
      const { framesReceived, messagesReceived, pongsReceived } = pair.connection.stats();
      assert.deepStrictEqual([framesReceived, messagesReceived, pongsReceived], [4, 1, 1]);
    });
  });

  describe(`latency of a ${role}'s connection`, () => {
    test('is that of the newest answered ping, keepalive ones included', async (t) => {
      const pair = await openPair(t, role, { keepalive: true, keepaliveInterval: 20, keepaliveGracePeriod: 4000 });
      assert.strictEqual(pair.connection.latency, null);
      const { payload } = await pair.received(PING);
      assert.strictEqual(payload.length, 0, 'a keepalive ping is as it was');
      await new Promise((resolve) => setTimeout(resolve, 30));
      pair.send({ opcode: PONG });
      await next(pair.connection, 'pong');
      assert.ok(pair.connection.latency > 20 && pair.connection.latency < 4000, String(pair.connection.latency));
    });

    test('a pong answers the ping with its payload; others are not taken for an answer', async (t) => {
      const pair = await openPair(t, role);
      pair.connection.ping('first');
      pair.connection.ping('second');
      await pair.peer.frame(2);
      pair.send({ opcode: PONG, payload: 'unsolicited' });
      await next(pair.connection, 'pong');
      assert.strictEqual(pair.connection.latency, null);
      // The answer to the newest stands for all (RFC 6455 section 5.5.3).
      pair.send({ opcode: PONG, payload: 'second' }, { opcode: PONG, payload: 'first' });
      await eventually(() => pair.seen.pongs.length === 3, 'all pongs');
      assert.ok(pair.connection.latency >= 0);
    });

    test('measureLatency() resolves with the time of its own ping', async (t) => {
      const pair = await openPair(t, role);
      const first = pair.connection.measureLatency();
      const second = pair.connection.measureLatency();
      await pair.peer.frame(2);
      const payloads = pair.peer.frames.map((frame) => frame.payload.toString());
      assert.notStrictEqual(payloads[0], payloads[1]);
      pair.send({ opcode: PONG, payload: payloads[0] });
      assert.ok(await first >= 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      pair.send({ opcode: PONG, payload: payloads[1] });
      assert.ok(await second > 15);
      assert.strictEqual(pair.connection.latency, await second);
    });

    test('measureLatency() is rejected when the connection ends before, or is not open', async (t) => {
      const pair = await openPair(t, role);
      const measured = pair.connection.measureLatency();
      pair.connection.drop(1000);
      await assert.rejects(measured, { code: 'ERR_WEBSOCKET_CLOSED' });
      await assert.rejects(pair.connection.measureLatency(), { code: 'ERR_WEBSOCKET_CLOSED' });
    });

    test('what is remembered of pings without an answer is bounded', async (t) => {
      const pair = await openPair(t, role);
      const measured = pair.connection.measureLatency();
      for (let i = 0; i < 10000; i++) pair.connection.ping(String(i));
      await assert.rejects(measured, /was not answered, and 32 more were sent/);
      assert.ok(pair.connection._heartbeat._outstanding.length <= 32);
    });
  });
}

test('compressed messages are counted as they are on the wire, at both ends', async (t) => {
  const config = { perMessageDeflate: { threshold: 0 }, maxReceivedFrameSize: 1 << 24, maxReceivedMessageSize: 1 << 24 };
  const started = await startServer(t, { config });
  const clients = [await openClient(t, started.url, { config }), await openClient(t, started.url, { config })];
  const text = 'compressed '.repeat(1000);
  const received = clients.map((client) => next(client, 'message'));
  started.server.broadcastUTF(text);
  await Promise.all(received);
  const answered = next(started.connections[0], 'message');
  clients[0].sendUTF('x'.repeat(1 << 20));
  await answered;

  for (const [i, client] of clients.entries()) {
    const [sender, receiver] = [started.connections[i].stats(), client.stats()];
    assert.ok(sender.compressedBytesSent > 10 && sender.compressedBytesSent < 1000, `${sender.compressedBytesSent} bytes`);
    assert.strictEqual(receiver.compressedBytesReceived, sender.compressedBytesSent);
    assert.strictEqual(sender.compressedBytesReceived, receiver.compressedBytesSent);
  }
  const { compressedBytesSent } = clients[0].stats();
  assert.ok(compressedBytesSent > 0 && compressedBytesSent < 1 << 18, `${compressedBytesSent} bytes`);
  const closed = next(started.server, 'close');
  clients[0].drop(1000);
  await closed;
  assert.strictEqual(clients[0].stats().compressedBytesSent, compressedBytesSent);
  assert.strictEqual(started.server.stats().compressedBytesReceived, compressedBytesSent);
});

test('nobody hears of a measureLatency() that nobody waits for', () => {
  const run = spawnSync(process.execPath, ['-e', `
    const { EventEmitter } = require('events');
    const { connection: Connection } = require(${JSON.stringify(require.resolve('../..'))});
    const socket = Object.assign(new EventEmitter(), {
      write: () => true, end() {}, destroy() {}, pause() {}, resume() {}, setNoDelay() {}, setTimeout() {},
    });
    const connection = new Connection(socket, [], null, false, {});
    connection.measureLatency();
    connection.drop(1000);
    connection.measureLatency();
    setTimeout(() => console.log('alive'), 20);
  `], { encoding: 'utf8' });
  assert.strictEqual(run.stdout, 'alive\n', run.stderr);
});

describe('stats() of a server', () => {
  test('sum up open and closed connections', async (t) => {
    const started = await startServer(t, { config: { maxConnections: 2 }, onConnect: (connection) => {
      connection.on('message', (message) => connection.sendUTF(message.utf8Data));
    } });
    const peers = [await openRawClient(started.port), await openRawClient(started.port)];
    const refused = await rawClient(started.port);
    await refused.until(() => refused.status === 503, 'a refusal');
    for (const peer of peers) {
      peer.send({ opcode: TEXT, payload: 'echo' });
      await peer.frame();
    }
    const open = started.server.stats();
    const figures = (stats) => [stats.connections, stats.connectionsAccepted, stats.requestsRefused, stats.pendingRequests,
      stats.messagesReceived, stats.messagesSent, stats.framesReceived];
    assert.deepStrictEqual(figures(open), [2, 2, 1, 0, 2, 2, 2]);
    assert.strictEqual(Object.values(open.transports).reduce((a, b) => a + b), 2);
    assert.strictEqual(open.transports[started.connections[0].transport], 2);

    const closed = next(started.server, 'close');
    peers[0].destroy();
    await closed;
    const later = started.server.stats();
    assert.deepStrictEqual(figures(later), [1, 2, 1, 0, 2, 2, 2]);
    assert.ok(later.bytesReceived >= open.bytesReceived);
    for (const peer of [...peers, refused]) peer.destroy();
  });

  test('are zeros before anything has happened', () => {
    const { transports, pubsub, ...figures } = new websocket.server().stats();
    assert.ok(Object.values(pubsub).every((figure) => figure === 0));
    assert.deepStrictEqual(transports, { stream: 0, loop: 0, threads: 0 });
    for (const [name, value] of Object.entries(figures)) assert.strictEqual(value, 0, name);
  });
});
