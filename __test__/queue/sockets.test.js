'use strict';

// Bytes that come in unusual ways: beside TCP urgent data, and through Unix sockets on which descriptors are passed. A read
// stops there although more has come; what is behind it must be read without anything else happening.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const { spawn, spawnSync } = require('child_process');
const { once } = require('events');
const { websocket } = require('../helpers/under-test');
const { RawPeer, requestHead, encodeFrame, OPCODE } = require('../helpers/raw');
const { WAYS, MOUNTED, optionsOf, block } = require('./ways');

/** Python can send urgent data and pass descriptors; Node cannot. */
const hasPython = process.platform === 'linux' && spawnSync('python3', ['-c', 'import socket']).status === 0;
const skip = hasPython ? false : 'such bytes are sent with python3 on Linux';

/** Connects, shakes hands, and sends pairs of messages with something in between; each second one has to be echoed. */
const PEER = `
import array, os, socket, sys, time
kind, where = sys.argv[1:3]
unix = kind.startswith('unix')
s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET, socket.SOCK_STREAM)
s.connect(where if unix else ('127.0.0.1', int(where)))
if not unix: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.settimeout(4)
s.sendall(b'''${requestHead().replace(/\r\n/g, '\\r\\n')}''')
def text(payload): return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload.encode()
got = b''
while b'\\r\\n\\r\\n' not in got: got += s.recv(4096)
fds = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0]))]
lost = 0
for i in range(30):
    # The program computes while this is sent, so that all of it is there when it is read.
    s.sendall(text('block'))
    time.sleep(0.005)
    first, second = text('a%d' % i), text('b%d' % i)
    if kind == 'urgent': s.sendall(first); s.send(b'!', socket.MSG_OOB); s.sendall(second)
    elif kind == 'urgent at once': s.send(first, socket.MSG_MORE); s.send(b'!', socket.MSG_OOB | socket.MSG_MORE); s.sendall(second)
    elif kind == 'urgent within a message': s.sendall(first + second[:4]); s.send(b'!', socket.MSG_OOB); s.sendall(second[4:])
    elif kind == 'unix with descriptors': s.sendmsg([first], fds); s.sendmsg([second])
    elif kind == 'unix with descriptors in each': s.sendmsg([first], fds); s.sendmsg([second], fds)
    elif kind == 'unix with descriptors within a message': s.sendmsg([first + second[:4]], fds); s.sendmsg([second[4:]])
    else: s.sendall(first); s.sendall(second)
    got = b''
    try:
        while ('b%d' % i).encode() not in got: got += s.recv(4096)
    except socket.timeout:
        lost += 1
        break
print('lost', lost, 'in round', i)
`;

const KINDS = ['urgent', 'urgent at once', 'urgent within a message', 'unix', 'unix with descriptors', 'unix with descriptors in each',
  'unix with descriptors within a message'];

/** Starts an echo server and returns where it listens. */
async function startEcho(t, way, unix) {
  const onConnect = (connection) => {
    connection.on('message', ({ utf8Data }) => {
      if (utf8Data === 'block') block(15);
      else connection.sendUTF(utf8Data);
      if (utf8Data === 'look') connection.socket.on('data', () => {});
    });
    connection.on('error', () => {});
  };
  if (way.listener) {
    const server = new websocket.server({ ...optionsOf(way), autoAcceptConnections: true });
    server.on('connect', onConnect);
    await once(server, 'listening');
    t.after(() => {
      server.close();
      for (const { socket } of server.connections) socket.destroy();
    });
    return String(server.address().port);
  }
  const httpServer = http.createServer();
  const server = new websocket.server({ ...optionsOf(way), httpServer, autoAcceptConnections: true });
  server.on('connect', onConnect);
  const directory = unix ? fs.mkdtempSync(path.join(os.tmpdir(), 'ws-')) : null;
  httpServer.listen(unix ? path.join(directory, 's') : { port: 0, host: '127.0.0.1' });
  await once(httpServer, 'listening');
  t.after(async () => {
    for (const { socket } of server.connections) socket.destroy();
    httpServer.close();
    if (directory) fs.rmSync(directory, { recursive: true, force: true });
  });
  return unix ? httpServer.address() : String(httpServer.address().port);
}

for (const kind of KINDS) {
  const unix = kind.startsWith('unix');
  describe(`bytes that come as ${kind}`, () => {
    for (const way of WAYS.filter(({ role, listener }) => role === 'server' && !(unix && listener))) {
      test(`${way.name}: every message is read without help of others`, { skip, timeout: 30000 }, async (t) => {
        const where = await startEcho(t, way, unix);
        const child = spawn('python3', ['-c', PEER, kind, where], { stdio: ['pipe', 'pipe', 'pipe'] });
        t.after(() => child.kill('SIGKILL'));
        let output = '';
        child.stdout.on('data', (chunk) => { output += chunk; });
        child.stderr.on('data', (chunk) => { output += chunk; });
        await once(child, 'close');
        assert.strictEqual(output.trim(), 'lost 0 in round 29');
      });
    }
  });
}

describe('Unix sockets', { skip: process.platform === 'win32' && 'there are none' }, () => {
  for (const way of MOUNTED) {
    test(`${way.name}: thousands of messages, a socket given back in the midst, a message of a megabyte`, async (t) => {
      const where = await startEcho(t, way, true);
      const peer = new RawPeer(net.connect(where));
      t.after(() => peer.destroy());
      peer.write(requestHead());
      await peer.until(() => peer.head !== null, 'the answer');
      const texts = Array.from({ length: 3000 }, (_, index) => (index === 1500 ? 'look' : `${index}`));
      peer.write(Buffer.concat(texts.map((payload) => encodeFrame({ opcode: OPCODE.TEXT, payload }))));
      const large = 'y'.repeat(1000);
      for (let i = 0; i < 1000; i++) peer.send({ opcode: i === 0 ? OPCODE.TEXT : OPCODE.CONTINUATION, payload: large, fin: i === 999 });
      await peer.until(() => peer.frames.length > 3000, 'the echoes');
      assert.deepStrictEqual(peer.frames.slice(0, 3000).map(({ payload }) => payload.toString()), texts);
      assert.strictEqual(peer.frames[3000].payload.length, 1000000);
    });
  }
});
