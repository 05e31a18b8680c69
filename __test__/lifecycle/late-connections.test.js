'use strict';

// Connections made by hand on sockets of which something has happened before. Nothing says it again, and the program has to
// learn of it all the same.

const { test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { websocket, isReference } = require('../helpers/under-test');

const skip = isReference ? '1.0.35 never tells' : false;

/** Two ends of a TCP connection; errors of ours are nobody's. */
async function pair(t) {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const peer = net.connect(server.address().port, '127.0.0.1');
  const [socket] = await accepted;
  socket.on('error', () => {});
  peer.on('error', () => {});
  t.after(() => {
    server.close();
    peer.destroy();
    socket.destroy();
  });
  return { socket, peer };
}

function connect(socket) {
  const server = new websocket.server({ noServer: true, keepalive: false });
  const connection = new websocket.connection(socket, [], null, false, server.config);
  connection._addSocketEventListeners();
  return connection;
}

for (const how of ['resetAndDestroy', 'destroy']) {
  test(`the socket is closed already, by the peer's ${how}(): close is emitted, once and later`, { skip, timeout: 10000 }, async (t) => {
    const { socket, peer } = await pair(t);
    socket.resume();
    peer[how]();
    if (how === 'destroy') socket.on('end', () => socket.end());
    await new Promise((resolve) => socket.once('close', resolve));
    const connection = connect(socket);
    const closes = [];
    connection.on('close', (code) => closes.push(code));
    assert.deepStrictEqual(closes, []);
    await once(connection, 'close');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepStrictEqual(closes, [1006]);
    assert.strictEqual(connection.connected, false);
    assert.strictEqual(connection.state, 'closed');
  });
}

test('the peer has ended its side already: the connection ends its own, and close is emitted', { skip, timeout: 10000 }, async (t) => {
  const { socket, peer } = await pair(t);
  peer.end();
  peer.resume();
  socket.resume();
  await once(socket, 'end');
  const connection = connect(socket);
  const [code] = await once(connection, 'close');
  assert.strictEqual(code, 1006);
  assert.strictEqual(socket.destroyed, true);
});
