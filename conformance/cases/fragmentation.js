'use strict';

// 5.* Fragmentation (RFC 6455 section 5.4).

const { text, binary, more, last, ping, pong, unfinished, gets, echoes, fails, failed, family } = require('./expect');

const SECTION = 'RFC 6455 5.4';
const range = (count) => Array.from({ length: count }, (_, i) => i);

/** A text in frames of one character each. */
function inFragments(message, size = 1) {
  const parts = [];
  for (let at = 0; at < message.length; at += size) parts.push(message.slice(at, at + size));
  return parts.map((part, i) => {
    const fin = i === parts.length - 1;
    return i === 0 ? text(part, { fin }) : last(part, { fin });
  });
}

/** Every way to send the frames: as they come, joined in one segment, byte by byte. */
function everyWay(title, steps, expect) {
  return [
    { title, steps, expect },
    { title: `${title}, in one segment`, steps, expect, joined: true },
    { title: `${title}, byte by byte`, steps, expect, chop: 1 },
  ];
}

const good = family('5.1', SECTION, [
  ...everyWay('a text in two fragments is one message', [text('frag', unfinished), last('ment')], echoes(gets.text('fragment'))),
  ...everyWay('a binary message in two fragments', [binary('frag', unfinished), last('ment')], echoes(gets.binary('fragment'))),
  ...everyWay('a ping between the fragments is answered',
    [text('frag', unfinished), ping('between'), last('ment')], echoes(gets.text('fragment'), gets.pong('between'))),
  ...everyWay('a pong between the fragments is taken',
    [text('frag', unfinished), pong('between'), last('ment')], echoes(gets.text('fragment'))),
  ...everyWay('five fragments with pings between them',
    [text('a', unfinished), ping('1'), more('b'), ping('2'), more('c'), ping('3'), more('d'), ping('4'), last('e')],
    echoes(gets.text('abcde'), gets.pong('1'), gets.pong('2'), gets.pong('3'), gets.pong('4'))),
  ...everyWay('two empty fragments are an empty message', [text('', unfinished), last('')], echoes(gets.text(''))),
  ...everyWay('three empty fragments', [text('', unfinished), more(''), last('')], echoes(gets.text(''))),
  ...everyWay('an empty first fragment', [text('', unfinished), last('text')], echoes(gets.text('text'))),
  ...everyWay('an empty last fragment', [text('text', unfinished), last('')], echoes(gets.text('text'))),
  ...everyWay('empty fragments in the middle',
    [text('te', unfinished), more(''), more(''), last('xt')], echoes(gets.text('text'))),
  ...everyWay('two fragmented messages, one after the other',
    [text('a', unfinished), last('b'), binary('c', unfinished), last('d')], echoes(gets.text('ab'), gets.binary('cd'))),
  ...everyWay('a fragmented message between whole ones',
    [text('1'), text('2', unfinished), last('3'), text('4')], echoes(gets.text('1'), gets.text('23'), gets.text('4'))),
]);

const counts = family('5.2', SECTION, [2, 3, 10, 100, 1000].flatMap((count) => [
  {
    title: `a text in ${count} fragments of one byte`,
    steps: () => inFragments('f'.repeat(count)),
    expect: echoes(gets.text('f'.repeat(count))),
  },
  {
    title: `a text in ${count} fragments of one byte, in one segment`,
    steps: () => inFragments('f'.repeat(count)),
    joined: true,
    expect: echoes(gets.text('f'.repeat(count))),
  },
]).concat({
  title: 'a text in 10000 empty fragments and one that is not',
  steps: () => [text('', unfinished), ...range(10000).map(() => more('')), last('end')],
  joined: true,
  expect: echoes(gets.text('end')),
}, {
  title: 'a hundred fragments with a ping after each',
  steps: () => inFragments('g'.repeat(100)).flatMap((frame, i) => [frame, ping(String(i))]),
  joined: true,
  expect: echoes(gets.text('g'.repeat(100)), ...range(100).map((i) => gets.pong(String(i)))),
}));

const wrong = family('5.3', SECTION, [
  ...everyWay('a continuation of nothing, final', [last('lost')], fails(1002)),
  ...everyWay('a continuation of nothing, not final', [more('lost')], fails(1002)),
  ...everyWay('an empty continuation of nothing', [last('')], fails(1002)),
  ...everyWay('a continuation after a whole message', [text('good'), last('lost')], fails(1002, gets.text('good'))),
  ...everyWay('a continuation, not final, after a whole message', [text('good'), more('lost'), last('lost')], fails(1002, gets.text('good'))),
  ...everyWay('a continuation after a fragmented message',
    [text('go', unfinished), last('od'), last('lost')], fails(1002, gets.text('good'))),
  ...everyWay('a text within a fragmented message', [text('a', unfinished), text('b'), last('c')], fails(1002)),
  ...everyWay('a binary message within a fragmented one', [text('a', unfinished), binary('b'), last('c')], fails(1002)),
  ...everyWay('a first fragment within a fragmented message', [text('a', unfinished), text('b', unfinished), last('c')], fails(1002)),
  ...everyWay('a first fragment after some continuations', [text('a', unfinished), more('b'), text('c', unfinished)], fails(1002)),
]);

const early = family('5.4', SECTION, [
  {
    title: 'a continuation of nothing is refused when two bytes of it are there',
    steps: [{ frame: last('a payload that is never sent'), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  },
  {
    title: 'a text within a fragmented message is refused when two bytes of it are there',
    steps: [text('half', unfinished), { frame: text('a payload that is never sent'), cut: 2 }, failed, { remainder: true }],
    expect: fails(1002),
  },
]);

module.exports = [...good, ...counts, ...wrong, ...early];
