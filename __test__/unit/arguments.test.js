'use strict';

// What programs pass as bytes, and as callbacks.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const vm = require('vm');
const WebSocketFrame = require('../../lib/WebSocketFrame');
const { asBuffer, callBack } = require('../../lib/internal/base/arguments');

/** Eight bytes 0 to 7 behind eight others, so that a forgotten offset shows. */
function memory() {
  const buffer = new ArrayBuffer(32);
  new Uint8Array(buffer, 8, 8).set([0, 1, 2, 3, 4, 5, 6, 7]);
  return buffer;
}

describe('bytes in any form become a Buffer, over the same memory if it belongs to this thread', () => {
  const views = [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array,
    Float64Array, BigInt64Array, BigUint64Array, DataView];
  for (const View of views) {
    test(View.name, () => {
      const buffer = memory();
      const view = new View(buffer, 8, 8 / (View.BYTES_PER_ELEMENT || 1));
      const bytes = asBuffer(view);
      assert.ok(Buffer.isBuffer(bytes));
      assert.deepStrictEqual([...bytes], [0, 1, 2, 3, 4, 5, 6, 7]);
      new Uint8Array(buffer)[8] = 99;
      assert.strictEqual(bytes[0], 99);
    });
  }

  test('a Buffer is returned as it is', () => {
    const buffer = Buffer.from('x');
    assert.strictEqual(asBuffer(buffer), buffer);
  });

  const whole = [
    ['ArrayBuffer', memory()],
    ['ArrayBuffer of another realm', vm.runInNewContext('new ArrayBuffer(32)')],
  ];
  for (const [name, data] of whole) {
    test(name, () => {
      const bytes = asBuffer(data);
      assert.ok(Buffer.isBuffer(bytes));
      assert.strictEqual(bytes.length, 32);
      bytes[31] = 77;
      assert.strictEqual(new Uint8Array(data)[31], 77);
    });
  }

  test('memory that is shared with other threads is copied: they may write while a frame is made of it', () => {
    const shared = new SharedArrayBuffer(32);
    for (const [data, length] of [[shared, 32], [new Uint8Array(shared, 8, 4), 4], [Buffer.from(shared), 32]]) {
      const bytes = asBuffer(data);
      assert.ok(Buffer.isBuffer(bytes));
      assert.strictEqual(bytes.length, length);
      bytes.fill(77);
      assert.ok(new Uint8Array(shared).every((byte) => byte === 0));
    }
  });

  test('memory of another realm that is shared with other threads is copied, too', () => {
    const [shared, view] = vm.runInNewContext('const shared = new SharedArrayBuffer(32); [shared, new Uint8Array(shared, 8, 4)]');
    for (const [data, length] of [[shared, 32], [view, 4]]) {
      const bytes = asBuffer(data);
      assert.ok(Buffer.isBuffer(bytes));
      assert.strictEqual(bytes.length, length);
      bytes.fill(77);
      assert.deepStrictEqual([...view], [0, 0, 0, 0]);
    }
  });

  test('memory that was transferred to another thread is empty, as for the WebSocket of browsers', () => {
    const memory = new ArrayBuffer(32);
    const all = [memory, new Uint8Array(memory, 8), new DataView(memory), Buffer.from(memory)];
    structuredClone(memory, { transfer: [memory] });
    for (const data of all) assert.strictEqual(asBuffer(data).length, 0);
  });

  test('what only says that it is an ArrayBuffer is none', () => {
    assert.strictEqual(asBuffer({ [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 4 }), null);
  });

  test('Uint8Array of another realm', () => {
    const data = vm.runInNewContext('new Uint8Array([1, 2, 3])');
    const bytes = asBuffer(data);
    assert.deepStrictEqual([...bytes], [1, 2, 3]);
    data[1] = 9;
    assert.strictEqual(bytes[1], 9);
  });

  test('views without bytes', () => {
    assert.strictEqual(asBuffer(new Uint8Array(0)).length, 0);
    assert.strictEqual(asBuffer(new ArrayBuffer(0)).length, 0);
  });
});

for (const [name, data] of [['text', 'abc'], ['a String object', new String('abc')], ['a number', 5], ['an array', [1, 2]],
  ['an object', {}], ['an object with a length', { length: 2, 0: 1, 1: 2 }], ['a Buffer as JSON', Buffer.from('a').toJSON()],
  ['null', null], ['undefined', undefined], ['a boolean', true], ['a function', () => {}], ['a Blob', new Blob(['a'])]]) {
  test(`${name} is no bytes`, () => assert.strictEqual(asBuffer(data), null));
}

for (const payload of ['text', { length: 2 ** 32 }, [1, 2], 5, true, () => {}]) {
  test(`a frame whose payload is ${typeof payload} (${payload.length}) is not made into bytes`, () => {
    const frame = Object.assign(new WebSocketFrame(), { fin: true, opcode: 2, binaryPayload: payload });
    assert.throws(() => frame.toBuffer(), { name: 'TypeError', message: /^The binaryPayload of a frame is a Buffer, not / });
  });
}

test('a frame takes bytes in any form, and none', () => {
  const bytesOf = (binaryPayload) => [...Object.assign(new WebSocketFrame(), { fin: true, opcode: 2, binaryPayload }).toBuffer()];
  for (const payload of [Buffer.from([1, 2]), new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer, new DataView(new Uint8Array([1, 2]).buffer)]) {
    assert.deepStrictEqual(bytesOf(payload), [0x82, 2, 1, 2]);
  }
  for (const payload of [undefined, null]) assert.deepStrictEqual(bytesOf(payload), [0x82, 0]);
});

test('a callback is called with the error on the next tick, not before', async () => {
  const calls = [];
  const error = new Error('x');
  callBack((...args) => calls.push(args), error);
  callBack((...args) => calls.push(args));
  assert.deepStrictEqual(calls, []);
  await new Promise((resolve) => process.nextTick(resolve));
  assert.deepStrictEqual(calls, [[error], [undefined]]);
});

for (const value of [undefined, null, 'text', {}]) {
  test(`${String(value)} is no callback, and no error`, () => assert.doesNotThrow(() => callBack(value, new Error('x'))));
}
