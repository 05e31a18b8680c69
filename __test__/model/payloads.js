'use strict';

// What messages contain: bytes that say which message they are, so that a lost, doubled or damaged one is recognised.

const crypto = require('crypto');
const { Random } = require('../stress/random');

/** Payloads are cut out of so many random bytes, repeated: farther apart than a compressor looks back. */
const BLOCK_LENGTH = 1 << 16;
const BLOCKS = 16;
const TEXT_KINDS = ['ascii', 'words', 'latin', 'unicode'];

/** Messages of at least this many bytes are unlike every other message of their connection. */
const UNIQUE_LENGTH = 12;

const CHARACTERS = {
  latin: ['a', ' ', 'é', 'ß', 'ü', 'ÿ', '¡', 'x'],
  unicode: ['a', ' ', 'é', 'Ж', '中', '€', '\u{1F600}', '\u{10FFFF}', '\uFFFD', '\u0800'],
  words: ['{"name":', '"value"', ',', ' 12345 ', 'true', '}', 'null', '[1,2,3]'],
};

const pools = new Map();

function pool(kind) {
  if (!pools.has(kind)) pools.set(kind, makePool(kind));
  return pools.get(kind);
}

function makePool(kind) {
  const block = makeBlock(kind);
  return Buffer.concat(Array.from({ length: BLOCKS }, () => block));
}

function makeBlock(kind) {
  const random = new Random(7, kind.length);
  const choices = CHARACTERS[kind];
  if (choices !== undefined) {
    const parts = [];
    for (let length = 0; length < BLOCK_LENGTH;) {
      const part = random.pick(choices);
      parts.push(part);
      length += Buffer.byteLength(part);
    }
    return Buffer.from(parts.join(''));
  }
  const bytes = Buffer.alloc(BLOCK_LENGTH);
  for (let i = 0; i < BLOCK_LENGTH; i++) bytes[i] = kind === 'ascii' ? 32 + random.int(95) : random.int(256);
  return bytes;
}

/** The first position at or after `at` where a character of UTF-8 begins. */
function boundary(bytes, at) {
  while (at < bytes.length && (bytes[at] & 0xc0) === 0x80) at++;
  return at;
}

/**
 * The payload of a message.
 * @param {string} name what the message is called: different for every message of a connection
 * @param {'ascii'|'words'|'latin'|'unicode'|'binary'} kind
 * @param {number} length about how many bytes it has
 */
function makePayload(name, kind, length) {
  const tag = Buffer.from(`${name}|`);
  if (length <= tag.length) return tag.subarray(tag.length - length);
  const bytes = pool(kind);
  const fill = Math.min(length - tag.length, bytes.length);
  const start = boundary(bytes, Number.parseInt(crypto.createHash('sha1').update(tag).digest('hex').slice(0, 8), 16) %
    Math.max(1, bytes.length - fill));
  return Buffer.concat([tag, bytes.subarray(start, boundary(bytes, start + fill))]);
}

function isText(kind) {
  return TEXT_KINDS.includes(kind);
}

function readable(bytes) {
  const text = bytes.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? text : bytes.toString('hex');
}

/** What stands for an event in the records: `type` is text, binary, ping or pong. */
function digest(type, bytes) {
  const content = bytes.length <= 24 ? readable(bytes) : crypto.createHash('sha1').update(bytes).digest('base64').slice(0, 12);
  return `${type} ${bytes.length} ${content}`;
}

module.exports = { TEXT_KINDS, UNIQUE_LENGTH, makePayload, isText, digest };
