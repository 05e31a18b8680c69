'use strict';

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const net = require('node:net');
const { once } = require('node:events');
const { X509Certificate } = require('node:crypto');
const { OPCODE, openRawClient, rawClient } = require('../helpers/raw');
const { examples, startExample } = require('./run-example');

/** A raw client that is gone after the test. */
async function connect(t, port, options) {
  const peer = await openRawClient(port, options);
  t.after(() => peer.destroy());
  return peer;
}

function asking(protocol, path = '/text') {
  return { path, headers: { 'Sec-WebSocket-Protocol': protocol } };
}

/** What a client sees of a subprotocol: the one chosen, and the answer to a text. */
async function ask(t, port, protocol, text) {
  const peer = await connect(t, port, asking(protocol));
  peer.send({ opcode: OPCODE.TEXT, payload: text });
  const { payload } = await peer.frame();
  return [/^sec-websocket-protocol: *(.*)\r$/im.exec(peer.head)[1], payload.toString()];
}

test('router-subprotocols.js answers each subprotocol by its own handler', async (t) => {
  const example = startExample(t, 'router-subprotocols.js');
  const port = await example.port();
  assert.deepStrictEqual(await ask(t, port, 'upper-case', 'Straße'), ['upper-case', 'STRASSE']);
  assert.deepStrictEqual(await ask(t, port, 'reverse', 'a😀b'), ['reverse', 'b😀a']);
  assert.deepStrictEqual(await ask(t, port, 'unheard-of, reverse, upper-case', 'abc'), ['reverse', 'cba']);
});

test('router-subprotocols.js closes with 1003 when it gets bytes instead of text', async (t) => {
  const example = startExample(t, 'router-subprotocols.js');
  const peer = await connect(t, await example.port(), asking('reverse'));
  peer.send({ opcode: OPCODE.BINARY, payload: 'abc' });
  const { opcode, code } = await peer.frame();
  assert.deepStrictEqual([opcode, code], [OPCODE.CLOSE, 1003]);
});

test('router-subprotocols.js ticks for clients with and without a subprotocol', async (t) => {
  const example = startExample(t, 'router-subprotocols.js');
  const port = await example.port();
  for (const options of [{ path: '/clock/10' }, asking('anything', '/clock/10')]) {
    const peer = await connect(t, port, options);
    await peer.frame(2);
    const [first, second] = peer.frames.map(({ payload }) => Date.parse(payload.toString()));
    assert.ok(second >= first, `${first} then ${second}`);
  }
  await example.stop();
});

test('router-subprotocols.js refuses other paths and subprotocols with 404', async (t) => {
  const example = startExample(t, 'router-subprotocols.js');
  const port = await example.port();
  for (const options of [asking('unheard-of'), { path: '/text' }, asking('reverse', '/other'), { path: '/clock/1' }]) {
    const peer = await rawClient(port, options);
    await peer.until(() => peer.head !== null, 'a response');
    assert.strictEqual(peer.status, 404, JSON.stringify(options));
    peer.destroy();
  }
});

test('broadcast.js sends what one client says, and what is typed, to all', async (t) => {
  const example = startExample(t, 'broadcast.js');
  const port = await example.port();
  const peers = [await connect(t, port), await connect(t, port), await connect(t, port)];
  await example.output(/3 connected/);

  peers[1].send({ opcode: OPCODE.TEXT, payload: 'to all' });
  for (const peer of peers) assert.strictEqual((await peer.frame(1)).payload.toString(), 'to all');
  peers[2].send({ opcode: OPCODE.BINARY, payload: Buffer.from([1, 2]) });
  for (const peer of peers) assert.deepStrictEqual((await peer.frame(2)).payload, Buffer.from([1, 2]));
  example.child.stdin.write('typed\n');
  for (const peer of peers) assert.strictEqual((await peer.frame(3)).payload.toString(), 'typed');

  peers[0].destroy();
  await example.output(/3 connected\n2 connected/);
});

test('broadcast.js ends when it is asked to, although its terminal is still open', async (t) => {
  const example = startExample(t, 'broadcast.js');
  await example.port();
  await example.stop('SIGINT');
});

