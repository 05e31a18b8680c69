'use strict';

// RFC 6455 section 5.4: fragmentation, in both roles.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, eventually, turns } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = OPCODE;
const part = (opcode, payload = '', fin = false) => ({ opcode, payload, fin });

const good = [
  ['a text in two fragments', [part(TEXT, 'ab'), part(CONTINUATION, 'cd', true)], ['abcd']],
  ['a text in many fragments', [part(TEXT, '0'), ...Array.from('123456789', (one) => part(CONTINUATION, one)), part(CONTINUATION, '!', true)], ['0123456789!']],
  ['a binary message in three fragments', [part(BINARY, 'a'), part(CONTINUATION, 'b'), part(CONTINUATION, 'c', true)], [Buffer.from('abc')]],
  ['an empty first fragment', [part(TEXT), part(CONTINUATION, 'x', true)], ['x']],
  ['an empty middle fragment', [part(TEXT, 'a'), part(CONTINUATION), part(CONTINUATION, 'b', true)], ['ab']],
  ['an empty last fragment', [part(TEXT, 'a'), part(CONTINUATION, '', true)], ['a']],
  ['nothing but empty fragments', [part(TEXT), part(CONTINUATION), part(CONTINUATION, '', true)], ['']],
  ['nothing but empty binary fragments', [part(BINARY), part(CONTINUATION, '', true)], [Buffer.alloc(0)]],
  ['two fragmented messages in a row', [part(TEXT, 'a'), part(CONTINUATION, 'b', true), part(BINARY, 'c'), part(CONTINUATION, 'd', true)], ['ab', Buffer.from('cd')]],
  ['a whole message after a fragmented one', [part(TEXT, 'a'), part(CONTINUATION, 'b', true), part(TEXT, 'c', true)], ['ab', 'c']],
  ['a character cut in two', [part(TEXT, Buffer.from([0xe2, 0x82])), part(CONTINUATION, Buffer.from([0xac]), true)], ['€']],
];

const bad = [
  ['a final continuation of nothing', [part(CONTINUATION, 'x', true)], []],
  ['a continuation of nothing', [part(CONTINUATION, 'x')], []],
  ['an empty continuation of nothing', [part(CONTINUATION, '', true)], []],
  ['a continuation after a whole message', [part(TEXT, 'a', true), part(CONTINUATION, 'x', true)], ['a']],
  ['a continuation after a fragmented message', [part(TEXT, 'a'), part(CONTINUATION, 'b', true), part(CONTINUATION, 'x', true)], ['ab']],
  ['a whole text inside a text', [part(TEXT, 'a'), part(TEXT, 'x', true)], []],
  ['a first fragment inside a text', [part(TEXT, 'a'), part(TEXT, 'x')], []],
  ['a binary message inside a text', [part(TEXT, 'a'), part(BINARY, 'x', true)], []],
  ['a text inside a binary message', [part(BINARY, 'a'), part(CONTINUATION, 'b'), part(TEXT, 'x', true)], []],
  ['a new message in place of the last fragment', [part(TEXT, ''), part(TEXT, '', true)], []],
];

