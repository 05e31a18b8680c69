'use strict';

// Servers that listen themselves, several in one process: each has its own deadlines and its own requests, and leaves nothing
// behind when it has gone.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { Worker } = require('worker_threads');
const { once } = require('events');
const { websocket } = require('../helpers/under-test');
const { eventually } = require('../helpers/under-test/endpoints');
const { requestHead, openRawClient, OPCODE } = require('../helpers/raw');
const { TAKES_OVER, LISTENERS, open, optionsOf, block, sleep } = require('./ways');

/** A server that listens itself; `answers` tells which requests it was shown. */
async function listen(t, way, options = {}) {
  const server = new websocket.server({ ...optionsOf(way), ...options });
  const requests = [];
  server.on('request', (request) => {
    requests.push(request.resource);
    request.accept();
  });
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const { socket } of [...server.connections, ...server.pendingRequests]) socket.destroy();
  });
  return { server, requests, port: server.address().port };
}

/** A client that has sent a part of a request; `answer` is its first line, `after` how many milliseconds that took. */
async function slowClient(t, port, bytes = 'GET / HTTP/1.1\r\n') {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  const client = { socket, answer: null, after: null, ended: false };
  socket.on('error', () => {});
  await once(socket, 'connect');
  const begun = performance.now();
  socket.on('data', (chunk) => {
    client.answer = client.answer || String(chunk).split('\r\n')[0];
    client.after = client.after || performance.now() - begun;
  });
  socket.on('close', () => { client.ended = true; });
  if (bytes) socket.write(bytes);
  return client;
}

const refused = ({ answer, after }) => `${answer} after ${after === null ? 'never' : `${Math.round(after)} ms`}`;

