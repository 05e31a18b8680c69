'use strict';

const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { OPCODE, openRawClient, rawServer, encodeFrame, closePayload } = require('../helpers/raw');
const { startExample } = require('./run-example');

/** A raw echo server that also answers the Close frame: `peer` is the client under test, once it has connected. */
async function echoPeer(t) {
  const server = await rawServer();
  t.after(() => server.close());
  const peer = server.next().then(async (connected) => {
    for (let count = 1; ; count++) {
      const { opcode, payload } = await connected.frame(count);
      connected.write(encodeFrame({ opcode, payload, mask: false }));
      if (opcode === OPCODE.CLOSE) break;
    }
    connected.socket.end();
    return connected;
  });
  return { url: server.url, peer };
}

/** A port on which nobody listens. */
async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

test('echo-server.js sends text and binary messages back, and says goodbye when it is stopped', async (t) => {
  const example = startExample(t, 'echo-server.js');
  const peer = await openRawClient(await example.port());
  t.after(() => peer.destroy());

  peer.send({ opcode: OPCODE.TEXT, payload: 'Grüße' });
  peer.send({ opcode: OPCODE.BINARY, payload: Buffer.from([0, 255, 1]) });
  await peer.frame(2);
  assert.deepStrictEqual(peer.frames.map(({ opcode, payload }) => [opcode, payload.toString('hex')]),
    [[OPCODE.TEXT, Buffer.from('Grüße').toString('hex')], [OPCODE.BINARY, '00ff01']]);

  if (process.platform !== 'win32') {
    const stopped = example.stop();
    const goodbye = await peer.frame(3);
    assert.deepStrictEqual([goodbye.opcode, goodbye.code], [OPCODE.CLOSE, 1000]);
    peer.send({ opcode: OPCODE.CLOSE, payload: closePayload(1000) });
    await peer.close();
    await stopped;
    assert.match(example.stdout, /^\+ 127\.0\.0\.1\n- 127\.0\.0\.1 \(1000 /m);
  }
});

test('echo-server.js reads no more from a peer that does not read the echoes, and goes on when it does', async (t) => {
  const example = startExample(t, 'echo-server.js');
  const peer = await openRawClient(await example.port());
  t.after(() => peer.destroy());
  peer.socket.pause();
  const message = encodeFrame({ opcode: OPCODE.BINARY, payload: Buffer.alloc(60000, 7) });
  const count = 600; // 36 MB, more than the socket buffers of both sides hold
  for (let i = 0; i < count; i++) peer.write(message);
  // It has stopped when our own backlog does not get any shorter.
  let before;
  do {
    before = peer.socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 200));
  } while (peer.socket.writableLength < before);
  assert.ok(before > message.length, `the server took all ${count} messages although nobody read its answers`);

  let received = 0;
  peer.socket.removeAllListeners('data'); // count the bytes only: the codec would be slow with that many
  peer.socket.on('data', (chunk) => { received += chunk.length; });
  peer.socket.resume();
  const wanted = count * (60000 + 4); // each in one frame or in fragments, at least this much
  const deadline = Date.now() + 10000;
  while (received < wanted && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(received >= wanted, `only ${received} of ${wanted} bytes came back`);
});

test('echo-server.js answers an ordinary HTTP request with 426', async (t) => {
  const example = startExample(t, 'echo-server.js');
  const request = http.get({ port: await example.port(), host: '127.0.0.1', agent: false });
  const [response] = await once(request, 'response');
  response.resume();
  assert.strictEqual(response.statusCode, 426);
  assert.strictEqual(response.headers.upgrade, 'websocket');
});

test('echo-client.js sends a text and a binary message, shows the echoes and closes with 1000', async (t) => {
  const { url, peer } = await echoPeer(t);
  const example = startExample(t, 'echo-client.js', { args: [url] });
  const { frames } = await peer;
  assert.deepStrictEqual(frames.map(({ opcode, masked }) => [opcode, masked]),
    [[OPCODE.TEXT, true], [OPCODE.BINARY, true], [OPCODE.CLOSE, true]]);
  assert.strictEqual(frames[2].code, 1000);
  await example.succeeds();
  assert.match(example.stdout, /Text came back: Hello, echo server\nBinary came back: cafebabe\nClosed: 1000 /);
});

test('w3c-client.js does the same with the WebSocket class of browsers', async (t) => {
  const { url, peer } = await echoPeer(t);
  const example = startExample(t, 'w3c-client.js', { args: [url] });
  const { frames } = await peer;
  assert.deepStrictEqual(frames.map(({ opcode }) => opcode), [OPCODE.TEXT, OPCODE.BINARY, OPCODE.CLOSE]);
  assert.deepStrictEqual([frames[2].code, frames[2].reason], [1000, 'Done']);
  await example.succeeds();
  assert.match(example.stdout, /Text came back: Hello, echo server\nBinary came back: 202 254 186 190\nClosed: 1000, clean\n/);
});

for (const file of ['echo-client.js', 'w3c-client.js']) {
  test(`${file} finds echo-server.js by the environment variable PORT`, async (t) => {
    const port = await startExample(t, 'echo-server.js').port();
    const example = startExample(t, file, { env: { PORT: String(port) } });
    await example.succeeds();
    assert.match(example.stdout, /Text came back: Hello, echo server\n/);
  });

  test(`${file} says that it could not connect where nobody listens`, async (t) => {
    const example = startExample(t, file, { env: { PORT: String(await closedPort()) } });
    await example.fails();
    assert.match(example.stderr, /^Could not connect to ws:\/\/127\.0\.0\.1:\d+\//);
  });
}
