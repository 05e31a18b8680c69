'use strict';

// Values that nobody expects, and how they are passed on.

const assert = require('assert');

/** What a value throws when it is asked for anything is its own affair. */
class Mine extends Error {}

const refuse = () => { throw new Mine('as it was told to'); };

function detached() {
  const buffer = new ArrayBuffer(8);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return view;
}

/** Made anew for each use: some change when they are used. */
const odd = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  0: () => 0,
  '-1': () => -1,
  1.5: () => 1.5,
  NaN: () => NaN,
  Infinity: () => Infinity,
  '2 ** 53': () => 2 ** 53,
  '-(2 ** 31)': () => -(2 ** 31),
  '10n': () => 10n,
  'a symbol': () => Symbol('odd'),
  'an empty text': () => '',
  'a long text': () => 'x'.repeat(200000),
  'a lone surrogate': () => '\uD800',
  'line breaks and a zero': () => 'a\r\nb: c\r\n\r\n\0',
  ['__proto__']: () => '__proto__',
  'an object': () => ({}),
  'an object without prototype': () => Object.create(null),
  'an array': () => [],
  'an array of odd things': () => [null, undefined, NaN, {}, Symbol('odd')],
  'a function': () => () => {},
  'a date': () => new Date(NaN),
  'a regular expression': () => /x/g,
  'an object whose toString() throws': () => ({ toString: refuse, valueOf: refuse }),
  'an object whose toString() gives no text': () => ({ toString: () => ({}) }),
  'an object of getters that throw': () => Object.defineProperties({}, {
    length: { get: refuse }, type: { get: refuse }, toString: { get: refuse }, port: { get: refuse }, name: { get: refuse }
  }),
  'a proxy that refuses everything': () => new Proxy(() => {}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse }),
  'an object that says it has a length': () => ({ length: 2 ** 32 }),
  'a Buffer of nothing': () => Buffer.alloc(0),
  'bytes that were transferred': detached,
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(4)),
  'a cyclic object': () => {
    const object = {};
    object.self = object;
    return object;
  }
};

/** Calls and swallows what may be thrown: Errors, and what the arguments throw themselves. */
function call(action, what) {
  try {
    const result = action();
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    assert.ok(error instanceof Error || error instanceof DOMException, `${what} threw ${typeof error}`);
    assert.doesNotMatch(String(error.message), /panic|unwrap|RefCell|napi_/i, what);
  }
}

/** Lists of arguments: each odd value alone in each place, and twice the same. */
function lists(value, count) {
  const all = [Array.from({ length: count }, value)];
  for (let place = 0; place < count; place++) {
    all.push(Array.from({ length: count }, (_, index) => (index === place ? value() : undefined)).slice(0, place + 1));
  }
  return all;
}

/** In a process of its own: calls everything the addon exports with everything, in every place. */
exports.addon = ({ report, root: directory }) => {
  const binding = require(require('path').join(directory, 'lib', 'internal', 'addon', 'binding'));
  let calls = 0;
  // One of the exports is there to report what a program has thrown, whatever that is.
  process.on('uncaughtException', () => {});
  for (const method of Object.values(binding)) {
    if (typeof method !== 'function') continue;
    // Small numbers would be descriptors of this process and are left to those who have one.
    const values = Object.entries(odd).filter(([name]) => name !== '0' && name !== 'true' && name !== '1.5').map(([, value]) => value);
    for (const value of values) {
      for (const args of [...lists(value, 6), [4294967295, value(), value()], [4294967295, 0, Buffer.alloc(1), value()]]) {
        call(() => method(...args), method.name);
        calls++;
      }
    }
  }
  report({ calls });
  process.exit(0);
};

Object.assign(exports, { odd, lists, call });
