'use strict';

// Clients: their URLs, headers, sockets and errors. COMPATIBILITY: U1 to U5, U14, C10.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const net = require('net');
const tls = require('tls');
const url = require('url');
const { websocket } = require('../helpers/under-test');
const { openClient, startServer, startHttpServer, rawServer, eventually, turns, next } = require('../helpers/under-test/endpoints');
const { createHttpServer, clientOptions } = require('../helpers/under-test/transport');
const { acceptHead, OPCODE } = require('../helpers/raw');
const { streamPair } = require('../helpers/stream-pair');

/** A raw server, closed at the end of the test. */
async function listening(t, answer) {
  const raw = await rawServer(answer);
  t.after(() => raw.close());
  return raw;
}

/** What the raw server got: request target, and header fields with their names in lower case. */
async function requestOf(raw) {
  const { head } = await raw.next();
  const [line, ...lines] = head.trim().split('\r\n');
  const fields = {};
  for (const one of lines) {
    const colon = one.indexOf(':');
    const name = one.slice(0, colon).toLowerCase();
    assert.ok(!(name in fields), `the field ${name} is there twice`);
    fields[name] = one.slice(colon + 1).trim();
  }
  return { target: line.split(' ')[1], fields };
}

/** The first bytes that a client sends to 127.0.0.1, or null if it sends none before it gives up. */
async function firstBytes(t, makeUrl, headers) {
  let first = null;
  const listener = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      first = bytes;
      socket.destroy();
    });
  });
  const { port } = await startHttpServer(t, listener);
  const client = new websocket.client();
  const failed = next(client, 'connectFailed');
  client.connect(makeUrl(port), null, null, headers);
  await failed;
  return { first, client };
}

// ------------------------------------------------------------------------------------------------ U1: URLs

for (const [what, makeUrl] of [
  ['a string', (port) => `https://user:secret@127.0.0.1:${port}/feed`],
  ['in capitals', (port) => `HTTPS://user:secret@127.0.0.1:${port}/feed`],
  ['of the class URL', (port) => new URL(`https://user:secret@127.0.0.1:${port}/feed`)],
  ['parsed by url.parse()', (port) => url.parse(`https://user:secret@127.0.0.1:${port}/feed`)],
  ['frozen', (port) => Object.freeze(url.parse(`https://user:secret@127.0.0.1:${port}/feed`))],
]) {
  test(`U1: an https: URL, ${what}, means wss: nothing leaves in clear text`, async (t) => {
    const { first, client } = await firstBytes(t, makeUrl, { Authorization: 'Bearer secret' });
    assert.strictEqual(first[0], 0x16, `no TLS: ${first.toString('latin1')}`);
    assert.strictEqual(client.secure, true);
    assert.strictEqual(client.url.protocol, 'wss:');
  });
}

test('U1: the ports of http: and https: URLs are 80 and 443', async () => {
  // Nothing is sent: the agents never give the request a socket.
  for (const [target, Agent, port, host] of [
    ['http://a.test/', http.Agent, '80', 'a.test'], ['https://a.test/', require('https').Agent, '443', 'a.test'],
    ['http://a.test:443/', http.Agent, '443', 'a.test:443'],
  ]) {
    const client = new websocket.client();
    client.on('connectFailed', () => {});
    client.connect(target, null, null, null, { agent: Object.assign(new Agent(), { addRequest() {} }) });
    assert.deepStrictEqual([client.url.port, client._req.getHeader('host')], [port, host]);
    client._req.destroy();
  }
});

test('U1: an http: URL means ws:', async (t) => {
  const raw = await listening(t);
  await openClient(t, raw.url.replace('ws:', 'http:'));
  const { fields } = await requestOf(raw);
  assert.strictEqual(fields.host, `127.0.0.1:${raw.port}`);
});

