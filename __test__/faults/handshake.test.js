'use strict';

// The opening handshake. COMPATIBILITY: P7 to P13, P16, P17, P24.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const net = require('net');
const { openClient, startServer, rawClient, rawServer, eventually, turns } =
  require('../helpers/under-test/endpoints');
const { OPCODE, requestHead, encodeFrame, acceptKey, closePayload } = require('../helpers/raw');

/** The status a server answers this request head with. */
async function statusOf(t, request, options) {
  const started = await startServer(t, options);
  const peer = await rawClient(started.port, request);
  await peer.until(() => peer.head !== null || peer.closed, 'a response');
  return { status: peer.status, peer, ...started };
}

for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
  test(`P7: an upgrade request with method ${method} is refused with 405`, async (t) => {
    const { status, connections, upgradeErrors } = await statusOf(t, { method });
    assert.strictEqual(status, 405);
    assert.strictEqual(connections.length, 0);
    assert.strictEqual(upgradeErrors.length, 1);
  });
}

for (const [what, key] of [
  ['that is too short', 'c2hvcnQ='],
  ['of 15 bytes', Buffer.alloc(15, 7).toString('base64')],
  ['of 17 bytes', Buffer.alloc(17, 7).toString('base64')],
  ['that is no base64', '!!!!!!!!!!!!!!!!!!!!!!=='],
  ['without padding', 'dGhlIHNhbXBsZSBub25jZQ'],
  ['sent twice', ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ==']],
]) {
  test(`P7: a Sec-WebSocket-Key ${what} is refused with 400`, async (t) => {
    const { status, connections, upgradeErrors } = await statusOf(t, { headers: { 'Sec-WebSocket-Key': key } });
    assert.strictEqual(status, 400);
    assert.strictEqual(connections.length, 0);
    assert.strictEqual(upgradeErrors.length, 1);
  });
}

const early = Buffer.concat([
  encodeFrame({ opcode: OPCODE.TEXT, payload: 'first' }),
  encodeFrame({ opcode: OPCODE.BINARY, payload: 'second' }),
]);

for (const [when, delay] of [['at once', null], ['20 ms later', 20]]) {
  for (const [how, cut] of [['wholly', early.length], ['in part', 9], ['with the first byte', 1]]) {
    test(`P8: frames that come ${how} in the segment of the request are delivered when accept() comes ${when}`, async (t) => {
      const messages = [];
      const started = await startServer(t, {
        onRequest: (request) => {
          const accept = () => request.accept().on('message', (message) => messages.push(message));
          if (delay === null) accept();
          else setTimeout(accept, delay);
        },
      });
      const peer = await rawClient(started.port, {
        head: Buffer.concat([Buffer.from(requestHead()), early.subarray(0, cut)]),
      });
      await peer.until(() => peer.head !== null, 'the response');
      if (cut < early.length) peer.write(early.subarray(cut));
      await eventually(() => messages.length === 2, 'both messages');
      assert.strictEqual(messages[0].utf8Data, 'first');
      assert.deepStrictEqual(messages[1].binaryData, Buffer.from('second'));
    });
  }
}

test('P8: a Close in the segment of the request is answered', async (t) => {
  const started = await startServer(t);
  const peer = await rawClient(started.port, {
    head: Buffer.concat([
      Buffer.from(requestHead()), encodeFrame({ opcode: OPCODE.CLOSE, payload: closePayload(1001) }),
    ]),
  });
  await peer.until(() => peer.frames.length > 0, 'the Close frame');
  assert.strictEqual(peer.frames[0].code, 1000);
  await eventually(() => started.closes.length === 1, 'the close event');
  assert.strictEqual(started.closes[0].code, 1001);
});

/** A raw server that answers the handshake with these response headers in place of the usual ones. */
async function answering(t, headers) {
  const raw = await rawServer((peer) => {
    const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptKey(peer.key), ...headers };
    peer.write(`HTTP/1.1 101 Switching Protocols\r\n${
      Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  });
  t.after(() => raw.close());
  return raw;
}

for (const value of ['keep-alive, Upgrade', 'Upgrade, keep-alive', 'keep-alive,upgrade', 'close, UPGRADE ,x']) {
  test(`P9: the client accepts the response header Connection: ${value}`, async (t) => {
    const raw = await answering(t, { Connection: value });
    const connection = await openClient(t, raw.url);
    assert.strictEqual(connection.connected, true);
  });
}

for (const [what, headers, protocols] of [
  ['an extension nobody offered', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }, []],
  ['an unknown extension', { 'Sec-WebSocket-Extensions': 'x-private; a=1' }, ['chat']],
  ['a subprotocol nobody offered', { 'Sec-WebSocket-Protocol': 'chat' }, []],
]) {
  test(`P10: a response with ${what} fails the handshake`, async (t) => {
    const raw = await answering(t, protocols.length > 0 ? { 'Sec-WebSocket-Protocol': 'chat', ...headers } : headers);
    await assert.rejects(openClient(t, raw.url, { protocols }), /extension|protocol/i);
    const peer = await raw.next();
    await peer.close();
  });
}

for (const [offered, accepted] of [['FOO-v1', 'Foo-V1'], ['chat', 'CHAT'], ['SuperChat', 'superCHAT']]) {
  test(`P11: accept('${accepted}') matches the offered ${offered} and echoes the client's spelling`, async (t) => {
    let error = null;
    const started = await startServer(t, {
      onRequest: (request) => {
        try {
          request.accept(accepted);
        } catch (thrown) {
          error = thrown;
        }
      },
    });
    const connection = await openClient(t, started.url, { protocols: ['other', offered] });
    assert.strictEqual(error, null);
    assert.strictEqual(connection.protocol, offered);
  });
}

for (const [url, host] of [
  ['ws://[::1]:PORT/', '[::1]:PORT'],
  ['ws://[fe80::1:2]:PORT/path', '[fe80::1:2]:PORT'],
  ['ws://[::1]/', '[::1]'],
]) {
  test(`P12: the Host header for ${url} is ${host}`, async (t) => {
    const raw = await rawServer();
    t.after(() => raw.close());
    // The address is not dialled: hosts without IPv6 can run this too.
    const agent = new http.Agent();
    agent.createConnection = () => net.connect(raw.port, '127.0.0.1');
    await openClient(t, url.replace('PORT', raw.port), { requestOptions: { agent } });
    const peer = await raw.next();
    assert.strictEqual(/^host: (.*)\r$/im.exec(peer.head)[1], host.replace('PORT', raw.port));
  });
}

for (const [what, userinfo, credentials] of [
  ['user and password', 'user:secret', 'user:secret'],
  ['percent-encoded user and password', 'us%40er:p%3Ass%20w', 'us@er:p:ss w'],
  ['only a user', 'user', 'user:'],
]) {
  test(`P13: ${what} in the URL become Basic authorization`, async (t) => {
    const raw = await rawServer();
    t.after(() => raw.close());
    await openClient(t, `ws://${userinfo}@127.0.0.1:${raw.port}/`);
    const peer = await raw.next();
    const header = /^authorization: basic (.*)\r$/im.exec(peer.head);
    assert.ok(header, `no Authorization header in ${peer.head}`);
    const sent = Buffer.from(header[1], 'base64').toString();
    // A user without a password may be written with or without the colon before the nothing.
    assert.strictEqual(sent.includes(':') ? sent : `${sent}:`, credentials);
    assert.doesNotMatch(/^host: (.*)\r$/im.exec(peer.head)[1], /@/);
  });
}

for (const version of [7, 12, 14, 255]) {
  test(`P16: version ${version} is refused with 426 and the versions 13, 8`, async (t) => {
    const { status, peer } = await statusOf(t, { headers: { 'Sec-WebSocket-Version': String(version) } });
    assert.strictEqual(status, 426);
    assert.match(peer.head, /^sec-websocket-version: 13, 8\r$/im);
  });
}

for (const value of ['13, 8', '13, 13', '013', '13.0', '13;']) {
  test(`P24: the version ${value}, which is no number, is refused with 400`, async (t) => {
    const { status, peer } = await statusOf(t, { headers: { 'Sec-WebSocket-Version': value } });
    assert.strictEqual(status, 400);
    assert.match(peer.head, /single number as Sec-WebSocket-Version/);
  });
}

test('P24: version 0 is refused with 426 and the versions 13, 8', async (t) => {
  const { status, peer } = await statusOf(t, { headers: { 'Sec-WebSocket-Version': '0' } });
  assert.strictEqual(status, 426);
  assert.match(peer.head, /^sec-websocket-version: 13, 8\r$/im);
});

for (const hosts of [['a.example', 'a.example'], ['a.example', 'b.example']]) {
  test(`P24: two Host fields, ${hosts.join(' and ')}, are refused with 400`, async (t) => {
    const { status, peer } = await statusOf(t, { headers: { Host: hosts } });
    assert.strictEqual(status, 400);
    assert.match(peer.head, /single Host header/);
  });
}

for (const line of ['GET / HTTP/0.9', 'GET /']) {
  test(`P24: the request line ${line} is refused with 400`, async (t) => {
    const { status } = await statusOf(t, { head: requestHead().replace('GET / HTTP/1.1', line) });
    assert.strictEqual(status, 400);
  });
}

for (const value of ['%', '%E0%A4%A', 'a%zzb', '%c3%28', '100%']) {
  test(`P17: the cookie value ${value} is kept as it came`, async (t) => {
    let cookies;
    const { status } = await statusOf(t, { headers: { Cookie: `good=a%20b; bad=${value}; last=1` } }, {
      onRequest: (request) => {
        cookies = request.cookies;
        request.accept();
      },
    });
    assert.strictEqual(status, 101);
    assert.deepStrictEqual(cookies.map(({ name, value: kept }) => [name, kept]), [['good', 'a b'], ['bad', value], ['last', '1']]);
  });
}

test('P8: bytes after the request wait for accept() without being lost, however it comes apart', async (t) => {
  const received = [];
  let pending;
  const started = await startServer(t, { onRequest: (request) => { pending = request; } });
  const peer = await rawClient(started.port, { head: Buffer.concat([Buffer.from(requestHead()), early.subarray(0, 3)]) });
  await eventually(() => pending, 'the request');
  for (const byte of early.subarray(3)) {
    peer.write(Buffer.from([byte]));
    await turns(1);
  }
  pending.accept().on('message', (message) => received.push(message.type));
  await eventually(() => received.length === 2, 'both messages');
  assert.deepStrictEqual(received, ['utf8', 'binary']);
});
