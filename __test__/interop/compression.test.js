'use strict';

// permessage-deflate with the implementations of others: `ws` in both roles, undici (the WebSocket of Node itself) as
// client. Every message is echoed and has to come back as it was.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { once } = require('events');
const ws = require('ws');
const websocket = require('../..');

/** Transports of this package's side. */
const TRANSPORTS = process.env.WEBSOCKET_IO ? [process.env.WEBSOCKET_IO] : ['stream', 'loop'];

const LIMITS = { maxReceivedFrameSize: 1 << 24, maxReceivedMessageSize: 1 << 24 };

/** undici needs a newer Node than this package does. */
function findUndici() {
  try {
    return require('undici');
  } catch {
    return null;
  }
}
const undici = findUndici();
const withoutUndici = undici === null && 'undici does not run on this Node';

function json(length) {
  const rows = [];
  for (let i = 0; rows.join().length < length; i++) rows.push(JSON.stringify({ id: i, name: `user ${i * 7919}`, tags: ['ä', '€'] }));
  return rows.join();
}

const noise = (length) => Buffer.from(Array.from({ length }, (_, i) => Math.imul(i, 2654435761) >>> 13 & 0xff));

const MESSAGES = [
  'short', json(1000), json(1000), '', noise(5000), json(20000), Buffer.alloc(100000, 'abc'), noise(70000), json(300000),
  Buffer.alloc(1), '😀'.repeat(30000), json(1000),
];

/** What both sides may want, in the names of this package and of ws. */
const PARAMETERS = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  { serverMaxWindowBits: 12 },
];

function assertEchoed(received) {
  assert.strictEqual(received.length, MESSAGES.length);
  for (const [i, message] of MESSAGES.entries()) {
    assert.ok(Buffer.from(received[i]).equals(Buffer.from(message)), `message ${i}`);
    assert.strictEqual(typeof received[i], typeof message);
  }
}