for (const target of ['localhost:8080', '127.0.0.1:8080/path', 'ftp://127.0.0.1/', 'ws+unix:///tmp/socket', 'javascript:alert(1)',
  'user:secret@127.0.0.1', { protocol: 'gopher:', host: 'a.test', hostname: 'a.test' }]) {
  test(`U1: ${JSON.stringify(target)} throws before anything is sent`, (t) => {
    const client = new websocket.client();
    client.on('connectFailed', () => {});
    t.after(() => client.abort());
    assert.throws(() => client.connect(target), (error) => {
      assert.match(error.message, /^The scheme of a WebSocket URL is ws: or wss: .*, not [\w.+]+:/);
      assert.doesNotMatch(error.message, /secret/);
      assert.strictEqual(error.code, 'ERR_WEBSOCKET_URL');
      return true;
    });
    assert.strictEqual(client._req, null);
    assert.strictEqual(client.url, undefined);
  });
}

for (const [text, target] of [
  ['/caf\u00e9?q=\u00fc#\u00e4', '/caf%C3%A9?q=%C3%BC'],
  ['/\u804a\u5929?name=\u674e', '/%E8%81%8A%E5%A4%A9?name=%E6%9D%8E'],
  ['/\u{1f600}/%E2%82%AC?%zz=%', '/%F0%9F%98%80/%E2%82%AC?%zz=%'],
  ['/\ud800', '/%EF%BF%BD'],
]) {
  for (const [how, make] of [
    ['', (full) => full], [' as a URL', (full) => new URL(full)], [' parsed already', (full) => url.parse(full)],
  ]) {
    test(`U1: ${JSON.stringify(text)}${how} is sent as ${target}`, async (t) => {
      const raw = await listening(t);
      await openClient(t, String(raw.url), { requestOptions: {} });
      await raw.next();
      const client = new websocket.client();
      client.on('connect', (connection) => connection.drop());
      client.connect(make(`${raw.url.slice(0, -1)}${text}`));
      assert.strictEqual((await requestOf(raw)).target, target);
    });
  }
}

test('U1: objects made by hand: spaces and fragments do not end up in the request', async (t) => {
  const raw = await listening(t);
  const client = new websocket.client();
  client.on('connect', (connection) => connection.drop());
  const host = `127.0.0.1:${raw.port}`;
  for (const [parts, target] of [
    [{ pathname: '/a b', path: '/a b?c d#e f' }, '/a%20b?c%20d'],
    [{ pathname: '/a', search: '?b' }, '/a?b'],
    [{ pathname: '/a', path: '/a', hash: '#h' }, '/a'],
    [{ path: '/a?b' }, '/a?b'],
    [{ path: '?b' }, '/?b'],
  ]) {
    const given = { protocol: 'ws:', host, hostname: '127.0.0.1', port: String(raw.port), ...parts };
    const before = { ...given };
    client.connect(given);
    assert.strictEqual((await requestOf(raw)).target, target);
    assert.deepStrictEqual(given, before);
  }
  // Without a `hostname`, as some programs have it.
  client.connect({ protocol: 'http:', host, pathname: '/x', path: '/x' });
  assert.strictEqual((await requestOf(raw)).fields.host, host);
});

// --------------------------------------------------------------------------------- U2: headers of the caller

for (const name of ['Sec-WebSocket-Protocol', 'sec-websocket-protocol', 'SEC-WEBSOCKET-PROTOCOL']) {
  test(`U2: a subprotocol in the header ${name} is offered: the server may choose it`, async (t) => {
    const raw = await listening(t, (peer) => peer.write(acceptHead(peer.key, { 'Sec-WebSocket-Protocol': 'ocpp1.6' })));
    const connection = await openClient(t, raw.url, { headers: { [name]: 'ocpp2.0, ocpp1.6' } });
    assert.strictEqual(connection.protocol, 'ocpp1.6');
    assert.strictEqual((await requestOf(raw)).fields['sec-websocket-protocol'], 'ocpp2.0, ocpp1.6');
  });
}

test('U2: an extension in the headers is offered: the server may agree to it', async (t) => {
  const raw = await listening(t, (peer) => peer.write(acceptHead(peer.key, { 'Sec-WebSocket-Extensions': 'x-trace;level=2' })));
  const connection = await openClient(t, raw.url, { headers: { 'sec-websocket-extensions': 'x-trace, x-other; a="b, c"' } });
  assert.deepStrictEqual(connection.extensions, [{ name: 'x-trace', value: 'level=2', params: [{ name: 'level', value: '2' }] }]);
  assert.strictEqual((await requestOf(raw)).fields['sec-websocket-extensions'], 'x-trace, x-other; a="b, c"');
});

