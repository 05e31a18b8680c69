'use strict';

// What the pages state in tables, against the code: options with their defaults, close codes, and when `io: 'auto'` moves.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { client: WebSocketClient, connection: WebSocketConnection, server: WebSocketServer } = require('../..');
const { FAMILIES } = require('../../lib/metrics/families');
const { ROOT } = require('./snippets');

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** The rows of all tables with these columns, each as an array of cells. */
function rowsOf(page, header) {
  const rows = [];
  let inside = false;
  for (const line of read(page).split('\n')) {
    if (line === header) inside = true;
    else if (!line.startsWith('|')) inside = false;
    else if (inside && !/^\|[-|]+$/.test(line)) rows.push(line.slice(2, -2).split(/ \| ?/));
  }
  assert.ok(rows.length > 0, `${page} has no table ${header}`);
  return rows;
}

const OPTIONS = '| option | type | default | meaning |';

/** Pairs of option and default; undefined for those that have none. */
function documentedDefaults(page) {
  return rowsOf(page, OPTIONS).flatMap(([names, , value]) => {
    const code = /^`([^`]+)`/.exec(value);
    return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, code === null ? undefined : vm.runInThisContext(`(${code[1]})`)]);
  });
}

describe('options', () => {
  for (const [page, { config }] of [
    ['docs/server.md', new WebSocketServer({ noServer: true })],
    ['docs/client.md', new WebSocketClient()],
  ]) {
    test(`${page} has the defaults of the code`, () => {
      for (const [name, value] of documentedDefaults(page)) {
        // The one that was given, and the one that it replaces.
        if (['noServer', 'httpServer'].includes(name)) continue;
        assert.deepEqual(config[name], value, name);
      }
    });

    test(`${page} names every option`, () => {
      const documented = documentedDefaults(page).map(([name]) => name);
      assert.deepStrictEqual(Object.keys(config).filter((name) => !documented.includes(name)), []);
    });
  }
});

test('docs/connection.md has the close codes of the code', () => {
  const documented = Object.fromEntries(rowsOf('docs/connection.md', '| name | code | |').flatMap(([names, code]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [`CLOSE_REASON_${name}`, Number(code)])));
  const actual = Object.fromEntries(Object.entries(WebSocketConnection).filter(([name]) => name.startsWith('CLOSE_REASON_')));
  assert.deepStrictEqual(documented, actual);
});

test('docs/metrics.md has the metrics of the code, with their types and labels', () => {
  const documented = rowsOf('docs/metrics.md', '| metric | type | labels | meaning |').flatMap(([names, type, labels]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, type, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)]));
  assert.deepStrictEqual(documented.sort(), FAMILIES.map(({ name, type, labels }) =>
    [type === 'counter' ? `${name}_total` : name, type, labels]).sort());
});

test('docs/server.md says when io: \'auto\' moves between the loop and the thread', () => {
  const [policy, page] = [read('src/transport/driver/policy.rs'), read('docs/server.md').replace(/\s+/g, ' ')];
  const [many, few] = ['MANY', 'FEW'].map((name) => Number(new RegExp(`const ${name}: f32 = ([\\d.]+);`).exec(policy)[1]));
  assert.ok(page.includes(`When it finds ${many} or more active connections`), `${many} or more`);
  assert.ok(page.includes(`Below ${few} it moves back`), `below ${few}`);
});
