'use strict';

// http.Server.close() beside WebSocket connections, and several servers of both kinds at once.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { websocket } = require('../helpers/under-test');
const { startServer, startHttpServer, openClient, openRawClient, rawClient, eventually, turns, record } =
  require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

const endings = [
  ['the peer closes', ({ peers }) => peers.forEach((peer) => peer.send({ opcode: OPCODE.CLOSE }))],
  ['the peer leaves', ({ peers }) => peers.forEach((peer) => peer.socket.end())],
  ['the peer resets', ({ peers }) => peers.forEach((peer) => peer.socket.resetAndDestroy())],
  ['drop()', ({ connections }) => connections.forEach((connection) => connection.drop())],
  ['close()', ({ connections }) => connections.forEach((connection) => connection.close())],
  ['socket.destroy()', ({ connections }) => connections.forEach((connection) => connection.socket.destroy())],
  ['closeAllConnections()', ({ server }) => server.closeAllConnections()],
  ['shutDown()', ({ server }) => server.shutDown()],
];

for (const [what, end] of endings) {
  test(`http.Server.close(callback) completes after the last connection ended by ${what}`, async (t) => {
    const started = await startServer(t, { onConnect: (connection) => connection.on('error', () => {}) });
    const peers = [await openRawClient(started.port), await openRawClient(started.port)];
    await started.connection(2);
    let completed = false;
    started.httpServer.close((error) => {
      assert.ifError(error);
      completed = true;
    });
    peers[0].send({ opcode: OPCODE.PING, payload: 'still served' });
    assert.strictEqual((await peers[0].frame()).payload.toString(), 'still served');
    assert.strictEqual(completed, false);
    end({ peers, ...started });
    await eventually(() => completed, 'the callback of http.Server.close()');
    assert.strictEqual(started.closes.length, 2);
    assert.deepStrictEqual(started.server.connections, []);
  });
}

test('http.Server.close(callback) completes after a pending request was rejected', async (t) => {
  let pending;
  const started = await startServer(t, { onRequest: (request) => { pending = request; } });
  const peer = await rawClient(started.port);
  await eventually(() => pending, 'the request');
  let completed = false;
  started.httpServer.close(() => { completed = true; });
  await turns();
  assert.strictEqual(completed, false);
  pending.reject(503);
  await eventually(() => completed, 'the callback of http.Server.close()');
  assert.strictEqual(peer.status, 503);
});

test('http.Server.getConnections() counts WebSocket connections', async (t) => {
  const started = await startServer(t);
  const peers = [await openRawClient(started.port), await openRawClient(started.port), await openRawClient(started.port)];
  const count = () => new Promise((resolve, reject) => {
    started.httpServer.getConnections((error, number) => (error ? reject(error) : resolve(number)));
  });
  assert.strictEqual(await count(), 3);
  peers[0].send({ opcode: OPCODE.CLOSE });
  await peers[0].close();
  await eventually(() => started.closes.length === 1, 'the close event');
  await turns();
  assert.strictEqual(await count(), 2);
});

test('one WebSocketServer serves several http servers', async (t) => {
  const first = await startHttpServer(t);
  const second = await startHttpServer(t);
  const server = new websocket.server({ httpServer: [first.httpServer, second.httpServer], autoAcceptConnections: true });
  const peers = [await openRawClient(first.port), await openRawClient(second.port)];
  await eventually(() => server.connections.length === 2, 'both connections');
  server.broadcast('to all');
  for (const peer of peers) assert.strictEqual((await peer.frame()).payload.toString(), 'to all');
  server.shutDown();
  for (const peer of peers) assert.strictEqual((await peer.frame(2)).opcode, OPCODE.CLOSE);
  await eventually(() => server.connections.length === 0, 'no connection');
});

test('several WebSocketServers share one http server by path', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const served = [];
  for (const path of ['/a', '/b', '/c']) {
    const server = new websocket.server({ httpServer, keepalive: false });
    server.on('request', (request) => {
      if (request.resource !== path) return;
      request.accept().on('message', (message) => served.push(path + message.utf8Data));
    });
  }
  for (const path of ['/c', '/a', '/b']) {
    const peer = await openRawClient(port, { path });
    peer.send({ opcode: OPCODE.TEXT, payload: '!' });
    await eventually(() => served.includes(`${path}!`), `the message to ${path}`);
  }
  assert.deepStrictEqual(served, ['/c!', '/a!', '/b!']);
});

test('an upgrade handler of the program and a WebSocketServer share one http server', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const server = new websocket.server({ httpServer });
  server.on('request', (request) => { if (request.resource === '/ours') request.accept(); });
  httpServer.on('upgrade', (request, socket) => {
    if (request.url === '/theirs') socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
  });
  assert.match((await openRawClient(port, { path: '/theirs' })).head, /Upgrade: other/);
  assert.match((await openRawClient(port, { path: '/ours' })).head, /Sec-WebSocket-Accept/i);
});

test('plain HTTP goes on beside WebSocket connections', async (t) => {
  const { port, httpServer } = await startServer(t, {
    httpServer: http.createServer((request, response) => response.end(`plain ${request.url}`)),
  });
  const peer = await openRawClient(port);
  const response = await fetch(`http://127.0.0.1:${port}/page`);
  assert.strictEqual(await response.text(), 'plain /page');
  peer.send({ opcode: OPCODE.PING, payload: 'x' });
  assert.strictEqual((await peer.frame()).opcode, OPCODE.PONG);
  httpServer.closeAllConnections();
});

test('unmount() leaves connections alone, accepts no more, and mount() begins again elsewhere', async (t) => {
  const first = await startServer(t);
  const second = await startHttpServer(t);
  const peer = await openRawClient(first.port);
  await first.connection();
  first.server.unmount();
  assert.strictEqual(first.httpServer.listenerCount('upgrade'), 0);
  peer.send({ opcode: OPCODE.PING, payload: 'alive' });
  assert.strictEqual((await peer.frame()).payload.toString(), 'alive');

  first.server.mount({ httpServer: second.httpServer, autoAcceptConnections: true });
  await openRawClient(second.port);
  await eventually(() => first.server.connections.length === 2, 'both connections');
  first.server.closeAllConnections();
  await eventually(() => first.server.connections.length === 0, 'no connection');
});

test('a client of one server of the process may be in the handler of another', async (t) => {
  const back = await startServer(t, {
    onConnect: (connection) => connection.on('message', (message) => connection.sendUTF(`${message.utf8Data} back`)),
  });
  const front = await startServer(t, {
    onConnect: (connection) => connection.on('message', async (message) => {
      const inner = await openClient(t, back.url);
      inner.on('message', (answer) => {
        connection.sendUTF(`${answer.utf8Data} and forth`);
        inner.close();
      });
      inner.sendUTF(message.utf8Data);
    }),
  });
  const outer = await openClient(t, front.url);
  const seen = record(outer);
  for (const text of ['one', 'two', 'three']) outer.sendUTF(text);
  await eventually(() => seen.messages.length === 3, 'three answers');
  assert.deepStrictEqual([...seen.messages].sort(), ['one back and forth', 'three back and forth', 'two back and forth']);
});
