'use strict';

// 16.* The opening handshake of a client (RFC 6455 section 4.1). Autobahn has no cases for it.
//
// A row changes the right answer: `change` its fields, `line` the status line, `write` how the line of a field is written,
// `head` the whole text. `split`, `chop` and `data` are as in opening-server.js; `end` ends the stream after it.

const { acceptKey, encodeFrame, OPCODE } = require('../../__test__/helpers/raw');
const { opens, refuses, opensOrRefuses, cases, set, map, add, addFirst, orders, WRITINGS } = require('./opening');
const { family } = require('./expect');

const SECTION = 'RFC 6455 4.1';
const FIELDS = ['Upgrade', 'Connection', 'Sec-WebSocket-Accept'];
const MAX_SPLIT = 160;
const refused = refuses();

const right = family('16.1', SECTION, [
  { title: 'the plain answer opens the connection', expect: opens },
  ...['HTTP/1.1 101', 'HTTP/1.1 101 ', 'HTTP/1.1 101 Something Else', 'HTTP/1.1 101 Web Socket Protocol Handshake'].map((line) => (
    { title: `the status line ${JSON.stringify(line)}`, section: 'RFC 9112 4', line: () => line, expect: line === 'HTTP/1.1 101' ? opensOrRefuses : opens })),
  { title: 'other fields', change: (f) => [...f, ['Server', 'x'], ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'], ['Set-Cookie', 'a=b'], ['Set-Cookie', 'c=d']], expect: opens },
  { title: 'a field with an empty value', change: add('X-Empty', ''), expect: opens },
  { title: 'names of Object.prototype as fields', change: (f) => [...f, ['__proto__', 'x'], ['constructor', 'y']], expect: opens },
  { title: 'a field with a value that is not ASCII', change: add('X-Name', 'Gr\u00fc\u00dfe'), expect: opens },
]);

const statuses = family('16.2', SECTION, [
  ...[200, 201, 204, 301, 302, 304, 307, 400, 401, 403, 404, 407, 426, 500, 501, 503].map((status) => ({
    title: `status ${status}`,
    line: () => `HTTP/1.1 ${status} X`,
    change: (fields) => [...fields, ['Content-Length', '0'], ...(status < 400 && status >= 300 ? [['Location', '/']] : [])],
    end: true,
    expect: refused,
  })),
  ...['HTTP/1.1 1010 X', 'HTTP/1.1 10 X', 'HTTP/1.1 1x1 X', 'HTTP/1.1', 'HTTX/1.1 101 X', '101 Switching Protocols', 'HTTP/1.1  101 X'].map((line) => (
    { title: `the status line ${JSON.stringify(line)}`, section: 'RFC 9112 4', line: () => line, expect: refused })),
  { title: 'HTTP/2.0 101', section: 'RFC 9112 2.3', line: () => 'HTTP/2.0 101 Switching Protocols', expect: opensOrRefuses },
  { title: 'HTTP/1.0 101', section: 'RFC 9110 7.8', line: () => 'HTTP/1.0 101 Switching Protocols', expect: opensOrRefuses },
  { title: 'the version in lower case', section: 'RFC 9112 2.3', line: () => 'http/1.1 101 Switching Protocols', expect: refused },
  { title: 'nonsense', head: () => 'this is no HTTP\r\n\r\n', end: true, expect: refused },
  { title: 'nothing', head: () => '', end: true, expect: refused },
  { title: 'half of the answer', head: (text) => text.slice(0, text.length / 2), end: true, expect: refused },
  { title: 'all of the answer but the empty line', head: (text) => text.slice(0, -2), end: true, expect: refused },
  { title: 'frames without an answer', head: () => '', expect: refused },
  { title: '103 Early Hints, then the answer', section: 'RFC 8297 2', head: (text) => `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${text}`, expect: opensOrRefuses },
]);

const values = family('16.3', SECTION, [
  ...cases('websocket').map((value) => ({ title: `Upgrade: ${value}`, change: set('Upgrade', value), expect: opens })),
  ...cases('upgrade').map((value) => ({ title: `Connection: ${value}`, change: set('Connection', value), expect: opens })),
  ...['keep-alive, Upgrade', 'Upgrade, keep-alive', 'x,upgrade'].map((value) => ({ title: `Connection: ${value}`, change: set('Connection', value), expect: opens })),
  { title: 'Connection in two fields', change: set('Connection', 'keep-alive', 'Upgrade'), expect: opens },
  ...['h2c', 'websockets', 'web socket', 'h2c, websocket', 'websocket, h2c'].map((value) => (
    { title: `Upgrade: ${value}`, change: set('Upgrade', value), expect: value.includes('websocket,') || value.includes(', websocket') ? opensOrRefuses : refused })),
  ...['keep-alive', 'close', 'Upgrades'].map((value) => ({ title: `Connection: ${value}`, change: set('Connection', value), expect: refused })),
  ...[
    ['of another key', () => acceptKey('AAAAAAAAAAAAAAAAAAAAAA==')],
    ['with a letter in the other case', (value) => value.replace(/[a-z]/i, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()))],
    ['in lower case', (value) => value.toLowerCase()],
    ['in upper case', (value) => value.toUpperCase()],
    ['with a character more', (value) => `${value}x`],
    ['with a character less', (value) => value.slice(0, -1)],
    ['without its padding', (value) => value.replace(/=+$/, '')],
    ['in quotes', (value) => `"${value}"`],
    ['with a space in it', (value) => `${value.slice(0, 9)} ${value.slice(9)}`],
    ['in hexadecimal', (value) => Buffer.from(value, 'base64').toString('hex')],
  ].map(([what, change]) => ({ title: `a Sec-WebSocket-Accept ${what}`, change: map('Sec-WebSocket-Accept', change), expect: refused })),
  { title: 'a subprotocol that was not asked for', change: set('Sec-WebSocket-Protocol', 'x-never-asked'), expect: refused },
  { title: 'two subprotocols', change: set('Sec-WebSocket-Protocol', 'x-never, x-asked'), expect: refused },
  { title: 'names of Object.prototype as subprotocol', change: set('Sec-WebSocket-Protocol', 'constructor'), expect: refused },
  {
    title: 'the subprotocol that was asked for in another case', needs: { protocol: true },
    change: map('Sec-WebSocket-Protocol', (value) => value.toUpperCase()), expect: refused,
  },
  {
    title: 'the subprotocol that was asked for, twice', section: 'RFC 6455 11.3.4', needs: { protocol: true },
    change: (fields) => [...fields, fields.find(([name]) => name === 'Sec-WebSocket-Protocol')], expect: refused,
  },
  {
    title: 'no subprotocol although some were asked for', needs: { protocol: true },
    change: set('Sec-WebSocket-Protocol'), expect: opensOrRefuses,
  },
  { title: 'an extension that was not asked for', section: 'RFC 6455 9.1', change: add('Sec-WebSocket-Extensions', 'x-never-asked'), expect: refused },
  { title: 'permessage-deflate, which was not asked for', section: 'RFC 6455 9.1', needs: { offer: false }, change: add('Sec-WebSocket-Extensions', 'permessage-deflate'), expect: refused },
  { title: 'an empty list of extensions', section: 'RFC 6455 9.1', change: add('Sec-WebSocket-Extensions', ''), expect: opensOrRefuses },
]);

const again = (name) => (fields) => [...fields, fields.find(([key]) => key === name)];
const missing = family('16.4', SECTION, FIELDS.flatMap((name) => [
  { title: `no ${name}`, change: set(name), expect: refused },
  { title: `an empty ${name}`, change: set(name, ''), expect: refused },
]).concat([
  { title: 'Upgrade twice', section: 'RFC 9110 7.8', change: again('Upgrade'), expect: opensOrRefuses },
  { title: 'Connection twice', section: 'RFC 9110 7.6.1', change: again('Connection'), expect: opens },
  { title: 'Sec-WebSocket-Accept twice', section: 'RFC 6455 11.3.3', change: again('Sec-WebSocket-Accept'), expect: refused },
  { title: 'Sec-WebSocket-Accept twice, first a wrong one', section: 'RFC 6455 11.3.3', change: addFirst('Sec-WebSocket-Accept', 'x'), expect: refused },
  { title: 'Sec-WebSocket-Accept twice, then a wrong one', section: 'RFC 6455 11.3.3', change: add('Sec-WebSocket-Accept', 'x'), expect: refused },
  { title: 'no field at all', change: () => [], expect: refused },
]));

const ordered = family('16.5', 'RFC 9110 5.3', orders(3).map(([what, change]) => ({ title: `the fields ${what}`, change, expect: opens })));

const written = family('16.6', 'RFC 9112 5', FIELDS.flatMap((name) => WRITINGS.map(([what, write, legal]) => ({
  title: `${name}: ${what}`, write: { [name]: write }, expect: legal ? opens : refused,
}))).concat([
  ...FIELDS.map((name) => ({
    title: `${name}: folded over two lines`, section: 'RFC 9112 5.2', write: { [name]: (n, value) => `${n}:\r\n ${value}` }, expect: opensOrRefuses,
  })),
  { title: 'a field without a name', change: add('', 'x'), expect: refused },
  { title: 'a field name with a space in it', change: add('X Y', 'x'), expect: refused },
  { title: 'lines that end in LF only', section: 'RFC 9112 2.2', head: (text) => text.replace(/\r\n/g, '\n'), expect: opensOrRefuses },
  { title: 'a Content-Length of 0', section: 'RFC 9110 8.6', change: add('Content-Length', '0'), expect: opensOrRefuses },
  { title: 'a Content-Length of 10', section: 'RFC 9110 8.6', change: add('Content-Length', '10'), expect: opensOrRefuses },
  { title: 'Transfer-Encoding: chunked', section: 'RFC 9112 6.1', change: add('Transfer-Encoding', 'chunked'), expect: opensOrRefuses },
]));

const big = (length) => 'x'.repeat(length);
const lines = (count) => (fields) => [...fields, ...Array.from({ length: count }, (_, i) => [`X-${i}`, 'y'])];
const sizes = family('16.7', 'RFC 6455 10.4', [
  ...[1000, 8000].map((length) => ({ title: `a field of ${length} bytes`, change: add('X-Big', big(length)), expect: opens })),
  ...[20000, 70000].map((length) => ({ title: `a field of ${length} bytes`, change: add('X-Big', big(length)), expect: opensOrRefuses })),
  { title: 'a field of 2000000 bytes: not kept', change: add('X-Big', big(2000000)), expect: { ...refused, opened: 'NON-STRICT' } },
  ...[10, 50].map((count) => ({ title: `${count} more fields`, change: lines(count), expect: opens })),
  ...[100, 1000].map((count) => ({ title: `${count} more fields`, change: lines(count), expect: opensOrRefuses })),
  { title: '20000 more fields: not kept', change: lines(20000), expect: { ...refused, opened: 'NON-STRICT' } },
  { title: 'a status line that never ends', head: () => `HTTP/1.1 101 ${big(300000)}`, expect: { ...refused, opened: 'NON-STRICT' } },
]);

const plain = (frame) => encodeFrame({ ...frame, mask: false });
const hello = { opcode: OPCODE.TEXT, payload: 'early' };
const early = family('16.8', SECTION, [
  { title: 'a message in one segment with the answer', data: () => plain(hello), early: ['early'], expect: opens },
  { title: 'ten messages with the answer', data: () => Buffer.concat(Array.from({ length: 10 }, () => plain(hello))), early: Array(10).fill('early'), expect: opens },
  { title: 'the first byte of a message with the answer', data: () => plain(hello), cut: 1, early: ['early'], expect: opens },
  { title: 'half of a message with the answer', data: () => plain(hello), cut: 4, early: ['early'], expect: opens },
]);

const splits = family('16.9', SECTION, [
  ...Array.from({ length: MAX_SPLIT }, (_, i) => ({ title: `the answer in two segments, the first of ${i + 1} bytes`, split: i + 1, expect: opens })),
  ...[1, 2, 3, 7].map((chop) => ({ title: `the answer in segments of ${chop}`, chop, expect: opens })),
  { title: 'the answer byte by byte, with a message at once', chop: 1, data: () => plain(hello), early: ['early'], expect: opens },
]);

const extensionAnswers = require('./extension-parameters').answers;

module.exports = [...right, ...statuses, ...values, ...missing, ...ordered, ...written, ...sizes, ...early, ...splits, ...extensionAnswers]
  .map((row) => ({ roles: ['client'], opening: true, ...row }));
