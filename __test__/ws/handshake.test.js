'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const os = require('os');
const path = require('path');
const { WebSocket, once, openPair, startServer } = require('./endpoints');
const { rawClient, rawServer, acceptHead } = require('../helpers/raw');

const certificate = (name) => fs.readFileSync(path.join(__dirname, '../../examples/certs', name));

/** Listens on a free port and closes everything when the test is over. */
async function listen(t, server, ...where) {
  server.listen(...(where.length > 0 ? where : [0, '127.0.0.1']));
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address();
}

/** The error with which a client fails. */
async function failureOf(client) {
  const [[error], [code]] = await Promise.all([
    once(client, 'error'), new Promise((resolve) => { client.once('close', (...args) => resolve(args)); }),
  ]);
  assert.strictEqual(code, 1006);
  return error;
}

test('a server chooses the first subprotocol, or the one that handleProtocols names', async (t) => {
  const first = await startServer(t);
  const client = new WebSocket(first.url, ['chat', 'superchat']);
  await once(client, 'open');
  assert.strictEqual(client.protocol, 'chat');
  client.terminate();

  const second = await startServer(t, { handleProtocols: (protocols) => [...protocols].pop() });
  const other = new WebSocket(second.url, ['chat', 'superchat']);
  await once(other, 'open');
  assert.strictEqual(other.protocol, 'superchat');
  other.terminate();
});

test('verifyClient refuses, with or without a callback', async (t) => {
  const simple = await startServer(t, { verifyClient: ({ origin }) => origin === 'https://good.example' });
  assert.strictEqual((await failureOf(new WebSocket(simple.url))).message, 'Unexpected server response: 401');
  const good = new WebSocket(simple.url, { origin: 'https://good.example' });
  await once(good, 'open');
  good.terminate();

  const later = await startServer(t, {
    verifyClient: (info, done) => setImmediate(done, false, 403, 'not you', { 'X-Why': 'because' }),
  });
  const refused = new WebSocket(later.url);
  const [request, response] = await once(refused, 'unexpected-response');
  assert.strictEqual(response.statusCode, 403);
  assert.strictEqual(response.headers['x-why'], 'because');
  request.destroy();
});

test('the program sees and changes the headers of the answer', async (t) => {
  const { server, url } = await startServer(t);
  server.on('headers', (headers, request) => headers.push(`X-Url: ${request.url}`));
  const client = new WebSocket(`${url}/here`, { headers: { 'X-Mine': 'yes' } });
  t.after(() => client.terminate());
  const [[response], [, request]] = await Promise.all([once(client, 'upgrade'), once(server, 'connection')]);
  assert.strictEqual(response.headers['x-url'], '/here');
  assert.strictEqual(request.headers['x-mine'], 'yes');
});

