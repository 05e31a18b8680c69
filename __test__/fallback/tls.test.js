'use strict';

// The options `tls` and `fallback` together: https and wss on one port, with an HTTP server of the program that knows nothing of
// TLS.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');
const express = require('express');
const { WebSocketServer: WsServer } = require('ws');
const websocket = require('../..');
const { requestHead, encodeFrame, decodeFrames, OPCODE } = require('../helpers/raw');
const certificates = require('../helpers/certificates');
const { HOST, IO, serve: servePlain, client: clientOf, get, post, askInTurn } = require('./serve');

const { ca } = certificates;
const MiB = 1 << 20;
const serve = (t, options) => servePlain(t, { tls: certificates.server, ...options });
const client = (t, port) => clientOf(t, port, ca);
const connectionsOf = (httpServer) => new Promise((resolve) => { httpServer.getConnections((_, count) => resolve(count)); });

/** The response to a request, with its body as a Buffer. */
async function request(port, options, body) {
  const outgoing = https.request({ host: HOST, port, ca, ...options });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { response, body: Buffer.concat(chunks) };
}

/** Resolves when the HTTP server has no connection any more. */
async function allClosed(httpServer) {
  for (const deadline = Date.now() + 5000; await connectionsOf(httpServer) > 0;) {
    assert.ok(Date.now() < deadline, `${await connectionsOf(httpServer)} connections are left`);
    await sleep(10);
  }
}

async function echoed(socket, text) {
  socket.write(encodeFrame({ opcode: OPCODE.TEXT, payload: text }));
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk]);
    const [frame] = decodeFrames(bytes).frames;
    if (frame === undefined) continue;
    assert.strictEqual(String(frame.payload), text);
    return;
  }
  assert.fail('no echo');
}

