'use strict';

// 6.* Text is UTF-8 (RFC 6455 section 8.1, RFC 3629).

const { valid, invalid } = require('../../__test__/conformance/utf8-vectors');
const { text, binary, last, close, more, ping, unfinished, gets, echoes, fails, failed, family } = require('./expect');

const SECTION = 'RFC 6455 8.1';
const shown = (bytes) => bytes.toString('hex').replace(/..(?=.)/g, '$& ');

/** The bytes in two fragments. */
const split = (bytes, at) => [text(bytes.subarray(0, at), unfinished), last(bytes.subarray(at))];
/** The bytes in a fragment each. */
const apart = (bytes) => Array.from(bytes, (_, i) => {
  const fin = i === bytes.length - 1;
  const payload = bytes.subarray(i, i + 1);
  return i === 0 ? text(payload, { fin }) : last(payload, { fin });
});
const cuts = (bytes) => Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => i + 1);

const whole = family('6.1', SECTION, valid.map(([what, bytes]) => ({
  title: `${what} is echoed`, steps: [text(bytes)], expect: echoes(gets.text(bytes)),
})));
const splitInFrames = family('6.2', SECTION, valid.flatMap(([what, bytes]) => cuts(bytes).map((at) => ({
  title: `${what}, a fragment ends after byte ${at}`, steps: split(bytes, at), expect: echoes(gets.text(bytes)),
}))));
const byteFragments = family('6.3', SECTION, valid.flatMap(([what, bytes]) => [
  { title: `${what}, in fragments of a byte`, steps: apart(bytes), joined: true, expect: echoes(gets.text(bytes)) },
  { title: `${what}, in segments of a byte`, steps: [text(bytes)], chop: 1, expect: echoes(gets.text(bytes)) },
  { title: `${what}, in fragments and segments of a byte`, steps: apart(bytes), chop: 1, expect: echoes(gets.text(bytes)) },
  { title: `${what}, with a ping within every character`,
    steps: apart(bytes).flatMap((frame, i) => (i === bytes.length - 1 ? [frame] : [frame, ping(String(i))])),
    joined: true,
    expect: echoes(gets.text(bytes), ...cuts(bytes).map((i) => gets.pong(String(i - 1)))) },
]));

const wrong = family('6.4', SECTION, invalid.map(([what, bytes]) => ({
  title: `${what} (${shown(bytes)}) fails the connection`, steps: [text(bytes)], expect: fails(1007),
})));
const wrongSplit = family('6.5', SECTION, invalid.flatMap(([what, bytes]) => cuts(bytes).map((at) => ({
  title: `${what} (${shown(bytes)}), a fragment ends after byte ${at}`, steps: split(bytes, at), expect: fails(1007),
}))));
const wrongBytes = family('6.6', SECTION, invalid.flatMap(([what, bytes]) => [
  { title: `${what}, in segments of a byte`, steps: [text(bytes)], chop: 1, expect: fails(1007) },
  { title: `${what}, after a good message`, steps: [text('good'), text(bytes)], expect: fails(1007, gets.text('good')) },
]));
const binaries = family('6.11', SECTION, invalid.map(([what, bytes]) => ({
  title: `${what}, in a binary message, is nobody's business`, steps: [binary(bytes)], expect: echoes(gets.binary(bytes)),
})));

const decided = invalid.filter(([, , at]) => at !== Infinity);
const failFast = [
  ...family('6.7', SECTION, decided.map(([what, bytes, at]) => ({
    title: `${what}: noticed in an unfinished fragment, before the message has ended`,
    steps: [text(bytes.subarray(0, at + 1), unfinished), failed, last(bytes.subarray(at + 1))],
    expect: fails(1007),
  }))),
  ...family('6.8', SECTION, decided.map(([what, bytes, at]) => {
    const frame = text(Buffer.concat([bytes, Buffer.from('and much more')]));
    const cut = -(frame.payload.length - at - 1);
    return {
      title: `${what}: noticed within the frame, before its payload is complete`,
      steps: [{ frame, cut }, failed, { remainder: true }],
      expect: fails(1007),
    };
  })),
  ...family('6.9', SECTION, [
    {
      title: 'a fault across two fragments: noticed in an unfinished second one',
      steps: [text(Buffer.from('cebaed', 'hex'), unfinished), more(Buffer.from([0xa0])), failed, last('')],
      expect: fails(1007),
    },
    {
      title: 'a long good text, then a fault',
      steps: () => [text('ä'.repeat(40000), unfinished), more(Buffer.from([0xff])), failed, last('')],
      expect: fails(1007),
    },
    {
      title: 'a character that is cut off by the end of the message',
      steps: [text(Buffer.from('e282', 'hex'), unfinished), last('')],
      expect: fails(1007),
    },
    {
      title: 'a character may be cut off by the end of a fragment',
      steps: [text(Buffer.from('e282', 'hex'), unfinished), more(''), last(Buffer.from('ac', 'hex'))],
      expect: echoes(gets.text('€')),
    },
  ]),
];

const reasons = family('6.10', 'RFC 6455 5.5.1', invalid.map(([what, bytes]) => ({
  title: `a close reason with ${what} fails the connection`,
  steps: [{ ...close(1000), payload: Buffer.concat([Buffer.from([0x03, 0xe8]), bytes]) }],
  expect: fails([1007, 1002]),
})));

module.exports = [...whole, ...splitInFrames, ...byteFragments, ...wrong, ...wrongSplit, ...wrongBytes, ...failFast, ...reasons, ...binaries];
