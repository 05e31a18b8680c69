'use strict';

// The asynchronous context (AsyncLocalStorage) in which listeners and callbacks run.

const { test } = require('node:test');
const assert = require('node:assert');
const { AsyncLocalStorage } = require('async_hooks');
const { openPair, startServer, openRawClient, eventually, turns } = require('../helpers/under-test/endpoints');
const { secureByDefault } = require('../helpers/under-test/transport');
const { OPCODE } = require('../helpers/raw');

const text = (payload) => ({ opcode: OPCODE.TEXT, payload });

for (const role of ['server', 'client']) {
  test(`${role}: a store entered in one listener is not seen by the next, in the same segment or later`, async (t) => {
    const storage = new AsyncLocalStorage();
    const pair = await openPair(t, role);
    const stores = [];
    const look = (what) => {
      stores.push([what, storage.getStore()]);
      storage.enterWith(`secret of ${what}`);
    };
    pair.connection.on('message', (message) => look(message.utf8Data));
    pair.connection.on('pong', (data) => look(data.toString()));
    pair.connection.on('close', () => look('close'));
    pair.send(text('1'), text('2'), { opcode: OPCODE.PONG, payload: '3' });
    await eventually(() => stores.length === 3, 'three events');
    pair.send(text('4'), { opcode: OPCODE.CLOSE });
    await pair.closed();
    assert.deepStrictEqual(stores, ['1', '2', '3', '4', 'close'].map((what) => [what, undefined]));
  });

  // Node runs the callbacks of writes it has joined in the context of the first of them.
  const skip = secureByDefault && 'TLS sockets of Node join the writes of one tick';
  test(`${role}: the callback of a send runs in the context of the send`, { skip }, async (t) => {
    const storage = new AsyncLocalStorage();
    const pair = await openPair(t, role);
    const stores = [];
    pair.connection.on('message', (message) => {
      storage.run(message.utf8Data, () => pair.connection.sendUTF('answer', () => stores.push(storage.getStore())));
    });
    pair.send(text('1'), text('2'), text('3'));
    await eventually(() => stores.length === 3, 'three callbacks');
    assert.deepStrictEqual(stores, ['1', '2', '3']);
  });

  test(`${role}: a listener keeps its store over await`, async (t) => {
    const storage = new AsyncLocalStorage();
    const pair = await openPair(t, role);
    const stores = [];
    pair.connection.on('message', (message) => storage.run(message.utf8Data, async () => {
      await turns(1);
      await null;
      stores.push(storage.getStore());
    }));
    pair.send(text('1'), text('2'), text('3'));
    await eventually(() => stores.length === 3, 'three listeners');
    assert.deepStrictEqual(stores, ['1', '2', '3']);
  });
}

test('a store entered in a listener of one connection is not seen by another connection', async (t) => {
  const storage = new AsyncLocalStorage();
  const stores = [];
  const started = await startServer(t, {
    onConnect: (connection) => connection.on('message', (message) => {
      stores.push(storage.getStore());
      storage.enterWith(message.utf8Data);
    }),
  });
  const [one, two] = [await openRawClient(started.port), await openRawClient(started.port)];
  for (let i = 0; i < 3; i++) {
    one.send(text('one'));
    two.send(text('two'));
    await eventually(() => stores.length === 2 * i + 2, 'the messages');
  }
  assert.deepStrictEqual(stores, Array(6).fill(undefined));
});
