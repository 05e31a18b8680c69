'use strict';

// The URL that a client is given: what is taken for one, and what of it stands in the request.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const url = require('url');
const { targetUrl, hostOf, hostHeader, requestPath, basicAuthorization } = require('../../lib/internal/handshake/client-url');

/** What a request to `given` has: scheme, host, port, `Host`, target. */
function requestTo(given) {
  const target = targetUrl(given);
  return [target.protocol, hostOf(target), String(target.port), hostHeader(target), requestPath(target)];
}

for (const [given, expected] of [
  ['ws://a.test/', ['ws:', 'a.test', '80', 'a.test', '/']],
  ['wss://a.test', ['wss:', 'a.test', '443', 'a.test', '/']],
  ['HTTP://A.test:80/X?Y', ['ws:', 'a.test', '80', 'a.test', '/X?Y']],
  ['https://a.test:8443?x#y?z', ['wss:', 'a.test', '8443', 'a.test:8443', '/?x']],
  ['http://a.test:443/', ['ws:', 'a.test', '443', 'a.test:443', '/']],
  ['ws://[::1]:81/', ['ws:', '::1', '81', '[::1]:81', '/']],
  ['ws://bücher.test/', ['ws:', 'xn--bcher-kva.test', '80', 'xn--bcher-kva.test', '/']],
]) {
  for (const [how, make] of [['a string', String], ['a URL', (text) => new URL(text)], ['from url.parse()', (text) => url.parse(text)]]) {
    test(`${given}, ${how}`, () => assert.deepStrictEqual(requestTo(make(given)), expected));
  }
}

describe('an object', () => {
  test('in the shape of url.parse() is taken as it is, and gets its port', () => {
    const given = url.parse('ws://a.test/x');
    assert.strictEqual(targetUrl(given), given);
    assert.strictEqual(given.port, '80');
  });

  test('that cannot be changed, or has another scheme or a fragment, is copied', () => {
    for (const given of [Object.freeze(url.parse('ws://a.test/x')), url.parse('http://a.test/x'), url.parse('ws://a.test/x#y')]) {
      const before = { ...given };
      assert.deepStrictEqual(requestTo(given), ['ws:', 'a.test', '80', 'a.test', '/x']);
      assert.deepStrictEqual({ ...given }, before);
      assert.strictEqual(targetUrl(given).href, 'ws://a.test/x');
    }
  });

  test('with an href and no path is a URL of another realm, or a Location', () => {
    assert.deepStrictEqual(requestTo({ href: 'https://a.test/é?ü#ö', protocol: 'https:', host: 'a.test', pathname: '/é' }),
      ['wss:', 'a.test', '443', 'a.test', '/%C3%A9?%C3%BC']);
  });

  test('made by hand may have a port that is a number, brackets, no hostname, no path', () => {
    assert.deepStrictEqual(requestTo({ protocol: 'ws:', host: '[::1]:81', hostname: '[::1]', port: 81, pathname: '/x', search: '?y' }),
      ['ws:', '::1', '81', '[::1]:81', '/x?y']);
    assert.deepStrictEqual(requestTo({ protocol: 'ws:', host: 'a.test:81' }), ['ws:', 'a.test', '81', 'a.test:81', '/']);
    assert.deepStrictEqual(requestTo({ protocol: 'WSS:', host: 'ü.test', hostname: 'ü.test', path: 'x' }),
      ['wss:', 'xn--tda.test', '443', 'xn--tda.test', '/x']);
  });

  test('with another target in its path, as for a proxy, keeps that', () => {
    const path = 'http://b.test/x?y';
    assert.strictEqual(requestTo({ protocol: 'ws:', host: 'a.test', hostname: 'a.test', pathname: '/', path })[4], path);
  });
});

for (const [given, message] of [
  [undefined, /including protocol/], [null, /including protocol/], [7, /including protocol/], ['', /including protocol/],
  ['/relative', /including protocol/], ['//a.test/', /including protocol/], [{}, /including protocol/],
  ['ws:', /including hostname/], ['ws:/a.test', /including hostname/], [{ protocol: 'wss:' }, /including hostname/],
  ['localhost:80', /not localhost: \(a host name alone needs ws:\/\//], ['file:///x', /not file:/], ['mailto:a@b', /not mailto:/],
  [new URL('blob:https://a.test/x'), /not blob:/], [{ protocol: 'constructor', host: 'a' }, /not constructor/],
  ['ws://user:%zz@a.test/', /URI malformed/],
]) {
  test(`${JSON.stringify(given)} is no URL of a WebSocket`, () => {
    assert.throws(() => targetUrl(given), (error) => error.code === 'ERR_WEBSOCKET_URL' && message.test(error.message));
  });
}

test('what Node takes for no URL keeps the error of Node', () => {
  // ERR_INVALID_URL up to Node 24.
  assert.throws(() => targetUrl('ws://[::1/'), (error) => /^ERR_INVALID_(URL|ARG_VALUE)$/.test(error.code));
});

test('the part before the @ is for Basic authorization, with a colon in any case', () => {
  for (const [auth, text] of [['a:b', 'a:b'], ['a', 'a:'], [':b', ':b'], ['ü:é', 'ü:é']]) {
    assert.strictEqual(basicAuthorization({ auth }), `Basic ${Buffer.from(text).toString('base64')}`);
  }
  assert.strictEqual(basicAuthorization({ auth: null }), null);
});

test('what is sent is what the WHATWG URL of the same text sends', () => {
  for (const text of ['/a b?c d', '/\u00e9\u0301/\ud83d\ude00', '/?"<>', '/%', '/%E4%zz', '/\ud800?\udc00', '/a\u007f', '/\u00a0x']) {
    const { pathname, search } = new URL(`ws://a.test${text}`);
    assert.strictEqual(requestTo(`ws://a.test${text}`)[4], pathname + search, JSON.stringify(text));
  }
});
