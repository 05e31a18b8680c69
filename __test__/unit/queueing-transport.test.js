'use strict';

// Large messages are compressed on another thread: what is sent meanwhile keeps its place behind them, whatever happens.

const { test } = require('node:test');
const assert = require('node:assert');
const zlib = require('zlib');
const { spawn } = require('child_process');
const path = require('path');
const { once } = require('events');
const { eventually, openPair, rawServer, turns } = require('../helpers/under-test/endpoints');
const { OPCODE, acceptHead } = require('../helpers/raw');

const { CONTINUATION, TEXT, BINARY, CLOSE, PING } = OPCODE;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** Takes some ten milliseconds to compress, and leaves little. */
const LARGE = 'something that repeats itself '.repeat(60000);

function open(t, io, perMessageDeflate = { threshold: 0, level: 6 }) {
  return openPair(t, 'server', { io, perMessageDeflate, fragmentOutgoingMessages: false }, false, 'permessage-deflate');
}

/** What the peer has received, in order: messages as text, other frames by their opcode. */
function story(frames) {
  const compressed = frames.flatMap(({ rsv, payload }) => (rsv === 4 ? [payload, TAIL] : []));
  const inflated = zlib.inflateRawSync(Buffer.concat(compressed), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  let at = 0;
  const take = (length) => {
    at += length;
    return inflated.subarray(at - length, at).toString();
  };
  return frames.map(({ opcode, rsv, payload, code }) => {
    if (opcode === CLOSE) return `close ${code}`;
    if (opcode === PING) return `ping ${payload}`;
    assert.notStrictEqual(opcode, CONTINUATION);
    if (rsv !== 4) return `plain ${payload}`;
    // Only two lengths are compressed in these tests.
    return inflated[at] === 0x21 ? `small ${take(20).trim()}` : `large ${take(LARGE.length) === LARGE}`;
  });
}

const small = (text) => `!${text}`.padEnd(20);

for (const io of ['stream', 'loop']) {
  test(`the JavaScript thread goes on meanwhile, and everything arrives in its order: ${io}`, async (t) => {
    const pair = await open(t, io);
    const { connection } = pair;
    const log = [];
    const done = (name) => (error) => log.push(error ? `${name} ${error.message}` : name);
    connection.sendUTF(LARGE, done('large'));
    connection.sendUTF(small('one'), done('one'));
    connection.ping('beat');
    const reused = Buffer.from(LARGE);
    connection.sendBytes(reused, done('bytes'));
    reused.fill(0);
    connection.send('as it is', { compress: false }, done('plain'));
    connection.send(small('two'), done('two'));
    assert.ok(connection._transport.bufferedAmount(connection) > 2 * LARGE.length, 'what waits counts');
    assert.strictEqual(connection.transport, io);
    await turns(1);
    log.push('a turn of the event loop');
    await pair.peer.until(({ frames }) => frames.length === 6, 'six frames');
    assert.deepStrictEqual(story(pair.peer.frames), ['large true', 'small !one', 'ping beat', 'large true', 'plain as it is', 'small !two']);
    await eventually(() => log.length === 6, 'all callbacks');
    assert.deepStrictEqual(log, ['a turn of the event loop', 'large', 'one', 'bytes', 'plain', 'two']);
    connection.sendUTF(small('three'));
    await pair.peer.frame(7);
    assert.strictEqual(story(pair.peer.frames)[6], 'small !three');
  });

  test(`close() comes after all that was sent before: ${io}`, async (t) => {
    const pair = await open(t, io);
    pair.connection.sendUTF(LARGE);
    pair.connection.sendUTF(LARGE);
    pair.connection.sendUTF(small('last'));
    pair.connection.close(1000);
    await pair.received(CLOSE);
    assert.deepStrictEqual(story(pair.peer.frames), ['large true', 'large true', 'small !last', 'close 1000']);
  });

  test(`frames of the program keep their place: ${io}`, async (t) => {
    const pair = await open(t, io);
    const frame = new (require('../..').frame)();
    Object.assign(frame, { opcode: TEXT, fin: true, binaryPayload: Buffer.from('frame') });
    pair.connection.sendBytes(Buffer.from(LARGE));
    pair.connection.sendFrame(frame);
    await pair.peer.frame(2);
    assert.deepStrictEqual(story(pair.peer.frames), ['large true', 'plain frame']);
    assert.strictEqual(pair.peer.frames[0].opcode, BINARY);
  });

  test(`when the connection ends first, every callback gets an Error, once: ${io}`, async (t) => {
    const pair = await open(t, io);
    const errors = [];
    for (const data of [LARGE, small('one'), LARGE]) pair.connection.send(data, (error) => errors.push(error && error.code));
    pair.connection.drop(1006, 'gone', true);
    await pair.closed();
    await eventually(() => errors.length >= 3, 'all callbacks');
    await turns();
    assert.deepStrictEqual(errors, Array(3).fill('ERR_WEBSOCKET_CLOSED'));
  });

  test(`what was sent before the peer closed its end of the socket still goes out: ${io}`, async (t) => {
    const pair = await open(t, io);
    pair.connection.sendUTF(LARGE);
    pair.connection.socket.emit('end');
    await pair.peer.until(({ frames }) => frames.length === 1, 'the message');
    assert.deepStrictEqual(story(pair.peer.frames), ['large true']);
  });
}

test('a socket that is given back meanwhile goes on with what waits', async (t) => {
  const pair = await open(t, 'loop');
  pair.connection.sendUTF(LARGE);
  pair.connection.sendUTF(small('one'));
  pair.connection.socket.on('data', () => {});
  assert.strictEqual(pair.connection.transport, 'stream');
  await pair.peer.frame(2);
  assert.deepStrictEqual(story(pair.peer.frames), ['large true', 'small !one']);
});

test('messages below the threshold are not compressed, however large they are', async (t) => {
  const pair = await open(t, 'loop', { threshold: LARGE.length + 1 });
  pair.connection.sendUTF(LARGE);
  const { rsv, payload } = await pair.peer.frame();
  assert.deepStrictEqual([rsv, payload.length], [0, LARGE.length]);
});

test('several connections without context takeover at once', async (t) => {
  const pairs = [];
  for (let i = 0; i < 4; i++) pairs.push(await open(t, 'loop', { threshold: 0, sharedCompressor: true }));
  for (const { connection } of pairs) connection.sendUTF(LARGE);
  for (const { peer } of pairs) {
    const { payload } = await peer.frame();
    assert.ok(zlib.inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).equals(Buffer.from(LARGE)));
  }
});

for (const io of ['stream', 'loop']) {
  for (const [end, what] of [
    ['process.exit()', 'process.exit() has it sent first'],
    ['connection.socket.unref()', 'the process stays until it is sent, with nothing else to stay for'],
  ]) {
    test(`${what}: ${io}`, async (t) => {
      const answer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
      const server = await rawServer((peer) => peer.write(acceptHead(peer.key, answer)));
      t.after(() => server.close());
      const script = `
        const { client: Client } = require(${JSON.stringify(path.join(__dirname, '../..'))});
        const client = new Client({ io: '${io}', perMessageDeflate: { threshold: 0, level: 6 }, fragmentOutgoingMessages: false });
        client.on('connect', (connection) => {
          connection.sendUTF('something that repeats itself '.repeat(60000));
          ${end};
        });
        client.connect('${server.url}');`;
      const child = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
      t.after(() => child.kill());
      const peer = await server.next();
      await Promise.all([once(child, 'exit'), peer.frame()]);
      assert.deepStrictEqual(story(peer.frames), ['large true']);
    });
  }
}
