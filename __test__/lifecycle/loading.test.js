'use strict';

// What loading the package and using it leaves behind for those who watch a process: open handles, deprecations.

const { test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const path = require('path');

const ROOT = path.resolve(__dirname, '../..');
const isNode = process.versions.bun === undefined && typeof globalThis.Deno === 'undefined';
const notNode = !isNode && 'flags and hooks of Node';

function run(flags, program, env = {}) {
  const environment = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env };
  return spawnSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8', timeout: 20000, env: environment });
}

/** What `jest --detectOpenHandles` does: resources that were opened and not closed, and say that they keep the process alive. */
const OPEN_HANDLES = `
  // Opened by the package debug when it looks for colours; a test runner has opened it long before.
  void process.stderr;
  const open = new Map();
  require('async_hooks').createHook({
    init(id, type, trigger, resource) {
      if (type !== 'PROMISE' && type !== 'TickObject') open.set(id, { type, isActive: () => !('hasRef' in resource) || resource.hasRef() });
    },
    destroy(id) { open.delete(id); },
  }).enable();
  require(${JSON.stringify(ROOT)});
  const late = setTimeout(() => {}, 100).unref();
  setImmediate(() => setImmediate(() => {
    clearTimeout(late);
    setImmediate(() => {
      const types = [...open.values()].filter(({ isActive }) => isActive()).map(({ type }) => type);
      console.log(JSON.stringify(types.filter((type) => type !== 'Immediate')));
    });
  }));`;

test('a bare require() opens no handle', { skip: notNode }, () => {
  const { stdout, stderr } = run([], OPEN_HANDLES);
  assert.deepStrictEqual(JSON.parse(stdout || 'null'), [], stderr);
});

const ECHO = `
  const http = require('http');
  const { server: Server, client: Client } = require(${JSON.stringify(ROOT)});
  const httpServer = http.createServer();
  const server = new Server({ httpServer });
  server.on('request', (request) => {
    const connection = request.accept();
    connection.on('message', (message) => connection.sendUTF(message.utf8Data));
  });
  httpServer.listen(0, '127.0.0.1', () => {
    const client = new Client();
    client.on('connect', (connection) => {
      for (let i = 0; i < 5; i++) connection.sendUTF('text');
      let left = 5;
      connection.on('message', () => { if (--left === 0) { console.log('echoed'); process.exit(0); } });
    });
    client.connect('ws://127.0.0.1:' + httpServer.address().port + '/');
  });`;

for (const [flags, env] of [[['--pending-deprecation'], {}], [['--pending-deprecation', '--throw-deprecation'], {}],
  [['--throw-deprecation'], { NODE_PENDING_DEPRECATION: '1' }]]) {
  test(`nothing deprecated is used: ${[...flags, ...Object.keys(env)].join(' ')}`, { skip: notNode }, () => {
    const { stdout, stderr } = run(flags, ECHO, env);
    assert.strictEqual(stdout, 'echoed\n', stderr);
    assert.strictEqual(stderr, '');
  });
}
