'use strict';

// WebSockets and upgrades to anything else, on the port that the HTTP server of the option `fallback` shares.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const { once } = require('events');
const { setImmediate: nextTurn } = require('timers/promises');
const { WebSocketServer: WsServer } = require('ws');
const websocket = require('../..');
const { openRawClient, rawClient, requestHead, encodeFrame, decodeFrames, OPCODE } = require('../helpers/raw');
const { IO, serve, client, get } = require('./serve');

/** Opens a WebSocket on a connection that has carried requests, and expects an echo. */
async function upgrade(raw, path = '/') {
  raw.write(requestHead({ path }));
  assert.strictEqual((await raw.response()).status, 101);
}

async function echoed(raw, text) {
  raw.socket.write(encodeFrame({ opcode: OPCODE.TEXT, payload: text }));
  const frame = () => decodeFrames(Buffer.from(raw.text, 'latin1')).frames[0];
  while (frame() === undefined) await once(raw.socket, 'data');
  assert.strictEqual(String(frame().payload), text);
}

function echoMessages(server) {
  server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)));
}

for (const io of IO) {
  describe(`upgrades beside a fallback, io: ${io}`, () => {
    test('a WebSocket that comes first never troubles the HTTP server', async (t) => {
      const { port, server, httpServer } = await serve(t, { io });
      httpServer.on('request', () => assert.fail('it is an upgrade'));
      if (io !== 'stream') httpServer.on('connection', () => assert.fail('it has not accepted anything'));
      const accepted = once(server, 'connect');
      const peer = await openRawClient(port);
      const [connection] = await accepted;
      assert.strictEqual(connection.remoteAddress, '127.0.0.1');
      connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data));
      peer.send({ opcode: OPCODE.TEXT, payload: 'hello' });
      assert.strictEqual(String((await peer.frame()).payload), 'hello');
    });

    test('a WebSocket on a connection that has carried requests', async (t) => {
      const { port, server } = await serve(t, { io });
      echoMessages(server);
      const raw = client(t, port).write(get('/'));
      await raw.response();
      const accepted = once(server, 'connect');
      await upgrade(raw);
      const [connection] = await accepted;
      if (io !== 'stream') assert.notStrictEqual(connection.transport, 'stream');
      await echoed(raw, 'hello');
    });

    test('a WebSocket right behind a request whose answer takes a while, with frames behind it', async (t) => {
      const { port, server } = await serve(t, {
        io, answer: async (_, response) => { await nextTurn(); await nextTurn(); response.end('late'); },
      });
      echoMessages(server);
      const raw = client(t, port).write(get('/') + requestHead());
      assert.strictEqual((await raw.response()).body, 'late');
      assert.strictEqual((await raw.response()).status, 101);
      await echoed(raw, 'hello');
    });

    test('an upgrade for another path is refused when nobody else listens for upgrades', async (t) => {
      const { port, server } = await serve(t, { io, path: '/chat' });
      const refused = once(server, 'upgradeError');
      const peer = await rawClient(port, { path: '/other' });
      await peer.until(() => peer.status === 404, '404');
      await refused;
      await openRawClient(port, { path: '/chat' });
      const later = client(t, port).write(get('/'));
      await later.response();
      assert.match(await later.write(requestHead({ path: '/other' })).rest(), /^HTTP\/1\.1 404 /);
    });

    test('an upgrade for another path goes to another server that listens for upgrades', async (t) => {
      const { port, server, httpServer } = await serve(t, { io, path: '/chat' });
      server.on('upgradeError', () => assert.fail('it is not for this server'));
      const other = new WsServer({ noServer: true });
      httpServer.on('upgrade', (request, socket, head) => {
        if (request.url !== '/other') return;
        other.handleUpgrade(request, socket, head, (ws) => ws.on('message', (text) => ws.send(String(text))));
      });
      const raw = client(t, port);
      await upgrade(raw, '/other');
      await echoed(raw, 'hello');
      const count = await new Promise((resolve) => { httpServer.getConnections((_, connections) => resolve(connections)); });
      assert.strictEqual(count, 1);
      const closed = once(raw.socket, 'close');
      for (const ws of other.clients) ws.terminate();
      await closed;
      while (httpServer._connections > 0) await nextTurn();
      echoMessages(server);
      const chat = client(t, port);
      await upgrade(chat, '/chat');
      await echoed(chat, 'to the chat');
    });

    test('two WebSocket servers and the HTTP server on one port', async (t) => {
      const { port, server, httpServer } = await serve(t, { io, path: '/a' });
      const second = new websocket.server({ httpServer, path: '/b', autoAcceptConnections: true });
      t.after(() => second.shutDown());
      for (const [path, owner] of [['/a', server], ['/b', second]]) {
        for (const kept of [false, true]) {
          const raw = client(t, port);
          if (kept) await raw.write(get('/')).response();
          const accepted = once(owner, 'connect');
          await upgrade(raw, path);
          const [connection] = await accepted;
          assert.strictEqual(connection.remoteAddress, '127.0.0.1');
        }
      }
      const peer = await rawClient(port, { path: '/c' });
      await peer.until(() => peer.status === 404, '404');
    });

    test('requests for h2c are requests like any other', async (t) => {
      const { port, server } = await serve(t, { io });
      server.on('upgradeError', () => assert.fail('it is not for this server'));
      const headers = ['Connection: keep-alive, Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
      const raw = client(t, port).write(get('/first', ...headers));
      assert.strictEqual((await raw.response()).body, 'GET /first ');
      raw.write(get('/later', ...headers));
      assert.strictEqual((await raw.response()).body, 'GET /later ');
      const body = ['Content-Length: 4', ...headers];
      raw.write(`POST /body HTTP/1.1\r\nHost: a\r\n${body.join('\r\n')}\r\n\r\nbody`);
      assert.strictEqual((await raw.response()).body, 'POST /body body');
      raw.write(get('/plain') + get('/both', ...headers));
      assert.strictEqual((await raw.response()).body, 'GET /plain ');
      assert.strictEqual((await raw.response()).body, 'GET /both ');
      echoMessages(server);
      await upgrade(raw);
      await echoed(raw, 'hello');
    });

    test('who listens for upgrades to something else gets them', async (t) => {
      const { port, server, httpServer } = await serve(t, { io });
      server.on('upgradeError', () => assert.fail('it is not for this server'));
      httpServer.on('upgrade', ({ headers }, socket, head) => {
        if (headers.upgrade === 'other') socket.end(`HTTP/1.1 101 Other\r\n\r\n${head}`);
      });
      const headers = ['Connection: Upgrade', 'Upgrade: other'];
      assert.match(await client(t, port).write(`${get('/', ...headers)}head`).rest(), /^HTTP\/1\.1 101 Other\r\n\r\nhead$/);
    });

    test('a faulty WebSocket request is refused as without a fallback', async (t) => {
      const { port, server } = await serve(t, { io });
      let refused = 0;
      server.on('upgradeError', () => refused++);
      const faulty = [[405, { method: 'POST' }], [400, { headers: { 'Sec-WebSocket-Key': 'short' } }],
        [426, { headers: { 'Sec-WebSocket-Version': '7' } }]];
      for (const [status, request] of faulty) {
        const peer = await rawClient(port, request);
        await peer.until(() => peer.status === status, String(status));
      }
      assert.strictEqual(refused, faulty.length);
    });

    test('unmounted, the HTTP server goes on with the connections it has', async (t) => {
      const { port, server } = await serve(t, { io, answer: async (request, response) => { await nextTurn(); response.end(request.url); } });
      const raw = client(t, port).write(get('/1'));
      await raw.response();
      raw.write(get('/2'));
      // Its request has arrived, so the connection is not idle.
      await once(server.config.fallback, 'request');
      server.unmount();
      assert.strictEqual((await raw.response()).body, '/2');
      raw.write(requestHead({ path: '/3' }));
      assert.strictEqual((await raw.response()).body, '/3');
    });
  });
}
