'use strict';

// What is no WebSocket request reaches the HTTP server of the option `fallback`, whatever it looks like and however it arrives.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { once } = require('events');
const { setImmediate: nextTurn, setTimeout: sleep } = require('timers/promises');
const { HOST, IO, isNative, serve, client, get, post, askInTurn } = require('./serve');

for (const io of IO) {
  describe(`requests that are for the fallback, io: ${io}`, () => {
    test('a plain request is answered by the HTTP server', async (t) => {
      const { port, server } = await serve(t, { io });
      server.on('upgradeError', () => assert.fail('it is no upgrade'));
      const response = await fetch(`http://${HOST}:${port}/path?x=1`, { method: 'PUT', body: 'body' });
      assert.strictEqual(response.status, 200);
      assert.strictEqual(await response.text(), 'PUT /path?x=1 body');
    });

    test('the request says who has sent it, and to where', async (t) => {
      let seen;
      const answer = ({ socket }, response) => {
        seen = [socket.remoteAddress, socket.remotePort, socket.remoteFamily, socket.localAddress, socket.localPort];
        response.end();
      };
      const { port } = await serve(t, { io, answer });
      const raw = client(t, port).write(get('/'));
      await raw.response();
      assert.deepStrictEqual(seen, [HOST, raw.socket.localPort, 'IPv4', HOST, port]);
    });

    test('the next requests on the same connection are answered too', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      let connections = 0;
      httpServer.on('connection', () => connections++);
      await askInTurn(client(t, port));
      assert.strictEqual(connections, 1);
    });

    test('1,000 requests on one connection', async (t) => {
      const { port } = await serve(t, { io });
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      const ports = new Set();
      for (let i = 0; i < 1000; i++) {
        const [response] = await once(http.get({ host: HOST, port, path: `/${i}`, agent }), 'response');
        ports.add(response.socket.localPort);
        let body = '';
        for await (const chunk of response) body += chunk;
        assert.strictEqual(body, `GET /${i} `);
      }
      assert.strictEqual(ports.size, 1);
    });

    test('100 requests that arrive at once are answered in order', async (t) => {
      const { port } = await serve(t, { io });
      const raw = client(t, port);
      raw.write(Array.from({ length: 100 }, (_, i) => (i % 3 ? get(`/${i}`) : post(`/${i}`, `body ${i}`))).join(''));
      for (let i = 0; i < 100; i++) {
        assert.strictEqual((await raw.response()).body, i % 3 ? `GET /${i} ` : `POST /${i} body ${i}`);
      }
    });

    for (const method of ['GET', 'POST']) {
      test(`a ${method} request that is cut anywhere`, async (t) => {
        const { port } = await serve(t, { io });
        const request = method === 'GET' ? get('/a', 'X: y') : post('/a', 'the body');
        const expected = method === 'GET' ? 'GET /a ' : 'POST /a the body';
        await Promise.all(Array.from({ length: request.length - 1 }, async (_, i) => {
          const raw = client(t, port).write(request.slice(0, i + 1));
          await once(raw.socket, 'connect');
          for (let turn = 0; turn < 5; turn++) await nextTurn();
          raw.write(request.slice(i + 1));
          assert.strictEqual((await raw.response()).body, expected, `cut after ${i + 1}`);
        }));
      });
    }

    test('a request whose bytes come one by one', async (t) => {
      const { port } = await serve(t, { io });
      const raw = client(t, port);
      await once(raw.socket, 'connect');
      for (const byte of get('/slow', 'X: y') + post('/next', 'body')) {
        raw.write(byte);
        await nextTurn();
      }
      assert.strictEqual((await raw.response()).body, 'GET /slow ');
      assert.strictEqual((await raw.response()).body, 'POST /next body');
    });

    test('a chunked body, in the first bytes and later', async (t) => {
      const { port } = await serve(t, { io });
      const raw = client(t, port).write('POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await once(raw.socket, 'connect');
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      raw.write('3\r\ndef\r\n0\r\n\r\n');
      assert.strictEqual((await raw.response()).body, 'POST /c abcdef');
    });

    test('a body of any size', async (t) => {
      const { port } = await serve(t, { io });
      for (const size of [0, 1, 1000, 65535, 65536, 65537, 200000, 3 << 20]) {
        const body = 'x'.repeat(size);
        const response = await fetch(`http://${HOST}:${port}/`, { method: 'POST', body });
        assert.strictEqual((await response.text()).length, 'POST / '.length + size);
      }
    });

    test('Expect: 100-continue', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      const raw = client(t, port).write('POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
      assert.strictEqual((await raw.response()).status, 100);
      raw.write('body');
      assert.strictEqual((await raw.response()).body, 'POST /e body');

      httpServer.on('checkContinue', (request, response) => response.writeHead(417, { 'Content-Length': 0 }).end());
      const refused = client(t, port).write('POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
      assert.strictEqual((await refused.response()).status, 417);
    });

    test('HTTP/1.0, HEAD, OPTIONS * and CONNECT mean what they mean to Node', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      assert.match(await client(t, port).write('GET /old HTTP/1.0\r\n\r\n').rest(), /^HTTP\/1\.1 200 OK[^]*GET \/old $/);
      assert.match(await client(t, port).write('HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').rest(), /^HTTP\/1\.1 200 OK[^]*\r\n\r\n$/);
      assert.strictEqual((await client(t, port).write('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n').response()).body, 'OPTIONS * ');
      httpServer.on('connect', (request, socket, head) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${request.url} ${head}`));
      assert.match(await client(t, port).write('CONNECT b:1 HTTP/1.1\r\nHost: b\r\n\r\ntunnel').rest(), /b:1 tunnel$/);
    });

    test('what is no HTTP reaches the HTTP server as well', async (t) => {
      const { port, httpServer } = await serve(t, { io });
      for (const garbage of ['\x16\x03\x01\x02\x00 hello\r\n\r\n', 'GET nonsense\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\0'.repeat(100)]) {
        assert.match(await client(t, port).write(garbage).rest(), /^HTTP\/1\.1 400 Bad Request/, JSON.stringify(garbage));
      }
      const failed = once(httpServer, 'clientError');
      const raw = client(t, port).write('GET nonsense\r\n\r\n');
      const [error, socket] = await failed;
      assert.match(error.code, /^HPE_/);
      socket.end('HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n');
      assert.strictEqual((await raw.response()).status, 418);
    });

    test('a head that is too long gets 431, by the limit of the HTTP server', async (t) => {
      const { port } = await serve(t, { io, httpOptions: { maxHeaderSize: 2048 } });
      const length = (text) => get('/', `X: ${'x'.repeat(text)}`);
      assert.strictEqual((await client(t, port).write(length(1500)).response()).status, 200);
      assert.match(await client(t, port).write(length(4000)).rest(), /^HTTP\/1\.1 431 /);
      const endless = client(t, port).write('GET / HTTP/1.1\r\nX: ');
      for (let i = 0; i < 5; i++) endless.write('x'.repeat(1000));
      assert.match(await endless.rest(), /^HTTP\/1\.1 431 /);
      const larger = await serve(t, { io, httpOptions: { maxHeaderSize: 100000 } });
      assert.strictEqual((await client(t, larger.port).write(length(50000)).response()).status, 200);
    });

    test('what the client sends is held back while the program does not read it', async (t) => {
      let request;
      const { port } = await serve(t, { io, answer: (incoming) => { request = incoming; } });
      const size = 20 << 20;
      const upload = http.request({ host: HOST, port, method: 'POST', headers: { 'Content-Length': size } });
      upload.on('error', () => {});
      t.after(() => upload.destroy());
      let sent = 0;
      const send = () => {
        while (sent < size) {
          sent += 65536;
          if (!upload.write(Buffer.alloc(65536, 'u'))) {
            upload.once('drain', send);
            return;
          }
        }
        upload.end();
      };
      send();
      let before;
      do {
        before = sent;
        await sleep(200);
      } while (sent !== before);
      assert.ok(sent < size, 'the rest waits at the client');
      const { rss } = process.memoryUsage();
      let received = 0;
      for await (const chunk of request) received += chunk.length;
      assert.strictEqual(received, size);
      assert.ok(process.memoryUsage().rss - rss < 100 << 20);
    });

    test('what the client does not read is held back', async (t) => {
      let response;
      const { port, httpServer } = await serve(t, { io, answer: (_, outgoing) => { response = outgoing; } });
      const raw = client(t, port).write(get('/'));
      raw.socket.pause();
      await once(httpServer, 'request');
      const chunk = Buffer.alloc(1 << 20, 'd');
      const drains = () => Promise.race([once(response, 'drain').then(() => true), sleep(200, false)]);
      let written = 0;
      do {
        assert.ok(++written < 200, 'the operating system does not take everything');
        response.write(chunk);
      } while (await drains());
      const drained = once(response, 'drain');
      raw.socket.resume();
      await drained;
    });
  });
}

test('without the option, a plain request is answered with 426', { skip: !isNative }, async (t) => {
  const { port } = await serve(t, { fallback: null });
  assert.match(await client(t, port).write(get('/')).rest(), /^HTTP\/1\.1 426 /);
});
