'use strict';

// The harness itself: that it notices differences, stale declarations and worthless scenarios.

const { describe, it } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { compareScenario, runOn } = require('./harness');
const { reference, subject } = require('./packages');
const { changes, judge } = require('./compare');
const deliberate = require('./deliberate');
const { format } = require('./format');

/** Runs a scenario in which the "package under test" is a copy of the original that answers `marker` differently. */
function comparing(scenario, marker = 'ours') {
  const theirs = { ...reference, lib: { ...reference.lib, marker: 'theirs' } };
  const ours = { ...reference, root: `${reference.root}-copy`, lib: { ...reference.lib, marker } };
  return compareScenario({ name: 'a scenario', ...scenario }, { theirs, ours });
}

const marked = { run: async ({ trace, lib }) => { trace('before'); trace('marker', lib.marker); trace('after'); } };
const declared = (ours) => ({ id: 'P4', why: 'a reason', changes: [{ theirs: ['marker "theirs"'], ours: [ours] }] });

describe('the differential harness', () => {
  it('passes when both do the same', () => comparing(marked, 'theirs'));

  it('fails with a readable diff when they differ', () =>
    assert.rejects(comparing(marked), /- marker "theirs"\n\+ marker "ours"\n {2}after/));

  it('passes when they differ exactly as declared', () => comparing({ ...marked, differs: declared('marker "ours"') }));

  it('fails when they differ otherwise than declared', () =>
    assert.rejects(comparing({ ...marked, differs: declared('marker "else"') }), /differs otherwise than declared by P4/));

  it('fails as stale when a declared difference is none', () =>
    assert.rejects(comparing({ ...marked, differs: declared('marker "ours"') }, 'theirs'), /stale/));

  it('refuses a deliberate change that is not in the list, or without a reason', async () => {
    await assert.rejects(comparing({ ...marked, differs: { ...declared('x'), id: 'P99' } }), /unknown deliberate change/);
    await assert.rejects(comparing({ ...marked, differs: { ...declared('x'), why: '' } }), /has a reason/);
  });

  it('refuses a scenario that notes nothing', () => assert.rejects(comparing({ run: async () => {} }), /cannot fail/));

  it('fails when a scenario throws, and shows what was noted until then', () =>
    assert.rejects(comparing({ run: async ({ trace }) => { trace('so far'); throw new Error('broken'); } }), /broken[^]*so far/));

  it('takes an exception nobody caught for a fault of the scenario, unless it says so', async () => {
    const crash = {
      run: async ({ trace, settle }) => {
        trace('x');
        setImmediate(() => { throw new Error('escaped'); });
        await settle();
      },
    };
    await assert.rejects(comparing(crash), /lets no exception escape/);
    await comparing({ ...crash, crashes: true });
  });

  it('compares the lanes apart from each other', () => {
    assert.deepStrictEqual(changes({ a: ['1', '2'], b: ['3'] }, { b: ['3'], a: ['1', '2'] }), []);
    assert.deepStrictEqual(changes({ a: ['1', '2', '3'] }, { a: ['1', 'x', '3'], c: ['new'] }), [
      { lane: 'a', theirs: ['2'], ours: ['x'] }, { lane: 'c', theirs: [], ours: ['new'] },
    ]);
  });

  it('compares the original with itself without regard to declared changes', () => {
    const scenario = { differs: declared('marker "ours"') };
    assert.strictEqual(judge(scenario, { main: ['x'] }, { main: ['x'] }, true), null);
    assert.match(judge(scenario, { main: ['x'] }, { main: ['y'] }, true), /the traces differ/);
  });

  it('knows no deliberate change that docs/compatibility.md does not describe', () => {
    const page = fs.readFileSync(path.resolve(__dirname, '../../docs/compatibility.md'), 'utf8');
    const described = new Set(Array.from(page.matchAll(/^(?:\| |- )([A-Z]\d+)(?: \||:)/gm), ([, id]) => id));
    assert.deepStrictEqual(Object.keys(deliberate).filter((id) => !described.has(id)), []);
  });

  it('has the bytes moved by Node\'s sockets when WEBSOCKET_IO is "stream"', async (t) => {
    if (process.env.WEBSOCKET_IO !== 'stream') return t.skip('WEBSOCKET_IO is not "stream"');
    if (subject.root === reference.root) return t.skip('the original has no other transport');
    const { lanes } = await runOn(subject, { run: async ({ pair, trace }) => { trace((await pair({ events: [] })).connection.transport); } });
    return assert.deepStrictEqual(lanes, { main: ['stream'] });
  });

  it('formats values so that equal ones look equal and different ones do not', () => {
    assert.strictEqual(format({ b: [1, undefined], a: 'x' }), '{a: "x", b: [1, undefined]}');
    assert.strictEqual(format(Buffer.from([1, 255])), '<Buffer 01ff>');
    assert.notStrictEqual(format(new Uint8Array([1])), format(Buffer.from([1])));
    assert.notStrictEqual(format('1'), format(1));
    assert.notStrictEqual(format(Buffer.alloc(200, 1)), format(Buffer.alloc(200, 2)));
    assert.strictEqual(format(Object.assign(new TypeError('m'), { code: 'C' })), '<TypeError "m", code="C">');
  });
});
