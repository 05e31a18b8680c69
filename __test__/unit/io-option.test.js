'use strict';

// The option `io` and its default in the environment.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const { checkIo } = require('../../lib/internal/transport/io-option');

const file = require.resolve('../../lib/internal/transport/io-option');

describe('WEBSOCKET_IO', () => {
  const cases = [[undefined, 'auto'], ['', 'auto'], ['auto', 'auto'], ['loop', 'loop'], ['threads', 'threads'],
    ['stream', 'stream'], ['LOOP', 'auto'], ['fast', 'auto']];
  for (const [value, expected] of cases) {
    test(`${value === undefined ? 'not set' : `set to "${value}"`} makes ${expected} the default`, () => {
      const env = { ...process.env };
      delete env.WEBSOCKET_IO;
      if (value !== undefined) env.WEBSOCKET_IO = value;
      const code = `process.stdout.write(require(${JSON.stringify(file)}).DEFAULT_IO)`;
      assert.strictEqual(execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }), expected);
    });
  }
});

for (const io of ['auto', 'loop', 'threads', 'stream']) {
  test(`io: ${io} is taken`, () => assert.doesNotThrow(() => checkIo(io)));
}

for (const io of ['', 'Loop', 'tokio', undefined, null, 0, true, ['auto'], Symbol('loop')]) {
  test(`io: ${String(io) || '(empty)'} (${typeof io}) is refused with the values there are`, () => {
    assert.throws(() => checkIo(io), {
      name: 'Error',
      message: `The option io must be one of 'auto', 'loop', 'threads', 'stream', not ${String(io)}.`,
    });
  });
}
