'use strict';

// The opening handshake as the tester does and judges it: what must be right in every request of a client and every
// answer of a server, whatever the case is about.

const { acceptKey, requestHead } = require('../../__test__/helpers/raw');
const { NAME, parseExtensions, answerProblems, codecs } = require('./deflate');

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Splits the head of an HTTP message: `{ startLine, fields: [[lower-case name, value], …] }`. */
function parseHead(head) {
  const [startLine, ...lines] = head.replace(/\r\n\r\n$/, '').split('\r\n');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { startLine, fields };
}

const all = (fields, name) => fields.filter(([key]) => key === name).map(([, value]) => value);
const tokens = (values) => values.join(',').split(',').map((text) => text.trim()).filter(Boolean);
const hasToken = (values, token) => tokens(values).some((text) => text.toLowerCase() === token);

/** What is wrong with the 101 answer of a server (RFC 6455 section 4.2.2) to a request head: a list of texts. */
function responseProblems(head, request) {
  const problems = [];
  const { startLine, fields } = parseHead(head);
  const asked = parseHead(request).fields;
  if (!/^HTTP\/1\.1 101( .*)?$/.test(startLine)) problems.push(`the status line ${JSON.stringify(startLine)}`);
  if (all(fields, 'upgrade').join().toLowerCase() !== 'websocket') problems.push('the Upgrade field');
  if (!hasToken(all(fields, 'connection'), 'upgrade')) problems.push('the Connection field');
  const [key = ''] = all(asked, 'sec-websocket-key');
  const accept = all(fields, 'sec-websocket-accept');
  if (accept.length !== 1 || accept[0] !== acceptKey(key)) problems.push('the Sec-WebSocket-Accept field');
  const protocols = all(fields, 'sec-websocket-protocol');
  if (protocols.length > 1 || protocols.some((name) => !tokens(all(asked, 'sec-websocket-protocol')).includes(name))) {
    problems.push(`the subprotocol ${protocols.join()}, which was not asked for`);
  }
  const extensions = all(fields, 'sec-websocket-extensions');
  const offered = parseExtensions(all(asked, 'sec-websocket-extensions').join(','));
  if (extensions.length > 0) {
    problems.push(...answerProblems(parseExtensions(extensions.join(',')), offered.filter(({ name }) => name === NAME)));
  }
  if (all(fields, 'content-length').length + all(fields, 'transfer-encoding').length > 0) problems.push('a body');
  return problems;
}

/** What is wrong with the request of a client (section 4.1): a list of texts. */
function requestProblems(head, host) {
  const problems = [];
  const { startLine, fields } = parseHead(head);
  if (!/^GET \/\S* HTTP\/1\.1$/.test(startLine)) problems.push(`the request line ${JSON.stringify(startLine)}`);
  const single = (name) => {
    const values = all(fields, name);
    if (values.length !== 1) problems.push(`${values.length} ${name} fields`);
    return values.length === 1 ? values[0] : '';
  };
  if (single('host') !== host) problems.push(`the Host field ${all(fields, 'host').join()}`);
  if (!hasToken(all(fields, 'upgrade'), 'websocket')) problems.push('the Upgrade field');
  if (!hasToken(all(fields, 'connection'), 'upgrade')) problems.push('the Connection field');
  if (single('sec-websocket-version') !== '13') problems.push('the Sec-WebSocket-Version field');
  const key = single('sec-websocket-key');
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key) || Buffer.from(key, 'base64').length !== 16) problems.push('the Sec-WebSocket-Key field');
  const protocols = tokens(all(fields, 'sec-websocket-protocol'));
  if (new Set(protocols).size !== protocols.length) problems.push('a subprotocol twice');
  if (all(fields, 'content-length').length + all(fields, 'transfer-encoding').length > 0) problems.push('a body');
  return problems;
}

/** The request of the tester to a server under test. */
function testerRequest(url, headers = {}) {
  return requestHead({ path: url.pathname + url.search, headers: { Host: url.host, ...headers } });
}

/**
 * The fields of the tester's answer to a client's request, in order: `[[name, value], …]`. The first subprotocol that
 * was offered is chosen.
 */
function answerFields(request, extensions = null) {
  const { fields } = parseHead(request);
  const [protocol] = tokens(all(fields, 'sec-websocket-protocol'));
  return [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptKey(all(fields, 'sec-websocket-key')[0] || '')],
    ...(protocol === undefined ? [] : [['Sec-WebSocket-Protocol', protocol]]),
    ...(extensions === null ? [] : [['Sec-WebSocket-Extensions', extensions]]),
  ];
}

/** An answer as bytes. */
function answerHead(fields, statusLine = 'HTTP/1.1 101 Switching Protocols') {
  return Buffer.from(`${statusLine}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, 'latin1');
}

/** The permessage-deflate offers in a request head. */
function deflateOffers(request) {
  return parseExtensions(all(parseHead(request).fields, 'sec-websocket-extensions').join(',')).filter(({ name }) => name === NAME);
}

/** Switches compression on in a session when the answer contains it; returns whether it does. */
function agreeOnDeflate(session, answer) {
  const [agreed] = answer ? parseExtensions(answer).filter(({ name }) => name === NAME) : [];
  if (!agreed) return false;
  const { deflater, inflater } = codecs(agreed.params, session.role);
  session.deflater = deflater;
  session.reader.inflate = (data) => inflater.decompress(data);
  return true;
}

module.exports = {
  KEY, parseHead, all, tokens, responseProblems, requestProblems, testerRequest, answerFields, answerHead, deflateOffers, agreeOnDeflate,
};