for (const way of LISTENERS) {
  // Deadlines are looked at four times a second, and this machine may be busy.
  const LATE = 1500;

  describe(`${way.name}: deadlines of requests`, { concurrency: false }, () => {
    for (const order of [[60000, 500], [500, 60000], [60000, 1000, 300], [300, 60000, 1000], [1000, 300, 60000, 500]]) {
      test(`servers with handshakeTimeout ${order.join(', ')} each keep to their own, in this order of clients`, async (t) => {
        const servers = [];
        for (const handshakeTimeout of order) servers.push(await listen(t, way, { handshakeTimeout }));
        const clients = [];
        for (const { port } of servers) {
          clients.push(await slowClient(t, port));
          await sleep(30);
        }
        const short = clients.filter((_, index) => order[index] < 60000);
        await eventually(() => short.every(({ answer }) => answer !== null), 'the answers of 408').catch(() => {});
        for (const [index, client] of clients.entries()) {
          const ms = order[index];
          if (ms === 60000) {
            assert.deepStrictEqual([client.answer, client.ended], [null, false], 'sixty seconds are not over');
          } else {
            assert.match(String(client.answer), /^HTTP\/1\.1 408/, `${ms} ms: ${refused(client)}`);
            assert.ok(client.after > ms - 50 && client.after < ms + LATE, `${ms} ms: ${refused(client)}`);
          }
        }
      });
    }

    test('a client that connects and sends nothing has the same time, and one that goes on in time is served', async (t) => {
      const slow = await listen(t, way, { handshakeTimeout: 60000 });
      const quick = await listen(t, way, { handshakeTimeout: 800 });
      await slowClient(t, slow.port, '');
      const silent = await slowClient(t, quick.port, '');
      const head = requestHead({ path: '/in-time' });
      const late = await slowClient(t, quick.port, head.slice(0, 30));
      await sleep(100);
      late.socket.write(head.slice(30));
      await eventually(() => silent.answer !== null || silent.ended, 'an end of the silent client');
      assert.match(late.answer, /^HTTP\/1\.1 101/);
      assert.deepStrictEqual(quick.requests, ['/in-time']);
    });

    test('a server that is closed leaves the deadlines of the others alone', { timeout: 30000 }, async (t) => {
      const slow = await listen(t, way, { handshakeTimeout: 60000 });
      const waiting = await slowClient(t, slow.port);
      for (let i = 0; i < 3; i++) {
        const other = await listen(t, way, { handshakeTimeout: 60000 });
        await slowClient(t, other.port);
        other.server.close();
      }
      // A closed server gives its clients five seconds at most; the one that is open sixty.
      await sleep(7000);
      assert.deepStrictEqual([waiting.answer, waiting.ended], [null, false]);
      waiting.socket.write(requestHead().split('\r\n').slice(1).join('\r\n'));
      await eventually(() => waiting.answer !== null, 'the answer');
      assert.match(waiting.answer, /^HTTP\/1\.1 101/);
    });
  });

  describe(`${way.name}: requests`, () => {
    test('one for a closed server is never shown to another, however many come and go', async (t) => {
      for (let round = 0; round < 10; round++) {
        const shown = [];
        const first = await listen(t, way, { autoAcceptConnections: false });
        const others = [];
        first.server.removeAllListeners('request');
        first.server.on('request', (request) => {
          request.reject(403);
          if (others.length > 0) return;
          first.server.close();
          for (let i = 0; i < 3; i++) {
            const other = new websocket.server(optionsOf(way));
            other.on('request', (late) => {
              shown.push(late.resource);
              late.accept();
            });
            others.push(other);
          }
        });
        t.after(() => { for (const other of others) other.close(); });
        const clients = [];
        for (const path of ['/one', '/two', '/three', '/four']) clients.push([path, await slowClient(t, first.port, '')]);
        // All requests are in one batch.
        for (const [path, { socket }] of clients) socket.write(requestHead({ path }));
        block(30);
        await eventually(() => others.length > 0, 'the first request');
        await sleep(50);
        assert.deepStrictEqual(shown, []);
        for (const [, { answer }] of clients) assert.doesNotMatch(String(answer), /101/);
      }
    });

    test('one that was begun at a closed server is not shown to the next that listens', async (t) => {
      const first = await listen(t, way);
      const head = requestHead({ path: '/begun-before' });
      const clients = [await slowClient(t, first.port, head.slice(0, 20)), await slowClient(t, first.port, '')];
      await sleep(50);
      first.server.close();
      const second = await listen(t, way, { port: first.port });
      clients[0].socket.write(head.slice(20));
      clients[1].socket.write(head);
      const right = await openRawClient(second.port, { path: '/right' });
      t.after(() => right.destroy());
      await sleep(50);
      assert.deepStrictEqual(second.requests, ['/right']);
      for (const { answer } of clients) assert.doesNotMatch(String(answer), /101/);
    });

    test('connections of a closed server go on, and new ones get to the next one only', async (t) => {
      const first = await listen(t, way);
      const peer = await openRawClient(first.port, { path: '/first' });
      t.after(() => peer.destroy());
      await eventually(() => first.server.connections.length === 1, 'the connection');
      const [connection] = first.server.connections;
      connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data));
      first.server.close();
      const second = await listen(t, way, { port: first.port });
      peer.send({ opcode: OPCODE.TEXT, payload: 'still here' });
      assert.strictEqual((await peer.frame()).payload.toString(), 'still here');
      const other = await openRawClient(second.port, { path: '/second' });
      t.after(() => other.destroy());
      assert.deepStrictEqual([first.requests, second.requests], [['/first'], ['/second']]);
    });
  });

  test(`${way.name}: thousands that have come and gone cost nothing afterwards`, { timeout: 60000 }, async (t) => {
    await listen(t, way);
    const busy = async () => {
      const before = process.cpuUsage();
      await sleep(1000);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    await sleep(200);
    const before = await busy();
    for (let i = 0; i < 4000; i++) {
      new websocket.server(optionsOf(way)).close();
      if (i % 200 === 0) await sleep(1);
    }
    await sleep(500);
    // Something else may have been going on in this process: the least of three.
    const after = Math.min(await busy(), await busy(), await busy());
    assert.ok(after < before + 15, `${Math.round(before)} ms of a second before, ${Math.round(after)} ms afterwards`);
  });

  test(`${way.name}: a request is answered, and a connection works, while many listeners come and go`, { timeout: 30000 }, async (t) => {
    const { port, server } = await listen(t, way);
    server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)));
    for (let i = 0; i < 100; i++) {
      const others = Array.from({ length: 5 }, () => new websocket.server(optionsOf(way)));
      const peer = await openRawClient(port);
      peer.send({ opcode: OPCODE.TEXT, payload: `${i}` });
      for (const other of others) other.close();
      assert.strictEqual((await peer.frame()).payload.toString(), `${i}`);
      peer.destroy();
    }
  });

  for (const [what, leave, expected] of [
    ['ended their side', 'end', [1006, 'end']],
    ['reset their connections', 'resetAndDestroy', [1006]],
  ]) {
    test(`${way.name}: clients that have sent their request and ${what} while the loop was busy are told of, each once`, async (t) => {
      const { server, requests, port } = await listen(t, way);
      const seen = [];
      server.on('connect', (connection) => {
        const socket = { connection, events: [] };
        seen.push(socket);
        connection.socket.on('end', () => socket.events.push('end'));
        connection.on('error', (error) => socket.events.push(error.code));
        connection.on('close', (code) => socket.events.push(code));
      });
      // A worker has begun to drive, if one is to.
      (await openRawClient(port)).destroy();
      await eventually(() => seen.length === 1 && seen[0].events.length > 0, 'the first client');
      seen.length = 0;
      const state = new Int32Array(new SharedArrayBuffer(4));
      const clients = new Worker(`
        const { port, head, leave, state } = require('worker_threads').workerData;
        const net = require('net');
        let left = 20;
        for (let i = 0; i < 20; i++) {
          const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(head, () => {
            // The request is a while ahead.
            setTimeout(() => {
              socket[leave]();
              if (--left === 0) setTimeout(() => Atomics.notify(state, 0, Atomics.add(state, 0, 1) + 1), 100);
            }, 50);
          }));
          socket.on('error', () => {});
        }`, { eval: true, workerData: { port, head: requestHead(), leave, state } });
      t.after(() => clients.terminate());
      await once(clients, 'online');
      assert.notStrictEqual(Atomics.wait(state, 0, 0, 10000), 'timed-out');
      await eventually(() => seen.length === 20 && seen.every(({ events }) => events.includes(1006)), 'the ends of all of them');
      await sleep(20);
      assert.deepStrictEqual([requests.length, server.connections.length, server.pendingRequests.length], [21, 0, 0]);
      for (const { events } of seen) assert.deepStrictEqual([...events].sort(), expected);
    });
  }

  for (const [what, prepare] of [
    ['with nothing to be sent', () => {}],
    ['behind a message', (connection) => connection.sendUTF('last')],
    ['behind much', (connection) => connection.sendBytes(Buffer.alloc(4 << 20))],
  ]) {
    test(`${way.name}: socket.end() ${what} sends FIN at once, in every moment`, async (t) => {
      for (const [when, at] of [
        ['in a timer', (pair, end) => setTimeout(end, 10)],
        ['in an immediate', (pair, end) => setImmediate(end)],
        ['inside message', (pair, end) => {
          pair.connection.once('message', end);
          pair.send({ opcode: OPCODE.TEXT, payload: 'now' });
        }],
      ]) {
        const pair = await open(t, way);
        await sleep(20);
        at(pair, () => {
          prepare(pair.connection);
          pair.connection.socket.end();
        });
        await eventually(() => pair.peer.ended, `FIN, ${when}`);
      }
    });
  }
}

test('there is nothing that listens itself here', { skip: TAKES_OVER && 'there is' }, () => {
  assert.deepStrictEqual(LISTENERS, []);
});