test('noServer: the program passes on the requests it wants', async (t) => {
  const httpServer = http.createServer();
  const { port } = await listen(t, httpServer);
  const server = new WebSocket.Server({ noServer: true, clientTracking: false });
  assert.strictEqual(server.clients, undefined);
  assert.throws(() => server.address(), /noServer/);
  httpServer.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (websocket) => websocket.send(`hello ${request.url}`));
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}/me`);
  const [data] = await once(client, 'message');
  assert.strictEqual(data.toString(), 'hello /me');
  client.terminate();
});

test('a server on an http.Server answers only for its path', async (t) => {
  const httpServer = http.createServer();
  const { port } = await listen(t, httpServer);
  const server = new WebSocket.Server({ server: httpServer, path: '/ws' });
  t.after(() => server.close());
  const error = await failureOf(new WebSocket(`ws://127.0.0.1:${port}/other`));
  assert.strictEqual(error.message, 'Unexpected server response: 400');
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws?x=1`);
  await once(client, 'open');
  client.terminate();
});

test('a WebSocket class of the program is used', async (t) => {
  class Mine extends WebSocket {}
  const { accepted } = await openPair(t, { WebSocket: Mine });
  assert.ok(accepted instanceof Mine);
});

test('requests that are no correct handshake are refused, or told to wsClientError', async (t) => {
  const { server } = await startServer(t);
  const { port } = server.address();
  for (const [request, status, body] of [
    [{ headers: { 'Sec-WebSocket-Key': 'short' } }, 400, 'Missing or invalid Sec-WebSocket-Key header'],
    [{ headers: { 'Sec-WebSocket-Version': '7' } }, 400, 'Missing or invalid Sec-WebSocket-Version header'],
    [{ method: 'POST' }, 405, 'Invalid HTTP method'],
    [{ headers: { 'Sec-WebSocket-Protocol': 'a, a' } }, 400, 'Invalid Sec-WebSocket-Protocol header'],
  ]) {
    const peer = await rawClient(port, request);
    await peer.close();
    assert.strictEqual(peer.status, status);
    assert.ok(`${peer.head}${peer._rest}`.includes(body), body);
  }
  const told = once(server, 'wsClientError');
  const peer = await rawClient(port, { headers: { 'Sec-WebSocket-Key': 'short' } });
  const [error, socket] = await told;
  assert.strictEqual(error.message, 'Missing or invalid Sec-WebSocket-Key header');
  socket.destroy();
  peer.destroy();
});

test('answers that open no connection are refused', async (t) => {
  for (const [answer, message] of [
    [(key) => acceptHead(key).replace('Upgrade: websocket', 'Upgrade: other'), 'Invalid Upgrade header'],
    [() => acceptHead('another key'), 'Invalid Sec-WebSocket-Accept header'],
    [(key) => acceptHead(key, { 'Sec-WebSocket-Protocol': 'x' }), 'Server sent a subprotocol but none was requested'],
    [(key) => acceptHead(key, { 'Sec-WebSocket-Extensions': 'x' }), 'Server indicated an extension that was not requested'],
    [(key) => acceptHead(key, { 'Sec-WebSocket-Extensions': 'permessage-deflate; x' }), 'Invalid Sec-WebSocket-Extensions header'],
  ]) {
    const server = await rawServer((peer) => peer.write(answer(peer.key)));
    t.after(() => server.close());
    const error = await failureOf(new WebSocket(server.url));
    assert.deepStrictEqual([error.message, error.code], [message, 'ERR_WEBSOCKET_HANDSHAKE']);
  }
});

test('handshakeTimeout ends the attempt', async (t) => {
  const server = await rawServer(() => {});
  t.after(() => server.close());
  const error = await failureOf(new WebSocket(server.url, { handshakeTimeout: 50 }));
  assert.deepStrictEqual([error.message, error.code], ['Opening handshake has timed out', 'ETIMEDOUT']);
});

test('redirects are followed when the program wants that, without credentials to another host', async (t) => {
  const { server, url } = await startServer(t);
  const redirecting = http.createServer((request, response) => response.writeHead(302, { location: url }).end());
  redirecting.on('upgrade', (request, socket) => socket.end(`HTTP/1.1 302 Found\r\nLocation: ${url}/there\r\n\r\n`));
  const { port } = await listen(t, redirecting);
  const target = `ws://user:secret@127.0.0.1:${port}`;
  assert.strictEqual((await failureOf(new WebSocket(target))).message, 'Unexpected server response: 302');
  const client = new WebSocket(target, { followRedirects: true, headers: { Cookie: 'a=b', 'X-Keep': 'me' } });
  t.after(() => client.terminate());
  const [[, request]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  assert.strictEqual(request.url, '/there');
  const { authorization, cookie, 'x-keep': kept } = request.headers;
  assert.deepStrictEqual([authorization, cookie, kept], [undefined, undefined, 'me']);
  assert.strictEqual((await failureOf(new WebSocket(target, { followRedirects: true, maxRedirects: 0 }))).code, 'ERR_WEBSOCKET_REDIRECT');
});

test('wss:, agents, createConnection and Unix sockets', async (t) => {
  const secure = https.createServer({ key: certificate('key.pem'), cert: certificate('cert.pem') });
  const { port } = await listen(t, secure);
  const server = new WebSocket.Server({ server: secure });
  t.after(() => server.close());
  server.on('connection', (websocket, { socket }) => websocket.send(socket.encrypted ? 'secret' : 'open'));
  for (const options of [{}, { agent: new https.Agent() }]) {
    const client = new WebSocket(`wss://localhost:${port}`, { rejectUnauthorized: false, ...options });
    const [data] = await once(client, 'message');
    assert.strictEqual(data.toString(), 'secret');
    client.terminate();
  }

  const { url, server: plain } = await startServer(t);
  const created = new WebSocket(url.replace('127.0.0.1', 'nowhere.invalid'), {
    createConnection: () => net.connect(plain.address().port, '127.0.0.1'),
  });
  await once(created, 'open');
  created.terminate();

  if (process.platform === 'win32') return;
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ws-')), 'socket');
  const local = http.createServer();
  await listen(t, local, file);
  const onUnix = new WebSocket.Server({ server: local });
  t.after(() => onUnix.close());
  const client = new WebSocket(`ws+unix:${file}:/path`);
  const [[, request]] = await Promise.all([once(onUnix, 'connection'), once(client, 'open')]);
  assert.strictEqual(request.url, '/path');
  client.terminate();
});

test('URLs, subprotocols and options that mean nothing are refused at once', () => {
  assert.throws(() => new WebSocket('nonsense'), SyntaxError);
  assert.throws(() => new WebSocket('ftp://localhost'), SyntaxError);
  assert.throws(() => new WebSocket('ws://localhost#fragment'), SyntaxError);
  assert.throws(() => new WebSocket('ws://localhost', ['a', 'a']), SyntaxError);
  assert.throws(() => new WebSocket('ws://localhost', { protocolVersion: 1000 }), RangeError);
  assert.throws(() => new WebSocket.Server({}), TypeError);
  assert.throws(() => new WebSocket.Server({ port: 0, noServer: true }), TypeError);
});
