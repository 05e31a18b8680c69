'use strict';

// Which cookies `accept()` sets, how their headers are written, and what is refused.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { once } = require('events');
const websocket = require('../..');
const { serializeCookies } = require('../../lib/internal/handshake/set-cookie');
const { rawClient } = require('../helpers/raw');

const A = { name: 'a', value: '1' };
const MIDNIGHT = new Date(Date.UTC(2030, 0, 2, 3, 4, 5));

describe('a cookie becomes one header value', () => {
  const cases = [
    ['a name and a value', A, 'a=1'],
    ['a quoted value', { name: 'a', value: '"1"' }, 'a="1"'],
    ['an empty quoted value', { name: 'a', value: '""' }, 'a=""'],
    ['all punctuation that is allowed in a name', { name: '!#$%&\'*+-._`|~', value: '1' }, '!#$%&\'*+-._`|~=1'],
    ['all punctuation that is allowed in a value', { name: 'a', value: '!#$%&\'()*+-./:<=>?@[]^_`{|}~' },
      'a=!#$%&\'()*+-./:<=>?@[]^_`{|}~'],
    ['a number as value', { name: 'a', value: 7 }, 'a=7'],
    ['a path', { ...A, path: '/chat%20room' }, 'a=1;Path=/chat%20room'],
    ['a domain, in lower case', { ...A, domain: 'Example.COM' }, 'a=1;Domain=example.com'],
    ['a date of expiry, in GMT', { ...A, expires: MIDNIGHT }, 'a=1;Expires=Wed, 02 Jan 2030 03:04:05 GMT'],
    ['a maximal age', { ...A, maxage: 60 }, 'a=1;Max-Age=60'],
    ['a maximal age as text', { ...A, maxage: '60s' }, 'a=1;Max-Age=60'],
    ['a maximal age with a fraction, rounded', { ...A, maxage: 1.5 }, 'a=1;Max-Age=2'],
    ['secure', { ...A, secure: true }, 'a=1;Secure'],
    ['httponly', { ...A, httponly: true }, 'a=1;HttpOnly'],
    ['false flags and empty attributes, which are left out',
      { ...A, secure: false, httponly: false, path: '', domain: '', expires: null, maxage: 0 }, 'a=1'],
    ['everything, in the order of RFC 6265', { httponly: true, secure: true, maxage: 5, expires: MIDNIGHT, domain: 'x.org', path: '/p', ...A },
      'a=1;Path=/p;Domain=x.org;Expires=Wed, 02 Jan 2030 03:04:05 GMT;Max-Age=5;Secure;HttpOnly'],
  ];
  for (const [name, cookie, header] of cases) {
    test(name, () => assert.deepStrictEqual(serializeCookies([cookie]), [header]));
  }
});

test('several cookies are several headers, in order', () => {
  assert.deepStrictEqual(serializeCookies([A, { name: 'A', value: '2' }, { name: 'b', value: '3' }]), ['a=1', 'A=2', 'b=3']);
});

test('no cookies are no headers', () => assert.deepStrictEqual(serializeCookies([]), []));

test('the names of properties of every object can be names of cookies', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  assert.deepStrictEqual(serializeCookies(names.map((name) => ({ name, value: '1' }))), names.map((name) => `${name}=1`));
});

test('the objects of the program are left as they are', () => {
  const cookie = Object.freeze({ name: 'a\r\n', value: '1 2', domain: 'X.org' });
  assert.deepStrictEqual(serializeCookies([cookie]), ['a=12;Domain=x.org']);
});

