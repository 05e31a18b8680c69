'use strict';

// URLs in the shape of Node's url.parse(), without its deprecation warning.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');

const file = require.resolve('../../lib/internal/handshake/legacy-url');

const CASES = [
  'ws://localhost:8080/', 'wss://example.com', 'ws://EXAMPLE.com:80/Path?a=1&a=2&b#frag', 'ws://user:pa%20ss@host/',
  'ws://[::1]:9000/chat', 'ws://127.0.0.1:1/%7Efoo?x=%20', 'ws://bücher.example/', 'ws://host/a b?c d', 'http://host/?',
  '/', '/chat', '/chat?room=1&room=2&__proto__=x', '/a%20b?c=%zz', '//evil.example/path', '/?', '/#frag', '*', '',
  'host:8080', 'relative', 'javascript:alert(1)', 'ws:/one-slash', 'ws://host/\\back\\slash', '/ä?ö=ü',
  'ws://host:99999/', 'ws://host:abc/', 'ws://host:/', 'ws://a b/', 'ws://[::1/', 'ws://ex*ample/', 'ws://host/?a[b]=c&d;e',
];
const NOT_TEXT = [undefined, null, 7, {}];

// In the child, every case is parsed both ways; it prints what was different. JSON keeps neither undefined nor
// prototypes, hence the comparison there.
const COMPARE = `
  const assert = require('assert');
  const url = require('url');
  const { parseUrl } = require(${JSON.stringify(file)});
  const attempt = (fn) => { try { return { value: fn() }; } catch (error) {
    return { name: error.name, code: error.code, message: error.message }; } };
  const [texts, query] = JSON.parse(process.argv.at(-1));
  let parsed = 0;
  for (const text of texts) {
    const ours = attempt(() => parseUrl(text, query));
    const nodes = attempt(() => url.parse(text, query));
    assert.deepStrictEqual(ours, nodes, JSON.stringify(text));
    if (ours.value) { parsed++; assert.strictEqual(ours.value.href, url.format(ours.value)); }
  }
  console.log(parsed);
`;

/** Runs code in a fresh Node and returns what it prints. */
function run(args, ...rest) {
  return execFileSync(process.execPath, [...args, ...rest], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

for (const query of [false, true]) {
  test(`gives what url.parse() gives, ${query ? 'with' : 'without'} the query as an object`, () => {
    const parsed = Number(run(['--no-deprecation', '-e', COMPARE], JSON.stringify([[...CASES, ...NOT_TEXT], query])));
    assert.ok(parsed >= 20 && parsed <= CASES.length, `${parsed} of ${CASES.length} cases are URLs`);
  });
}

test('no valid URL and no request target in origin form prints a deprecation warning', () => {
  const code = `
    const { parseUrl } = require(${JSON.stringify(file)});
    process.on('warning', (warning) => { console.log(warning.message); });
    let count = 0;
    for (const text of JSON.parse(process.argv.at(-1))) { try { parseUrl(text, true); } catch {} count++; }
    setImmediate(() => console.log(count));
  `;
  // Node 20 has another warning (DEP0170) for invalid hosts and ports, which it refuses later on.
  const texts = CASES.filter((text) => !/:(abc|99999)\/|\[::1\//.test(text));
  assert.strictEqual(run(['--throw-deprecation', '--pending-deprecation', '-e', code], JSON.stringify(texts)), String(texts.length));
});

describe('the shape', () => {
  const { parseUrl } = require(file);
  test('of a URL with everything', () => {
    assert.deepStrictEqual({ ...parseUrl('ws://u:p@Host:81/path?a=1#h', true) }, {
      protocol: 'ws:', slashes: true, auth: 'u:p', host: 'host:81', port: '81', hostname: 'host', hash: '#h', search: '?a=1',
      query: Object.assign(Object.create(null), { a: '1' }), pathname: '/path', path: '/path?a=1', href: 'ws://u:p@host:81/path?a=1#h',
    });
  });
  test('of a request target', () => {
    const { pathname, query, host } = parseUrl('/chat?a=1&a=2', true);
    assert.deepStrictEqual([pathname, { ...query }, host], ['/chat', { a: ['1', '2'] }, null]);
  });
});
