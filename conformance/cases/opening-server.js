'use strict';

// 15.* The opening handshake of a server (RFC 6455 section 4.2). Autobahn has no cases for it.
//
// A row changes the right request: `change` its fields, `line` the request line, `write` how the line of a field is
// written, `head` the whole text. `split` sends it in two segments, `chop` in many; `data` is sent in one segment with it.

const { encodeFrame, OPCODE } = require('../../__test__/helpers/raw');
const { opens, refuses, shouldRefuse, opensOrRefuses, answers, cases, set, add, addFirst, orders, WRITINGS } = require('./opening');
const { family } = require('./expect');

const SECTION = 'RFC 6455 4.2.1';
const FIELDS = ['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'];
const key = (length) => Buffer.alloc(length, 0x5a).toString('base64');
/** The length of the tester's request line and fields is about this; splits beyond the end are not made. */
const MAX_SPLIT = 200;

const right = family('15.1', SECTION, [
  { title: 'the plain request opens the connection', expect: opens },
  { title: 'a path with a query', line: (path) => `GET ${path}?x=1&x=2 HTTP/1.1`, expect: opens },
  { title: 'an absolute request target', section: 'RFC 9112 3.2.2', line: (path, host) => `GET http://${host}${path} HTTP/1.1`, expect: opens },
  { title: 'an Origin', change: add('Origin', 'http://example.com'), expect: opens },
  { title: 'a Cookie, an Authorization and a User-Agent', change: (f) => [...f, ['Cookie', 'a=b; c="d"'], ['Authorization', 'Basic eDp5'], ['User-Agent', 'x']], expect: opens },
  { title: 'subprotocols, none of which the server has to choose', change: add('Sec-WebSocket-Protocol', 'x-one, x-two'), expect: opens },
  { title: 'subprotocols in two fields', section: 'RFC 6455 11.3.4', change: (f) => [...f, ['Sec-WebSocket-Protocol', 'x-one'], ['Sec-WebSocket-Protocol', 'x-two']], expect: opens },
  { title: 'an unknown extension', section: 'RFC 6455 9.1', change: add('Sec-WebSocket-Extensions', 'x-unknown; a=1; b="2"'), expect: opens },
  { title: 'unknown extensions in two fields', section: 'RFC 6455 11.3.2', change: (f) => [...f, ['Sec-WebSocket-Extensions', 'x-one'], ['Sec-WebSocket-Extensions', 'x-two']], expect: opens },
  { title: 'a field with a value that is not ASCII', change: add('X-Name', 'Gr\u00fc\u00dfe'), expect: opens },
  { title: 'a field with an empty value', change: add('X-Empty', ''), expect: opens },
  { title: 'names of Object.prototype as fields', change: (f) => [...f, ['__proto__', 'x'], ['constructor', 'y'], ['hasOwnProperty', 'z']], expect: opens },
  { title: 'an empty line before the request line', section: 'RFC 9112 2.2', head: (text) => `\r\n${text}`, expect: opens },
]);