describe('refused', () => {
  const cases = [
    ['an object', { a: 1 }, 'Value supplied for "cookies" argument must be an array.'],
    ['text', 'a=1', 'Value supplied for "cookies" argument must be an array.'],
    ['nothing', undefined, 'Value supplied for "cookies" argument must be an array.'],
    ['an empty place', [null], 'Each cookie to set must at least provide a "name" and "value"'],
    ['no name', [{ value: '1' }], 'Each cookie to set must at least provide a "name" and "value"'],
    ['an empty name', [{ name: '', value: '1' }], 'Each cookie to set must at least provide a "name" and "value"'],
    ['no value', [{ name: 'a' }], 'Each cookie to set must at least provide a "name" and "value"'],
    ['an empty value', [{ name: 'a', value: '' }], 'Each cookie to set must at least provide a "name" and "value"'],
    ['the same name twice', [A, { ...A }], 'You may not specify the same cookie name twice.'],
    ['names that become the same', [A, { name: 'a;', value: '2' }], 'You may not specify the same cookie name twice.'],
    ['a comma in a value', [{ name: 'a', value: '1,2' }], 'Illegal character , in cookie value'],
    ['a backslash in a value', [{ name: 'a', value: '1\\2' }], 'Illegal character \\ in cookie value'],
    ['a single quote mark in a value', [{ name: 'a', value: '"1' }], 'Illegal character " in cookie value'],
    ['a quote mark inside quotes', [{ name: 'a', value: '"1"2"' }], 'Illegal character " in cookie value'],
    ['a comma inside quotes', [{ name: 'a', value: '"1,2"' }], 'Illegal character , in cookie value'],
    ['a value that is not ASCII', [{ name: 'a', value: 'ü' }], 'Illegal character ü in cookie value'],
    ['DEL in a value', [{ name: 'a', value: '1\x7f' }], 'Illegal character \x7f in cookie value'],
    ['a semicolon in a path', [{ ...A, path: '/;Secure' }], 'Illegal character ; in cookie path'],
    ['a line break in a path', [{ ...A, path: '/\r\nX: y' }], 'Illegal character \r in cookie path'],
    ['a semicolon in a domain', [{ ...A, domain: 'x;y' }], 'Illegal character ; in cookie domain'],
    ['a line break in a domain', [{ ...A, domain: 'x\ny' }], 'Illegal character \n in cookie domain'],
    ['a domain that is no text', [{ ...A, domain: 7 }], 'Domain must be specified and must be a string.'],
    ['a date as text', [{ ...A, expires: '2030-01-01' }], 'Value supplied for cookie "expires" must be a vaild date object'],
    ['a date as number', [{ ...A, expires: 1e12 }], 'Value supplied for cookie "expires" must be a vaild date object'],
    ['a negative age', [{ ...A, maxage: -1 }], 'Value supplied for cookie "maxage" must be a non-zero number'],
    ['an age of zero as text', [{ ...A, maxage: '0' }], 'Value supplied for cookie "maxage" must be a non-zero number'],
    ['an age that is no number', [{ ...A, maxage: 'soon' }], 'Value supplied for cookie "maxage" must be a non-zero number'],
    ['secure as text', [{ ...A, secure: 'yes' }], 'Value supplied for cookie "secure" must be of type boolean'],
    ['httponly as number', [{ ...A, httponly: 1 }], 'Value supplied for cookie "httponly" must be of type boolean'],
  ];
  for (const [name, cookies, message] of cases) {
    test(name, () => assert.throws(() => serializeCookies(cookies), { name: 'Error', message }));
  }
  for (const character of '"(),/:<=>?@[]\\^{}\x7f') {
    test(`${JSON.stringify(character)} in a name`, () => {
      assert.throws(() => serializeCookies([{ name: `a${character}b`, value: '1' }]),
        { message: `Illegal character ${character} in cookie name` });
    });
  }
});

describe('no header can be added', () => {
  for (let code = 0; code <= 0x20; code++) {
    const character = String.fromCharCode(code);
    test(`by U+${code.toString(16).padStart(4, '0')} in names and values, where it is left out`, () => {
      assert.deepStrictEqual(serializeCookies([{ name: `a${character}b`, value: `1${character}2` }]), ['ab=12']);
    });
    test(`by U+${code.toString(16).padStart(4, '0')} in paths and domains, where it is refused`, () => {
      assert.throws(() => serializeCookies([{ ...A, path: `/${character}` }]), /in cookie path$/);
      assert.throws(() => serializeCookies([{ ...A, domain: `x${character}` }]), /in cookie domain$/);
    });
  }

  // The head is written with one byte a character: of U+010D U+010A, CR LF would be left.
  const lineBreak = '\u010d\u010aX-Added: yes';
  for (const [where, cookie] of [
    ['name', { name: lineBreak.replace(': ', ''), value: '1' }],
    ['path', { ...A, path: `/${lineBreak.replace(' ', '')}` }],
    ['domain', { ...A, domain: `x${lineBreak.replace(' ', '')}` }],
  ]) {
    test(`by characters in a ${where} whose low bytes are a line break`, async (t) => {
      const httpServer = http.createServer().listen(0, '127.0.0.1');
      const server = new websocket.server({ httpServer });
      t.after(() => {
        server.shutDown();
        httpServer.close();
      });
      await once(httpServer, 'listening');
      server.on('request', (request) => {
        try {
          request.accept(null, null, [cookie]);
        } catch {
          // Refusing the cookie is fine, too.
        }
      });
      const peer = await rawClient(httpServer.address().port);
      t.after(() => peer.destroy());
      await peer.until(() => peer.head !== null || peer.closed, 'a response head');
      assert.doesNotMatch(String(peer.head).toLowerCase(), /^x-added/m);
    });
  }
});
