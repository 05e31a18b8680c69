'use strict';

// The Errors of attempts to connect.

const { test } = require('node:test');
const assert = require('node:assert');
const { connectError, handshakeError } = require('../../lib/internal/handshake/connect-errors');

const url = { protocol: 'ws:', hostname: 'a.test', port: '80' };
const refused = (address) => Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED', errno: -111, address });

test('an Error of one address stays as it is', () => {
  for (const error of [refused('::1'), new AggregateError([], 'of somebody else'), undefined, 'text']) {
    assert.strictEqual(connectError(error, url), error);
  }
});

test('of several addresses each reason is named once; the first one gives the code', () => {
  const slow = Object.assign(new Error('connect ETIMEDOUT ::1'), { code: 'ETIMEDOUT' });
  const cause = new AggregateError([refused('1.2.3.4'), slow, refused('1.2.3.4')]);
  const error = connectError(cause, url);
  assert.strictEqual(error.message, 'Could not connect to a.test: connect ECONNREFUSED 1.2.3.4, connect ETIMEDOUT ::1');
  assert.deepStrictEqual({ ...error }, { code: 'ECONNREFUSED', errno: -111, address: '1.2.3.4' });
  assert.strictEqual(error.cause, cause);
  assert.strictEqual(error.errors, cause.errors);
});

test('an agent may give an AggregateError of its own, with anything in it', () => {
  const cause = Object.assign(new AggregateError([new Error(''), 'busy', null, { code: 'E2' }], 'All proxies failed'), { code: 'EPROXY' });
  const error = connectError(cause, url);
  assert.strictEqual(error.message, 'All proxies failed: Error, busy, null, E2');
  assert.strictEqual(error.code, 'EPROXY');
});

test('an answer that was read tells status, headers and reason', () => {
  const headers = { 'x-websocket-reject-reason': 'full' };
  const { code, statusCode, reason, headers: told } = handshakeError('text', { statusCode: 503, statusMessage: 'Busy', headers });
  assert.deepStrictEqual([code, statusCode, reason, told], ['ERR_WEBSOCKET_REFUSED', 503, 'full', headers]);
  assert.strictEqual(handshakeError('text', { statusCode: 101, statusMessage: 'Yes', headers: {} }).code, 'ERR_WEBSOCKET_HANDSHAKE');
  assert.strictEqual(handshakeError('text').code, 'ERR_WEBSOCKET_HANDSHAKE');
});
