'use strict';

// Numbers and payloads that depend on a seed alone.

const POOL_LENGTH = 1 << 20;

/** Mulberry32: small, fast, and the same everywhere. */
class Random {
  /** @param {...number} seeds several numbers make one seed */
  constructor(...seeds) {
    this.state = 0x9e3779b9;
    for (const seed of seeds) {
      this.state = Math.imul(this.state ^ seed, 0x85ebca6b) >>> 0;
      this.next();
    }
  }

  /** A number of 32 bits. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 to `below` - 1. */
  int(below) { return Math.floor(this.next() / 4294967296 * below); }

  /** True in `percent` of 100 cases. */
  chance(percent) { return this.next() / 4294967296 * 100 < percent; }

  pick(array) { return array[this.int(array.length)]; }
}

const pools = new Map();

/** A megabyte of each kind of payload, made once: to cut payloads out of it costs next to nothing. */
function pool(kind) {
  if (!pools.has(kind)) pools.set(kind, makePool(kind));
  return pools.get(kind);
}

function makePool(kind) {
  const random = new Random(1, kind.length);
  if (kind === 'unicode') {
    const characters = ['a', ' ', 'é', 'ß', 'Ж', '中', '€', '\u{1F600}', '\u{10FFFF}', '\u0000', '\uFFFD', '\u07FF', '\u0800'];
    let text = '';
    for (let i = 0; i < POOL_LENGTH / 2; i++) text += random.pick(characters);
    return Buffer.from(text);
  }
  const bytes = Buffer.alloc(POOL_LENGTH);
  for (let i = 0; i < bytes.length; i++) bytes[i] = kind === 'ascii' ? 32 + random.int(95) : random.int(256);
  return bytes;
}

/** A position in UTF-8 where a character begins, at or after `at`. */
function boundary(bytes, at) {
  while (at < bytes.length && (bytes[at] & 0xc0) === 0x80) at++;
  return at;
}

/** Mostly small, seldom up to 200 KiB; the lengths around the limits of the header's forms are frequent. */
function randomLength(random) {
  const kind = random.int(100);
  if (kind < 5) return 0;
  if (kind < 60) return random.int(126);
  if (kind < 70) return random.pick([124, 125, 126, 127, 16383, 16384, 16385, 65535, 65536, 65537]);
  if (kind < 92) return random.int(4096);
  if (kind < 98) return random.int(40 * 1024);
  return random.int(200 * 1024 + 1);
}

/** A payload: `{ text, data }`, the first byte of which is `mark` unless it is empty. */
function randomPayload(random, mark, length = randomLength(random)) {
  const kind = random.pick(['ascii', 'unicode', 'binary', 'binary']);
  const text = kind !== 'binary';
  if (length === 0) return { text, data: Buffer.alloc(0) };
  const bytes = pool(kind);
  let start = random.int(bytes.length - length - 8);
  let end = start + length - 1;
  if (kind === 'unicode') {
    start = boundary(bytes, start);
    end = boundary(bytes, end);
  }
  return { text, data: Buffer.concat([Buffer.from(mark), bytes.subarray(start, Math.max(start, end))]) };
}

const lastBroadcasts = new Map();

/** What the server sends to everybody as its broadcast number `count`; the latest are kept, since every peer asks for them. */
function broadcastPayload(seed, count) {
  const key = `${seed} ${count}`;
  if (!lastBroadcasts.has(key)) {
    if (lastBroadcasts.size > 64) lastBroadcasts.clear();
    lastBroadcasts.set(key, makeBroadcast(seed, count));
  }
  return lastBroadcasts.get(key);
}

function makeBroadcast(seed, count) {
  const random = new Random(seed, 0xb, count);
  const { text, data } = randomPayload(random, 'b', 1 + random.int(random.chance(3) ? 70000 : 300));
  return { text, data: Buffer.concat([Buffer.from(`b${String(count).padStart(9, '0')}`), data]) };
}

const CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4321, 4999];

module.exports = { Random, randomPayload, broadcastPayload, CLOSE_CODES };
