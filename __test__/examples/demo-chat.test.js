'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { EventEmitter } = require('node:events');
const { OPCODE, openRawClient } = require('../helpers/raw');
const { startExample } = require('./run-example');
const { ChatRoom, LIMITS } = require('../../examples/demo/chat-room');

/** Starts the demo; `visit()` opens a raw chat connection that speaks JSON. */
async function startChat(t) {
  const port = await startExample(t, 'demo/server.js').port();
  return async function visit(name) {
    const peer = await openRawClient(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    t.after(() => peer.destroy());
    let seen = 0;
    const visitor = {
      peer,
      say: (text) => visitor.write({ type: 'say', text }),
      write: (message) => peer.send({ opcode: OPCODE.TEXT, payload: JSON.stringify(message) }),
      /** The next event of the room, or the Close frame. */
      async next() {
        const frame = await peer.frame(++seen);
        return frame.opcode === OPCODE.CLOSE ? { closed: frame.code } : JSON.parse(frame.payload.toString());
      },
    };
    if (name !== undefined) {
      visitor.write({ type: 'join', name });
      visitor.welcome = await visitor.next();
      assert.strictEqual(visitor.welcome.type, 'welcome');
    }
    return visitor;
  };
}

test('people in the chat see who comes, what is said and who goes', async (t) => {
  const visit = await startChat(t);
  const ann = await visit('Ann');
  assert.deepStrictEqual(ann.welcome, { type: 'welcome', name: 'Ann', people: ['Ann'], history: [] });
  const bob = await visit('Bob');
  assert.deepStrictEqual(bob.welcome.people, ['Ann', 'Bob']);
  assert.deepStrictEqual(await ann.next(), { type: 'joined', name: 'Bob', people: ['Ann', 'Bob'] });

  bob.say('<b>Hello</b>');
  for (const visitor of [ann, bob]) {
    const { type, name, text, time } = await visitor.next();
    assert.deepStrictEqual({ type, name, text }, { type: 'said', name: 'Bob', text: '<b>Hello</b>' });
    assert.ok(Math.abs(time - Date.now()) < 60000);
  }
  bob.peer.destroy();
  assert.deepStrictEqual(await ann.next(), { type: 'left', name: 'Bob', people: ['Ann'] });

  const late = await visit('Late');
  assert.deepStrictEqual(late.welcome.history.map(({ name, text }) => [name, text]), [['Bob', '<b>Hello</b>']]);
});

test('nobody in the chat gets a name that somebody else has, or an empty, long or deceptive one', async (t) => {
  const visit = await startChat(t);
  const given = [];
  for (const wish of ['Ann', 'ANN', 'Ａｎｎ', '__proto__', 'constructor', ' a \u0000\n b ', 'x\u202egpj', '😀'.repeat(40)]) {
    given.push((await visit(wish)).welcome.name);
  }
  assert.deepStrictEqual(given,
    ['Ann', 'ANN (2)', 'Ａｎｎ (3)', '__proto__', 'constructor', 'a b', 'x gpj', '😀'.repeat(LIMITS.name)]);

  const nobody = await visit();
  for (const name of ['', ' \t\u200b', 7, null, undefined, ['Ann'], { toString: 'Ann' }]) {
    nobody.write({ type: 'join', name });
    assert.deepStrictEqual(await nobody.next(), { type: 'error', text: 'Please tell a name.' });
  }
});

test('what is said before joining, a second join and empty words reach nobody', async (t) => {
  const visit = await startChat(t);
  const ann = await visit('Ann');
  const stranger = await visit();
  stranger.say('Hello?');
  assert.deepStrictEqual(await stranger.next(), { type: 'error', text: 'Please join first.' });
  ann.write({ type: 'join', name: 'Eve' });
  assert.deepStrictEqual(await ann.next(), { type: 'error', text: 'You are here already, as Ann.' });
  ann.say('  \n ');
  ann.say(7);
  ann.say('x'.repeat(LIMITS.text + 100));
  assert.strictEqual((await ann.next()).text, 'x'.repeat(LIMITS.text));
  assert.strictEqual(stranger.peer.frames.length, 1);
});

test('chat messages that are not of the protocol get an answer and change nothing', async (t) => {
  const visit = await startChat(t);
  const visitor = await visit();
  for (const payload of ['', '{', 'null', '7', '"join"', '[]', '{}', '{"type":"leave"}', '{"__proto__":{"type":"join"}}']) {
    visitor.peer.send({ opcode: OPCODE.TEXT, payload });
    assert.strictEqual((await visitor.next()).type, 'error', payload);
  }
  assert.deepStrictEqual((await visit('Ann')).welcome.people, ['Ann']);
});

test('the chat closes with 1003 for bytes, 1009 for a huge message and 1008 for a flood', async (t) => {
  const visit = await startChat(t);
  const bytes = await visit('Bytes');
  bytes.peer.send({ opcode: OPCODE.BINARY, payload: '{"type":"say","text":"x"}' });
  assert.deepStrictEqual(await bytes.next(), { closed: 1003 });

  const huge = await visit('Huge');
  huge.say('x'.repeat(LIMITS.message));
  assert.deepStrictEqual(await huge.next(), { closed: 1009 });

  const flood = await visit('Flood');
  for (let i = 0; i < 3 * LIMITS.burst; i++) flood.say('x');
  let event;
  do event = await flood.next(); while (event.type === 'said');
  assert.deepStrictEqual(event, { closed: 1008 });
  assert.ok(flood.peer.frames.length < 2 * LIMITS.burst);
});

/** Stands in for a connection: remembers what it was told to send. */
class FakeConnection extends EventEmitter {
  connected = true;
  outputBufferFull = false;
  sent = [];
  sendUTF(text) { this.sent.push(JSON.parse(text)); }
  close(code) { this.end(code); }
  drop(code) { this.end(code); }
  end(code) { this.connected = false; this.emit('close', code); }
  says(message) { this.emit('message', { type: 'utf8', utf8Data: JSON.stringify(message) }); }
}

/** Adds a fake connection to a room; joins when it has a name. */
function enter(room, name) {
  const connection = new FakeConnection();
  connection.on('close', (code) => { connection.closeCode = code; });
  room.add(connection);
  if (name) connection.says({ type: 'join', name });
  return connection;
}

test('the chat remembers a bounded number of messages', () => {
  const room = new ChatRoom({ history: 3, burst: 100 });
  const ann = enter(room, 'Ann');
  for (let i = 1; i <= 5; i++) ann.says({ type: 'say', text: `${i}` });
  assert.deepStrictEqual(enter(room, 'Bob').sent[0].history.map(({ text }) => text), ['3', '4', '5']);
});

test('the chat turns people away with 1013 when it is full, and lets others in when one leaves', () => {
  const room = new ChatRoom({ people: 2 });
  const ann = enter(room, 'Ann');
  enter(room);
  assert.strictEqual(enter(room).closeCode, 1013);
  ann.close(1000);
  assert.strictEqual(enter(room).closeCode, undefined);
});

test('the chat drops who does not read, and not who reads late', () => {
  const room = new ChatRoom({ unread: 10, burst: 1000 });
  const ann = enter(room, 'Ann');
  const bob = enter(room, 'Bob');
  bob.outputBufferFull = true;
  for (let i = 0; i < 10; i++) ann.says({ type: 'say', text: 'x' });
  bob.outputBufferFull = false;
  ann.says({ type: 'say', text: 'x' });
  bob.outputBufferFull = true;
  for (let i = 0; i < 10; i++) ann.says({ type: 'say', text: 'x' });
  assert.strictEqual(bob.closeCode, undefined);
  ann.says({ type: 'say', text: 'x' });
  assert.strictEqual(bob.closeCode, 1008);
  assert.strictEqual(ann.sent.filter(({ type }) => type === 'said').length, 22);
  assert.ok(ann.sent.some(({ type, name }) => type === 'left' && name === 'Bob'));
});

test('who writes slowly may write to the chat for ever', () => {
  let time = 0;
  const room = new ChatRoom({ burst: 2, perSecond: 1 }, () => time);
  const ann = enter(room, 'Ann');
  for (let i = 0; i < 50; i++) {
    time += 1000;
    ann.says({ type: 'say', text: 'x' });
  }
  assert.strictEqual(ann.closeCode, undefined);
  for (let i = 0; i < 3; i++) ann.says({ type: 'say', text: 'x' });
  assert.strictEqual(ann.closeCode, 1008);
});
