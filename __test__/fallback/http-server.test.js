'use strict';

// The HTTP server of the option `fallback` is one that listens, as far as it and the program can tell.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const https = require('https');
const net = require('net');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');
const express = require('express');
const websocket = require('../..');
const { openRawClient } = require('../helpers/raw');
const { HOST, IO, serve, client, get } = require('./serve');

const [major] = process.versions.node.split('.').map(Number);
const connectionsOf = (httpServer) => new Promise((resolve, reject) => {
  httpServer.getConnections((error, count) => (error ? reject(error) : resolve(count)));
});

async function refusesConnections(port) {
  const [error] = await once(net.connect(port, HOST), 'error');
  assert.strictEqual(error.code, 'ECONNREFUSED');
}

for (const io of IO) {
  describe(`an HTTP server that is a fallback, io: ${io}`, () => {
    test('listens, and says where', async (t) => {
      const httpServer = http.createServer();
      const listening = once(httpServer, 'listening');
      const { server, port } = await serve(t, { io, httpServer });
      await listening;
      assert.strictEqual(httpServer.listening, true);
      assert.deepStrictEqual({ ...httpServer.address() }, { address: HOST, family: 'IPv4', port });
      assert.deepStrictEqual({ ...server.address() }, { ...httpServer.address() });
      assert.throws(() => httpServer.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
    });

    test('an Express application works unchanged', async (t) => {
      const app = express();
      app.use(express.json());
      app.post('/json', (request, response) => response.json({ ip: request.ip, secure: request.secure, body: request.body }));
      const { port } = await serve(t, { io, httpServer: http.createServer(app) });
      const response = await fetch(`http://${HOST}:${port}/json`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ a: 1 }),
      });
      assert.deepStrictEqual(await response.json(), { ip: HOST, secure: false, body: { a: 1 } });
      assert.strictEqual((await fetch(`http://${HOST}:${port}/none`)).status, 404);
    });

    test('close() closes the port, ends idle connections and calls back without an error', async (t) => {
      const { httpServer, server, port } = await serve(t, { io });
      const idle = client(t, port).write(get('/'));
      await idle.response();
      const websocketPeer = await openRawClient(port);
      // As a socket of its own would, a WebSocket that the HTTP server has brought keeps it from closing.
      if (io === 'stream') for (const { socket } of server.connections) socket.destroy();
      const closed = new Promise((resolve) => httpServer.close(resolve));
      if (major < 19) httpServer.closeIdleConnections();
      assert.strictEqual(await closed, undefined);
      await idle.rest();
      await refusesConnections(port);
      assert.strictEqual(httpServer.listening, false);
      assert.strictEqual(httpServer.address(), null);
      assert.strictEqual(server.address(), null);
      if (io !== 'stream') assert.strictEqual(websocketPeer.ended, false);
    });

    test('close() waits for the request under way', async (t) => {
      let response;
      const answer = (_, outgoing) => { response = outgoing; };
      const { httpServer, port } = await serve(t, { io, answer });
      const raw = client(t, port).write(get('/', 'Connection: close'));
      await once(httpServer, 'request');
      let isClosed = false;
      const closed = new Promise((resolve) => httpServer.close(resolve)).then(() => { isClosed = true; });
      await sleep(50);
      assert.strictEqual(isClosed, false);
      response.end('done');
      assert.strictEqual((await raw.response()).body, 'done');
      await closed;
    });

    for (const method of ['close', 'unmount', 'shutDown']) {
      test(`${method}() of the WebSocket server closes the port and idle connections; close() of the HTTP server may follow`, async (t) => {
        let response;
        const answer = (request, outgoing) => {
          if (request.url === '/slow') response = outgoing;
          else outgoing.end('quick');
        };
        const { httpServer, server, port } = await serve(t, { io, answer });
        const idle = client(t, port).write(get('/'));
        await idle.response();
        const busy = client(t, port).write(get('/slow'));
        await once(httpServer, 'request');
        server[method]();
        await refusesConnections(port);
        await idle.rest();
        assert.strictEqual(server.address(), null);
        assert.strictEqual(httpServer.address(), null);
        response.end('slow');
        assert.strictEqual((await busy.response()).body, 'slow');
        const closed = new Promise((resolve) => httpServer.close(resolve));
        httpServer.closeIdleConnections();
        assert.strictEqual(await closed, undefined);
      });
    }

    test('closeIdleConnections() and closeAllConnections() close those that were handed over', async (t) => {
      const { httpServer, port } = await serve(t, { io, answer: (request, response) => { if (request.url === '/') response.end(); } });
      const idle = client(t, port).write(get('/'));
      await idle.response();
      const busy = client(t, port).write(get('/never'));
      await once(httpServer, 'request');
      assert.strictEqual(await connectionsOf(httpServer), 2);
      httpServer.closeIdleConnections();
      await idle.rest();
      assert.strictEqual(busy.ended, false);
      httpServer.closeAllConnections();
      await busy.rest();
      while (await connectionsOf(httpServer) > 0) await sleep(5);
    });

    test('mounted again, it listens again', async (t) => {
      const { httpServer, server, port } = await serve(t, { io });
      const options = { port: 0, host: HOST, io, fallback: httpServer };
      server.mount(options);
      await once(server, 'listening');
      const { port: second } = server.address();
      assert.notStrictEqual(second, port);
      assert.strictEqual(httpServer.address().port, second);
      await refusesConnections(port);
      assert.strictEqual((await client(t, second).write(get('/a')).response()).body, 'GET /a ');

      server.unmount();
      server.mount(options);
      await once(server, 'listening');
      assert.strictEqual((await client(t, server.address().port).write(get('/b')).response()).body, 'GET /b ');

      // By the other way of listening.
      server.unmount();
      server.mount({ ...options, io: io === 'stream' ? 'auto' : 'stream' });
      await once(server, 'listening');
      assert.strictEqual((await client(t, server.address().port).write(get('/o')).response()).body, 'GET /o ');
      server.unmount();
      server.mount(options);
      await once(server, 'listening');
      assert.strictEqual((await client(t, server.address().port).write(get('/p')).response()).body, 'GET /p ');

      await new Promise((resolve) => httpServer.close(resolve));
      server.mount(options);
      await once(server, 'listening');
      assert.strictEqual(httpServer.listening, true);
      assert.strictEqual((await client(t, server.address().port).write(get('/c')).response()).body, 'GET /c ');
    });

    test('keepAliveTimeout ends a connection that is idle for longer', async (t) => {
      const { httpServer, port } = await serve(t, { io });
      httpServer.keepAliveTimeout = 50;
      const raw = client(t, port).write(get('/'));
      const { head } = await raw.response();
      assert.match(head, /connection: keep-alive/i);
      await raw.rest();
    });

    test('headersTimeout ends a request whose head does not arrive', async (t) => {
      const httpOptions = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 };
      const { port } = await serve(t, { io, httpOptions });
      const heads = ['GET / HTTP/1.1\r\nHost: ', 'POST / HTTP/1.1\r\nHost: ', `${get('/')}GET / HTTP/1.1\r\nHost: `];
      await Promise.all(heads.map(async (head) => {
        assert.match(await client(t, port).write(head).rest(), /HTTP\/1\.1 408 Request Timeout/, head);
      }));
    });

    test('requestTimeout ends a request whose body does not arrive', async (t) => {
      const httpOptions = { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 50 };
      const { port } = await serve(t, { io, httpOptions });
      const raw = client(t, port).write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
      assert.match(await raw.rest(), /^HTTP\/1\.1 408 Request Timeout/);
    });

    test('timeout, setTimeout() and maxRequestsPerSocket are those of the HTTP server', async (t) => {
      const { httpServer, port } = await serve(t, { io, answer: (request, response) => { if (request.url !== '/never') response.end('x'); } });
      httpServer.maxRequestsPerSocket = 1;
      const limited = client(t, port).write(get('/'));
      assert.match((await limited.response()).head, /connection: close/i);
      httpServer.setTimeout(50);
      const timedOut = once(httpServer, 'timeout');
      client(t, port).write(get('/never'));
      const [socket] = await timedOut;
      socket.destroy();
    });

    test('maxConnections counts, and `drop` tells', async (t) => {
      const { httpServer, port } = await serve(t, { io });
      httpServer.maxConnections = 1;
      await client(t, port).write(get('/')).response();
      const dropped = once(httpServer, 'drop');
      const second = client(t, port).write(get('/'));
      const [{ remotePort }] = await dropped;
      assert.strictEqual(remotePort, second.socket.localPort);
      assert.strictEqual(await second.rest(), '');
    });

    test('sockets are as those that Node accepts', async (t) => {
      const options = { noDelay: true, keepAlive: true, highWaterMark: 12345 };
      const { httpServer, port } = await serve(t, { io, httpOptions: options });
      const straight = http.createServer(options, (_, response) => response.end()).listen(0, HOST);
      t.after(() => straight.close());
      await once(straight, 'listening');
      const looks = async (owner, at) => {
        const found = once(owner, 'connection');
        const raw = client(t, at).write(get('/'));
        const [socket] = await found;
        await raw.response();
        return {
          class: socket.constructor, allowHalfOpen: socket.allowHalfOpen, server: socket.server === owner, timeout: socket.timeout,
          marks: [socket.readableHighWaterMark, socket.writableHighWaterMark], handle: socket._handle.constructor.name,
          state: socket.readyState, flowing: socket.readableFlowing, listeners: socket.eventNames().map(String).sort(),
        };
      };
      assert.deepStrictEqual(await looks(httpServer, port), await looks(straight, straight.address().port));
    });

    test('a listener for `connection` may read the first bytes itself', async (t) => {
      const httpServer = http.createServer((_, response) => response.end());
      const seen = [];
      httpServer.on('connection', (socket) => socket.on('data', (chunk) => seen.push(String(chunk))));
      const { port } = await serve(t, { io, httpServer });
      const raw = client(t, port).write(get('/1'));
      await raw.response();
      await raw.write(get('/2')).response();
      assert.deepStrictEqual(seen, [get('/1'), get('/2')]);
    });

    test('unref() lets the process end', { skip: io === 'stream' && 'Node does that by itself' }, async (t) => {
      const { httpServer } = await serve(t, { io });
      httpServer.unref();
      httpServer.ref();
    });

    test('a port that is in use is an error of the WebSocket server', async (t) => {
      const { port } = await serve(t, { io });
      const httpServer = http.createServer();
      const second = new websocket.server({ port, host: HOST, io, fallback: httpServer });
      const [error] = await once(second, 'error');
      assert.strictEqual(error.code, 'EADDRINUSE');
      assert.strictEqual(httpServer.listening, false);
      let told = 0;
      second.on('listening', () => told++);
      second.mount({ port: 0, host: HOST, io, fallback: httpServer });
      await once(second, 'listening');
      t.after(() => second.close());
      assert.strictEqual(told, 1);
      assert.strictEqual(httpServer.listening, true);
    });

    test('the name of a host is looked up', async (t) => {
      const { httpServer, port } = await serve(t, { io, host: 'localhost' });
      assert.strictEqual(httpServer.address().port, port);
      const response = await fetch(`http://localhost:${port}/x`);
      assert.strictEqual(await response.text(), 'GET /x ');
    });
  });
}

