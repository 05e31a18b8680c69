'use strict';

const { test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const path = require('path');
const { pathToFileURL } = require('url');
const { WebSocket, once, openPair } = require('./endpoints');

const ROOT = path.resolve(__dirname, '../..');

test('members are where programs look for them, with CommonJS and with ESM', async () => {
  assert.strictEqual(WebSocket.WebSocket, WebSocket);
  assert.strictEqual(WebSocket.Server, WebSocket.WebSocketServer);
  for (const name of ['createWebSocketStream', 'Receiver', 'Sender']) assert.strictEqual(typeof WebSocket[name], 'function', name);
  for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
    assert.strictEqual(WebSocket[name], value);
    assert.strictEqual(WebSocket.prototype[name], value);
  }
  const esm = await import(pathToFileURL(path.join(ROOT, 'ws.mjs')));
  assert.strictEqual(esm.default, WebSocket);
  for (const name of ['WebSocket', 'WebSocketServer', 'createWebSocketStream', 'Sender', 'Receiver']) {
    assert.strictEqual(esm[name], WebSocket[name], name);
  }
});

test('require(\'websocket\') does not load it', () => {
  const script = "require('./'); console.log(Object.keys(require.cache).filter((file) => /[\\\\/]lib[\\\\/]ws[\\\\/]/.test(file)).length)";
  assert.strictEqual(execFileSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' }).trim(), '0');
});

test('the interface of the DOM: listeners, objects with handleEvent(), on… properties', async (t) => {
  const { client, accepted } = await openPair(t);
  const seen = [];
  const handler = { handleEvent: (event) => seen.push(`object ${event.data}`) };
  const listener = (event) => seen.push(`function ${event.data}`);
  client.addEventListener('message', handler);
  client.addEventListener('message', listener);
  client.addEventListener('message', listener);
  client.addEventListener('message', () => seen.push('once'), { once: true });
  client.onmessage = (event) => seen.push(`property ${event.data} ${event.type} ${event.target === client}`);
  accepted.send('text');
  await once(client, 'message');
  assert.deepStrictEqual(seen, ['object text', 'function text', 'once', 'property text message true']);
  seen.length = 0;
  client.removeEventListener('message', handler);
  client.onmessage = null;
  accepted.send('again');
  await once(client, 'message');
  assert.deepStrictEqual(seen, ['function again']);

  const closed = new Promise((resolve) => { client.onclose = resolve; });
  accepted.close(1000, 'over');
  const { code, reason, wasClean } = await closed;
  assert.deepStrictEqual([code, reason, wasClean], [1000, 'over', true]);
});

test('a Receiver makes events of frames, whoever reads them', async () => {
  const { encodeFrame, closePayload } = require('../helpers/raw');
  const receiver = new WebSocket.Receiver({ isServer: true });
  const seen = [];
  for (const event of ['message', 'ping', 'conclude']) {
    receiver.on(event, (...args) => seen.push([event, ...args]));
  }
  const bytes = Buffer.concat([
    encodeFrame({ opcode: 1, payload: 'te', fin: false }), encodeFrame({ opcode: 9, payload: 'p' }), encodeFrame({ opcode: 0, payload: 'xt' }),
    encodeFrame({ opcode: 8, payload: closePayload(1000, 'bye') }),
  ]);
  const finished = once(receiver, 'finish');
  for (const byte of bytes) receiver.write(Buffer.from([byte]));
  await finished;
  assert.deepStrictEqual(seen, [
    ['ping', Buffer.from('p')], ['message', Buffer.from('text'), false], ['conclude', 1000, Buffer.from('bye')],
  ]);
  const failing = new WebSocket.Receiver();
  const failed = once(failing, 'error');
  failing.write(Buffer.from([0x85, 0x00]));
  assert.strictEqual((await failed)[0].code, 'WS_ERR_INVALID_OPCODE');
});

test('docs/ws.md has all codes of ws, and no others', () => {
  const fs = require('fs');
  const codesIn = (file) => [...new Set(fs.readFileSync(path.join(ROOT, file), 'utf8').match(/WS_ERR_\w+/g))].sort();
  assert.deepStrictEqual(codesIn('docs/ws.md'), codesIn('lib/ws/errors.js'));
});
