'use strict';

// What console.log() shows of the objects of this package.

const { test } = require('node:test');
const assert = require('node:assert');
const { inspect } = require('util');
const { websocket } = require('../helpers/under-test');
const { startServer, openPair, openClient, next } = require('../helpers/under-test/endpoints');

/** A terminal has 24 lines of 80 characters. */
function fitsOnAScreen(value, options) {
  const text = inspect(value, options);
  const lines = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 80)), 0);
  assert.ok(lines <= 24, text);
  return text;
}

for (const role of ['server', 'client']) {
  test(`a connection of a ${role} fits on a screen, in an object and in full depth too`, async (t) => {
    const { connection, send, messages } = await openPair(t, role);
    send({ opcode: 1, payload: 'x' });
    await messages();
    const text = fitsOnAScreen(connection);
    assert.match(text, /^WebSocketConnection \{/);
    for (const name of ['state', 'remoteAddress', 'transport', 'connected']) assert.ok(text.includes(`${name}: `), text);
    fitsOnAScreen({ connection });
    fitsOnAScreen(connection, { depth: null });
    fitsOnAScreen(connection, { depth: 10 });
    assert.strictEqual(inspect({ a: { b: { connection } } }), '{ a: { b: { connection: [WebSocketConnection] } } }');
  });
}

test('what the program has added to a connection is shown, and the name of its class', async (t) => {
  const { connection } = await openPair(t, 'server');
  connection.user = { name: 'ada' };
  connection.long = 'x'.repeat(5000);
  const text = fitsOnAScreen(connection);
  assert.match(text, /user: \{ name: 'ada' \}/);
  class Own extends websocket.connection {}
  assert.match(inspect(Object.setPrototypeOf(connection, Own.prototype)), /^Own \{/);
});

test('a closed connection says why', async (t) => {
  const { connection } = await openPair(t, 'server');
  connection.drop(1008, 'enough');
  assert.match(fitsOnAScreen(connection), /state: 'closed',[^]*closeReasonCode: 1008,[^]*closeDescription: 'enough'/);
});

test('servers with many connections, requests, clients and frames fit on a screen', async (t) => {
  let shown = null;
  const { server, url } = await startServer(t, { onRequest: (request) => {
    shown = fitsOnAScreen(request);
    request.accept();
  } });
  for (let i = 0; i < 10; i++) await openClient(t, url);
  assert.match(shown, /^WebSocketRequest \{/);
  assert.match(fitsOnAScreen(server), /connections: '\[10 items\]'|connections: \[10 items\]/);
  const client = new websocket.client();
  client.connect(url.replace('//', '//user:secret@'));
  const [connection] = await next(client, 'connect');
  const text = fitsOnAScreen(client);
  assert.match(text, /^WebSocketClient \{/);
  assert.doesNotMatch(text, /secret/);
  connection.drop();
  const socket = new websocket.w3cwebsocket(url);
  await new Promise((resolve) => { socket.onopen = resolve; });
  assert.match(fitsOnAScreen(socket), /^W3CWebSocket \{[^]*readyState: 1/);
  socket.close();
  fitsOnAScreen(Object.assign(new websocket.frame(), { binaryPayload: Buffer.alloc(5000) }));
});

test('prototypes and objects that are half made can be shown', () => {
  for (const name of ['server', 'client', 'request', 'connection', 'frame', 'w3cwebsocket']) {
    assert.ok(inspect(websocket[name].prototype));
    assert.ok(inspect(Object.create(websocket[name].prototype)));
  }
});
