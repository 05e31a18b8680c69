'use strict';

// 12.* and 13.* permessage-deflate (RFC 7692): messages of every kind and size, under every parameter. UNIMPLEMENTED when
// the peer does not agree to the extension.

const { OPCODE, text, ping, gets, echoes, family } = require('./expect');

const SECTION = 'RFC 7692 7.2';
const KIB = 1024;
const SIZES = [0, 1, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 128 * KIB];
const COUNT = 10;

const WORDS = ['frame', 'message', 'Größe', 'window', '端', 'context', '𝄞', 'deflate', 'masking', 'payload', 'control', 'ping'];

/** A number in [0, count) for every index, always the same. */
const scatter = (i, count) => (Math.imul(i + 1, 2654435761) >>> 7) % count;

/** Cuts text to at most so many bytes without cutting a character. */
function fit(string, size) {
  const data = Buffer.from(string);
  let end = Math.min(size, data.length);
  while (end > 0 && end < data.length && (data[end] & 0xc0) === 0x80) end--;
  return Buffer.concat([data.subarray(0, end), Buffer.alloc(size - end, '.')]);
}

const json = (i) => JSON.stringify({ id: i, name: WORDS[scatter(i, WORDS.length)], score: scatter(i, 1000) / 7, tags: [WORDS[i % 5], WORDS[i % 7]] });
const PAYLOADS = [
  ['one byte, repeated', OPCODE.TEXT, (size) => Buffer.alloc(size, '*')],
  ['words', OPCODE.TEXT, (size, seed) => fit(Array.from({ length: Math.ceil(size / 5) + 1 }, (_, i) => WORDS[scatter(i + seed, WORDS.length)]).join(' '), size)],
  ['JSON', OPCODE.TEXT, (size, seed) => fit(Array.from({ length: Math.ceil(size / 40) + 1 }, (_, i) => json(i + seed)).join(','), size)],
  ['a table of numbers', OPCODE.BINARY, (size, seed) => Buffer.from(Array.from({ length: size }, (_, i) => (i % 4 === 0 ? (i >> 4) + seed : 0) & 0xff))],
  ['bytes that do not compress', OPCODE.BINARY, (size, seed) => Buffer.from(Array.from({ length: size }, (_, i) => scatter(i + seed * 131071, 256)))],
];

/** [name, offer of the tester as the client, parameters of its answer as the server] */
const PARAMETERS = [
  ['with the defaults', '', {}],
  ['with client_max_window_bits', 'client_max_window_bits', {}],
  ['without context takeover in both directions', 'client_no_context_takeover; server_no_context_takeover',
    { client_no_context_takeover: true, server_no_context_takeover: true }],
  ['without context takeover of the server', 'server_no_context_takeover', { server_no_context_takeover: true }],
  ['without context takeover of the client', 'client_no_context_takeover', { client_no_context_takeover: true }],
  ['with windows of 9 bits', 'client_max_window_bits=9; server_max_window_bits=9', { client_max_window_bits: 9, server_max_window_bits: 9 }],
  ['with a server window of 10 bits and no context takeover', 'server_max_window_bits=10; server_no_context_takeover',
    { server_max_window_bits: 10, server_no_context_takeover: true }],
  ['with windows of 12 bits', 'client_max_window_bits=12; server_max_window_bits=12', { client_max_window_bits: 12, server_max_window_bits: 12 }],
  ['with windows of 15 bits', 'client_max_window_bits=15; server_max_window_bits=15', { client_max_window_bits: 15, server_max_window_bits: 15 }],
];

const kindOf = (opcode) => (opcode === OPCODE.TEXT ? gets.text : gets.binary);

/** COUNT messages of one kind and size: compressed by the tester, echoed as the peer likes. */
function exchange(title, [, opcode, make], size, deflate, fragments = 1) {
  const messages = () => Array.from({ length: COUNT }, (_, seed) => make(size, seed));
  return {
    title,
    deflate,
    steps: () => messages().map((payload) => ({ compressed: { opcode, payload, fragments } })),
    joined: true,
    weight: size > 16 * KIB ? 2 : 0,
    expect: () => echoes(...messages().map(kindOf(opcode))),
  };
}

const [defaults] = PARAMETERS;
const negotiated = ([, offer, answer]) => ({ offer: ['permessage-deflate', offer].filter(Boolean).join('; '), answer });

const kinds = PAYLOADS.flatMap((payload, i) => family(`12.${i + 1}`, SECTION, SIZES.flatMap((size) => [1, 4].map((fragments) => (
  exchange(`${COUNT} messages of ${payload[0]}, ${size} bytes, in ${fragments === 1 ? 'one frame' : `${fragments} fragments`}`,
    payload, size, negotiated(defaults), fragments)
)))));

const parameters = PARAMETERS.flatMap((parameter, i) => family(`13.${i + 1}`, 'RFC 7692 7.1', [
  ...SIZES.map((size) => exchange(`${parameter[0]}: ${COUNT} messages of JSON, ${size} bytes`, PAYLOADS[2], size, negotiated(parameter))),
  ...[KIB, 64 * KIB].map((size) => exchange(`${parameter[0]}: ${COUNT} messages that do not compress, ${size} bytes`, PAYLOADS[4], size, negotiated(parameter))),
  {
    title: `${parameter[0]}: messages that are compressed and messages that are not`,
    deflate: negotiated(parameter),
    steps: () => [
      { compressed: { payload: 'compressed '.repeat(20) } }, text('as it is'), ping('and a ping'),
      { compressed: { payload: 'compressed '.repeat(20), fragments: 3 } }, text(''),
    ],
    expect: echoes(gets.text('compressed '.repeat(20)), gets.text('as it is'), gets.text('compressed '.repeat(20)), gets.text(''), gets.pong('and a ping')),
  },
  {
    title: `${parameter[0]}: messages of 2 KiB of words, byte by byte`,
    deflate: negotiated(parameter),
    chop: 1,
    steps: () => [{ compressed: { payload: PAYLOADS[1][2](2 * KIB, 1) } }, { compressed: { payload: PAYLOADS[1][2](2 * KIB, 2) } }],
    expect: () => echoes(gets.text(PAYLOADS[1][2](2 * KIB, 1)), gets.text(PAYLOADS[1][2](2 * KIB, 2))),
  },
]));

module.exports = [...kinds, ...parameters];
