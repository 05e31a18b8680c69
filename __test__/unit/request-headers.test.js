'use strict';

// The header fields of a client's handshake, and what they offer.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { Fields, headerEntries, programFields, offerOf, writeOffer, answeredExtensions } =
  require('../../lib/internal/handshake/request-headers');
const { deflateSettings } = require('../../lib/internal/compression/per-message-deflate');

const fieldsOf = (headers) => programFields(headerEntries(headers));

describe('header fields', () => {
  test('have no case; the last spelling and value count, in the place of the first', () => {
    const fields = new Fields([['x-one', '1'], ['X-Two', '2']], [['X-ONE', '3']]);
    assert.deepStrictEqual(Object.entries(fields.toObject()), [['X-ONE', '3'], ['X-Two', '2']]);
    assert.strictEqual(fields.get('x-one'), '3');
  });

  test('may come from an object, inherited ones too, and from pairs', () => {
    assert.deepStrictEqual(headerEntries(Object.create({ a: '1' }, { b: { value: '2', enumerable: true } })), [['b', '2'], ['a', '1']]);
    assert.deepStrictEqual(headerEntries(new Map([['a', '1']])), [['a', '1']]);
    assert.deepStrictEqual(headerEntries(new Headers({ A: '1' })), [['a', '1']]);
    assert.deepStrictEqual(headerEntries(JSON.parse('{"__proto__":"x"}')), [['__proto__', 'x']]);
  });

  test('without a value are left out', () => {
    assert.deepStrictEqual(headerEntries({ a: undefined, b: null, c: '', d: 0 }), [['c', ''], ['d', 0]]);
    for (const headers of [undefined, null, '', 'text', 7]) assert.deepStrictEqual(headerEntries(headers), []);
  });

  test('of a body or of another connection are left out', () => {
    const headers = { 'Content-Length': '5', 'TRANSFER-ENCODING': 'chunked', Expect: '100-continue', ':path': '/', Cookie: 'a=b' };
    assert.deepStrictEqual(fieldsOf(headers).toObject(), { Cookie: 'a=b' });
  });
});

describe('the offer', () => {
  const offered = (headers, given = [], option = false) => {
    const fields = fieldsOf(headers);
    const offer = offerOf(fields, deflateSettings(option));
    writeOffer(fields, offer, given);
    return { offer, protocols: fields.get('sec-websocket-protocol'), extensions: fields.get('sec-websocket-extensions') };
  };

  test('of subprotocols is that of connect(), or else that of the headers', () => {
    assert.strictEqual(offered({ 'sec-websocket-protocol': 'a,  b' }).protocols, 'a, b');
    assert.strictEqual(offered({ 'sec-websocket-protocol': ['a', 'b, a'] }).protocols, 'a, b');
    assert.strictEqual(offered({ 'sec-websocket-protocol': 'a, b' }, ['c', 'a', 'c']).protocols, 'c, a');
    assert.strictEqual(offered({ 'sec-websocket-protocol': '' }).protocols, undefined);
  });

  test('of permessage-deflate is that of the option, or else the first of the headers that means anything', () => {
    const header = 'permessage-deflate; unknown, Permessage-Deflate; server_max_window_bits=10, permessage-deflate, x-one;a';
    const { offer, extensions } = offered({ 'Sec-WebSocket-Extensions': header });
    assert.strictEqual(offer.deflate, 'Permessage-Deflate; server_max_window_bits=10');
    assert.strictEqual(extensions, 'x-one; a, Permessage-Deflate; server_max_window_bits=10');
    assert.strictEqual(offered({ 'Sec-WebSocket-Extensions': header }, [], true).extensions,
      'x-one; a, permessage-deflate; client_max_window_bits');
    assert.strictEqual(offered({ 'Sec-WebSocket-Extensions': 'permessage-deflate; unknown' }).extensions, undefined);
  });

  test('is what the answer is compared with', () => {
    const { offer } = offered({ 'Sec-WebSocket-Extensions': 'X-One; a="1, 2", x-two' });
    assert.deepStrictEqual(answeredExtensions('x-one; a=1; b, permessage-deflate; c=2, other', offer), {
      agreed: [{ name: 'x-one', value: 'a=1; b', params: [{ name: 'a', value: '1' }, { name: 'b', value: undefined }] }],
      rest: 'permessage-deflate; c=2, other',
    });
    assert.deepStrictEqual(answeredExtensions('x-two', offer).rest, null);
    assert.deepStrictEqual(answeredExtensions(undefined, offer), { agreed: [], rest: null });
  });
});
