'use strict';

// The queue of what a connection has received and its program has not seen yet.

const { test } = require('node:test');
const assert = require('node:assert');
const { Inbox } = require('../../lib/internal/connection/inbox');

/** Takes everything out, as `[kind, value]`. */
function drain(inbox) {
  const all = [];
  while (inbox.length > 0) {
    const { kind } = inbox;
    all.push([kind, inbox.shift()]);
  }
  return all;
}

test('a new one is empty and has no first kind', () => {
  const inbox = new Inbox();
  assert.deepStrictEqual([inbox.length, inbox.kind, inbox.scheduled], [0, undefined, false]);
});

test('events come out in the order in which they went in', () => {
  const inbox = new Inbox();
  for (let i = 0; i < 5; i++) inbox.push(`k${i}`, i);
  assert.strictEqual(inbox.length, 5);
  assert.deepStrictEqual(drain(inbox), [['k0', 0], ['k1', 1], ['k2', 2], ['k3', 3], ['k4', 4]]);
  assert.strictEqual(inbox.kind, undefined);
});

test('the first kind can be read without taking the event', () => {
  const inbox = new Inbox();
  inbox.push('message', 1);
  assert.strictEqual(inbox.kind, 'message');
  assert.strictEqual(inbox.kind, 'message');
  assert.strictEqual(inbox.length, 1);
});

test('values may be undefined, null or false', () => {
  const inbox = new Inbox();
  for (const value of [undefined, null, false]) inbox.push('k', value);
  assert.deepStrictEqual(drain(inbox), [['k', undefined], ['k', null], ['k', false]]);
});

for (const taken of [0, 1, 2, 3]) {
  test(`events put in front come first, after ${taken} of 3 were taken`, () => {
    const inbox = new Inbox();
    for (let i = 0; i < 3; i++) inbox.push('old', i);
    for (let i = 0; i < taken; i++) assert.strictEqual(inbox.shift(), i);
    inbox.unshift('front', 'a');
    inbox.unshift('front', 'b');
    inbox.unshift('front', 'c');
    inbox.push('back', 'z');
    const left = [0, 1, 2].slice(taken).map((i) => ['old', i]);
    assert.strictEqual(inbox.length, left.length + 4);
    assert.deepStrictEqual(drain(inbox), [['front', 'c'], ['front', 'b'], ['front', 'a'], ...left, ['back', 'z']]);
  });
}

test('a cleared one is empty and can be filled again', () => {
  const inbox = new Inbox();
  inbox.push('a', 1);
  inbox.push('b', 2);
  inbox.shift();
  inbox.clear();
  assert.deepStrictEqual([inbox.length, inbox.kind], [0, undefined]);
  inbox.push('c', 3);
  assert.deepStrictEqual(drain(inbox), [['c', 3]]);
});

test('a value that was taken is not kept', () => {
  const inbox = new Inbox();
  const value = { big: true };
  inbox.push('a', value);
  inbox.push('b', 2);
  inbox.shift();
  assert.ok(!Object.values(inbox).flat().includes(value));
});

test('any mixture of operations gives what an array gives', () => {
  let seed = 42;
  const random = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % 65536 % below;
  const inbox = new Inbox();
  let model = [];
  for (let i = 0; i < 20000; i++) {
    switch (random(9)) {
      case 0: case 1: case 2: inbox.push(`k${i}`, i); model.push([`k${i}`, i]); break;
      case 3: case 4: inbox.unshift(`k${i}`, i); model.unshift([`k${i}`, i]); break;
      case 5: if (random(50) === 0) { inbox.clear(); model = []; } break;
      default: if (model.length > 0) assert.strictEqual(inbox.shift(), model.shift()[1]);
    }
    assert.strictEqual(inbox.length, model.length);
    assert.strictEqual(inbox.kind, model.length > 0 ? model[0][0] : undefined);
  }
  assert.deepStrictEqual(drain(inbox), model);
});
