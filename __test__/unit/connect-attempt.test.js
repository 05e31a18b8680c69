'use strict';

// What ends an attempt to connect besides the server's answer, and redirects.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { inspect } = require('util');
const { once } = require('events');
const { PassThrough } = require('stream');
const websocket = require('../..');
const { redirectTarget, withoutCredentialHeaders, withoutCredentialOptions } = require('../../lib/internal/handshake/connect-attempt');
const { next, startServer, startHttpServer, turns } = require('../helpers/under-test/endpoints');

/** Starts to connect; resolves with what came of it. */
function attempt(t, url, requestOptions, { config, headers } = {}) {
  const client = new websocket.client(config);
  const outcome = new Promise((resolve) => {
    client.on('connect', (connection) => {
      t.after(() => connection.drop());
      resolve({ connection, client });
    });
    client.on('connectFailed', (error) => resolve({ error, client }));
  });
  client.connect(url, [], null, headers, requestOptions);
  return outcome;
}

/** An HTTP server that never answers, and a promise of its first request. */
async function startSilent(t) {
  const { httpServer, port } = await startHttpServer(t, http.createServer(() => {}));
  const upgraded = once(httpServer, 'upgrade');
  return { url: `ws://127.0.0.1:${port}/`, upgraded };
}

/** An HTTP server that redirects to what `target` says, and the requests it got. */
async function startRedirecting(t, target, status = 302) {
  const requests = [];
  const { httpServer, port } = await startHttpServer(t);
  httpServer.on('upgrade', (request, socket) => {
    requests.push(request);
    socket.on('error', () => {});
    socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${target(request)}\r\nContent-Length: 0\r\n\r\n`);
  });
  return { url: `ws://127.0.0.1:${port}/`, port, requests };
}

describe('signal', () => {
  test('aborting while the server has not answered ends in connectFailed with an AbortError', async (t) => {
    const { url, upgraded } = await startSilent(t);
    const controller = new AbortController();
    const outcome = attempt(t, url, { signal: controller.signal });
    const [, socket] = await upgraded;
    const ended = next(socket, 'end');
    socket.on('error', () => {});
    socket.resume();
    const reason = new Error('changed my mind');
    controller.abort(reason);
    const { error } = await outcome;
    assert.strictEqual(error.name, 'AbortError');
    assert.strictEqual(error.code, 'ABORT_ERR');
    assert.strictEqual(error.cause, reason);
    await ended;
  });

  test('aborting right after connect() does the same', async (t) => {
    const { url } = await startSilent(t);
    const controller = new AbortController();
    const outcome = attempt(t, url, { signal: controller.signal });
    controller.abort();
    assert.strictEqual((await outcome).error.name, 'AbortError');
  });

  test('with a signal that is aborted already nothing is sent', async (t) => {
    const { httpServer, port } = await startHttpServer(t);
    httpServer.on('connection', () => assert.fail('a connection'));
    const outcome = attempt(t, `ws://127.0.0.1:${port}/`, { signal: AbortSignal.abort() });
    const { error, client } = await outcome;
    assert.strictEqual(error.name, 'AbortError');
    assert.strictEqual(client._req, null);
  });

  test('aborting while there is no socket yet does the same; one that comes later is destroyed', async (t) => {
    const { url } = await startSilent(t);
    const controller = new AbortController();
    let give = null;
    const createConnection = (options, callback) => { give = callback; };
    const outcome = attempt(t, url, { signal: controller.signal, createConnection });
    controller.abort();
    const { error, client } = await outcome;
    assert.strictEqual(error.name, 'AbortError');
    assert.strictEqual(client._req, null);
    const socket = new PassThrough();
    give(null, socket);
    await turns();
    assert.strictEqual(socket.destroyed, true);
  });

  test('an open connection is not concerned, and nothing is left on the signal', async (t) => {
    const { url } = await startServer(t);
    const controller = new AbortController();
    const removed = t.mock.method(controller.signal, 'removeEventListener');
    const { connection } = await attempt(t, url, { signal: controller.signal });
    assert.strictEqual(removed.mock.callCount(), 1);
    controller.abort();
    await turns();
    assert.strictEqual(connection.connected, true);
  });

  test('what is no signal is refused before anything happens', () => {
    const client = new websocket.client();
    for (const signal of ['abort', {}, 5]) {
      assert.throws(() => client.connect('ws://127.0.0.1:9/', [], null, null, { signal }),
        { message: `The option signal must be an AbortSignal, not ${signal}.` });
    }
    assert.strictEqual(client._req, null);
  });
});

describe('handshakeTimeout of a client', () => {
  for (const [where, options] of [['requestOptions', [{ handshakeTimeout: 60 }]], ['its options', [undefined, { config: { handshakeTimeout: 60 } }]]]) {
    test(`in ${where}: a server that does not answer in time is given up`, async (t) => {
      const { url } = await startSilent(t);
      const begin = performance.now();
      const { error } = await attempt(t, url, ...options);
      assert.ok(performance.now() - begin > 50);
      assert.strictEqual(error.code, 'ETIMEDOUT');
      assert.strictEqual(error.message, 'The server did not complete the opening handshake within 60 ms (handshakeTimeout).');
    });
  }

  test('a server that answers in time is not concerned', async (t) => {
    const { url } = await startServer(t);
    const { connection } = await attempt(t, url, { handshakeTimeout: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.strictEqual(connection.connected, true);
  });

  for (const [what, requestOptions] of [['createConnection', { createConnection: () => {} }], ['an agent', { agent: { addRequest() {} } }]]) {
    test(`it ends an attempt for which ${what} never gives a socket`, async (t) => {
      const { error } = await attempt(t, 'ws://127.0.0.1:9/', { ...requestOptions, handshakeTimeout: 30 });
      assert.strictEqual(error.code, 'ETIMEDOUT');
    });
  }

  test('it is for all redirects together', async (t) => {
    const silent = await startSilent(t);
    const { url } = await startRedirecting(t, () => silent.url);
    const { error } = await attempt(t, url, { handshakeTimeout: 100, followRedirects: true });
    assert.strictEqual(error.code, 'ETIMEDOUT');
  });

  test('one signal for many attempts prints no warning', async (t) => {
    const { url } = await startSilent(t);
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning.message);
    process.on('warning', onWarning);
    t.after(() => process.removeListener('warning', onWarning));
    const controller = new AbortController();
    const outcomes = Array.from({ length: 20 }, () => attempt(t, url, { signal: controller.signal }));
    controller.abort();
    for (const { error } of await Promise.all(outcomes)) assert.strictEqual(error.name, 'AbortError');
    assert.deepStrictEqual(warnings, []);
  });

  for (const [name, value] of [['handshakeTimeout', -1], ['handshakeTimeout', 'x'], ['maxRedirects', NaN]]) {
    test(`${name}: ${value} is refused`, () => {
      const message = `The option ${name} must be a number of at least 0, not ${inspect(value)}.`;
      assert.throws(() => new websocket.client({ [name]: value }), { message });
      assert.throws(() => new websocket.client().connect('ws://127.0.0.1:9/', [], null, null, { [name]: value }), { message });
    });
  }
});

describe('redirects', () => {
  test('are not followed by default', async (t) => {
    const { url } = await startRedirecting(t, () => 'ws://127.0.0.1:9/');
    const { error } = await attempt(t, url);
    assert.match(error.message, /^Server responded with a non-101 status: 302 Moved\nResponse Headers Follow:\n/);
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`followRedirects: ${status} is followed, with all headers of the handshake`, async (t) => {
      const { url: target } = await startServer(t);
      const { url, requests } = await startRedirecting(t, () => target.replace('ws:', 'http:') + 'there?x=y', status);
      const { connection, client } = await attempt(t, url, { followRedirects: true });
      assert.strictEqual(connection.connected, true);
      assert.strictEqual(client.url.href, `${target}there?x=y`);
      assert.strictEqual(requests.length, 1);
    });
  }

  test('a relative Location is relative to what was asked for', async (t) => {
    const started = await startServer(t, { onRequest: (request) => {
      seen.push(request.resource);
      if (request.resource === '/a/b') request.reject(302, undefined, { Location: '../c?d' });
      else request.accept();
    } });
    const seen = [];
    const { connection } = await attempt(t, `${started.url}a/b`, { followRedirects: true });
    assert.strictEqual(connection.connected, true);
    assert.deepStrictEqual(seen, ['/a/b', '/c?d']);
  });

  for (const [options, expected] of [[{}, 10], [{ maxRedirects: 2 }, 2], [{ maxRedirects: 0 }, 0]]) {
    test(`${JSON.stringify(options)}: no more than ${expected} are followed`, async (t) => {
      const { url, requests } = await startRedirecting(t, () => '/again');
      const { error } = await attempt(t, url, { followRedirects: true, ...options });
      assert.strictEqual(error.message, `The server redirected more than ${expected} times (maxRedirects).`);
      assert.strictEqual(requests.length, expected + 1);
    });
  }

  const credentials = { Authorization: 'Bearer secret', cookie: 'a=b', 'X-Other': 'kept', 'Proxy-Authorization': 'Basic x' };

  test('credentials go with a redirect to the same host', async (t) => {
    const { url, requests } = await startRedirecting(t, () => '/again');
    await attempt(t, url.replace('//', '//user:password@'), { followRedirects: true, maxRedirects: 1 });
    assert.strictEqual(requests[1].headers.authorization, `Basic ${Buffer.from('user:password').toString('base64')}`);
    const second = await startRedirecting(t, () => '/again');
    await attempt(t, second.url, { followRedirects: true, maxRedirects: 1 }, { headers: credentials });
    assert.strictEqual(second.requests[1].headers.authorization, 'Bearer secret');
    assert.strictEqual(second.requests[1].headers.cookie, 'a=b');
  });

  test('credentials do not go to another host or port, nor back', async (t) => {
    let firstUrl = null;
    const other = await startRedirecting(t, () => firstUrl);
    const first = await startRedirecting(t, () => other.url);
    firstUrl = first.url;
    await attempt(t, first.url.replace('//', '//user:password@'), { followRedirects: true, maxRedirects: 2, auth: 'a:b' },
      { headers: { ...credentials, Host: 'first.test' } });
    assert.strictEqual(first.requests[0].headers.authorization, 'Bearer secret');
    for (const { headers } of [other.requests[0], first.requests[1]]) {
      assert.strictEqual(headers.authorization, undefined);
      assert.strictEqual(headers.cookie, undefined);
      assert.strictEqual(headers['proxy-authorization'], undefined);
      assert.strictEqual(headers['x-other'], 'kept');
    }
    assert.strictEqual(other.requests[0].headers.host, `127.0.0.1:${other.port}`);
  });

  test('each request has a key of its own', async (t) => {
    const { url, requests } = await startRedirecting(t, () => '/again');
    await attempt(t, url, { followRedirects: true, maxRedirects: 3 });
    assert.strictEqual(new Set(requests.map(({ headers }) => headers['sec-websocket-key'])).size, 4);
  });

  test('a Location that leads nowhere ends in connectFailed', async (t) => {
    for (const [location, message] of [
      ['http://', 'The server redirected to something that is no URL: http://'],
      ['ftp://a.test/', 'The server redirected to a URL that is no WebSocket: ftp://a.test/'],
    ]) {
      const { url } = await startRedirecting(t, () => location);
      const { error } = await attempt(t, url, { followRedirects: true });
      assert.strictEqual(error.message, message);
    }
  });

  test('a Location outside of ASCII is UTF-8, or else Latin-1', () => {
    const onTheWire = (text, encoding) => Buffer.from(text, encoding).toString('latin1');
    assert.strictEqual(redirectTarget('ws://a.test/', onTheWire('/café?ü', 'utf8')).href, 'ws://a.test/caf%C3%A9?%C3%BC');
    assert.strictEqual(redirectTarget('ws://a.test/', onTheWire('/café', 'latin1')).href, 'ws://a.test/caf%C3%A9');
  });

  test('an Error about a redirect tells what the server has answered', async (t) => {
    const { url } = await startRedirecting(t, () => 'ftp://a.test/', 307);
    const { error } = await attempt(t, url, { followRedirects: true });
    assert.deepStrictEqual([error.code, error.statusCode, error.reason, error.headers.location],
      ['ERR_WEBSOCKET_REDIRECT', 307, 'Moved', 'ftp://a.test/']);
  });

  test('what is offered in the headers is offered again, and headers may be a Map', async (t) => {
    const seen = [];
    const { url: target } = await startServer(t, { onRequest: (request) => {
      seen.push(request.requestedProtocols, request.httpRequest.headers.cookie);
      request.accept('b');
    } });
    const { url } = await startRedirecting(t, () => target);
    const headers = new Map([['sec-websocket-protocol', 'a, b'], ['COOKIE', 'secret']]);
    const { connection } = await attempt(t, url, { followRedirects: true }, { headers });
    assert.deepStrictEqual([connection.protocol, ...seen], ['b', ['a', 'b'], undefined]);
  });

  test('wss: is never left for ws:', () => {
    for (const location of ['http://a.test/', 'ws://b.test/']) {
      assert.throws(() => redirectTarget('wss://a.test/', location), /from wss: to ws:, which is not followed/);
    }
    for (const [from, location, to] of [
      ['wss://a.test/', '/x', 'wss://a.test/x'], ['wss://a.test/', 'https://b.test/#y', 'wss://b.test/'],
      ['ws://a.test/', 'https://a.test/', 'wss://a.test/'], ['ws://a.test/x/y', '../z', 'ws://a.test/z'],
    ]) {
      assert.strictEqual(redirectTarget(from, location).href, to);
    }
  });

  test('client certificates and the like are credentials', () => {
    assert.deepStrictEqual(withoutCredentialOptions({ cert: 1, key: 2, pfx: 3, passphrase: 4, auth: 5, ca: 6 }), { ca: 6 });
    assert.deepStrictEqual(withoutCredentialHeaders([['COOKIE', 'a'], ['x-a', 'b']]), [['x-a', 'b']]);
  });

  test('an answer that is no redirect is reported as ever', async (t) => {
    const { port } = await startHttpServer(t);
    const { error } = await attempt(t, `ws://127.0.0.1:${port}/`, { followRedirects: true });
    assert.match(error.message, /^Server responded with a non-101 status: 404/);
  });
});
