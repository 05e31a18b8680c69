'use strict';

// Broadcasts to so many connections that the runtime writes them: order, completeness and ends are those of any message.

const { test } = require('node:test');
const assert = require('node:assert');
const { startServer, openRawClient, eventually, turns } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

const COUNT = 200;

/** A server with many connections, and the raw peers in the same order. */
async function openMany(t, config = {}) {
  const started = await startServer(t, { config: { keepalive: false, ...config } });
  const peers = [];
  for (let i = 0; i < COUNT; i++) {
    peers.push(await openRawClient(started.port));
    await started.connection(i + 1);
  }
  t.after(() => { for (const peer of peers) peer.destroy(); });
  return { ...started, peers };
}

const textsOf = (peer) => peer.frames.filter(({ opcode }) => opcode === OPCODE.TEXT).map(({ payload }) => payload.toString());

for (const size of [10, 1000, 100000]) {
  test(`broadcasts of ${size} characters reach ${COUNT} connections once, in order with what is sent to each`, async (t) => {
    const { server, connections, peers } = await openMany(t, { fragmentOutgoingMessages: false });
    const text = (name) => name.padEnd(size, '.');
    for (let round = 0; round < 3; round++) {
      for (const [i, connection] of connections.entries()) if (i % 2 === 0) connection.sendUTF(`before ${round}`);
      server.broadcastUTF(text(`all ${round}`));
      server.broadcastUTF(text(`again ${round}`));
      for (const [i, connection] of connections.entries()) if (i % 3 === 0) connection.sendUTF(`after ${round}`);
      if (round === 1) await turns(2);
    }
    for (const [i, peer] of peers.entries()) {
      const expected = [0, 1, 2].flatMap((round) => [
        ...(i % 2 === 0 ? [`before ${round}`] : []), text(`all ${round}`), text(`again ${round}`), ...(i % 3 === 0 ? [`after ${round}`] : [])]);
      await eventually(() => textsOf(peer).length >= expected.length, `all messages of peer ${i}`);
      assert.deepStrictEqual(textsOf(peer), expected);
    }
  });
}

test('peers that read nothing get broadcasts later, and keep nobody waiting', async (t) => {
  const { server, connections, peers } = await openMany(t);
  const isSlow = (_, i) => i % 50 === 0;
  for (const peer of peers.filter(isSlow)) peer.socket.pause();
  const large = Buffer.alloc(16 << 20);
  for (const connection of connections.filter(isSlow)) connection.sendBytes(large);
  const expected = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(1000, '.'));
  for (const text of expected) server.broadcastUTF(text);
  for (const peer of peers.filter((_, i) => !isSlow(_, i))) {
    await eventually(() => textsOf(peer).length >= expected.length, 'all messages of the others');
    assert.deepStrictEqual(textsOf(peer), expected);
  }
  assert.ok(connections.filter(isSlow).every((connection) => connection.bufferedAmount > 0), 'what is not read waits');
  for (const peer of peers.filter(isSlow)) peer.socket.resume();
  for (const peer of peers.filter(isSlow)) {
    await eventually(() => textsOf(peer).length >= expected.length, 'all messages of a slow peer');
    assert.deepStrictEqual(textsOf(peer), expected);
  }
  await eventually(() => connections.every((connection) => connection.bufferedAmount === 0), 'all to be written');
});

test('what ends a connection right after a broadcast comes after it, and others do not notice', async (t) => {
  const { server, connections, peers } = await openMany(t);
  server.broadcastUTF('the last');
  for (const [i, connection] of connections.entries()) {
    if (i % 4 === 0) connection.close();
    else if (i % 4 === 1) connection.drop(4000);
    else if (i % 4 === 2) connection.socket.end();
  }
  for (const [i, peer] of peers.entries()) {
    await eventually(() => textsOf(peer).length > 0, `the broadcast at peer ${i}`);
    if (i % 4 < 2) await peer.until(() => peer.frames.some(({ opcode }) => opcode === OPCODE.CLOSE), 'a Close frame');
    assert.strictEqual(peer.frames[0].payload.toString(), 'the last');
  }
});
