'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const { randomBytes } = require('crypto');
const { encode, decode, HEADER } = require('../../lib/internal/pubsub/envelope');

const message = {
  node: '0123456789ab', sequence: 2 ** 48 - 1, distance: 2 ** 32 - 1, isBinary: true, own: true,
  publisher: 'connection ü', payload: Buffer.from([0, 255, 10, 13])
};
const isEnvelopeError = { code: 'ERR_WEBSOCKET_PUBSUB_ENVELOPE' };

test('an envelope is read as it was written', () => {
  for (const change of [{}, { isBinary: false }, { own: false }, { publisher: '' }, { payload: Buffer.alloc(0) }, { sequence: 1, distance: 0 }]) {
    const written = { ...message, ...change };
    assert.deepStrictEqual(decode(encode(written)), written);
  }
});

test('the payload is in it as it is, without base64 or JSON', () => {
  const payload = randomBytes(1000);
  const envelope = encode({ ...message, publisher: '', payload });
  assert.strictEqual(envelope.length, HEADER + 1000);
  assert.deepStrictEqual(envelope.subarray(HEADER), payload);
});

test('a Uint8Array over a part of a larger memory is read too', () => {
  const envelope = encode(message);
  const memory = new Uint8Array(envelope.length + 20);
  memory.set(envelope, 10);
  assert.deepStrictEqual(decode(memory.subarray(10, 10 + envelope.length)), message);
});

test('a distance that is too large for its field is not known', () => {
  assert.strictEqual(decode(encode({ ...message, distance: 2 ** 32 })).distance, 0);
});

test('envelopes of another version, cut short, with unknown flags or no bytes at all are refused', () => {
  const envelope = encode(message);
  const changed = (index, value) => {
    const copy = Buffer.from(envelope);
    copy[index] = value;
    return copy;
  };
  assert.throws(() => decode(changed(0, 2)), { ...isEnvelopeError, message: /version 2/ });
  for (const bad of [Buffer.alloc(0), Buffer.of(1), envelope.subarray(0, HEADER - 1), changed(1, 4), changed(24, 255), 'text', null, undefined, {}]) {
    assert.throws(() => decode(bad), isEnvelopeError);
  }
});

test('random bytes are read or refused, and nothing else happens', () => {
  for (let i = 0; i < 20_000; i++) {
    const bytes = randomBytes(i % 80);
    if (i % 2 === 0 && bytes.length > 0) bytes[0] = 1;
    try {
      const { payload } = decode(bytes);
      assert.ok(payload.length <= bytes.length - HEADER);
    } catch (error) {
      assert.strictEqual(error.code, 'ERR_WEBSOCKET_PUBSUB_ENVELOPE');
    }
  }
});
