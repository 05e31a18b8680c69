'use strict';

// vendor/FastBufferList.js does what that of websocket 1.0.35 does, for any sequence of calls.

const { test } = require('node:test');
const assert = require('node:assert');
const Ours = require('../../vendor/FastBufferList');
const Theirs = require('websocket-1.0.35/vendor/FastBufferList');

const ENCODINGS = ['utf8', 'hex', 'binary', 'ascii'];

/** Numbers below a bound, the same ones in every run. */
function randomNumbers(seed) {
  return (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (seed >>> 8) % below;
  };
}

/** Calls both lists and compares what they return or throw. */
function same(lists, what, operation) {
  const [ours, theirs] = lists.map((list) => {
    let result;
    try {
      result = operation(list);
    } catch (error) {
      return { error: error.message };
    }
    return { result: result === list ? 'itself' : result, length: list.length };
  });
  assert.deepStrictEqual(ours, theirs, what);
}

/** One random call to both lists; nothing reads more bytes than there are, what lies behind them is uninitialised. */
function step(lists, random) {
  const { length } = lists[1];
  const has = Math.max(0, length);
  const start = random(has + 1);
  const end = start + random(has - start + 1);
  const chunk = Buffer.from(Array.from({ length: 1 + random(6) }, () => random(128)));
  switch (random(12)) {
    case 0: case 1: return same(lists, 'write', (list) => list.write(chunk));
    case 2: return same(lists, 'push', (list) => list.push(chunk, [Buffer.from('ab'), Buffer.from('c')]));
    case 3: return same(lists, 'end', (list) => list.end(random.odd ? chunk : 'no buffer'));
    case 4: case 5: return same(lists, 'advance', (list) => list.advance(start));
    case 6: return same(lists, 'take', (list) => list.take(end));
    case 7: return same(lists, 'take as text', (list) => list.take(end, ENCODINGS[start % ENCODINGS.length]));
    case 8: return same(lists, 'join', (list) => list.join(start, end));
    case 9: return same(lists, 'join all', (list) => [list.join(), list.toString()]);
    case 10: return same(lists, 'joinInto', (list) => list.joinInto(Buffer.alloc(8, 0xee), start % 4, start, end));
    default: return same(lists, 'forEach', (list) => {
      const seen = [];
      list.forEach((buffer) => seen.push(Buffer.from(buffer)) > 2);
      return seen;
    });
  }
}

for (let seed = 1; seed <= 20; seed++) {
  test(`300 random calls, sequence ${seed}`, () => {
    const random = randomNumbers(seed);
    const lists = [new Ours(), new Theirs()];
    const events = lists.map((list) => {
      const seen = [];
      for (const type of ['write', 'advance']) list.on(type, (value) => seen.push([type, value]));
      return seen;
    });
    for (let i = 0; i < 300; i++) {
      random.odd = i % 2 === 1;
      step(lists, random);
    }
    assert.deepStrictEqual(events[0], events[1]);
  });
}

test('more can be skipped than there is: what is written later is skipped, too', () => {
  const lists = [new Ours(), new Theirs()];
  for (const list of lists) list.write(Buffer.from('abc'));
  same(lists, 'advance', (list) => list.advance(5));
  assert.strictEqual(lists[0].length, -2);
  same(lists, 'write', (list) => list.write(Buffer.from('defgh')));
  same(lists, 'take', (list) => list.take());
  assert.strictEqual(lists[0].take().toString(), 'fgh');
});

// That of 1.0.35 shows nothing until the empty Buffer is skipped, which is why the sequences above have none.
test('an empty Buffer in front does not hide those behind it', () => {
  const list = new Ours();
  list.push(Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(0), Buffer.from('d'));
  assert.strictEqual(list.take().toString(), 'abcd');
  assert.strictEqual(list.join(1, 4).toString(), 'bcd');
  assert.strictEqual(list.toString(), 'abcd');
});

test('joinInto() refuses a target that is too small', () => {
  const lists = [new Ours(), new Theirs()];
  for (const list of lists) list.write(Buffer.from('abcdef'));
  same(lists, 'joinInto', (list) => list.joinInto(Buffer.alloc(6), 1));
  assert.throws(() => lists[0].joinInto(Buffer.alloc(6), 1), { message: 'Insufficient space available in target Buffer.' });
});