for (const role of ['server', 'client']) {
  for (const [what, frames, messages] of good) {
    test(`RFC 6455 5.4: ${role}: ${what}, in one segment`, async (t) => {
      const pair = await openPair(t, role);
      pair.send(...frames);
      await pair.messages(messages.length);
      await turns();
      assert.deepStrictEqual(pair.seen.messages, messages);
      assert.strictEqual(pair.connection.connected, true);
    });

    test(`RFC 6455 5.4: ${role}: ${what}, in a segment each, with control frames in between`, async (t) => {
      const pair = await openPair(t, role);
      let pings = 0;
      for (const frame of frames) {
        pair.send(frame, part(PONG, 'unasked', true));
        pair.send(part(PING, `${++pings}`, true));
        await pair.peer.until((peer) => peer.frames.length === pings, `the pong ${pings}`);
      }
      await pair.messages(messages.length);
      assert.deepStrictEqual(pair.seen.messages, messages);
      assert.deepStrictEqual(pair.peer.frames.map((frame) => [frame.opcode, frame.payload.toString()]),
        frames.map((_, index) => [PONG, `${index + 1}`]));
      assert.strictEqual(pair.seen.pongs.length, frames.length);
    });
  }

  for (const [what, frames, messages] of bad) {
    test(`RFC 6455 5.4: ${role}: ${what} fails with 1002`, async (t) => {
      const pair = await openPair(t, role);
      pair.send(...frames);
      assert.strictEqual((await pair.received(CLOSE)).code, 1002);
      assert.strictEqual((await pair.closed()).code, 1002);
      assert.deepStrictEqual(pair.seen.messages, messages);
    });
  }

  test(`RFC 6455 5.4: ${role}: a ping inside a message is answered before the message is complete`, async (t) => {
    const pair = await openPair(t, role);
    pair.send(part(TEXT, 'first '), part(PING, 'now', true));
    assert.strictEqual((await pair.received(PONG)).payload.toString(), 'now');
    assert.deepStrictEqual(pair.seen.messages, []);
    pair.send(part(CONTINUATION, 'second', true));
    assert.deepStrictEqual(await pair.messages(), ['first second']);
  });

  test(`RFC 6455 5.4: ${role}: a Close inside a message is answered, and the message is never delivered`, async (t) => {
    const pair = await openPair(t, role);
    pair.send(part(TEXT, 'never'), { opcode: CLOSE, payload: closePayload(1000, 'enough') });
    assert.strictEqual((await pair.received(CLOSE)).code, 1000);
    assert.deepStrictEqual(await pair.closed(), { code: 1000, description: 'enough' });
    assert.deepStrictEqual(pair.seen.messages, []);
  });

  for (const [length, threshold, sizes] of [
    [100, 100, [100]],
    [101, 100, [100, 1]],
    [250, 100, [100, 100, 50]],
    [300, 100, [100, 100, 100]],
    [3, 1, [1, 1, 1]],
    [0, 100, [0]],
  ]) {
    for (const [opcode, method] of [[TEXT, 'sendUTF'], [BINARY, 'sendBytes']]) {
      test(`RFC 6455 5.4: ${role}: ${method}() of ${length} bytes with a threshold of ${threshold} sends fragments of ${sizes}`, async (t) => {
        const pair = await openPair(t, role, { fragmentationThreshold: threshold });
        const payload = 'x'.repeat(length);
        let calls = 0;
        pair.connection[method](method === 'sendUTF' ? payload : Buffer.from(payload), (error) => {
          assert.ifError(error);
          calls++;
        });
        pair.connection.ping('after');
        await pair.received(PING);
        const frames = pair.peer.frames.slice(0, -1);
        assert.deepStrictEqual(frames.map((frame) => frame.payload.length), sizes);
        assert.deepStrictEqual(frames.map((frame) => frame.opcode), sizes.map((_, index) => (index === 0 ? opcode : CONTINUATION)));
        assert.deepStrictEqual(frames.map((frame) => frame.fin), sizes.map((_, index) => index === sizes.length - 1));
        assert.ok(frames.every((frame) => frame.rsv === 0 && frame.masked === (role === 'client')));
        await eventually(() => calls > 0, 'the callback');
        await turns();
        assert.strictEqual(calls, 1);
      });
    }
  }

  test(`RFC 6455 5.4: ${role}: fragments of sent messages are not interleaved with other messages`, async (t) => {
    const pair = await openPair(t, role, { fragmentationThreshold: 10 });
    pair.connection.sendUTF('a'.repeat(25));
    pair.connection.sendBytes(Buffer.alloc(15, 'b'));
    pair.connection.sendUTF('c');
    await pair.peer.frame(6);
    assert.deepStrictEqual(pair.peer.frames.map((frame) => [frame.opcode, frame.fin, frame.payload.length]), [
      [TEXT, false, 10], [CONTINUATION, false, 10], [CONTINUATION, true, 5],
      [BINARY, false, 10], [CONTINUATION, true, 5],
      [TEXT, true, 1],
    ]);
  });

  test(`RFC 6455 5.4: ${role}: fragmentOutgoingMessages: false sends one frame`, async (t) => {
    const pair = await openPair(t, role, { fragmentationThreshold: 10, fragmentOutgoingMessages: false });
    pair.connection.sendUTF('a'.repeat(1000));
    const frame = await pair.peer.frame();
    assert.deepStrictEqual([frame.opcode, frame.fin, frame.payload.length], [TEXT, true, 1000]);
  });
}