test('express.js counts, publishes to the subscribers, and refuses other paths', async (t) => {
  const example = startExample(t, 'express.js');
  const port = await example.port();
  const url = `http://127.0.0.1:${port}`;
  const publish = (body) => fetch(`${url}/publish`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });

  assert.deepStrictEqual(await (await fetch(url)).json(), { subscribers: 0 });
  const peers = [await connect(t, port, { path: '/events' }), await connect(t, port, { path: '/events?from=test' })];
  assert.deepStrictEqual(await (await fetch(url)).json(), { subscribers: 2 });
  assert.deepStrictEqual(await (await publish('{"text":"Hello"}')).json(), { delivered: 2 });
  for (const peer of peers) assert.strictEqual((await peer.frame()).payload.toString(), '{"text":"Hello"}');

  assert.strictEqual((await publish('{"text":7}')).status, 400);
  assert.strictEqual((await fetch(`${url}/publish`, { method: 'POST', body: 'Hello' })).status, 400);

  const refused = await rawClient(port, { path: '/elsewhere' });
  await refused.until(() => refused.head !== null, 'a response');
  assert.strictEqual(refused.status, 404);
  refused.destroy();
  for (const peer of peers) peer.destroy();
  await example.stop();
});

test('one-port.js echoes and counts, and lets Express answer the rest', async (t) => {
  const example = startExample(t, 'one-port.js');
  const port = await example.port();
  const status = async () => (await fetch(`http://127.0.0.1:${port}/`)).json();
  assert.deepStrictEqual(await status(), { connections: 0, messages: 0 });
  const peer = await connect(t, port, { path: '/echo' });
  peer.send({ opcode: OPCODE.TEXT, payload: 'Hello' });
  assert.strictEqual((await peer.frame()).payload.toString(), 'Hello');
  assert.deepStrictEqual(await status(), { connections: 1, messages: 1 });
  assert.strictEqual((await fetch(`http://127.0.0.1:${port}/none`)).status, 404);
  peer.destroy();
  await example.stop();
});

test('tls.js talks over wss with a certificate that is checked', async (t) => {
  const example = startExample(t, 'tls.js');
  await example.succeeds();
  assert.match(example.stdout, /Server: listening on wss:\/\/localhost:\d+\/\n/);
  assert.match(example.stdout, /Server: connection over TLSv1\.[23]\n/);
  assert.match(example.stdout, /Client: connected to localhost\n/);
  assert.match(example.stdout, /Client: received "You wrote: Hello over TLS"\nClient: closed with 1000\n$/);
});

test('the certificate of tls.js is good for localhost for many years', () => {
  const read = (file) => fs.readFileSync(path.join(examples, 'certs', file));
  const certificate = new X509Certificate(read('cert.pem'));
  assert.strictEqual(certificate.checkHost('localhost'), 'localhost');
  assert.strictEqual(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.ok(certificate.checkPrivateKey(require('node:crypto').createPrivateKey(read('key.pem'))));
  assert.ok(Date.parse(certificate.validTo) > Date.now() + 10 * 365 * 86400e3, certificate.validTo);
});

/** Every example that listens on PORT: new ones are found by it. */
const servers = [...fs.readdirSync(examples), 'demo/server.js'].filter((name) =>
  name.endsWith('.js') && name !== 'listen.js' && /createServer|\bport:/.test(fs.readFileSync(path.join(examples, name), 'utf8')));

for (const name of servers) {
  test(`${name} says in one line that its port is in use, and what to do`, async (t) => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address();
    const example = startExample(t, name, { env: { PORT: String(port) } });
    await example.fails();
    assert.match(example.stderr, new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is already in use\\. [^\n]*PORT=8081 node \\S*${name}\n$`));
    assert.strictEqual(example.stdout, '');
  });

  test(`${name} says in one line that PORT is no port`, async (t) => {
    for (const value of ['http', '65536', '-1', '80.5']) {
      const example = startExample(t, name, { env: { PORT: value } });
      await example.fails();
      assert.strictEqual(example.stderr, `PORT must be a number from 0 to 65535, not "${value}".\n`);
    }
  });
}

test('all servers among the examples were tried with a port in use', () => {
  assert.deepStrictEqual(servers.sort(), ['broadcast.js', 'demo/server.js', 'echo-server.js', 'express.js', 'one-port.js', 'router-subprotocols.js', 'tls.js']);
});

test('the README of the examples lists every one of them', () => {
  const readme = fs.readFileSync(path.join(examples, 'README.md'), 'utf8');
  const names = fs.readdirSync(examples).filter((name) => /\.(js|html)$/.test(name));
  assert.ok(names.length >= 8);
  for (const name of [...names, 'demo/server.js', 'certs']) assert.ok(readme.includes(name), `${name} is missing`);
});
