'use strict';

// RFC 6455 section 4.1: the opening handshake as the client sends it and judges the answer.

const { test } = require('node:test');
const assert = require('node:assert');
const { websocket } = require('../helpers/under-test');
const { openClient, rawServer, eventually, turns, record } = require('../helpers/under-test/endpoints');
const { acceptKey, encodeFrame, OPCODE } = require('../helpers/raw');

/** A raw server that answers the handshake with these response lines. */
async function answering(t, answer) {
  const raw = await rawServer(answer);
  t.after(() => raw.close());
  return raw;
}

/** The response head that accepts the handshake; `headers` replaces, adds, or (with null) removes fields. */
function responseHead(peer, headers = {}, statusLine = 'HTTP/1.1 101 Switching Protocols') {
  const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptKey(peer.key), ...headers };
  const lines = [statusLine];
  for (const [name, value] of Object.entries(all)) {
    if (value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The header fields of a request head, lower-case names. */
function fields(head) {
  return Object.fromEntries(head.trim().split('\r\n').slice(1).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
}

test('RFC 6455 4.1: the request is a GET with the fields of the handshake', async (t) => {
  const raw = await answering(t);
  await openClient(t, `${raw.url}chat?x=1`, { origin: 'http://example.com' });
  const { head } = await raw.next();
  assert.match(head, /^GET \/chat\?x=1 HTTP\/1\.1\r\n/);
  const sent = fields(head);
  assert.strictEqual(sent.host, `127.0.0.1:${raw.port}`);
  assert.strictEqual(sent.upgrade, 'websocket');
  assert.strictEqual(sent.connection, 'Upgrade');
  assert.strictEqual(sent['sec-websocket-version'], '13');
  assert.strictEqual(sent.origin, 'http://example.com');
  assert.strictEqual(Buffer.from(sent['sec-websocket-key'], 'base64').length, 16);
  assert.strictEqual(sent['sec-websocket-key'].length, 24);
  assert.strictEqual('sec-websocket-protocol' in sent, false);
  assert.strictEqual('sec-websocket-extensions' in sent, false);
});

test('RFC 6455 4.1: every connection has a key of its own', async (t) => {
  const raw = await answering(t);
  const keys = new Set();
  for (let i = 0; i < 20; i++) {
    await openClient(t, raw.url);
    keys.add((await raw.next()).key);
  }
  assert.strictEqual(keys.size, 20);
});

for (const [url, target] of [
  ['', '/'], ['/', '/'], ['/a/b', '/a/b'], ['/?q=1', '/?q=1'], ['?q=1', '/?q=1'], ['/a#fragment', '/a'], ['/%20x', '/%20x'],
]) {
  test(`RFC 6455 3: the resource name of ws://host${url} is ${target}`, async (t) => {
    const raw = await answering(t);
    await openClient(t, `${raw.url.slice(0, -1)}${url}`);
    const { head } = await raw.next();
    assert.strictEqual(head.split(' ')[1], target);
  });
}

test('RFC 6455 4.1 (10): subprotocols are offered in order of preference', async (t) => {
  const raw = await answering(t, (peer) => peer.write(responseHead(peer, { 'Sec-WebSocket-Protocol': 'b' })));
  const connection = await openClient(t, raw.url, { protocols: ['c', 'b', 'a'] });
  assert.strictEqual(fields((await raw.next()).head)['sec-websocket-protocol'], 'c, b, a');
  assert.strictEqual(connection.protocol, 'b');
});

for (const protocol of ['two words', 'a,b', 'a/b', 'ü', 'tab\t', '']) {
  test(`RFC 6455 4.1 (10): the subprotocol ${JSON.stringify(protocol)} is not a token and is never sent`, async (t) => {
    const raw = await answering(t);
    const client = new websocket.client();
    client.on('connectFailed', () => {});
    if (protocol === '') {
      // A single empty string is the documented way to say "none".
      await openClient(t, raw.url, { protocols: '' });
      assert.strictEqual('sec-websocket-protocol' in fields((await raw.next()).head), false);
      return;
    }
    assert.throws(() => client.connect(raw.url, [protocol]), /invalid character/);
    await turns();
    assert.strictEqual(raw.peers.length, 0);
  });
}

for (const [url, error] of [['/relative', /protocol/], ['ws:', /host/], ['', /protocol/]]) {
  test(`RFC 6455 4.1 (1): ${JSON.stringify(url)} is not a WebSocket URL`, () => {
    assert.throws(() => new websocket.client().connect(url), error);
  });
}

const succeeding = [
  ['4.1', 'the plain response', {}],
  ['4.1 (2)', 'Upgrade: WebSocket', { Upgrade: 'WebSocket' }],
  ['4.1 (2)', 'Upgrade: WEBSOCKET', { Upgrade: 'WEBSOCKET' }],
  ['4.1 (3)', 'Connection: upgrade', { Connection: 'upgrade' }],
  ['4.1 (3)', 'Connection: UPGRADE', { Connection: 'UPGRADE' }],
  ['4.1 (4)', 'whitespace around Sec-WebSocket-Accept', (peer) => ({ 'Sec-WebSocket-Accept': `  ${acceptKey(peer.key)} \t` })],
  ['4.1', 'other header fields', { Server: 'raw', 'Set-Cookie': ['a=b', 'c=d'], Date: 'Thu, 01 Jan 1970 00:00:00 GMT' }],
];
for (const [section, what, headers] of succeeding) {
  test(`RFC 6455 ${section}: the client accepts ${what}`, async (t) => {
    const raw = await answering(t, (peer) => {
      peer.write(responseHead(peer, typeof headers === 'function' ? headers(peer) : headers));
    });
    const connection = await openClient(t, raw.url);
    const peer = await raw.next();
    connection.sendUTF('usable');
    assert.strictEqual((await peer.frame()).payload.toString(), 'usable');
  });
}

const failing = [
  ['4.1 (1)', 'status 200', () => ({}), 'HTTP/1.1 200 OK'],
  ['4.1 (1)', 'status 400', () => ({ 'Content-Length': '0' }), 'HTTP/1.1 400 Bad Request'],
  ['4.1 (1)', 'status 302', () => ({ 'Content-Length': '0', Location: '/' }), 'HTTP/1.1 302 Found'],
  ['4.1 (1)', 'status 500', () => ({ 'Content-Length': '0' }), 'HTTP/1.1 500 Internal Server Error'],
  ['4.1 (2)', 'no Upgrade', () => ({ Upgrade: null })],
  ['4.1 (2)', 'another Upgrade', () => ({ Upgrade: 'h2c' })],
  ['4.1 (3)', 'no Connection', () => ({ Connection: null })],
  ['4.1 (3)', 'Connection: close', () => ({ Connection: 'close' })],
  ['4.1 (4)', 'no Sec-WebSocket-Accept', () => ({ 'Sec-WebSocket-Accept': null })],
  ['4.1 (4)', 'an empty Sec-WebSocket-Accept', () => ({ 'Sec-WebSocket-Accept': '' })],
  ['4.1 (4)', 'the Accept of another key', () => ({ 'Sec-WebSocket-Accept': acceptKey('AAAAAAAAAAAAAAAAAAAAAA==') })],
  ['4.1 (4)', 'an Accept in the wrong case', (peer) => ({ 'Sec-WebSocket-Accept': swapCase(acceptKey(peer.key)) })],
  ['4.1 (4)', 'an Accept that goes on', (peer) => ({ 'Sec-WebSocket-Accept': `${acceptKey(peer.key)}x` })],
  ['4.1 (4)', 'the key in place of its Accept', (peer) => ({ 'Sec-WebSocket-Accept': peer.key })],
  ['11.3.3', 'Sec-WebSocket-Accept twice', (peer) => ({ 'Sec-WebSocket-Accept': [acceptKey(peer.key), acceptKey(peer.key)] })],
];
function swapCase(text) {
  return text.replace(/[a-z]/i, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()));
}
for (const [section, what, headers, statusLine] of failing) {
  test(`RFC 6455 ${section}: a response with ${what} fails the handshake`, async (t) => {
    const raw = await answering(t, (peer) => peer.socket.end(responseHead(peer, headers(peer), statusLine)));
    await assert.rejects(openClient(t, raw.url), (error) => {
      assert.ok(error instanceof Error);
      assert.doesNotMatch(error.message, /neither connected nor failed/);
      return true;
    });
  });
}

for (const [what, offered, answer] of [
  ['a subprotocol that was not offered', ['chat'], 'other'],
  ['one that differs in case', ['chat'], 'CHAT'],
  ['two subprotocols', ['chat', 'other'], 'chat, other'],
  ['no subprotocol although some were offered', ['chat'], null],
]) {
  test(`RFC 6455 4.1 (6): a response with ${what} fails the handshake`, async (t) => {
    const raw = await answering(t, (peer) => peer.socket.end(responseHead(peer, { 'Sec-WebSocket-Protocol': answer })));
    await assert.rejects(openClient(t, raw.url, { protocols: offered }), /protocol/i);
  });
}

test('RFC 6455 4.1: the client closes the socket of a handshake that failed', async (t) => {
  const raw = await answering(t, (peer) => peer.write(responseHead(peer, { 'Sec-WebSocket-Accept': 'x' })));
  await assert.rejects(openClient(t, raw.url), /Sec-WebSocket-Accept/);
  await (await raw.next()).until((peer) => peer.ended, 'the end of the socket');
});

test('RFC 6455 4.1: a response that arrives byte by byte is accepted', async (t) => {
  const raw = await answering(t, async (peer) => {
    for (const byte of Buffer.from(responseHead(peer))) {
      peer.write(Buffer.from([byte]));
      await turns(1);
    }
  });
  assert.strictEqual((await openClient(t, raw.url)).connected, true);
});

for (const [how, cut] of [['wholly', Infinity], ['in part', 3], ['with the first byte', 1]]) {
  test(`RFC 6455 4.1: frames that come ${how} in the segment of the response are delivered after connect`, async (t) => {
    const frames = Buffer.concat([
      encodeFrame({ opcode: OPCODE.TEXT, payload: 'one', mask: false }),
      encodeFrame({ opcode: OPCODE.PING, payload: 'two', mask: false }),
      encodeFrame({ opcode: OPCODE.TEXT, payload: 'three', mask: false }),
    ]);
    const raw = await answering(t, (peer) => {
      peer.write(Buffer.concat([Buffer.from(responseHead(peer)), frames.subarray(0, cut)]));
      setTimeout(() => peer.write(frames.subarray(cut)), 10);
    });
    let seen;
    await openClient(t, raw.url, { onConnect: (connection) => { seen = record(connection); } });
    await eventually(() => seen.messages.length === 2, 'both messages');
    assert.deepStrictEqual(seen.messages, ['one', 'three']);
    const peer = await raw.next();
    assert.strictEqual((await peer.frame()).payload.toString(), 'two');
  });
}

test('RFC 6455 4.1: the server may leave before it has answered', async (t) => {
  const raw = await answering(t, (peer) => peer.destroy());
  await assert.rejects(openClient(t, raw.url), { code: 'ECONNRESET' });
});

test('RFC 6455 4.1: an answer that is no HTTP fails the handshake', async (t) => {
  const raw = await answering(t, (peer) => peer.socket.end('nonsense\r\n\r\n'));
  await assert.rejects(openClient(t, raw.url), (error) => error.code.startsWith('HPE_'));
});

test('RFC 6455 4.1: version 8 is sent when asked for, with the Origin of its draft', async (t) => {
  const raw = await answering(t);
  await openClient(t, raw.url, { config: { webSocketVersion: 8 }, origin: 'http://example.com' });
  const sent = fields((await raw.next()).head);
  assert.strictEqual(sent['sec-websocket-version'], '8');
  assert.strictEqual(sent['sec-websocket-origin'], 'http://example.com');
  assert.strictEqual('origin' in sent, false);
});