const values = family('15.2', SECTION, [
  ...cases('websocket').map((value) => ({ title: `Upgrade: ${value}`, change: set('Upgrade', value), expect: opens })),
  ...cases('upgrade').map((value) => ({ title: `Connection: ${value}`, change: set('Connection', value), expect: opens })),
  ...['keep-alive, Upgrade', 'Upgrade, keep-alive', 'keep-alive,Upgrade', 'keep-alive ,  upgrade', ', Upgrade', 'foo, Upgrade, bar'].map((value) => (
    { title: `Connection: ${value}`, change: set('Connection', value), expect: opens })),
  { title: 'Connection in two fields', change: set('Connection', 'keep-alive', 'Upgrade'), expect: opens },
  { title: 'Upgrade: h2c, websocket', section: 'RFC 9110 7.8', change: set('Upgrade', 'h2c, websocket'), expect: opens },
  { title: 'Upgrade in two fields', section: 'RFC 9110 7.8', change: set('Upgrade', 'h2c', 'websocket'), expect: opens },
  { title: 'a key of zeros', change: set('Sec-WebSocket-Key', Buffer.alloc(16).toString('base64')), expect: opens },
  { title: 'a key of all characters of base64', change: set('Sec-WebSocket-Key', '++//09azAZ+/abcdefghiA=='), expect: opens },
  ...['websockets', 'web socket', 'websocket/13', 'h2c', 'websocket13', 'xwebsocket'].map((value) => (
    { title: `Upgrade: ${value}`, change: set('Upgrade', value), expect: value === 'websocket/13' ? opensOrRefuses : refuses() })),
  ...['keep-alive', 'close', 'Upgrades', 'x-Upgrade', 'up grade'].map((value) => (
    { title: `Connection: ${value}`, change: set('Connection', value), expect: refuses() })),
  ...[0, 1, 8, 15, 17, 18, 24, 64].map((length) => (
    { title: `a key of ${length} bytes`, change: set('Sec-WebSocket-Key', key(length)), expect: shouldRefuse(400) })),
  ...[['without its padding', key(16).slice(0, -2)], ['with a character that is not base64', `*${key(16).slice(1)}`],
    ['with a space in it', `${key(16).slice(0, 10)} ${key(16).slice(10)}`], ['in base64url', '--__09azAZ-_abcdefghiA=='],
    ['with more behind it', `${key(16)}x`], ['in quotes', `"${key(16)}"`]].map(([what, value]) => (
    { title: `a key ${what}`, change: set('Sec-WebSocket-Key', value), expect: shouldRefuse(400) })),
  ...['0', '1', '7', '12', '14', '25', '130', '255'].map((value) => (
    { title: `version ${value}`, section: 'RFC 6455 4.2.2, 4.4', change: set('Sec-WebSocket-Version', value), expect: refuses(426, 400), names: 'sec-websocket-version' })),
  ...['x', '-13', '1 3', 'thirteen', '0x0d'].map((value) => (
    { title: `version ${value}`, section: 'RFC 6455 4.2.2', change: set('Sec-WebSocket-Version', value), expect: refuses(400, 426) })),
  ...['13.0', '013', '+13', '13;', '13 13', '13, 8', '8, 13'].map((value) => (
    { title: `version ${value}, which is not of the grammar`, section: 'RFC 6455 4.3', change: set('Sec-WebSocket-Version', value), expect: shouldRefuse(400, 426) })),
  { title: 'a subprotocol that is no token', change: add('Sec-WebSocket-Protocol', 'x[1]'), expect: answers },
  { title: 'an empty list of subprotocols', change: add('Sec-WebSocket-Protocol', ''), expect: answers },
  { title: 'a subprotocol twice', change: add('Sec-WebSocket-Protocol', 'x, x'), expect: answers },
]);

/** [field, what a second one with the same value does, what one with another value does] */
const DOUBLED = [
  ['Host', 'RFC 9112 3.2', refuses(400), 'example.com', refuses(400)],
  ['Upgrade', 'RFC 9110 7.8', opens, 'h2c', opens],
  ['Connection', 'RFC 9110 7.6.1', opens, 'keep-alive', opens],
  ['Sec-WebSocket-Key', 'RFC 6455 11.3.1', refuses(400), key(16), refuses(400)],
  ['Sec-WebSocket-Version', 'RFC 6455 11.3.5', shouldRefuse(400, 426), '12', shouldRefuse(400, 426)],
];
const again = (name) => (fields) => [...fields, fields.find(([key]) => key === name)];
const missing = family('15.3', SECTION, FIELDS.flatMap((name) => [
  { title: `no ${name}`, change: set(name), expect: refuses() },
  { title: `an empty ${name}`, change: set(name, ''), expect: name === 'Host' ? shouldRefuse(400) : refuses() },
]).concat(DOUBLED.flatMap(([name, section, same, value, different]) => [
  { title: `${name} twice`, section, change: again(name), expect: same },
  { title: `${name} twice, first with another value`, section, change: addFirst(name, value), expect: different },
  { title: `${name} twice, then with another value`, section, change: add(name, value), expect: different },
])).concat([
  { title: 'no field but Host', change: (fields) => fields.filter(([name]) => name === 'Host'), expect: refuses() },
  { title: 'no field at all', change: () => [], expect: refuses() },
]));

