'use strict';

// RFC 6455 section 4.2: the opening handshake as the server reads and answers it.

const { test } = require('node:test');
const assert = require('node:assert');
const { startServer, rawClient, openRawClient, turns } = require('../helpers/under-test/endpoints');
const { requestHead, acceptKey, OPCODE } = require('../helpers/raw');

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Sends a request head and waits for the answer. */
async function ask(t, request, options) {
  const started = await startServer(t, options);
  const peer = await rawClient(started.port, request);
  await peer.until(() => peer.head !== null || peer.closed, 'an answer');
  return { ...started, peer, status: peer.status };
}

/** The values of a response header, in order. */
function values(peer, name) {
  return peer.head.split('\r\n').slice(1)
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

const upper = (head) => head.replace(/^[A-Za-z-]+(?=:)/gm, (name) => name.toUpperCase());
const lower = (head) => head.replace(/^[A-Za-z-]+(?=:)/gm, (name) => name.toLowerCase());

const accepted = [
  ['4.2.1', 'the plain request', {}],
  ['4.2.1', 'upper-case header names', { head: upper(requestHead()) }],
  ['4.2.1', 'lower-case header names', { head: lower(requestHead()) }],
  ['4.2.1', 'whitespace around the values', { head: requestHead().replace(/: (.*)\r/g, ':  \t$1  \r') }],
  ['4.2.1', 'no whitespace after the colons', { head: requestHead().replace(/: /g, ':') }],
  ['4.2.1 (1)', 'a path with a query', { path: '/chat/room?name=x&name=y' }],
  ['4.2.1 (1)', 'an absolute request target', { path: 'http://127.0.0.1/chat' }],
  ['4.2.1 (3)', 'Upgrade: WebSocket', { headers: { Upgrade: 'WebSocket' } }],
  ['4.2.1 (3)', 'Upgrade: WEBSOCKET', { headers: { Upgrade: 'WEBSOCKET' } }],
  ['4.2.1 (3)', 'Upgrade: websocket among others', { headers: { Upgrade: 'h2c, websocket' } }],
  ['4.2.1 (4)', 'Connection: upgrade', { headers: { Connection: 'upgrade' } }],
  ['4.2.1 (4)', 'Connection: keep-alive, Upgrade', { headers: { Connection: 'keep-alive, Upgrade' } }],
  ['4.2.1 (4)', 'Connection: UPGRADE,keep-alive', { headers: { Connection: 'UPGRADE,keep-alive' } }],
  ['4.2.1 (5)', 'another key of 16 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(16, 0xff).toString('base64') } }],
  ['4.2.1 (6)', 'version 13 among spaces', { headers: { 'Sec-WebSocket-Version': '  13  ' } }],
  ['4.2.1 (7)', 'an Origin', { headers: { Origin: 'http://example.com' } }],
  ['4.2.1 (8)', 'subprotocols in one header', { headers: { 'Sec-WebSocket-Protocol': 'chat, superchat' } }],
  ['11.3.4', 'subprotocols in two headers', { headers: { 'Sec-WebSocket-Protocol': ['chat', 'superchat'] } }],
  ['4.2.1 (9)', 'unknown extensions', { headers: { 'Sec-WebSocket-Extensions': 'x-foo; a=1; b="2, 3", x-bar' } }],
  ['11.3.2', 'extensions in two headers', { headers: { 'Sec-WebSocket-Extensions': ['x-foo', 'x-bar; c'] } }],
  ['4.2.1 (10)', 'other header fields', { headers: { Cookie: 'a=b', Authorization: 'Basic eA==', 'X-Anything': '1' } }],
  ['4.4', 'version 8, of an earlier draft', { headers: { 'Sec-WebSocket-Version': '8' } }],
];
for (const [section, what, request] of accepted) {
  test(`RFC 6455 ${section}: ${what} is accepted`, async (t) => {
    const { status, peer, connections } = await ask(t, request);
    assert.strictEqual(status, 101);
    assert.strictEqual(connections.length, 1);
    peer.send({ opcode: OPCODE.PING, payload: 'usable' });
    assert.strictEqual((await peer.frame()).payload.toString(), 'usable');
  });
}

const refused = [
  ['4.2.1 (1)', 'method POST', { method: 'POST' }, [405]],
  ['4.2.1 (1)', 'method HEAD', { method: 'HEAD' }, [405]],
  ['4.2.1 (2)', 'no Host', { headers: { Host: null } }, [400]],
  ['4.2.1 (3)', 'no Upgrade', { headers: { Upgrade: null } }, [400, 404, 426]],
  ['4.2.1 (3)', 'Upgrade: h2c', { headers: { Upgrade: 'h2c' } }, [400, 404, 426]],
  ['4.2.1 (3)', 'Upgrade: websockets', { headers: { Upgrade: 'websockets' } }, [400, 404, 426]],
  ['4.2.1 (4)', 'no Connection', { headers: { Connection: null } }, [400, 404, 426]],
  ['4.2.1 (4)', 'Connection: keep-alive', { headers: { Connection: 'keep-alive' } }, [400, 404, 426]],
  ['4.2.1 (5)', 'no key', { headers: { 'Sec-WebSocket-Key': null } }, [400]],
  ['4.2.1 (5)', 'an empty key', { headers: { 'Sec-WebSocket-Key': '' } }, [400]],
  ['4.2.1 (5)', 'a key of 12 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(12).toString('base64') } }, [400]],
  ['4.2.1 (5)', 'a key of 18 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(18).toString('base64') } }, [400]],
  ['4.2.1 (5)', 'a key with a foreign character', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub2*jZQ==' } }, [400]],
  ['11.3.1', 'two keys', { headers: { 'Sec-WebSocket-Key': [KEY, KEY] } }, [400]],
  ['4.2.1 (6)', 'no version', { headers: { 'Sec-WebSocket-Version': null } }, [400, 426]],
  ['4.2.1 (6)', 'an empty version', { headers: { 'Sec-WebSocket-Version': '' } }, [400, 426]],
  ['4.2.1 (6)', 'version abc', { headers: { 'Sec-WebSocket-Version': 'abc' } }, [400, 426]],
  ['4.2.1 (6)', 'version 0', { headers: { 'Sec-WebSocket-Version': '0' } }, [400, 426]],
  ['4.2.1 (6)', 'version -13', { headers: { 'Sec-WebSocket-Version': '-13' } }, [400, 426]],
  ['4.2.2 (4)', 'version 7', { headers: { 'Sec-WebSocket-Version': '7' } }, [426]],
  ['4.2.2 (4)', 'version 14', { headers: { 'Sec-WebSocket-Version': '14' } }, [426]],
  ['4.2.2 (4)', 'version 130', { headers: { 'Sec-WebSocket-Version': '130' } }, [426]],
];
for (const [section, what, request, statuses] of refused) {
  test(`RFC 6455 ${section}: a request with ${what} is refused`, async (t) => {
    const { status, connections, server } = await ask(t, request);
    assert.ok(statuses.includes(status), `status ${status} instead of ${statuses.join(' or ')}`);
    await turns();
    assert.strictEqual(connections.length, 0);
    assert.strictEqual(server.pendingRequests.length, 0);
  });
}

test('RFC 6455 4.4: a refusal of the version names the versions spoken, and closes', async (t) => {
  const { peer } = await ask(t, { headers: { 'Sec-WebSocket-Version': '25' } });
  await peer.close();
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Version').join().split(',')[0], '13');
});

test('RFC 9110 15.5.6: a refusal of the method names the method allowed', async (t) => {
  const { peer } = await ask(t, { method: 'POST' });
  assert.deepStrictEqual(values(peer, 'Allow'), ['GET']);
});

test('RFC 6455 4.2.2: the response has exactly the header fields of the handshake', async (t) => {
  const { peer } = await ask(t, {
    headers: { 'Sec-WebSocket-Extensions': 'x-foo, permessage-bzip2', 'Sec-WebSocket-Protocol': null },
  });
  assert.match(peer.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.deepStrictEqual(values(peer, 'Upgrade').map((value) => value.toLowerCase()), ['websocket']);
  assert.deepStrictEqual(values(peer, 'Connection').map((value) => value.toLowerCase()), ['upgrade']);
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Accept'), ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Extensions'), []);
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Protocol'), []);
  assert.deepStrictEqual(values(peer, 'Content-Length'), []);
  assert.deepStrictEqual(values(peer, 'Transfer-Encoding'), []);
});

for (const key of ['x3JJHMbDL1EzLkh9GBhXDw==', 'AQIDBAUGBwgJCgsMDQ4PEA==', 'AAAAAAAAAAAAAAAAAAAAAA==', '+/+/+/+/+/+/+/+/+/+/+w==']) {
  test(`RFC 6455 4.2.2 (5): Sec-WebSocket-Accept belongs to the key ${key}`, async (t) => {
    const { peer } = await ask(t, { headers: { 'Sec-WebSocket-Key': key } });
    assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Accept'), [acceptKey(key)]);
  });
}

test('RFC 6455 4.2.2 (5): the accepted subprotocol is one the client offered, named once', async (t) => {
  const { peer } = await ask(t, { headers: { 'Sec-WebSocket-Protocol': 'chat,superchat ,  last' } }, {
    onRequest: (request) => {
      assert.deepStrictEqual(request.requestedProtocols.map((one) => one.trim()), ['chat', 'superchat', 'last']);
      request.accept('last');
    },
  });
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Protocol'), ['last']);
});

test('RFC 6455 4.2.2 (5): a server that wants none of the subprotocols names none', async (t) => {
  const { peer, status } = await ask(t, { headers: { 'Sec-WebSocket-Protocol': 'chat' } }, {
    onRequest: (request) => request.accept(),
  });
  assert.strictEqual(status, 101);
  assert.deepStrictEqual(values(peer, 'Sec-WebSocket-Protocol'), []);
});

test('RFC 6455 4.2.2 (5): a subprotocol nobody offered is answered with 500 and an Error', async (t) => {
  let error;
  const { status } = await ask(t, { headers: { 'Sec-WebSocket-Protocol': 'chat' } }, {
    onRequest: (request) => {
      try {
        request.accept('other');
      } catch (thrown) {
        error = thrown;
      }
    },
  });
  assert.strictEqual(status, 500);
  assert.match(error.message, /not requested/);
});

test('RFC 6455 4.2.2 (1): the program may refuse with a status, a reason and header fields', async (t) => {
  const { peer, status } = await ask(t, {}, {
    onRequest: (request) => request.reject(401, 'who are you?', { 'WWW-Authenticate': 'Basic realm="x"' }),
  });
  assert.strictEqual(status, 401);
  assert.deepStrictEqual(values(peer, 'X-WebSocket-Reject-Reason'), ['who are you?']);
  assert.deepStrictEqual(values(peer, 'WWW-Authenticate'), ['Basic realm="x"']);
  await peer.close();
});

test('RFC 6455 4.2.2: nothing the program passes on can break out of its header field', async (t) => {
  const { peer } = await ask(t, {}, {
    onRequest: (request) => request.reject(403, 'a\r\nX-Evil: 1', { 'X-A': 'b\r\nX-Evil: 2', 'X-C\r\nX-Evil': '3' }),
  });
  assert.deepStrictEqual(values(peer, 'X-Evil'), []);
  assert.strictEqual(peer.status, 403);
});

test('RFC 6455 4.2.2: an allowed origin cannot break out of its header field', async (t) => {
  const { peer, status } = await ask(t, {}, {
    onRequest: (request) => request.accept(null, 'http://example.com\r\nX-Evil: 1'),
  });
  assert.strictEqual(status, 101);
  assert.deepStrictEqual(values(peer, 'X-Evil'), []);
});

test('RFC 6455 4.2.1: the program sees what the client asked for', async (t) => {
  let request;
  await ask(t, {
    path: '/room/1?x=a%20b&y=&x=2',
    headers: {
      Host: 'example.com:8080',
      Origin: 'http://example.org',
      'Sec-WebSocket-Protocol': ['Chat', 'superCHAT'],
      'Sec-WebSocket-Extensions': 'permessage-foo; client_max; n=10, bar',
      Cookie: 'one=1; two="quoted"; three=a%3Db; four',
    },
  }, {
    onRequest: (received) => {
      request = received;
      received.accept();
    },
  });
  assert.strictEqual(request.resource, '/room/1?x=a%20b&y=&x=2');
  assert.strictEqual(request.resourceURL.pathname, '/room/1');
  assert.deepStrictEqual({ ...request.resourceURL.query }, { x: ['a b', '2'], y: '' });
  assert.strictEqual(request.host, 'example.com:8080');
  assert.strictEqual(request.origin, 'http://example.org');
  assert.strictEqual(request.key, KEY);
  assert.strictEqual(request.webSocketVersion, 13);
  assert.deepStrictEqual(request.requestedExtensions, [
    { name: 'permessage-foo', params: [{ name: 'client_max', value: undefined }, { name: 'n', value: '10' }] },
    { name: 'bar', params: [] },
  ]);
  assert.deepStrictEqual(request.cookies, [
    { name: 'one', value: '1' }, { name: 'two', value: 'quoted' }, { name: 'three', value: 'a=b' }, { name: 'four', value: null },
  ]);
});

test('RFC 6455 4.2.1: a request that arrives byte by byte is accepted', async (t) => {
  const started = await startServer(t);
  const peer = await rawClient(started.port, { head: '' });
  peer.socket.setNoDelay(true);
  for (const byte of Buffer.from(requestHead({ headers: { Cookie: 'a=b' } }))) {
    peer.write(Buffer.from([byte]));
    await turns(1);
  }
  await peer.until(() => peer.head !== null, 'the answer');
  assert.strictEqual(peer.status, 101);
});

test('RFC 6455 4.2.1: a client that leaves in the middle of its request disturbs nobody', async (t) => {
  const started = await startServer(t);
  for (const length of [1, 40, requestHead().length - 1]) {
    const peer = await rawClient(started.port, { head: requestHead().slice(0, length) });
    peer.destroy();
  }
  assert.strictEqual((await openRawClient(started.port)).status, 101);
  assert.deepStrictEqual(started.upgradeErrors, []);
});

test('RFC 6455 10.8: names that objects inherit are nothing special in a request', async (t) => {
  let request;
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const { status } = await ask(t, {
    path: `/?${names.map((name) => `${name}=1`).join('&')}`,
    headers: {
      'Sec-WebSocket-Extensions': names.map((name) => `${name}; ${name}=1`).join(', '),
      Cookie: names.map((name) => `${name}=1`).join('; '),
      ...Object.fromEntries(names.slice(1).map((name) => [name, '1'])),
    },
  }, {
    onRequest: (received) => {
      request = received;
      received.accept();
    },
  });
  assert.strictEqual(status, 101);
  assert.deepStrictEqual(request.cookies.map((cookie) => [cookie.name, cookie.value]), names.map((name) => [name, '1']));
  assert.deepStrictEqual(request.requestedExtensions.map(({ name, params }) => [name, params[0].name, params[0].value]),
    names.map((name) => [name.toLowerCase(), name.toLowerCase(), '1']));
  assert.deepStrictEqual(Object.keys(request.resourceURL.query).sort(), [...names].sort());
  assert.strictEqual({}.polluted, undefined);
});
