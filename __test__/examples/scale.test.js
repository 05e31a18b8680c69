'use strict';

// The chat on two processes, with a real engine between them.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { client: WebSocketClient } = require('../..');
const { isInstalled } = require('../../examples/scale/libraries');
const { startExample } = require('./run-example');

const isOnPath = (program) => [...(process.env.PATH || '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin']
  .some((directory) => fs.existsSync(path.join(directory, program)));

/** The example takes the first engine that it finds. */
const [first] = [['redis-server', 'redis'], ['valkey-server', 'redis'], ['nats-server', '@nats-io/transport-node']]
  .filter(([program]) => isOnPath(program));
const skip = process.env.ENGINE ? 'the variable ENGINE is set'
  : first === undefined ? 'no engine on this machine'
    : !isInstalled(first[1]) ? `the client library ${first[1]} is not installed (npm run test:engines installs it)` : false;

/** A guest of one of the processes, and what it is told. */
async function enter(t, port, request) {
  const client = new WebSocketClient();
  client.connect(`ws://127.0.0.1:${port}/`);
  const connection = await new Promise((resolve, reject) => {
    client.on('connect', resolve);
    client.on('connectFailed', reject);
  });
  t.after(() => connection.drop());
  const events = [];
  const waiting = new Set();
  connection.on('message', ({ utf8Data }) => {
    events.push(JSON.parse(utf8Data));
    for (const look of waiting) look();
  });
  const guest = {
    connection,
    say: (text) => connection.send(JSON.stringify({ type: 'say', text })),
    takenBy: () => new Set(events.filter(({ type }) => type === 'said').map(({ by }) => by)),
    texts: () => events.filter(({ type }) => type === 'said').map(({ text }) => text),
    event: (matches) => new Promise((resolve) => {
      const look = () => {
        const found = events.find(matches);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    }),
  };
  connection.send(JSON.stringify({ type: 'enter', after: null, ...request }));
  await guest.event(({ type }) => type === 'entered');
  return guest;
}

test('guests of two processes talk to each other, and who comes later reads the history', { skip, timeout: 60000 }, async (t) => {
  const example = startExample(t, path.join('scale', 'start.js'));
  const [, one, two] = await example.output(/http:\/\/127\.0\.0\.1:(\d+)\/[^]*http:\/\/127\.0\.0\.1:(\d+)\//);
  const [ann, bob] = [await enter(t, one, { room: 'tea', name: 'Ann' }), await enter(t, two, { room: 'tea', name: 'Bob' })];
  ann.say('hello');
  const heard = await bob.event(({ text }) => text === 'hello');
  assert.strictEqual(heard.name, 'Ann');
  bob.say('hello Ann');
  await ann.event(({ text }) => text === 'hello Ann');
  await ann.event(({ people }) => people === 2);

  const other = await enter(t, one, { room: 'coffee', name: 'Cid' });
  assert.deepStrictEqual(other.texts(), []);
  const late = await enter(t, two, { room: 'tea', name: 'Dan' });
  assert.deepStrictEqual(late.texts(), ['hello', 'hello Ann']);
  const back = await enter(t, one, { room: 'tea', name: 'Eve', after: heard.id });
  assert.deepStrictEqual(back.texts(), ['hello Ann']);

  await example.stop();
});

test('both threads of a process take guests, who talk to each other', {
  skip: skip || (process.platform === 'linux' ? false : 'only Linux spreads connections'), timeout: 60000,
}, async (t) => {
  const example = startExample(t, path.join('scale', 'start.js'));
  const [, port] = await example.output(/http:\/\/127\.0\.0\.1:(\d+)\/ \(process \d+, threads: 2\)/);
  const guests = [];
  for (let i = 0; i < 20; i++) guests.push(await enter(t, port, { room: 'hall', name: `${i}` }));
  for (const [i, guest] of guests.entries()) guest.say(`from ${i}`);
  for (const guest of guests) for (let i = 0; i < 20; i++) await guest.event(({ text }) => text === `from ${i}`);
  assert.strictEqual(guests[0].takenBy().size, 2);
  await example.stop();
});
