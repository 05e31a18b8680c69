'use strict';

// The tables of cases, and what is known of the targets.

const { test } = require('node:test');
const assert = require('node:assert');
const { cases, select, byId, FAMILIES } = require('../../conformance/cases');
const { OURS, PEERS } = require('../../conformance/targets');
const DEVIATIONS = require('../../conformance/deviations');
const { compare, matcher } = require('../../conformance/lib/deviations');
const { VERDICTS } = require('../../conformance/lib/verdict');
const { Deflater, Inflater, parseExtensions, answerProblems } = require('../../conformance/lib/deflate');

test('every case has an id of its own, a section of an RFC, a title and an expectation', () => {
  const ids = new Set(cases.map(({ id }) => id));
  assert.strictEqual(ids.size, cases.length);
  for (const { id, section, title, expect, steps, opening } of cases) {
    assert.match(section, /^RFC \d+ \d/, id);
    assert.ok(title.length > 5, id);
    assert.ok(FAMILIES.has(Number(id.split('.')[0])), id);
    assert.ok(opening ? VERDICTS.includes(expect.opened) : steps !== undefined && expect !== undefined, id);
  }
});

test('patterns select families, tables and single cases', () => {
  const ids = (patterns) => select('server', patterns).map(({ id }) => id);
  assert.ok(ids({ include: ['1.*'] }).every((id) => id.startsWith('1.')));
  assert.ok(ids({ include: ['1.*'] }).length > 100);
  assert.deepStrictEqual(ids({ include: ['1.1.2', '7.1.1'] }), ['1.1.2', '7.1.1']);
  assert.deepStrictEqual(ids({ include: ['10.1.1'], exclude: ['10.*'] }), []);
  assert.ok(ids({}).every((id) => !id.startsWith('16.')), 'cases for clients');
  assert.ok(select('client').every(({ id }) => !id.startsWith('15.')), 'cases for servers');
});

test('cases are sorted as numbers', () => {
  assert.deepStrictEqual(['1.10.1', '1.2.1', '10.1.1', '2.1.1'].map((id) => ({ id })).sort(byId).map(({ id }) => id), ['1.2.1', '1.10.1', '2.1.1', '10.1.1']);
});

test('every known deviation has a reason and is about cases and targets that exist', () => {
  const targets = new Map([...OURS, ...PEERS].map((target) => [target.name, target]));
  for (const [name, rules] of Object.entries(DEVIATIONS)) {
    assert.ok(targets.has(name), name);
    const ids = select(targets.get(name).role).map(({ id }) => id);
    for (const rule of rules) {
      assert.ok(rule.why.length > 10, `${name}: ${rule.cases}`);
      for (const pattern of rule.cases) assert.ok(ids.some(matcher(pattern)), `${name}: ${pattern}`);
      for (const verdict of [rule.verdict].flat()) assert.ok(VERDICTS.includes(verdict), verdict);
    }
  }
});

test('this package has no deviation but those of Node\'s HTTP and of the contract', () => {
  const contract = ['15.6.10'];
  const nodesParser = ['15.5.29', '16.6.17'];
  const nodesServer = ['15.7.8-9', '15.7.14', '15.7.16-18'];
  for (const { name } of OURS) {
    const cases = (DEVIATIONS[name] || []).flatMap((rule) => rule.cases);
    assert.ok(cases.every((id) => [...contract, ...nodesParser, ...nodesServer].includes(id)), name);
  }
  assert.strictEqual(DEVIATIONS['server, listening'], undefined, 'the server that listens itself rests on none of it');
});

test('a known deviation that is not found is as bad as one that is not known', () => {
  const results = [
    { id: '1.1.1', verdict: 'OK' }, { id: '1.1.2', verdict: 'FAILED' }, { id: '1.1.3', verdict: 'NON-STRICT' }, { id: '1.1.4', verdict: 'UNIMPLEMENTED' },
  ];
  const ids = (list) => list.map(({ id }) => id);
  const none = compare(results);
  assert.deepStrictEqual([ids(none.unexpected), ids(none.missing)], [['1.1.2', '1.1.3'], []]);
  const some = compare(results, [{ cases: ['1.1.1-2'], verdict: 'FAILED', why: 'x' }, { cases: ['1.1.3'], verdict: 'FAILED', why: 'y' }]);
  assert.deepStrictEqual([ids(some.unexpected), ids(some.missing), ids(some.known)], [[], ['1.1.1', '1.1.3'], ['1.1.2']]);
});

test('id ranges do not reach into other tables', () => {
  const inRange = matcher('8.2.1-4');
  assert.deepStrictEqual(['8.2.1', '8.2.4', '8.2.5', '8.2.14', '8.22.1', '18.2.1', '8.2'].map(inRange), [true, true, false, false, false, false, false]);
});

for (const contextTakeover of [true, false]) {
  for (const windowBits of [9, 12, 15]) {
    test(`what the tester compresses it inflates: window of ${windowBits} bits, context takeover ${contextTakeover}`, () => {
      const options = { windowBits, contextTakeover };
      const [deflater, inflater] = [new Deflater(options), new Inflater(options)];
      for (let i = 0; i < 20; i++) {
        const data = Buffer.from(`message ${i}, `.repeat(i * i * 10));
        assert.deepStrictEqual(inflater.decompress(deflater.compress(data)), data);
      }
    });
  }
}

test('with context takeover the second message is shorter than the first', () => {
  const deflater = new Deflater({});
  const data = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * i * 31) & 0xff));
  const first = deflater.compress(data).length;
  assert.ok(deflater.compress(data).length < first / 4);
});

test('a window larger than was agreed to is noticed', () => {
  const [deflater, inflater] = [new Deflater({ windowBits: 15 }), new Inflater({ windowBits: 9 })];
  const far = Buffer.from(Array.from({ length: 2000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 9) & 0xff));
  deflater.compress(far);
  inflater.remember(far);
  assert.throws(() => inflater.decompress(deflater.compress(far)), /distance/);
});

test('an answer is checked against the offers', () => {
  const problems = (answer, offer) => answerProblems(parseExtensions(answer), parseExtensions(offer));
  assert.deepStrictEqual(problems('permessage-deflate', 'permessage-deflate'), []);
  assert.deepStrictEqual(problems('permessage-deflate; server_max_window_bits=10', 'permessage-deflate; server_max_window_bits=12'), []);
  assert.deepStrictEqual(problems('permessage-deflate; client_max_window_bits=9', 'permessage-deflate; client_max_window_bits'), []);
  for (const [answer, offer] of [
    ['permessage-deflate; server_max_window_bits=13', 'permessage-deflate; server_max_window_bits=12'],
    ['permessage-deflate', 'permessage-deflate; server_max_window_bits=12'],
    ['permessage-deflate', 'permessage-deflate; server_no_context_takeover'],
    ['permessage-deflate; client_max_window_bits=9', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits=7', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; unknown', 'permessage-deflate'],
    ['permessage-deflate, permessage-deflate', 'permessage-deflate'],
    ['x-other', 'permessage-deflate'],
  ]) assert.notDeepStrictEqual(problems(answer, offer), [], answer);
});
