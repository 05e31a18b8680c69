'use strict';

// lib/utils.js: what is logged about a connection, and the helpers that programs import.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const { EventEmitter } = require('events');
const createDebug = require('debug');
const utils = require('../../lib/utils');

const FILE = require.resolve('../../lib/utils');

/** A logger whose namespace is turned on for a test. */
function enabledLogger(t, id = 42) {
  const before = createDebug.disable();
  createDebug.enable('unit:*');
  t.after(() => createDebug.enable(before));
  return utils.BufferingLogger('unit:on', id);
}

describe('BufferingLogger', () => {
  test('without DEBUG is a function that does nothing', () => {
    const log = utils.BufferingLogger('unit:off', 1);
    assert.ok(!log.enabled);
    assert.strictEqual(log('text %s', 1), undefined);
    assert.strictEqual(log.printOutput(() => assert.fail('printed')), undefined);
  });

  test('keeps lines until it is asked to print them, in order, with time and number', (t) => {
    const log = enabledLogger(t);
    assert.strictEqual(log.enabled, true);
    const lines = [];
    log('plain');
    log('%s of %d', 'one', 2);
    assert.deepStrictEqual(lines, []);
    log.printOutput((...args) => lines.push(args));
    assert.deepStrictEqual(lines.map(([format, , ...rest]) => [format, ...rest]),
      [['%s - %s - plain', 42], ['%s - %s - %s of %d', 42, 'one', 2]]);
    for (const [, date] of lines) assert.ok(!Number.isNaN(Date.parse(date)), date);
  });

  test('leaves out lines without text and takes objects as text', (t) => {
    const log = enabledLogger(t);
    const lines = [];
    log();
    log(undefined, 1);
    log(null);
    log(new Error('broken'));
    log('');
    log(0);
    log.printOutput((format) => lines.push(format));
    assert.deepStrictEqual(lines, ['%s - %s - Error: broken', '%s - %s - ', '%s - %s - 0']);
  });

  test('can be chained and cleared', (t) => {
    const log = enabledLogger(t);
    const lines = [];
    log('first').log('second').clear().log('third');
    log.printOutput((format) => lines.push(format));
    assert.deepStrictEqual(lines, ['%s - %s - third']);
  });

  test('loggers of two connections keep their lines apart', (t) => {
    const [a, b] = [enabledLogger(t, 1), utils.BufferingLogger('unit:on', 2)];
    const lines = [];
    a('from a');
    b('from b');
    b.printOutput((format, date, id) => lines.push([format, id]));
    assert.deepStrictEqual(lines, [['%s - %s - from b', 2]]);
  });

  for (const [DEBUG, printed] of [['unit:*', true], ['unit:child', true], ['other', false], ['', false]]) {
    test(`with DEBUG=${DEBUG || '(empty)'} prints ${printed ? 'the story of a connection' : 'nothing'} to stderr`, () => {
      const code = `const log = require(${JSON.stringify(FILE)}).BufferingLogger('unit:child', 7);
        log('the %s', 'story'); process.stderr.write('--'); log.printOutput();`;
      const env = { ...process.env, DEBUG, DEBUG_COLORS: '0' };
      const { stderr: out } = spawnSync(process.execPath, ['-e', code], { env, encoding: 'utf8' });
      if (printed) assert.match(out, /^--.*unit:child .* - 7 - the story\n$/s);
      else assert.strictEqual(out, '--');
    });
  }
});

describe('helpers', () => {
  test('extend() copies inherited properties, too, and adds no prototype', () => {
    const dest = {};
    utils.extend(dest, JSON.parse('{"own": 2, "__proto__": {"polluted": true}}'));
    assert.strictEqual(dest.polluted, undefined);
    assert.deepStrictEqual(Object.keys(dest), ['own', '__proto__']);
    assert.strictEqual({}.polluted, undefined);
    const second = {};
    utils.extend(second, Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }));
    assert.deepStrictEqual(second, { own: 2, inherited: 1 });
    assert.strictEqual(utils.extend(second, null), undefined);
  });

  test('eventEmitterListenerCount() counts the listeners of one type', () => {
    const emitter = new EventEmitter().on('a', utils.noop).on('a', utils.noop).on('b', utils.noop);
    assert.deepStrictEqual(['a', 'b', 'c'].map((type) => utils.eventEmitterListenerCount(emitter, type)), [2, 1, 0]);
  });

  test('bufferAllocUnsafe() and bufferFromString() make Buffers', () => {
    assert.strictEqual(utils.bufferAllocUnsafe(7).length, 7);
    assert.deepStrictEqual(utils.bufferFromString('c3a9', 'hex'), Buffer.from('é'));
    assert.strictEqual(utils.noop(), undefined);
  });
});
