'use strict';

// Where the documentation and 1.0.35 differ (COMPATIBILITY, section 5): both sides of each difference work.

const { test } = require('node:test');
const assert = require('node:assert');
const { websocket } = require('../helpers/under-test');
const { startHttpServer, startServer, openPair, openClient, openRawClient, rawClient, rawServer, eventually, turns } =
  require('../helpers/under-test/endpoints');
const { OPCODE, acceptKey } = require('../helpers/raw');

const completeConfig = {
  maxReceivedFrameSize: 0x10000,
  maxReceivedMessageSize: 0x100000,
  fragmentOutgoingMessages: true,
  fragmentationThreshold: 0x4000,
  keepalive: false,
  keepaliveInterval: 20000,
  dropConnectionOnKeepaliveTimeout: true,
  keepaliveGracePeriod: 10000,
  useNativeKeepalive: false,
  assembleFragments: true,
  autoAcceptConnections: false,
  ignoreXForwardedFor: false,
  parseCookies: true,
  parseExtensions: true,
  disableNagleAlgorithm: true,
  closeTimeout: 5000,
};

const headers = {
  'Sec-WebSocket-Protocol': 'Chat, super',
  'Sec-WebSocket-Extensions': 'x-one; a=1',
  Cookie: 'a=b',
  Origin: 'http://example.com',
  'X-Forwarded-For': '192.0.2.7',
};

/** An HTTP server with an `upgrade` handler of its own. */
async function ownUpgrade(t, handle) {
  const started = await startHttpServer(t);
  const errors = [];
  started.httpServer.on('upgrade', (request, socket) => {
    try {
      handle(request, socket);
    } catch (error) {
      errors.push(error);
      socket.destroy();
    }
  });
  return { ...started, errors };
}

test('documented: new WebSocketRequest() without readHandshake() has the parsed properties', async (t) => {
  let request;
  const { port, errors } = await ownUpgrade(t, (httpRequest, socket) => {
    request = new websocket.request(socket, httpRequest, completeConfig);
    request.reject(404);
  });
  const peer = await rawClient(port, { path: '/chat?room=1', headers });
  await peer.until(() => peer.closed, 'the answer');
  assert.deepStrictEqual(errors, []);
  assert.strictEqual(request.key, 'dGhlIHNhbXBsZSBub25jZQ==');
  assert.strictEqual(request.host, '127.0.0.1');
  assert.strictEqual(request.origin, 'http://example.com');
  assert.strictEqual(request.webSocketVersion, 13);
  assert.strictEqual(request.resourceURL.pathname, '/chat');
  assert.strictEqual(request.resourceURL.query.room, '1');
  assert.deepStrictEqual(request.requestedProtocols, ['chat', 'super']);
  assert.deepStrictEqual(request.requestedExtensions, [{ name: 'x-one', params: [{ name: 'a', value: '1' }] }]);
  assert.deepStrictEqual(request.cookies, [{ name: 'a', value: 'b' }]);
  assert.strictEqual(request.remoteAddress, '192.0.2.7');
});

test('documented: accept() works after no call, one call or three calls of readHandshake()', async (t) => {
  for (const calls of [3, 1, 0]) {
    const messages = [];
    const { port, errors } = await ownUpgrade(t, (httpRequest, socket) => {
      const request = new websocket.request(socket, httpRequest, completeConfig);
      for (let i = 0; i < calls; i++) request.readHandshake();
      const connection = request.accept('chat', request.origin);
      connection.on('message', (message) => messages.push(message.utf8Data));
    });
    const peer = await openRawClient(port, { headers });
    assert.deepStrictEqual(errors, []);
    const accept = /^sec-websocket-accept: (.*)\r$/im.exec(peer.head)[1];
    assert.strictEqual(accept, acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), `after ${calls} calls`);
    assert.match(peer.head, /^sec-websocket-protocol: Chat\r$/im);
    peer.send({ opcode: OPCODE.TEXT, payload: 'hello' });
    await eventually(() => messages.length === 1, 'the message');
    assert.deepStrictEqual(messages, ['hello']);
  }
});