const ordered = family('15.4', 'RFC 9110 5.3', orders(5).map(([what, change]) => ({ title: `the fields ${what}`, change, expect: opens })));

const written = family('15.5', 'RFC 9112 5', FIELDS.flatMap((name) => WRITINGS.map(([what, write, legal]) => ({
  title: `${name}: ${what}`, write: { [name]: write }, expect: legal ? opens : refuses(400),
}))).concat([
  ...FIELDS.map((name) => ({
    title: `${name}: folded over two lines`, section: 'RFC 9112 5.2', write: { [name]: (n, value) => `${n}:\r\n ${value}` }, expect: opensOrRefuses,
  })),
  { title: 'a field without a name', change: add('', 'x'), expect: refuses(400) },
  { title: 'a field name with a space in it', change: add('X Y', 'x'), expect: refuses(400) },
  { title: 'a field name with a character that is no token', change: add('X(Y)', 'x'), expect: refuses(400) },
  { title: 'lines that end in LF only', section: 'RFC 9112 2.2', head: (text) => text.replace(/\r\n/g, '\n'), expect: opensOrRefuses },
]));

const requestLine = family('15.6', 'RFC 6455 4.2.1 (1)', [
  ...['POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'].map((method) => (
    { title: `the method ${method}`, line: (path) => `${method} ${path} HTTP/1.1`, expect: refuses(405, 400, 404, 426, 501) })),
  { title: 'a method that does not exist', line: (path) => `GETS ${path} HTTP/1.1`, expect: refuses(400, 405, 501) },
  { title: 'the method in lower case', line: (path) => `get ${path} HTTP/1.1`, expect: refuses(400, 405, 501) },
  { title: 'HTTP/1.0', line: (path) => `GET ${path} HTTP/1.0`, expect: refuses(400, 404, 426, 505) },
  { title: 'HTTP/0.9', line: (path) => `GET ${path} HTTP/0.9`, expect: refuses(400, 426, 505) },
  { title: 'HTTP/2.0, which is "1.1 or higher"', line: (path) => `GET ${path} HTTP/2.0`, expect: opensOrRefuses },
  { title: 'HTTP/3.7, which is "1.1 or higher"', line: (path) => `GET ${path} HTTP/3.7`, expect: opensOrRefuses },
  { title: 'no version', line: (path) => `GET ${path}`, expect: refuses(400, 404, 426, 505) },
  { title: 'another protocol', line: (path) => `GET ${path} WEBSOCKET/1.1`, expect: refuses(400, 505) },
  { title: 'no target', line: () => 'GET HTTP/1.1', expect: refuses(400) },
  { title: 'a target with a space in it', line: (path) => `GET ${path} x HTTP/1.1`, expect: refuses(400) },
  { title: 'a target with a fragment', section: 'RFC 6455 3', line: (path) => `GET ${path}#x HTTP/1.1`, expect: opensOrRefuses },
  { title: 'nonsense', head: () => 'this is no HTTP\r\n\r\n', expect: refuses(400) },
  { title: 'bytes of zero', head: () => `${'\0'.repeat(64)}\r\n\r\n`, expect: refuses(400) },
  { title: 'a TLS ClientHello', head: () => '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', expect: refuses(400) },
]);

