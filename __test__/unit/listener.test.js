'use strict';

// Servers that listen themselves: the option `port`.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { spawnSync } = require('child_process');
const http = require('http');
const { once } = require('events');
const websocket = require('../..');
const loaded = require('../../lib/internal/addon/binding');
const { rawClient, openRawClient, requestHead, encodeFrame, OPCODE } = require('../helpers/raw');

const binding = process.platform !== 'win32' && typeof loaded.nativeListen === 'function' ? loaded : null;

/** The transports a server can listen over. */
const IO = binding ? ['loop', 'stream'] : ['stream'];

async function listen(t, config = {}) {
  const server = new websocket.server({ port: 0, host: '127.0.0.1', autoAcceptConnections: true, ...config });
  t.after(() => {
    server.close();
    for (const { socket } of [...server.connections, ...server.pendingRequests]) socket.destroy();
  });
  await once(server, 'listening');
  return { server, port: server.address().port };
}

/** A peer that was accepted, and its connection. */
async function open(server, port) {
  const accepted = once(server, 'connect');
  const peer = await openRawClient(port);
  const [connection] = await accepted;
  return { connection, peer };
}

async function answerTo(port, text) {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

for (const io of IO) {
  describe(`a server that listens itself, io: ${io}`, () => {
    test('accepts connections, exchanges messages and closes', async (t) => {
      const { server, port } = await listen(t, { io });
      const { connection, peer } = await open(server, port);
      assert.strictEqual(connection.remoteAddress, '127.0.0.1');
      connection.on('message', (message) => connection.sendUTF(`${message.utf8Data}!`));
      peer.send({ opcode: OPCODE.TEXT, payload: 'hello' });
      assert.strictEqual(String((await peer.frame()).payload), 'hello!');
      const closed = once(connection, 'close');
      connection.close(1000, 'bye');
      peer.send({ opcode: OPCODE.CLOSE, payload: Buffer.from([3, 232]) });
      peer.socket.end();
      assert.deepStrictEqual(await closed, [1000, 'bye']);
      assert.deepStrictEqual(server.connections, []);
    });

    test('says where it listens, until it is closed', async (t) => {
      const { server, port } = await listen(t, { io });
      assert.deepStrictEqual(server.address(), { address: '127.0.0.1', family: 'IPv4', port });
      await new Promise((resolve) => server.close(resolve));
      assert.strictEqual(server.address(), null);
      const socket = net.connect(port, '127.0.0.1');
      const [error] = await once(socket, 'error');
      assert.strictEqual(error.code, 'ECONNREFUSED');
    });

    test('close(callback) waits for the last connection', async (t) => {
      const { server, port } = await listen(t, { io });
      const { peer } = await open(server, port);
      let called = false;
      const closed = new Promise((resolve) => server.close(() => { called = true; resolve(); }));
      await new Promise((resolve) => setImmediate(resolve));
      assert.strictEqual(called, false);
      peer.destroy();
      await closed;
    });

    test('a port that is in use is an error event with the code of the system', async (t) => {
      const { port } = await listen(t, { io });
      const second = new websocket.server({ port, host: '127.0.0.1', io });
      const [error] = await once(second, 'error');
      assert.strictEqual(error.code, 'EADDRINUSE');
      assert.strictEqual(error.syscall, 'listen');
      assert.strictEqual(error.port, port);
      assert.strictEqual(second.address(), null);
    });

    test('a plain HTTP request is answered with 426', async (t) => {
      const { port } = await listen(t, { io });
      const response = await new Promise((resolve) => { http.get({ port, host: '127.0.0.1' }, resolve); });
      assert.strictEqual(response.statusCode, 426);
      assert.strictEqual(response.headers.upgrade, 'websocket');
      let body = '';
      for await (const chunk of response) body += chunk;
      assert.match(body, /upgrade to websocket/);
    });

    test('what is no HTTP is answered with 400, and nobody is told', async (t) => {
      const { server, port } = await listen(t, { io });
      server.on('connect', () => assert.fail('nobody has connected'));
      assert.match(await answerTo(port, '\x16\x03\x01\x02\x00 hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
    });

    test('the option path: other paths get 404', async (t) => {
      const { server, port } = await listen(t, { io, path: '/chat' });
      const refused = once(server, 'upgradeError');
      const peer = await rawClient(port, { path: '/other' });
      await refused;
      await peer.until(() => peer.head !== null, 'an answer');
      assert.match(peer.head, /^HTTP\/1\.1 404 /);
      const accepted = once(server, 'connect');
      await openRawClient(port, { path: '/chat?x=1' });
      await accepted;
    });

    test('the option path: targets in absolute form are understood', async (t) => {
      const { port } = await listen(t, { io, path: '/chat' });
      (await openRawClient(port, { path: `http://127.0.0.1:${port}/chat?x=1` })).destroy();
      const peer = await rawClient(port, { path: 'http://127.0.0.1/other' });
      await peer.until(() => peer.status === 404, 'a refusal');
    });

    test('the port may be in digits, as it comes from the environment', async (t) => {
      const { server } = await listen(t, { io, port: '0' });
      assert.strictEqual(server.config.port, 0);
      const { port } = server.address();
      server.close();
      const again = await listen(t, { io, port: String(port) });
      assert.strictEqual(again.port, port);
    });

    test('a pipelined upgrade is not answered behind a response that closes the connection', async (t) => {
      const { server, port } = await listen(t, { io });
      server.on('connect', () => assert.fail('the connection is closed'));
      const answer = await answerTo(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${requestHead()}`);
      assert.match(answer, /^HTTP\/1\.1 426 /);
      assert.doesNotMatch(answer, /HTTP\/1\.1 101/);
    });

    test('a request may have more than a thousand header fields', async (t) => {
      const { server, port } = await listen(t, { io, autoAcceptConnections: false });
      const requested = once(server, 'request');
      const fields = Array.from({ length: 1500 }, (_, i) => [`x${i}`, '']);
      await rawClient(port, { headers: { ...Object.fromEntries(fields), Last: 'here' } });
      const [request] = await requested;
      assert.strictEqual(request.httpRequest.headers.last, 'here');
      assert.strictEqual(request.httpRequest.rawHeaders.length, 2 * (5 + 1500 + 1));
      request.reject();
    });

    for (const [size, option] of [[4096, '--max-http-header-size=4096'], [16384, null], [100000, '--max-http-header-size=100000']]) {
      test(`the head of a request may have ${size} bytes with ${option || 'the default of Node'}`, () => {
        const script = `
          const http = require('http');
          const net = require('net');
          const websocket = require(${JSON.stringify(require.resolve('../..'))});
          const { requestHead } = require(${JSON.stringify(require.resolve('../helpers/raw'))});
          const server = new websocket.server({ port: 0, host: '127.0.0.1', io: '${io}', autoAcceptConnections: true });
          const ask = (length) => new Promise((resolve) => {
            const socket = net.connect(server.address().port, '127.0.0.1');
            socket.on('error', () => {});
            socket.write(requestHead({ headers: { X: 'x'.repeat(length) } }));
            socket.once('data', (bytes) => {
              resolve(Number(String(bytes).slice(9, 12)));
              socket.destroy();
            });
          });
          server.on('listening', async () => {
            // The other fields of the request have some 150 bytes.
            const statuses = [];
            for (const length of [${size} - 250, ${size}, 2 * ${size}]) statuses.push(await ask(length));
            console.log(http.maxHeaderSize, statuses.join());
            server.shutDown();
          });
        `;
        const { stdout, stderr } = spawnSync(process.execPath, [...(option ? [option] : []), '-e', script], { encoding: 'utf8', timeout: 20000 });
        assert.strictEqual(stdout, `${size} 101,431,431\n`, stderr);
      });
    }

    test('the request has what a request of an http.Server has', async (t) => {
      const { server, port } = await listen(t, { io, autoAcceptConnections: false });
      const requested = once(server, 'request');
      await rawClient(port, { path: '/a?b=c', headers: { Cookie: 'a=1', 'X-Twice': 'one', 'x-twice': 'two' } });
      const [request] = await requested;
      const { httpRequest } = request;
      assert.ok(httpRequest instanceof http.IncomingMessage);
      assert.strictEqual(httpRequest.method, 'GET');
      assert.strictEqual(httpRequest.url, '/a?b=c');
      assert.strictEqual(httpRequest.httpVersion, '1.1');
      assert.strictEqual(httpRequest.headers['x-twice'], 'one, two');
      assert.ok(httpRequest.rawHeaders.includes('X-Twice'));
      assert.strictEqual(httpRequest.socket, request.socket);
      assert.deepStrictEqual(request.cookies, [{ name: 'a', value: '1' }]);
      assert.strictEqual(request.resourceURL.query.b, 'c');
      assert.ok(request.socket instanceof net.Socket);
      request.reject(403);
    });

    test('connection.socket is a net.Socket that can do what one can', async (t) => {
      const { server, port } = await listen(t, { io });
      const { connection, peer } = await open(server, port);
      const { socket } = connection;
      assert.ok(socket instanceof net.Socket);
      assert.strictEqual(socket.constructor, net.Socket);
      assert.strictEqual(socket.remoteAddress, '127.0.0.1');
      assert.strictEqual(socket.remotePort, peer.socket.localPort);
      assert.strictEqual(socket.localPort, port);
      assert.strictEqual(socket.address().port, port);
      assert.strictEqual(socket.setKeepAlive(true, 1000), socket);
      assert.ok(socket.bytesRead > 0 || io === 'loop', 'bytes were read');
      connection.on('message', (message) => connection.sendUTF(message.utf8Data));
      peer.send({ opcode: OPCODE.TEXT, payload: 'still here' });
      assert.strictEqual(String((await peer.frame()).payload), 'still here');
      assert.strictEqual(connection.socket, socket);
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
      assert.strictEqual(connection.connected, false);
    });

    test('somebody who wants the bytes of connection.socket gets them', async (t) => {
      const { server, port } = await listen(t, { io });
      const { connection, peer } = await open(server, port);
      const seen = [];
      connection.socket.on('data', (chunk) => seen.push(chunk));
      const received = once(connection, 'message');
      peer.send({ opcode: OPCODE.TEXT, payload: 'hello' });
      assert.strictEqual((await received)[0].utf8Data, 'hello');
      assert.strictEqual(connection.transport, 'stream');
      assert.ok(Buffer.concat(seen).length >= 11);
    });

    test('a client that resets while its request waits is noticed, and does no harm', async (t) => {
      const { server, port } = await listen(t, { io, autoAcceptConnections: false });
      const requested = once(server, 'request');
      const peer = await rawClient(port);
      const [request] = await requested;
      peer.socket.resetAndDestroy();
      await new Promise((resolve) => request.socket.once('close', resolve));
      assert.deepStrictEqual(server.pendingRequests, []);
      const connection = request.accept();
      assert.deepStrictEqual(await once(connection, 'close'), [1006, 'TCP connection lost before handshake completed.']);
    });

    test('a request that comes byte by byte is a request', async (t) => {
      const { server, port } = await listen(t, { io });
      const accepted = once(server, 'connect');
      const socket = net.connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      for (const byte of Buffer.from(requestHead())) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await accepted;
      socket.destroy();
    });

    test('frames that come with the request are delivered after accept()', async (t) => {
      const { server, port } = await listen(t, { io, autoAcceptConnections: false });
      const requested = once(server, 'request');
      const frame = encodeFrame({ opcode: OPCODE.TEXT, payload: Buffer.from('early'), mask: true });
      await rawClient(port, { head: Buffer.concat([Buffer.from(requestHead()), frame]) });
      const [request] = await requested;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const connection = request.accept();
      assert.strictEqual((await once(connection, 'message'))[0].utf8Data, 'early');
    });
  });
}

test('a request that does not arrive within handshakeTimeout is answered with 408 when Node listens, too', async (t) => {
  const { port } = await listen(t, { io: 'stream', handshakeTimeout: 300 });
  const started = performance.now();
  const socket = net.connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - started < 5000, 'Node would have taken up to 30 seconds');
});

describe('a server that listens itself, natively', { skip: binding ? false : 'sockets cannot be taken over here' }, () => {
  test('does not make a whole net.Socket before somebody needs it', async (t) => {
    const { server, port } = await listen(t, { io: 'loop' });
    const { connection } = await open(server, port);
    assert.strictEqual(connection.transport, 'loop');
    assert.strictEqual(Object.hasOwn(connection.socket, '_readableState'), false);
    assert.ok(connection.socket.localPort > 0);
    assert.strictEqual(Object.hasOwn(connection.socket, '_readableState'), true);
    assert.strictEqual(connection.transport, 'loop', 'it is a net.Socket whose bytes the addon moves');
  });

  test('a request that does not arrive within handshakeTimeout is answered with 408', async (t) => {
    const { port } = await listen(t, { io: 'loop', handshakeTimeout: 300 });
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /handshakeTimeout/);
  });

  test('a request without an end is answered with 431', async (t) => {
    const { port } = await listen(t, { io: 'loop' });
    assert.match(await answerTo(port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20000)}`), /^HTTP\/1\.1 431 /);
  });

  test('connections that went away leave nothing behind', async (t) => {
    const { server, port } = await listen(t, { io: 'loop' });
    const before = binding.nativeCount();
    for (let i = 0; i < 50; i++) {
      const { connection, peer } = await open(server, port);
      const closed = once(connection, 'close');
      if (i % 2 === 0) peer.destroy();
      else connection.drop();
      await closed;
    }
    assert.strictEqual(binding.nativeCount(), before);
  });

  test('the listener keeps the process alive, and lets it end when closed', async () => {
    const script = `
      const { server } = require(${JSON.stringify(require.resolve('../..'))});
      const listening = new server({ port: 0, host: '127.0.0.1' });
      listening.on('listening', () => setTimeout(() => listening.close(() => console.log('closed')), 50).unref());
    `;
    const { stdout, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20000 });
    assert.strictEqual(stdout, 'closed\n');
    assert.strictEqual(status, 0);
  });
});

test('options that exclude each other or mean nothing are refused', () => {
  const create = (config) => () => new websocket.server(config);
  assert.throws(create({ port: 0, httpServer: http.createServer() }), /port excludes httpServer/);
  assert.throws(create({ port: 0, noServer: true }), /port excludes httpServer/);
  for (const port of ['', ' ', '80a', '-1', '1e3', '65536', '0x50', [80], -1, 65536, 1.5, NaN]) assert.throws(create({ port }), /The option port/, String(port));
  assert.throws(create({ port: 0, host: 7 }), /address to listen at/);
});

test('a name that cannot be resolved is an error event', async () => {
  const server = new websocket.server({ port: 0, host: 'no-such-host.invalid' });
  const [error] = await once(server, 'error');
  assert.ok(['ENOTFOUND', 'EAI_AGAIN'].includes(error.code), error.code);
});
