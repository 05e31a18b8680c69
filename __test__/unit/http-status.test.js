'use strict';

// The reason phrases of answers to handshakes.

const { test } = require('node:test');
const assert = require('node:assert');
const { statusPhrase } = require('../../lib/internal/handshake/http-status');

const cases = [
  [101, 'Switching Protocols'], [200, 'OK'], [400, 'Bad Request'], [401, 'Unauthorized'], [403, 'Forbidden'],
  [404, 'Not Found'], [426, 'Upgrade Required'], [429, 'Too Many Requests'], [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
  // As WebSocket-Node has always sent them.
  [407, 'Proxy Authorization Required'], [413, 'Request Entity Too Long'], [414, 'Request-URI Too Long'],
  [416, 'Requested Range Not Satisfiable'],
  [299, 'Unknown'], [999, 'Unknown'], [0, 'Unknown'], [NaN, 'Unknown'], [undefined, 'Unknown'],
];
for (const [status, phrase] of cases) {
  test(`${status} is "${phrase}"`, () => assert.strictEqual(statusPhrase(status), phrase));
}
