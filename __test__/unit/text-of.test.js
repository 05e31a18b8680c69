'use strict';

// Objects are sent as what their toString() returns, as by 1.0.35; when that says nothing about them, the program is told once.

const { test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const path = require('path');

const ROOT = path.resolve(__dirname, '../..');

/** Runs a program that sends something with a connection on a mock socket: what was sent, and the warnings. */
function sent(code) {
  const program = `
    const { connection: Connection, server: Server } = require(${JSON.stringify(ROOT)});
    const texts = [];
    const warnings = [];
    process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));
    const socket = { on() {}, setNoDelay() {}, setTimeout() {}, removeAllListeners() {}, end() {}, destroy() {},
      write(frame) { texts.push(frame.subarray(2).toString()); return true; } };
    const connection = new Connection(socket, [], null, false, {});
    const server = new Server();
    server.connections.push(connection);
    ${code}
    setImmediate(() => process.stdout.write(JSON.stringify({ texts, warnings })));`;
  const env = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };
  return JSON.parse(execFileSync(process.execPath, ['--no-warnings', '-e', program], { encoding: 'utf8', env }));
}

test('a plain object: its text is sent, and one warning says that it was', () => {
  const { texts, warnings } = sent('connection.send({ a: 1 }); connection.sendUTF({}); connection.send(Promise.resolve());');
  assert.deepStrictEqual(texts, ['[object Object]', '[object Object]', '[object Promise]']);
  assert.deepStrictEqual(warnings.map(({ name, code }) => [name, code]), [['Warning', 'WEBSOCKET_SENT_OBJECT']]);
  assert.match(warnings[0].message, /'\[object Object\]'.*JSON\.stringify/);
});

test('a Blob: the warning says how to send what is in it', () => {
  assert.match(sent("connection.send(new (require('buffer').Blob)(['x']));").warnings[0].message, /'\[object Blob\]'.*arrayBuffer\(\)/);
});

test('a Promise: the warning says that it has to be awaited', () => {
  assert.match(sent('connection.send((async () => 5)());').warnings[0].message, /'\[object Promise\]'.*awaited/);
});

test('broadcasts as well', () => {
  for (const method of ['broadcast', 'broadcastUTF']) {
    const { texts, warnings } = sent(`server.${method}({});`);
    assert.deepStrictEqual([texts, warnings.length], [['[object Object]'], 1]);
  }
});

test('what has a text of its own is sent without a warning', () => {
  const { texts, warnings } = sent(`
    for (const data of [5, true, [1, 2], new URL('ws://a/'), { toString: () => 'mine' }, '[object Object]', new String('s'), new Error('e')]) connection.send(data);`);
  assert.deepStrictEqual(texts, ['5', 'true', '1,2', 'ws://a/', 'mine', '[object Object]', 's', 'Error: e']);
  assert.deepStrictEqual(warnings, []);
});
