'use strict';

// What a program sees of the descriptors of its connections, and of the handles that Node has for them.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const http = require('http');
const net = require('net');
const WebSocket = require('ws');
const { server: WebSocketServer } = require('../..');

const LIMIT = 128;
const CLIENTS = 80;

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const SERVER = `
  const http = require('http');
  const { server: WebSocketServer } = require(${JSON.stringify(require.resolve('../..'))});
  const httpServer = http.createServer();
  const server = new WebSocketServer({ httpServer, autoAcceptConnections: true });
  server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => {
    connection.sendUTF(utf8Data);
    if (utf8Data !== 'go') return;
    for (const other of server.connections) other.sendUTF('gone');
    process.kill(process.pid, 'SIGKILL');
  }));
  process.once('SIGTERM', () => {
    for (const connection of server.connections) {
      connection.sendUTF('restarting');
      connection.close(1012);
    }
    process.kill(process.pid, 'SIGTERM');
  });
  httpServer.listen(0, '127.0.0.1', () => console.log(httpServer.address().port));
`;

/** A server in a process of its own, which may open LIMIT descriptors. */
async function startServer(t, limit, io = 'auto') {
  const child = spawn('bash', ['-c', `ulimit -n ${limit}; exec "$0" -e "$1"`, process.execPath, SERVER],
    // Outside of events a worker would have to be waited for by those who end the process.
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, WEBSOCKET_IO: io } });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(line) };
}

/** Bytes that a raw client has received, when they contain `text`; fails when the server closes before. */
function receive(socket, text) {
  return new Promise((resolve, reject) => {
    let seen = '';
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1');
      if (seen.includes(text)) resolve(seen);
    });
    socket.on('close', () => reject(new Error(`closed before ${JSON.stringify(text)} after ${JSON.stringify(seen.slice(-80))}`)));
    socket.on('error', () => {});
  });
}

async function openPair(t) {
  const httpServer = http.createServer();
  const server = new WebSocketServer({ httpServer, autoAcceptConnections: true });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${httpServer.address().port}/`);
  const [[connection]] = await Promise.all([once(server, 'connect'), once(client, 'open')]);
  t.after(() => {
    client.terminate();
    server.shutDown();
    httpServer.close();
  });
  return { httpServer, server, connection, client, isStream: connection.transport === 'stream' };
}

describe('descriptors', { skip: process.platform === 'win32' }, () => {
  test(`a limit of ${LIMIT} descriptors carries ${CLIENTS} connections`, async (t) => {
    const { port } = await startServer(t, LIMIT);
    for (let i = 0; i < CLIENTS; i++) {
      const socket = net.connect(port, '127.0.0.1');
      t.after(() => socket.destroy());
      const answer = receive(socket, 'hi');
      socket.write(Buffer.concat([Buffer.from(REQUEST), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]));
      await answer;
    }
  });

  test('a connection costs one, and gives it back when it ends', { skip: !fs.existsSync('/proc/self/fd') }, async (t) => {
    const count = () => fs.readdirSync('/proc/self/fd').length;
    const { httpServer, server } = await openPair(t);
    const before = count();
    const clients = [];
    for (let i = 0; i < 20; i++) {
      const client = new WebSocket(`ws://127.0.0.1:${httpServer.address().port}/`);
      await Promise.all([once(client, 'open'), once(server, 'connect')]);
      clients.push(client);
    }
    // One for each end.
    assert.strictEqual(count() - before, 40);
    await Promise.all(clients.map((client) => {
      client.close();
      return once(client, 'close');
    }));
    while (server.connections.length > 1) await new Promise(setImmediate);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    assert.strictEqual(count(), before);
  });

  test('what is sent right before a signal ends the process arrives', async (t) => {
    const { child, port } = await startServer(t, 1024);
    const sockets = Array.from({ length: 3 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => {
      const answer = receive(socket, 'hi');
      socket.write(Buffer.concat([Buffer.from(REQUEST), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]));
      return answer;
    }));
    // A Close frame with 1012.
    const farewells = sockets.map((socket) => receive(socket, 'restarting\x88'));
    child.kill('SIGTERM');
    await Promise.all(farewells);
  });

  for (const io of ['auto', 'threads', 'stream']) {
    test(`what is sent inside an event before the process kills itself arrives, ${io}`, async (t) => {
      const { port } = await startServer(t, 1024, io);
      const sockets = Array.from({ length: 3 }, () => net.connect(port, '127.0.0.1'));
      await Promise.all(sockets.map((socket) => {
        const answer = receive(socket, 'hi');
        socket.write(Buffer.concat([Buffer.from(REQUEST), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]));
        return answer;
      }));
      const farewells = sockets.map((socket) => receive(socket, 'gone'));
      sockets[1].write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x67, 0x6f]));
      await Promise.all(farewells);
    });
  }
});

describe('connection.socket', () => {
  test('tells both addresses, before and after bytes have flowed', async (t) => {
    const { httpServer, connection: { socket }, client } = await openPair(t);
    assert.strictEqual(socket.remoteAddress, '127.0.0.1');
    assert.strictEqual(socket.remotePort, client._socket.localPort);
    assert.strictEqual(socket.localAddress, '127.0.0.1');
    assert.strictEqual(socket.localPort, httpServer.address().port);
    assert.deepStrictEqual(socket.address(), { address: '127.0.0.1', family: 'IPv4', port: httpServer.address().port });
  });

  test('counts all bytes, whoever has read and written them', async (t) => {
    const { connection, client } = await openPair(t);
    const { socket } = connection;
    const [read, written] = [socket.bytesRead, socket.bytesWritten];
    assert.ok(read > 100 && written > 100, 'the opening handshake');
    client.send('four');
    await once(connection, 'message');
    assert.strictEqual(socket.bytesRead, read + 10);
    connection.sendUTF('four');
    await once(client, 'message');
    assert.strictEqual(socket.bytesWritten, written + 6);
    // Node needs a descriptor for this one, and counts from there.
    assert.ok(socket.localPort > 0);
    assert.strictEqual(socket.bytesRead, read + 10);
    // From now on Node reads and writes.
    socket.on('data', () => {});
    client.send('four');
    await once(connection, 'message');
    assert.strictEqual(socket.bytesRead, read + 20);
    assert.strictEqual(socket.bytesWritten, written + 6);
  });

  test('takes setNoDelay, setKeepAlive, ref and unref at any time', async (t) => {
    const { connection, client } = await openPair(t);
    connection.socket.setNoDelay(false).setNoDelay(true).setKeepAlive(true, 1000).unref().ref();
    connection.sendUTF('still there');
    const [data] = await once(client, 'message');
    assert.strictEqual(String(data), 'still there');
  });

  test('resetAndDestroy() resets', { skip: !net.Socket.prototype.resetAndDestroy }, async (t) => {
    const { connection, client } = await openPair(t);
    const error = once(client._socket, 'error').then(([{ code }]) => code, () => 'none');
    client.on('error', () => {});
    connection.socket.resetAndDestroy();
    assert.strictEqual(await error, 'ECONNRESET');
  });

  test('is counted by its http.Server until it closes', async (t) => {
    const { httpServer, connection, client } = await openPair(t);
    const count = () => new Promise((resolve, reject) => {
      httpServer.getConnections((error, number) => (error ? reject(error) : resolve(number)));
    });
    assert.strictEqual(await count(), 1);
    const closed = once(connection.socket, 'close');
    client.close();
    await closed;
    assert.strictEqual(await count(), 0);
  });
});