async function startOurs(t, io, perMessageDeflate) {
  const httpServer = http.createServer();
  const server = new websocket.server({
    httpServer, io, autoAcceptConnections: true, keepalive: false, perMessageDeflate, ...LIMITS,
  });
  const seen = { compressed: 0, connection: null };
  server.on('connect', (connection) => {
    seen.connection = connection;
    connection.on('message', (message) => connection.send(message.type === 'utf8' ? message.utf8Data : message.binaryData));
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  t.after(() => {
    server.shutDown();
    httpServer.closeAllConnections();
    httpServer.close();
  });
  return { url: `ws://127.0.0.1:${httpServer.address().port}/`, seen };
}

async function startWs(t, perMessageDeflate) {
  const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate, maxPayload: 1 << 24 });
  server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(binary ? data : String(data))));
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}/`;
}

/** Sends all messages and resolves with as many answers. */
function exchange(on, send) {
  return new Promise((resolve, reject) => {
    const received = [];
    on((data) => {
      received.push(data);
      if (received.length === MESSAGES.length) resolve(received);
    }, reject);
    for (const message of MESSAGES) send(message);
  });
}

/** With ours as client. */
async function connectOurs(t, url, io, perMessageDeflate) {
  const client = new websocket.client({ io, perMessageDeflate, ...LIMITS });
  client.connect(url);
  const [connection] = await Promise.race([once(client, 'connect'), once(client, 'connectFailed').then(([error]) => { throw error; })]);
  t.after(() => connection.drop());
  const received = await exchange((take, fail) => {
    connection.on('message', ({ type, utf8Data, binaryData }) => take(type === 'utf8' ? utf8Data : binaryData));
    connection.on('close', (code, reason) => fail(new Error(`closed: ${code} ${reason}`)));
  }, (message) => connection.send(message));
  return { connection, received };
}

for (const io of TRANSPORTS) {
  for (const parameters of PARAMETERS) {
    const title = `${io}, ${JSON.stringify(parameters)}`;

    test(`a client of ws with our server: ${title}`, async (t) => {
      const { url, seen } = await startOurs(t, io, { threshold: 0, ...parameters });
      const socket = new ws.WebSocket(url, { perMessageDeflate: { threshold: 0 }, maxPayload: 1 << 24 });
      await once(socket, 'open');
      t.after(() => socket.terminate());
      assert.strictEqual(seen.connection.extensions[0].name, 'permessage-deflate');
      assert.ok(socket.extensions.includes('permessage-deflate'));
      assertEchoed(await exchange((take, fail) => {
        socket.on('message', (data, binary) => take(binary ? data : String(data)));
        socket.on('error', fail);
        socket.on('close', (code, reason) => fail(new Error(`closed: ${code} ${reason}`)));
      }, (message) => socket.send(message)));
    });

    test(`our client with a server of ws: ${title}`, async (t) => {
      const url = await startWs(t, { threshold: 0, ...parameters });
      const { connection, received } = await connectOurs(t, url, io, { threshold: 0 });
      assert.strictEqual(connection.extensions[0].name, 'permessage-deflate');
      assertEchoed(received);
    });

    test(`our client, asking, with a server of ws: ${title}`, async (t) => {
      const url = await startWs(t, { threshold: 0 });
      const { received } = await connectOurs(t, url, io, { threshold: 0, ...parameters });
      assertEchoed(received);
    });

    test(`our client with our server: ${title}`, async (t) => {
      const { url } = await startOurs(t, io, { threshold: 0, ...parameters });
      const { received } = await connectOurs(t, url, io, { threshold: 0, sharedCompressor: Boolean(parameters.serverMaxWindowBits) });
      assertEchoed(received);
    });
  }

  test(`a client of undici with our server: ${io}`, { skip: withoutUndici }, async (t) => {
    const { url, seen } = await startOurs(t, io, { threshold: 0 });
    const socket = new undici.WebSocket(url);
    socket.binaryType = 'arraybuffer';
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = ({ error }) => reject(error);
    });
    t.after(() => socket.close());
    assert.strictEqual(socket.extensions, 'permessage-deflate');
    assert.strictEqual(seen.connection.extensions.length, 1);
    assertEchoed(await exchange((take, fail) => {
      socket.onmessage = ({ data }) => take(typeof data === 'string' ? data : Buffer.from(data));
      socket.onclose = ({ code, reason }) => fail(new Error(`closed: ${code} ${reason}`));
    }, (message) => socket.send(message)));
  });

  test(`a client of ws with our server that listens itself: ${io}`, async (t) => {
    const server = new websocket.server({
      port: 0, host: '127.0.0.1', io, autoAcceptConnections: true, keepalive: false, perMessageDeflate: { threshold: 0 }, ...LIMITS,
    });
    server.on('connect', (connection) => {
      connection.on('message', (message) => connection.send(message.type === 'utf8' ? message.utf8Data : message.binaryData));
    });
    await once(server, 'listening');
    t.after(() => server.shutDown());
    const socket = new ws.WebSocket(`ws://127.0.0.1:${server.address().port}/`, { perMessageDeflate: { threshold: 0 }, maxPayload: 1 << 24 });
    await once(socket, 'open');
    t.after(() => socket.terminate());
    assert.strictEqual(socket.extensions, 'permessage-deflate');
    assertEchoed(await exchange((take, fail) => {
      socket.on('message', (data, binary) => take(binary ? data : String(data)));
      socket.on('close', (code, reason) => fail(new Error(`closed: ${code} ${reason}`)));
    }, (message) => socket.send(message)));
  });

  test(`a server of ws without compression, and our client that offers it: ${io}`, async (t) => {
    const url = await startWs(t, false);
    const { connection, received } = await connectOurs(t, url, io, true);
    assert.deepStrictEqual(connection.extensions, []);
    assertEchoed(received);
  });
}
