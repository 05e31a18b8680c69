'use strict';

// 9.* Large messages, small fragments, short segments. 10.* Many messages at once. They have to be echoed in time;
// the report has how long each took. Expectations are functions here: all of them together would be hundreds of megabytes.

const { text, binary, last, more, unfinished, gets, echoes, family } = require('./expect');

const SECTION = 'RFC 6455 10.4';
const KIB = 1024;
const MIB = KIB * KIB;
const SIZES = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];

const named = (size) => (size >= MIB ? `${size / MIB} MiB` : size >= KIB ? `${size / KIB} KiB` : `${size} bytes`);
const heavy = (size) => 1 + Math.floor(size / (2 * MIB));

/** Text of so many bytes with characters of every length in it. */
function textOf(size) {
  const unit = Buffer.from('Größe, 大きさ, 𝄞; ');
  const data = Buffer.alloc(size, '.');
  for (let at = 0; at + unit.length <= size; at += unit.length) unit.copy(data, at);
  return data;
}

/** Bytes in which every block differs from the others. */
function bytesOf(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) data.writeUInt32LE(Math.imul(at + 1, 2654435761) >>> 0, at);
  return data;
}

const KINDS = [['text', text, gets.text, textOf], ['binary', binary, gets.binary, bytesOf]];

function fragmented(frame, data, size) {
  const frames = [];
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size);
    const fin = at + size >= data.length;
    if (at === 0) frames.push(frame(part, { fin }));
    else frames.push(fin ? last(part) : more(part));
  }
  return frames;
}

const large = family('9.1', SECTION, KINDS.flatMap(([kind, frame, get, make]) => SIZES.map((size) => ({
  title: `a ${kind} message of ${named(size)} is echoed`,
  steps: () => [frame(make(size))],
  weight: heavy(size),
  expect: () => echoes(get(make(size))),
}))));

const pieces = family('9.2', SECTION, KINDS.flatMap(([kind, frame, get, make]) => [
  [64, MIB], [256, MIB], [KIB, MIB], [4 * KIB, 4 * MIB], [16 * KIB, 4 * MIB], [64 * KIB, 4 * MIB], [256 * KIB, 4 * MIB], [MIB, 16 * MIB],
].map(([part, size]) => ({
  title: `a ${kind} message of ${named(size)} in fragments of ${named(part)}`,
  steps: () => fragmented(frame, make(size), part),
  joined: true,
  weight: heavy(size) + 1,
  expect: () => echoes(get(make(size))),
}))));

const segments = family('9.3', SECTION, KINDS.flatMap(([kind, frame, get, make]) => [
  [64, 128 * KIB], [128, 128 * KIB], [256, 256 * KIB], [512, 512 * KIB], [KIB, MIB], [2 * KIB, MIB], [16 * KIB, 4 * MIB],
].map(([chop, size]) => ({
  title: `a ${kind} message of ${named(size)} in segments of ${named(chop)}`,
  steps: () => [frame(make(size))],
  chop,
  weight: heavy(size) + 1,
  expect: () => echoes(get(make(size))),
}))));

const boundaries = family('9.4', 'RFC 6455 5.2', [16, 64, 128, 1024, 4096, 8192, 16384, 65536].flatMap((size) => [-1, 0, 1].map((off) => ({
  title: `a text of ${size + off} bytes whose last character may cross a boundary of buffers`,
  steps: () => [text(textOf(size + off)), text('after')],
  joined: true,
  expect: () => echoes(gets.text(textOf(size + off)), gets.text('after')),
}))));

const many = family('10.1', SECTION, [
  [1000, 0], [1000, 16], [1000, 64], [500, 256], [500, KIB], [200, 4 * KIB], [100, 16 * KIB], [20, 64 * KIB],
].flatMap(([count, size]) => [false, true].map((joined) => ({
  title: `${count} messages of ${named(size)} ${joined ? 'in one piece' : 'without waiting'} are echoed in order`,
  steps: () => Array.from({ length: count }, () => text(textOf(size))),
  joined,
  weight: heavy(count * size),
  expect: () => echoes(...Array.from({ length: count }, () => gets.text(textOf(size)))),
}))));

const automatic = family('10.2', 'RFC 6455 5.4', [
  {
    title: 'a text of 64 KiB after an unfinished first fragment of nothing',
    steps: () => [text('', unfinished), last(textOf(64 * KIB))],
    expect: echoes(gets.text(textOf(64 * KIB))),
  },
  {
    title: 'a text of 100000 bytes in fragments of 1300 is one message',
    steps: () => fragmented(text, textOf(100000), 1300),
    expect: echoes(gets.text(textOf(100000))),
  },
]);

module.exports = [...large, ...pieces, ...segments, ...boundaries, ...many, ...automatic];
