'use strict';

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { once } = require('node:events');
const { OPCODE, openRawClient, rawClient, closePayload } = require('../helpers/raw');
const { startExample } = require('./run-example');

/** Starts the demo and returns it with its port. */
async function startDemo(t, env) {
  const example = startExample(t, 'demo/server.js', { env });
  return { example, port: await example.port() };
}

/** A raw client of the demo with a subprotocol (or none). */
async function connect(t, port, protocol, headers = {}) {
  const peer = await openRawClient(port, { headers: { ...(protocol && { 'Sec-WebSocket-Protocol': protocol }), ...headers } });
  t.after(() => peer.destroy());
  return peer;
}

test('the demo serves its page and only that', async (t) => {
  const { port } = await startDemo(t);
  const base = `http://127.0.0.1:${port}`;
  const types = { '/': 'text/html', '/?a=b': 'text/html', '/app.js': 'text/javascript', '/style.css': 'text/css', '/icon.svg': 'image/svg+xml' };
  for (const [path, type] of Object.entries(types)) {
    const response = await fetch(base + path);
    assert.strictEqual(response.status, 200, path);
    assert.ok(response.headers.get('content-type').startsWith(type), path);
    assert.match(response.headers.get('content-security-policy'), /default-src 'none'/);
    assert.strictEqual(Number(response.headers.get('content-length')), (await response.arrayBuffer()).byteLength);
  }
  for (const path of ['/server.js', '/../server.js', '/%2e%2e/server.js', '/__proto__', '/public/app.js']) {
    assert.strictEqual((await fetch(base + path)).status, 404, path);
  }
  const post = await fetch(base, { method: 'POST', body: 'x' });
  assert.deepStrictEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  const head = await fetch(base, { method: 'HEAD' });
  assert.deepStrictEqual([head.status, await head.text()], [200, '']);
});

test('the page of the demo loads nothing from elsewhere', async (t) => {
  const { port } = await startDemo(t);
  for (const path of ['/', '/app.js', '/style.css']) {
    const text = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    assert.doesNotMatch(text, /(https?:)?\/\/[a-z0-9-]+\.[a-z]/i, path);
    assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|document\.write/, path);
  }
});

test('the demo echoes text and binary messages, with the subprotocol echo and without any', async (t) => {
  const { port } = await startDemo(t);
  for (const protocol of ['echo', undefined]) {
    const peer = await connect(t, port, protocol);
    assert.strictEqual(/^sec-websocket-protocol: echo\r$/im.test(peer.head), protocol === 'echo');
    peer.send({ opcode: OPCODE.TEXT, payload: 'äöü' });
    peer.send({ opcode: OPCODE.BINARY, payload: Buffer.from([1, 2, 3]) });
    await peer.frame(2);
    assert.deepStrictEqual(peer.frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')]),
      [[OPCODE.TEXT, Buffer.from('äöü').toString('latin1')], [OPCODE.BINARY, '\x01\x02\x03']]);
  }
});

test('the demo refuses pages of other sites, subprotocols and paths it does not know', async (t) => {
  const { port } = await startDemo(t);
  const refusals = [
    [403, { headers: { 'Sec-WebSocket-Protocol': 'echo', Origin: 'http://elsewhere.example' } }],
    [403, { headers: { 'Sec-WebSocket-Protocol': 'chat', Origin: 'null' } }],
    [404, { headers: { 'Sec-WebSocket-Protocol': 'unheard-of' } }],
    [404, { path: '/elsewhere', headers: { 'Sec-WebSocket-Protocol': 'echo' } }],
  ];
  for (const [status, options] of refusals) {
    const peer = await rawClient(port, options);
    await peer.until(() => peer.head !== null, 'a response');
    assert.strictEqual(peer.status, status, JSON.stringify(options));
    peer.destroy();
  }
  const own = `127.0.0.1:${port}`;
  const peer = await connect(t, port, 'echo', { Host: own, Origin: `http://${own}` });
  assert.strictEqual(peer.status, 101);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`the demo says goodbye with 1001 and ends when it gets ${signal}`, {
    skip: process.platform === 'win32' && 'Windows has no signals that a program can answer',
  }, async (t) => {
    const { example, port } = await startDemo(t);
    const page = await fetch(`http://127.0.0.1:${port}/`); // leaves an idle connection behind, as a browser does
    await page.text();
    const peers = [await connect(t, port, 'echo'), await connect(t, port, 'chat')];
    const stopped = example.stop(signal);
    for (const peer of peers) {
      const { opcode, code, reason } = await peer.frame();
      assert.deepStrictEqual([opcode, code, reason], [OPCODE.CLOSE, 1001, 'The server is stopping.']);
      peer.send({ opcode: OPCODE.CLOSE, payload: closePayload(1001) });
    }
    await stopped;
  });
}

test('the demo says what to do when its port is in use', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address();
  const example = startExample(t, 'demo/server.js', { env: { PORT: String(port) } });
  await example.fails();
  assert.match(example.stderr, new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is already in use\\. .*PORT=`));
});

for (const [env, message] of [
  [{ PORT: 'http' }, /^PORT must be a number from 0 to 65535, not "http"\.$/m],
  [{ PORT: '65536' }, /^PORT must be a number from 0 to 65535, not "65536"\.$/m],
  [{ HOST: '192.0.2.1' }, /^192\.0\.2\.1 is not an address of this machine\. .*HOST/m],
]) {
  test(`the demo explains what is wrong with ${JSON.stringify(env)}`, async (t) => {
    const example = startExample(t, 'demo/server.js', { env });
    await example.fails();
    assert.match(example.stderr, message);
  });
}

test('the demo listens on the address in HOST', {
  skip: !hasIPv6Loopback() && 'this machine has no IPv6 loopback address',
}, async (t) => {
  const { example, port } = await startDemo(t, { HOST: '::1' });
  await example.output(/http:\/\/\[::1\]:\d+\//);
  const peer = await openRawClient(port, { host: '::1' });
  peer.destroy();
});

function hasIPv6Loopback() {
  return Object.values(require('node:os').networkInterfaces()).flat().some(({ address }) => address === '::1');
}