test('U2: permessage-deflate in the headers is offered, and spoken when the server agrees', async (t) => {
  const started = await startServer(t, { config: { perMessageDeflate: true }, onConnect: (connection) => {
    connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data));
  } });
  // As the browser before a gateway has it.
  const headers = { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' };
  const messages = [];
  const connection = await openClient(t, started.url, { headers });
  connection.on('message', ({ utf8Data }) => messages.push(utf8Data));
  assert.strictEqual(connection.extensions[0].name, 'permessage-deflate');
  const text = 'again and again '.repeat(1000);
  connection.sendUTF(text);
  await eventually(() => messages.length === 1, 'the echo');
  assert.strictEqual(messages[0], text);
  assert.ok(connection.stats().bytesReceived < 2000);
});

for (const name of ['host', 'HOST', 'hOsT']) {
  test(`U2: the header ${name} takes the place of the host of the URL`, async (t) => {
    const raw = await listening(t);
    await openClient(t, raw.url, { headers: { [name]: 'app.example.test' } });
    assert.strictEqual((await requestOf(raw)).fields.host, 'app.example.test');
  });
}

test('U2: headers that a gateway passes on from its own client do not end the handshake', async (t) => {
  const started = await startServer(t);
  const gateway = http.createServer();
  const { port } = await startHttpServer(t, gateway);
  const outcomes = [];
  gateway.on('upgrade', (request, socket) => {
    socket.destroy();
    // With what a client may send along, and what HTTP/2 calls its headers.
    const headers = {
      ':method': 'CONNECT', ':protocol': 'websocket', ':authority': 'gateway.test', 'http2-settings': 'AAMAAABk',
      ...request.headers, 'content-length': '5', 'transfer-encoding': 'chunked', trailer: 'x-checksum', te: 'trailers',
      expect: '100-continue', 'keep-alive': 'timeout=5', 'proxy-connection': 'keep-alive', 'sec-websocket-accept': 'x',
      'sec-websocket-protocol': undefined, cookie: null,
    };
    openClient(t, started.url, { headers }).then((connection) => outcomes.push(connection), (error) => outcomes.push(error));
  });
  const browser = new websocket.client();
  browser.on('connectFailed', () => {});
  browser.connect(`ws://127.0.0.1:${port}/`);
  await eventually(() => outcomes.length === 1, 'the connection behind the gateway');
  assert.ifError(outcomes[0] instanceof Error ? outcomes[0] : null);
  assert.strictEqual(outcomes[0].connected, true);
});

test('U2: headers may be a Map, a Headers object or pairs', async (t) => {
  const raw = await listening(t);
  for (const headers of [new Map([['X-One', '1'], ['HOST', 'a.test']]), new Headers({ 'X-One': '1', host: 'a.test' }),
    [['X-One', 1], ['host', 'a.test']]]) {
    await openClient(t, raw.url, { headers });
    const { fields } = await requestOf(raw);
    assert.deepStrictEqual([fields['x-one'], fields.host], ['1', 'a.test']);
  }
});

test('U1: a subprotocol that is given twice is sent once', async (t) => {
  const raw = await listening(t, (peer) => peer.write(acceptHead(peer.key, { 'Sec-WebSocket-Protocol': 'b' })));
  await openClient(t, raw.url, { protocols: ['a', 'b', 'a', 'A'] });
  assert.strictEqual((await requestOf(raw)).fields['sec-websocket-protocol'], 'a, b, A');
  await openClient(t, raw.url, { headers: { 'Sec-WebSocket-Protocol': 'b,b , c' } });
  assert.strictEqual((await requestOf(raw)).fields['sec-websocket-protocol'], 'b, c');
});

// ------------------------------------------------------------------------------ U3 and U5: sockets of the caller

for (const [how, make] of [
  ['returned', (socket) => () => socket], ['given to the callback', (socket) => (options, callback) => { setImmediate(callback, null, socket()); }],
]) {
  test(`U3: the socket of createConnection, ${how}, is used`, async (t) => {
    const started = await startServer(t, { httpServer: createHttpServer(undefined, false) });
    let calls = 0;
    const connect = () => {
      calls++;
      return net.connect(started.port, '127.0.0.1');
    };
    const createConnection = how === 'returned' ? connect : make(connect);
    for (const more of [{}, { agent: false }, { agent: null }, { agent: undefined }]) {
      calls = 0;
      const connection = await openClient(t, 'ws://behind-a-tunnel.invalid/', { requestOptions: { createConnection, ...more } });
      assert.strictEqual(connection.connected, true);
      assert.strictEqual(calls, 1);
    }
  });
}

