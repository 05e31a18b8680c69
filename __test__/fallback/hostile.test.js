'use strict';

// Clients that mean harm, or have bad luck, at a port that an HTTP server shares.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const net = require('net');
const { once } = require('events');
const { setImmediate: nextTurn, setTimeout: sleep } = require('timers/promises');
const { openRawClient, requestHead } = require('../helpers/raw');
const { HOST, IO, serve, client, get, post } = require('./serve');

const connectionsOf = (httpServer) => new Promise((resolve) => {
  httpServer.getConnections((_, count) => resolve(count));
});

async function allClosed(httpServer) {
  while (await connectionsOf(httpServer) > 0) await sleep(10);
}

for (const io of IO) {
  describe(`hostile clients beside a fallback, io: ${io}`, () => {
    test('a client that goes away anywhere in a request, politely or not', async (t) => {
      const { httpServer, server, port } = await serve(t, { io });
      httpServer.on('clientError', (_, socket) => socket.destroy());
      const request = post('/a', 'the body');
      for (let cut = 0; cut <= request.length; cut += 3) {
        for (const leave of ['end', 'destroy', 'resetAndDestroy']) {
          const socket = net.connect(port, HOST);
          socket.on('error', () => {});
          await once(socket, 'connect');
          socket.write(request.slice(0, cut));
          await nextTurn();
          socket[leave]();
          socket.resume();
        }
      }
      await allClosed(httpServer);
      assert.strictEqual((await client(t, port).write(get('/alive')).response()).body, 'GET /alive ');
      assert.deepStrictEqual(server.pendingRequests, []);
    });

    test('random bytes are refused, and nothing comes of them', async (t) => {
      const { httpServer, port } = await serve(t, { io });
      httpServer.on('request', () => assert.fail('it is no request'));
      await Promise.all(Array.from({ length: 100 }, async (_, i) => {
        const raw = client(t, port);
        raw.socket.write(Buffer.concat([Buffer.from(i % 2 ? 'GET ' : ''), crypto.randomBytes(1 + i * 7), Buffer.from('\r\n\r\n')]));
        const answer = await raw.rest();
        if (raw.error === undefined) assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      }));
      await allClosed(httpServer);
    });

    test('descriptors do not leak', { skip: !fs.existsSync('/proc/self/fd') && 'there is no /proc here' }, async (t) => {
      const { httpServer, server, port } = await serve(t, { io });
      httpServer.on('clientError', (_, socket) => socket.destroy());
      const count = () => fs.readdirSync('/proc/self/fd').length;
      const round = async () => {
        for (let i = 0; i < 50; i++) {
          const kinds = [get('/'), post('/', 'x'), 'nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHo', requestHead(), get('/') + requestHead()];
          const socket = net.connect(port, HOST);
          socket.on('error', () => {});
          await once(socket, 'connect');
          socket.write(kinds[i % kinds.length]);
          if (i % 3) {
            await new Promise((resolve) => {
              for (const event of ['data', 'close']) socket.once(event, resolve);
            });
          }
          socket.destroy();
        }
        await allClosed(httpServer);
        while (server.connections.length > 0 || server.pendingRequests.length > 0) await sleep(10);
        await sleep(50);
      };
      await round();
      const before = count();
      for (let i = 0; i < 4; i++) await round();
      assert.ok(count() <= before + 2, `${before} descriptors before, ${count()} after`);
    });

    test('a flood of requests does not hold up the loop', async (t) => {
      const { port } = await serve(t, { io, answer: (_, response) => response.end('x') });
      const peer = await openRawClient(port);
      let stop = false;
      const flood = Array.from({ length: 50 }, async () => {
        while (!stop) {
          const raw = client(t, port).write(get('/').repeat(20));
          for (let i = 0; i < 20; i++) await raw.response();
          raw.socket.destroy();
        }
      });
      // Clients and server share this process, so each turn of the loop has the work of both.
      let longest = 0;
      const end = performance.now() + 2000;
      while (performance.now() < end) {
        const start = performance.now();
        await sleep(1);
        longest = Math.max(longest, performance.now() - start);
      }
      stop = true;
      await Promise.all(flood);
      peer.destroy();
      assert.ok(longest < 1000, `a timer of 1 ms took ${longest} ms`);
    });

    test('what listeners throw reaches uncaughtException, and requests are answered', async (t) => {
      const failure = new Error('of the handler');
      const answer = (request, response) => {
        if (request.url === '/fails') throw failure;
        response.end('fine');
      };
      const { httpServer, port } = await serve(t, { io, answer });
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      t.after(() => { for (const listener of listeners) process.on('uncaughtException', listener); });
      const nextException = () => new Promise((resolve) => { process.once('uncaughtException', resolve); });

      httpServer.once('connection', () => { throw failure; });
      const atConnection = nextException();
      const connected = client(t, port).write(get('/'));
      assert.strictEqual(await atConnection, failure);
      assert.strictEqual((await connected.response()).body, 'fine');

      const thrown = nextException();
      const failing = client(t, port).write(get('/fails'));
      const others = Array.from({ length: 5 }, () => client(t, port).write(get('/')));
      assert.strictEqual(await thrown, failure);
      for (const other of others) assert.strictEqual((await other.response()).body, 'fine');
      failing.socket.destroy();
    });

    test('more connections at once than may wait for their requests elsewhere', async (t) => {
      const { port } = await serve(t, { io });
      const agent = new http.Agent({ keepAlive: true, maxSockets: 300 });
      t.after(() => agent.destroy());
      const answers = await Promise.all(Array.from({ length: 600 }, async (_, i) => {
        const [response] = await once(http.get({ host: HOST, port, agent, path: `/${i}` }), 'response');
        let body = '';
        for await (const chunk of response) body += chunk;
        return body;
      }));
      assert.deepStrictEqual(answers, answers.map((_, i) => `GET /${i} `));
    });
  });
}