describe('the option fallback', () => {
  const refuses = (options, message) => assert.throws(
    () => new websocket.server({ port: 0, ...options }), { code: 'ERR_WEBSOCKET_OPTION', message });

  test('takes nothing but an HTTP server', () => {
    refuses({ fallback: express() }, /^The option fallback must be an HTTP server, not the function app\. .*http\.createServer\(app\)\.$/);
    refuses({ fallback: https.createServer() }, /fallback must be an HTTP server, not an object of class Server\. Requests come to it without TLS/);
    refuses({ fallback: net.createServer() }, /A server of node:net or node:tls has no event upgrade/);
    refuses({ fallback: { server: http.createServer() } }, /Its property server may be one/);
    refuses({ fallback: 8080 }, /^The option fallback must be an HTTP server, not 8080\./);
    refuses({ fallback: true }, /not true/);
  });

  test('needs the option port', () => {
    const fallback = http.createServer();
    assert.throws(() => new websocket.server({ fallback, httpServer: fallback }), { message: /fallback needs the option port/ });
    assert.throws(() => new websocket.server({ fallback, noServer: true }), { message: /fallback needs the option port/ });
    assert.strictEqual(fallback.listenerCount('upgrade'), 0);
  });

  test('takes no server that listens for itself', async (t) => {
    const fallback = http.createServer().listen(0, HOST);
    t.after(() => fallback.close());
    await once(fallback, 'listening');
    refuses({ fallback }, /listens already\. The option port takes the place of its listen\(\)/);
    assert.strictEqual(fallback.listenerCount('upgrade'), 0);
  });
});