for (const io of IO) {
  describe(`an HTTP server behind TLS, io: ${io}`, () => {
    test('answers requests, several on a connection, pipelined ones too', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      let connections = 0;
      httpServer.on('connection', () => connections++);
      const raw = client(t, port);
      await askInTurn(raw);
      raw.write(get('/a') + post('/b', 'bb') + get('/c'));
      for (const body of ['GET /a ', 'POST /b bb', 'GET /c ']) assert.strictEqual((await raw.response()).body, body);
      assert.strictEqual(connections, 1);
      assert.strictEqual(await connectionsOf(httpServer), 1);
    });

    test('a request that comes one byte at a time', async (t) => {
      const { port } = await serve(t, { io });
      const raw = client(t, port);
      await once(raw.socket, 'secureConnect');
      for (const byte of post('/slow', 'body')) {
        raw.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.strictEqual((await raw.response()).body, 'POST /slow body');
    });

    test('the request says that it is secure, who has sent it and to where', async (t) => {
      let seen;
      const answer = ({ socket }, response) => {
        seen = {
          encrypted: socket.encrypted, protocol: socket.getProtocol(), alpn: socket.alpnProtocol, authorized: socket.authorized,
          from: [socket.remoteAddress, socket.remotePort, socket.remoteFamily], to: [socket.localAddress, socket.localPort],
          subject: socket.getPeerCertificate().subject?.CN,
        };
        response.end();
      };
      const { port } = await serve(t, { io, answer, tls: { ...certificates.server, ca, requestCert: true } });
      const socket = tls.connect({ port, host: HOST, ca, ...certificates.client, ALPNProtocols: ['http/1.1'] });
      t.after(() => socket.destroy());
      socket.write(get('/'));
      await once(socket, 'data');
      assert.deepStrictEqual(seen, {
        encrypted: true, protocol: 'TLSv1.3', alpn: 'http/1.1', authorized: true,
        from: [HOST, socket.localPort, 'IPv4'], to: [HOST, port],
        subject: new crypto.X509Certificate(certificates.client.cert).toLegacyObject().subject.CN,
      });
    });

    test('an Express application works unchanged, and knows of TLS', async (t) => {
      const app = express();
      app.use(express.json());
      app.post('/json', (incoming, response) => response.json({ secure: incoming.secure, protocol: incoming.protocol, body: incoming.body }));
      const { port } = await serve(t, { io, httpServer: http.createServer(app) });
      const { body } = await request(port, { path: '/json', method: 'POST', headers: { 'Content-Type': 'application/json' } }, '{"a":1}');
      assert.deepStrictEqual(JSON.parse(body), { secure: true, protocol: 'https', body: { a: 1 } });
    });

    test('16 MiB in and out arrive whole, also when nobody reads for a while', async (t) => {
      const answer = async (incoming, response) => {
        await sleep(100);
        incoming.pipe(response);
      };
      const { port } = await serve(t, { io, answer });
      const sent = crypto.randomBytes(16 * MiB);
      const outgoing = https.request({ host: HOST, port, ca, method: 'POST', path: '/' });
      outgoing.end(sent);
      const [response] = await once(outgoing, 'response');
      await sleep(100);
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(sent));
    });

    test('a client that uploads and is not read is held back', async (t) => {
      const { port, httpServer } = await serve(t, { io, answer: () => {} });
      const raw = client(t, port);
      raw.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${256 * MiB}\r\n\r\n`);
      await once(httpServer, 'request');
      const before = process.memoryUsage();
      const chunk = Buffer.alloc(MiB);
      let taken = 0;
      for (let quiet = 0; quiet < 20 && taken < 128;) {
        if (raw.socket.write(chunk)) { taken++; quiet = 0; continue; }
        const drained = await Promise.race([once(raw.socket, 'drain').then(() => true), sleep(50).then(() => false)]);
        taken++;
        quiet = drained ? 0 : quiet + 20;
      }
      assert.ok(taken < 64, `${taken} MiB were taken`);
      assert.ok(process.memoryUsage().rss - before.rss < 96 * MiB);
    });

    test('a WebSocket that comes first never troubles the HTTP server', async (t) => {
      const { port, server, httpServer } = await serve(t, { io });
      if (io !== 'stream') httpServer.on('connection', () => assert.fail('it has not accepted anything'));
      server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)));
      const accepted = once(server, 'connect');
      const webSocketClient = new websocket.client({ tlsOptions: { ca } });
      webSocketClient.connect(`wss://${HOST}:${port}/`);
      const [connection] = await once(webSocketClient, 'connect');
      const [own] = await accepted;
      assert.strictEqual(own.transport, io);
      connection.sendUTF('hello');
      assert.strictEqual((await once(connection, 'message'))[0].utf8Data, 'hello');
      connection.drop();
    });

    test('a WebSocket on a connection that has carried requests', async (t) => {
      const { port, server } = await serve(t, { io });
      server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)));
      const socket = tls.connect({ port, host: HOST, ca });
      t.after(() => socket.destroy());
      socket.write(get('/'));
      await once(socket, 'data');
      socket.write(requestHead());
      assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 101/);
      await echoed(socket, 'over TLS');
    });

    test('a server of the package ws on the same port gets its own, first on a connection or behind requests', async (t) => {
      const { port, httpServer } = await serve(t, { io, path: '/chat' });
      const other = new WsServer({ noServer: true });
      httpServer.on('upgrade', (incoming, socket, head) => {
        if (incoming.url !== '/other') return;
        other.handleUpgrade(incoming, socket, head, (ws) => ws.on('message', (text) => ws.send(String(text))));
      });
      for (const before of [0, 2]) {
        const socket = tls.connect({ port, host: HOST, ca });
        t.after(() => socket.destroy());
        for (let i = 0; i < before; i++) {
          socket.write(get('/'));
          await once(socket, 'data');
        }
        socket.write(requestHead({ path: '/other' }));
        assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 101/);
        await echoed(socket, `behind ${before} requests`);
        assert.strictEqual(await connectionsOf(httpServer), 1);
        const closed = once(socket, 'close');
        for (const ws of other.clients) ws.terminate();
        await closed;
        await allClosed(httpServer);
      }
    });

    test('limits and timeouts of the HTTP server apply', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      httpServer.maxConnections = 1;
      httpServer.keepAliveTimeout = 100;
      const first = client(t, port).write(get('/'));
      assert.strictEqual((await first.response()).status, 200);
      const dropped = once(httpServer, 'drop');
      const second = client(t, port).write(get('/'));
      await dropped;
      assert.strictEqual(await second.response(), null);
      // Node adds a second to what it promises.
      await first.rest();
      await allClosed(httpServer);
      httpServer.maxConnections = 0;
      const large = client(t, port).write(get('/', `A: ${'x'.repeat(20000)}`));
      assert.match(await large.rest(), /^HTTP\/1.1 431/);
    });

    test('garbage ends in clientError, plain HTTP and broken handshakes in tlsClientError', async (t) => {
      const { port, httpServer, server } = await serve(t, { io });
      const garbled = once(httpServer, 'clientError');
      client(t, port).write('\x01\x02\x03 nonsense\r\n\r\n');
      const [, socket] = await garbled;
      socket.destroy();
      for (const bytes of [get('/'), '\x16\x03\x01\x00\x05hello']) {
        const failed = once(server, 'tlsClientError');
        const plain = net.connect(port, HOST);
        plain.on('error', () => {});
        plain.end(bytes, 'latin1');
        const [error, { address }] = await failed;
        assert.ok(error.code);
        assert.strictEqual(address, HOST);
        plain.destroy();
      }
      await allClosed(httpServer);
    });

    test('clients that go away anywhere leave nothing behind', async (t) => {
      const { port, httpServer, server } = await serve(t, { io });
      httpServer.on('clientError', (_, socket) => socket.destroy());
      server.on('tlsClientError', () => {});
      const bytes = post('/a', 'the body');
      for (let cut = 0; cut <= bytes.length; cut += 9) {
        for (const leave of ['end', 'destroy']) {
          const socket = tls.connect({ port, host: HOST, ca });
          socket.on('error', () => {});
          await once(socket, 'secureConnect');
          socket.write(bytes.slice(0, cut));
          await new Promise((resolve) => setImmediate(resolve));
          socket[leave]();
          socket.resume();
        }
      }
      const { body } = await request(port, { path: '/alive' });
      assert.strictEqual(String(body), 'GET /alive ');
      httpServer.closeIdleConnections();
      await allClosed(httpServer);
    });

    test('other certificates are those of new connections', async (t) => {
      const { port, server } = await serve(t, { io });
      const subject = async () => {
        const socket = tls.connect({ port, host: HOST, rejectUnauthorized: false });
        await once(socket, 'secureConnect');
        const { subject: { CN } } = socket.getPeerCertificate();
        socket.destroy();
        return CN;
      };
      const before = await subject();
      server.setSecureContext(certificates.other);
      assert.notStrictEqual(await subject(), before);
    });

    test('close() of the HTTP server waits for the request under way, ends idle connections and closes the port', async (t) => {
      let response;
      const answer = (incoming, outgoing) => { if (incoming.url === '/slow') response = outgoing; else outgoing.end(); };
      const { httpServer, server, port } = await serve(t, { io, answer });
      const idle = client(t, port).write(get('/'));
      await idle.response();
      const slow = client(t, port).write(get('/slow', 'Connection: close'));
      while (response === undefined) await sleep(5);
      assert.deepStrictEqual({ ...httpServer.address() }, { address: HOST, family: 'IPv4', port });
      let isClosed = false;
      const closed = new Promise((resolve) => httpServer.close(resolve)).then((error) => { isClosed = true; return error; });
      httpServer.closeIdleConnections();
      await idle.rest();
      await sleep(30);
      assert.strictEqual(isClosed, false);
      response.end('done');
      assert.match(await slow.rest(), /done$/);
      assert.strictEqual(await closed, undefined);
      const [error] = await once(net.connect(port, HOST), 'error');
      assert.strictEqual(error.code, 'ECONNREFUSED');
      assert.strictEqual(server.address(), null);
    });
  });
}