test('U3: what createConnection throws or reports ends in connectFailed', async (t) => {
  const broken = Object.assign(new Error('no tunnel'), { code: 'ETUNNEL' });
  for (const createConnection of [() => { throw broken; }, (options, callback) => { setImmediate(callback, broken); }]) {
    await assert.rejects(openClient(t, 'ws://a.invalid/', { requestOptions: { createConnection } }), (error) => error === broken);
  }
});

test('U3: createConnection is told host and port, and makes a socket of TLS for wss:', async (t) => {
  const httpServer = createHttpServer(undefined, true);
  const started = await startServer(t, { httpServer });
  let options = null;
  const createConnection = (given) => {
    options = given;
    return tls.connect({ ...clientOptions, port: started.port, host: '127.0.0.1' });
  };
  const connection = await openClient(t, 'wss://nowhere.invalid:8443/', { requestOptions: { createConnection } });
  assert.deepStrictEqual([options.host, String(options.port)], ['nowhere.invalid', '8443']);
  assert.strictEqual(connection.socket.encrypted, true);
  // In this order: on Node 18 a socket below TLS that is destroyed first keeps the process alive for half a minute.
  connection.drop();
  await eventually(() => started.closes.length === 1, 'the end of the server\'s side');
});

test('U3: a tunnel through a proxy, made with CONNECT, carries a connection', async (t) => {
  const started = await startServer(t, { httpServer: createHttpServer(undefined, false) });
  const proxy = http.createServer();
  const { port } = await startHttpServer(t, proxy);
  const targets = [];
  proxy.on('connect', (request, socket) => {
    targets.push(request.url);
    const onward = net.connect(started.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  const createConnection = (options, callback) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'CONNECT', path: `${options.host}:${options.port}` });
    request.on('connect', (response, socket) => callback(null, socket));
    request.on('error', callback);
    request.end();
  };
  const connection = await openClient(t, 'ws://inside.invalid/', { requestOptions: { createConnection } });
  assert.strictEqual(connection.connected, true);
  assert.deepStrictEqual(targets, ['inside.invalid:80']);
});

/** A server whose sockets are plain streams, and a maker of the clients' ends. */
async function streamServer(t, config) {
  const httpServer = http.createServer();
  const started = await startServer(t, { httpServer, config: { autoAcceptConnections: false, ...config }, onRequest: (request) => {
    if (request.resource === '/no') request.reject(403);
    else request.accept();
  }, onConnect: (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(`echo ${utf8Data}`)) });
  const connect = () => {
    const [client, server] = streamPair();
    httpServer.emit('connection', server);
    return client;
  };
  return { ...started, connect };
}

for (const [where, optionsFor] of [
  ['createConnection', (connect) => ({ createConnection: connect })],
  ['an agent', (connect) => ({ agent: Object.assign(new http.Agent(), { createConnection: connect }) })],
]) {
  test(`U5: a plain stream from ${where} carries a connection, at both of its ends`, async (t) => {
    const started = await streamServer(t);
    const requestOptions = optionsFor(started.connect);
    const messages = [];
    const connection = await openClient(t, 'ws://nowhere.invalid/', { requestOptions, onConnect: (opened) => {
      opened.on('message', ({ utf8Data }) => messages.push(utf8Data));
    } });
    assert.strictEqual(connection.socket.setNoDelay, undefined);
    connection.sendUTF('hello');
    await eventually(() => messages.length === 1, 'the echo');
    assert.deepStrictEqual(messages, ['echo hello']);
    const closed = next(connection, 'close');
    connection.close();
    assert.strictEqual((await closed)[0], 1000);
    await eventually(() => started.closes.length === 1, 'the end of the server\'s side');
    assert.strictEqual(started.closes[0].code, 1000);
    await assert.rejects(openClient(t, 'ws://nowhere.invalid/no', { requestOptions }), /403 Forbidden/);
  });
}

