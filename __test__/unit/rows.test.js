'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const binding = require('../../lib/internal/addon/binding');
const rows = require('../../lib/internal/addon/rows');

test('the numbers in rows are those of the core', () => {
  const ours = { NO_OFFSET: rows.NO_OFFSET, ROW: rows.ROW };
  for (const [group, prefix] of [[rows.KIND, ''], [rows.CLOSE_VALIDITY, 'CLOSE_'], [rows.FAILURE, 'FAILED_']]) {
    for (const [name, number] of Object.entries(group)) ours[prefix + name] = number;
  }
  // Made in JavaScript.
  delete ours.PROCESS_FRAME;
  assert.deepStrictEqual(ours, binding.sharedConstants());
});
