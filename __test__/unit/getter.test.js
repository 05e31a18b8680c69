'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair } = require('../helpers/under-test/endpoints');

test('a program can keep values of its own by the names of computed properties, and the figures stay right', async (t) => {
  const { connection, server } = await openPair(t, 'server');
  for (const name of ['topics', 'latency', 'transport', 'bufferedAmount']) {
    connection[name] = `my ${name}`;
    assert.strictEqual(connection[name], `my ${name}`);
  }
  assert.strictEqual(connection.stats().bufferedAmount, 0);
  if (server === undefined) return;
  server.topics = 'mine';
  assert.strictEqual(server.topics, 'mine');
});