for (const role of ['server', 'client']) {
  test(`documented: ${role}: assembleFragments: false emits a message of one frame as frame and as message`, async (t) => {
    const pair = await openPair(t, role, { assembleFragments: false });
    pair.send(
      { opcode: OPCODE.TEXT, payload: 'whole' },
      { opcode: OPCODE.BINARY, payload: 'part', fin: false },
      { opcode: OPCODE.CONTINUATION, payload: 'rest' },
      { opcode: OPCODE.BINARY, payload: 'bytes' });
    await eventually(() => pair.seen.frames.length === 4, 'four frames');
    await turns();
    assert.deepStrictEqual(pair.seen.frames.map((frame) => frame.binaryPayload.toString()), ['whole', 'part', 'rest', 'bytes']);
    assert.deepStrictEqual(pair.seen.messages, ['whole', Buffer.from('bytes')]);
  });
}

test('documented: CLOSE_REASON_MESSAGE_TOO_LARGE is 1009, as CLOSE_REASON_MESSAGE_TOO_BIG', () => {
  assert.strictEqual(websocket.connection.CLOSE_REASON_MESSAGE_TOO_LARGE, 1009);
  assert.strictEqual(websocket.connection.CLOSE_REASON_MESSAGE_TOO_BIG, 1009);
});

test('documented: an auto-accepting server emits connection as well as connect', async (t) => {
  const events = [];
  const started = await startServer(t);
  started.server.on('connect', (connection) => events.push(['connect', connection]));
  started.server.on('connection', (connection) => events.push(['connection', connection]));
  await openRawClient(started.port);
  await eventually(() => events.length === 2, 'both events');
  await turns();
  assert.deepStrictEqual(events.map(([name]) => name).sort(), ['connect', 'connection']);
  assert.strictEqual(events[0][1], events[1][1]);
  assert.ok(events[0][1] instanceof websocket.connection);
});

for (const version of [13, 8]) {
  test(`documented: websocketVersion is the text and webSocketVersion the number ${version}`, async (t) => {
    let request;
    const started = await startServer(t, {
      onRequest: (received) => {
        request = received;
        received.accept();
      },
    });
    await openRawClient(started.port, { headers: { 'Sec-WebSocket-Version': String(version) } });
    assert.strictEqual(request.websocketVersion, String(version));
    assert.strictEqual(request.webSocketVersion, version);
  });
}

for (const role of ['server', 'client']) {
  test(`documented: ${role}: new WebSocketFrame() without arguments can be sent`, async (t) => {
    const pair = await openPair(t, role);
    const frame = new websocket.frame();
    frame.fin = true;
    frame.opcode = OPCODE.TEXT;
    frame.binaryPayload = Buffer.from('by hand');
    pair.connection.sendFrame(frame);
    const received = await pair.received(OPCODE.TEXT);
    assert.strictEqual(received.payload.toString(), 'by hand');
    assert.strictEqual(received.fin, true);
    assert.strictEqual(received.masked, role === 'client');
  });
}

test('documented: a client emits error beside connectFailed for a failed handshake, when somebody listens', async (t) => {
  const raw = await rawServer((peer) => peer.socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
  t.after(() => raw.close());
  const events = [];
  const client = new websocket.client();
  client.on('connectFailed', (error) => events.push(['connectFailed', error]));
  client.on('error', (error) => events.push(['error', error]));
  client.connect(raw.url);
  await eventually(() => events.length === 2, 'both events');
  assert.deepStrictEqual(events.map(([name]) => name).sort(), ['connectFailed', 'error']);
  assert.strictEqual(events[0][1], events[1][1]);
  assert.match(events[0][1].message, /403/);
});

test('documented: a client emits error beside connectFailed for a failed connection, when somebody listens', async () => {
  const raw = await rawServer();
  await raw.close();
  const events = [];
  const client = new websocket.client();
  client.on('connectFailed', (error) => events.push(error));
  client.on('error', (error) => events.push(error));
  client.connect(raw.url);
  await eventually(() => events.length === 2, 'both events');
  assert.strictEqual(events[0].code, 'ECONNREFUSED');
  assert.strictEqual(events[0], events[1]);
});

test('documented: trustProxy: false ignores X-Forwarded-For', async (t) => {
  let request;
  const started = await startServer(t, {
    config: { trustProxy: false },
    onRequest: (received) => {
      request = received;
      received.accept();
    },
  });
  const forwarded = { 'X-Forwarded-For': '192.0.2.7, 192.0.2.8' };
  await openRawClient(started.port, { headers: forwarded });
  assert.strictEqual(request.remoteAddress, '127.0.0.1');
  assert.deepStrictEqual(request.remoteAddresses, ['127.0.0.1']);
  await openClient(t, started.url, { headers: forwarded });
  assert.strictEqual(request.remoteAddress, '127.0.0.1');
});