const big = (length) => 'x'.repeat(length);
const lines = (count) => (fields) => [...fields, ...Array.from({ length: count }, (_, i) => [`X-${i}`, 'y'])];
const sizes = family('15.7', 'RFC 6455 10.4', [
  ...[1, 1000, 4000, 8000].map((length) => ({ title: `a field of ${length} bytes`, change: add('X-Big', big(length)), expect: opens })),
  ...[16000, 20000, 70000].map((length) => ({ title: `a field of ${length} bytes`, change: add('X-Big', big(length)), expect: opensOrRefuses })),
  ...[300000, 2000000].map((length) => (
    { title: `a field of ${length} bytes: not kept`, change: add('X-Big', big(length)), expect: shouldRefuse(431, 400) })),
  ...[10, 50].map((count) => ({ title: `${count} more fields`, change: lines(count), expect: opens })),
  ...[100, 1000].map((count) => ({ title: `${count} more fields`, change: lines(count), expect: opensOrRefuses })),
  { title: '20000 more fields: not kept', change: lines(20000), expect: shouldRefuse(431, 400) },
  { title: 'a target of 4000 bytes', line: (path) => `GET ${path}?${big(4000)} HTTP/1.1`, expect: opens },
  { title: 'a target of 300000 bytes: not kept', line: (path) => `GET ${path}?${big(300000)} HTTP/1.1`, expect: shouldRefuse(431, 414, 400) },
  { title: 'a request line that never ends', head: () => big(300000), expect: shouldRefuse(431, 414, 400) },
  { title: 'a field name of 300000 bytes: not kept', change: add(big(300000), 'x'), expect: shouldRefuse(431, 400) },
  { title: '200 subprotocols', change: add('Sec-WebSocket-Protocol', Array.from({ length: 200 }, (_, i) => `p${i}`).join(', ')), expect: answers },
  { title: 'a list of 4000 commas', change: add('Sec-WebSocket-Extensions', ','.repeat(4000)), expect: answers },
]);

const mask = (frame) => encodeFrame({ ...frame, mask: true });
const hello = { opcode: OPCODE.TEXT, payload: 'early' };
const early = family('15.8', 'RFC 6455 4.1', [
  { title: 'a message in one segment with the request', data: () => mask(hello), early: ['early'], expect: opens },
  { title: 'ten messages with the request', data: () => Buffer.concat(Array.from({ length: 10 }, () => mask(hello))), early: Array(10).fill('early'), expect: opens },
  { title: 'the first byte of a message with the request', data: () => mask(hello), cut: 1, early: ['early'], expect: opens },
  { title: 'half of a message with the request', data: () => mask(hello), cut: 7, early: ['early'], expect: opens },
  { title: 'a Content-Length of 0', section: 'RFC 9110 8.6', change: add('Content-Length', '0'), expect: opensOrRefuses },
  { title: 'a body of 5 bytes', section: 'RFC 9110 8.6', change: add('Content-Length', '5'), data: () => Buffer.from('hello'), expect: opensOrRefuses },
  { title: 'a chunked body', section: 'RFC 9112 7.1', change: add('Transfer-Encoding', 'chunked'), data: () => Buffer.from('0\r\n\r\n'), expect: opensOrRefuses },
]);

const splits = family('15.9', 'RFC 6455 4.2.1', [
  ...Array.from({ length: MAX_SPLIT }, (_, i) => ({ title: `the request in two segments, the first of ${i + 1} bytes`, split: i + 1, expect: opens })),
  ...[1, 2, 3, 7].map((chop) => ({ title: `the request in segments of ${chop}`, chop, expect: opens })),
  { title: 'the request byte by byte, with a message at once', chop: 1, data: () => mask(hello), early: ['early'], expect: opens },
]);

const extensionOffers = require('./extension-parameters').offers;

module.exports = [...right, ...values, ...missing, ...ordered, ...written, ...requestLine, ...sizes, ...early, ...splits, ...extensionOffers]
  .map((row) => ({ roles: ['server'], opening: true, ...row }));