test('U5: useNativeKeepalive does not ask a plain stream for what only sockets have', async (t) => {
  const config = { keepalive: true, useNativeKeepalive: true, keepaliveInterval: 1000 };
  const started = await streamServer(t, config);
  const connection = await openClient(t, 'ws://nowhere.invalid/', { config, requestOptions: { createConnection: started.connect } });
  await started.connection();
  assert.strictEqual(connection.connected, true);
});

// -------------------------------------------------------------------------------------- U4: errors of attempts

/** A port of 127.0.0.1 on which nobody listens. */
async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address();
  server.close();
  await next(server, 'close');
  return port;
}

test('U4: when all addresses of a host refuse, the Error names them and has a code', async (t) => {
  const port = await closedPort();
  const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }];
  const requestOptions = { lookup: (name, options, callback) => callback(null, addresses), autoSelectFamily: true };
  await assert.rejects(openClient(t, `ws://several.test:${port}/`, { requestOptions }), (error) => {
    assert.strictEqual(error.message, `Could not connect to several.test:${port}: ` +
      `connect ECONNREFUSED 127.0.0.1:${port}, connect ECONNREFUSED 127.0.0.2:${port}`);
    assert.deepStrictEqual([error.code, error.syscall, error.address, error.port], ['ECONNREFUSED', 'connect', '127.0.0.1', port]);
    assert.ok(error.cause instanceof AggregateError);
    assert.strictEqual(error.errors, error.cause.errors);
    return true;
  });
});

test('U4: a refused handshake tells status, headers and reason', async (t) => {
  const started = await startServer(t, { onRequest: (request) => request.reject(401, 'Who are you?', { 'WWW-Authenticate': 'Basic' }) });
  await assert.rejects(openClient(t, started.url), (error) => {
    assert.deepStrictEqual([error.code, error.statusCode, error.reason], ['ERR_WEBSOCKET_REFUSED', 401, 'Who are you?']);
    assert.strictEqual(error.headers['www-authenticate'], 'Basic');
    return true;
  });
  const raw = await listening(t, (peer) => peer.socket.end('HTTP/1.1 503 Gone Fishing\r\nContent-Length: 0\r\n\r\n'));
  await assert.rejects(openClient(t, raw.url), { code: 'ERR_WEBSOCKET_REFUSED', statusCode: 503, reason: 'Gone Fishing' });
});

test('U4: an answer of 101 that is not correct has a code', async (t) => {
  const raw = await listening(t, (peer) => peer.socket.end(acceptHead('another key')));
  await assert.rejects(openClient(t, raw.url), { code: 'ERR_WEBSOCKET_HANDSHAKE', statusCode: 101 });
});

// ----------------------------------------------------------------------------------------------- U14 and C10

test('U14: a refused handshake does not close the connection that the same client has opened before', async (t) => {
  let count = 0;
  const started = await startServer(t, { httpServer: createHttpServer(undefined, false), onRequest: (request) => {
    if (++count === 1) request.accept().on('message', () => {});
    else request.reject(503);
  } });
  const client = new websocket.client();
  const connected = next(client, 'connect');
  client.connect(started.url);
  const [connection] = await connected;
  t.after(() => connection.drop());
  const failed = next(client, 'connectFailed');
  client.connect(started.url);
  await failed;
  await turns(20);
  assert.strictEqual(connection.connected, true);
  assert.strictEqual(connection.socket.writable, true);
});

test('C10: aborting its signal removes a listener', async (t) => {
  const raw = await listening(t);
  const socket = new websocket.w3cwebsocket(raw.url);
  t.after(() => socket._connection.socket.destroy());
  const controller = new AbortController();
  const seen = [];
  socket.addEventListener('message', () => {
    seen.push('first');
    controller.abort();
  }, { signal: controller.signal });
  socket.addEventListener('message', () => seen.push('second'), { signal: controller.signal });
  socket.addEventListener('message', () => seen.push('third'));
  socket.addEventListener('message', () => seen.push('never'), { signal: AbortSignal.abort() });
  const peer = await raw.next();
  peer.send({ opcode: OPCODE.TEXT, payload: 'x', mask: false });
  await eventually(() => seen.includes('third'), 'the message');
  assert.deepStrictEqual(seen, ['first', 'third']);
});
