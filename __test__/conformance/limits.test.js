'use strict';

// RFC 6455 section 10.4: limits of the implementation, in both roles, at their exact boundaries.

const { test } = require('node:test');
const assert = require('node:assert');
const { deep } = require('../helpers/under-test');
const { openPair, turns } = require('../helpers/under-test/endpoints');
const { startScenario } = require('../helpers/under-test/child');
const { OPCODE, openRawClient } = require('../helpers/raw');

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = OPCODE;

async function failsWith1009(pair, messages = []) {
  assert.strictEqual((await pair.received(CLOSE)).code, 1009);
  assert.strictEqual((await pair.closed()).code, 1009);
  assert.deepStrictEqual(pair.seen.messages, messages);
}

for (const role of ['server', 'client']) {
  for (const limit of [1, 125, 126, 1000, 65535, 65536, 100000]) {
    const config = { maxReceivedFrameSize: limit, maxReceivedMessageSize: 1 << 24 };

    test(`RFC 6455 10.4: ${role}: a frame of exactly maxReceivedFrameSize = ${limit} is received`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send({ opcode: TEXT, payload: 'x'.repeat(limit) });
      assert.strictEqual((await pair.messages())[0].length, limit);
    });

    test(`RFC 6455 10.4: ${role}: one byte more than maxReceivedFrameSize = ${limit} fails with 1009, from the header alone`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send({ opcode: BINARY, declaredLength: limit + 1 });
      await failsWith1009(pair);
    });

    test(`RFC 6455 10.4: ${role}: one byte more than maxReceivedFrameSize = ${limit} in a later fragment fails with 1009`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send({ opcode: BINARY, payload: 'x', fin: false }, { opcode: CONTINUATION, declaredLength: limit + 1 });
      await failsWith1009(pair);
    });
  }

  for (const limit of [1, 10, 1000, 65536, 200000]) {
    const config = { maxReceivedFrameSize: 1 << 24, maxReceivedMessageSize: limit };
    const half = Math.floor(limit / 2);

    test(`RFC 6455 10.4: ${role}: fragments of exactly maxReceivedMessageSize = ${limit} are received`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send(
        { opcode: BINARY, payload: Buffer.alloc(half), fin: false },
        { opcode: PING, payload: 'does not count' },
        { opcode: CONTINUATION, payload: Buffer.alloc(limit - half), fin: false },
        { opcode: CONTINUATION });
      assert.strictEqual((await pair.messages())[0].length, limit);
      // And the next message begins to count from 0.
      pair.send({ opcode: BINARY, payload: Buffer.alloc(limit) });
      assert.strictEqual((await pair.messages(2))[1].length, limit);
    });

    test(`RFC 6455 10.4: ${role}: one byte more than maxReceivedMessageSize = ${limit} in fragments fails with 1009`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send(
        { opcode: BINARY, payload: Buffer.alloc(limit), fin: false },
        { opcode: CONTINUATION, fin: false },
        { opcode: CONTINUATION, payload: 'x', fin: false });
      await failsWith1009(pair);
    });

    test(`RFC 6455 10.4: ${role}: one byte more than maxReceivedMessageSize = ${limit} in one frame fails with 1009`, async (t) => {
      const pair = await openPair(t, role, config);
      pair.send({ opcode: TEXT, payload: 'x'.repeat(limit + 1) });
      await failsWith1009(pair);
    });
  }

  test(`RFC 6455 10.4: ${role}: messages before the one that is too big are delivered`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: 100 });
    pair.send({ opcode: TEXT, payload: 'fine' }, { opcode: TEXT, payload: 'x'.repeat(101) }, { opcode: TEXT, payload: 'late' });
    await failsWith1009(pair, ['fine']);
  });

  test(`RFC 6455 10.4: ${role}: control frames do not count as parts of a message`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: 125, maxReceivedMessageSize: 10 });
    pair.send({ opcode: PING, payload: 'x'.repeat(125) }, { opcode: TEXT, payload: 'x'.repeat(10) });
    assert.strictEqual((await pair.received(PONG)).payload.length, 125);
    assert.deepStrictEqual(await pair.messages(), ['x'.repeat(10)]);
  });

  test(`RFC 6455 10.4: ${role}: the default limits are those of 1.0.35`, async (t) => {
    const [frame, message] = role === 'server' ? [0x10000, 0x100000] : [0x100000, 0x800000];
    const pair = await openPair(t, role);
    assert.strictEqual(pair.connection.config.maxReceivedFrameSize, frame);
    assert.strictEqual(pair.connection.config.maxReceivedMessageSize, message);
    pair.send({ opcode: BINARY, payload: Buffer.alloc(frame) });
    assert.strictEqual((await pair.messages())[0].length, frame);
    pair.send({ opcode: BINARY, declaredLength: frame + 1 });
    assert.strictEqual((await pair.received(CLOSE)).code, 1009);
  });

  test(`RFC 6455 10.4: ${role}: limits beyond 32 bits are not cut off`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: 0x200000000, maxReceivedMessageSize: 0x200000000 });
    pair.send({ opcode: BINARY, payload: Buffer.alloc(200000) });
    assert.strictEqual((await pair.messages())[0].length, 200000);
    pair.send({ opcode: BINARY, declaredLength: 0xffffffff, payload: 'begins' });
    await turns();
    assert.strictEqual(pair.connection.connected, true);
  });

  test(`RFC 6455 10.4: ${role}: Infinity is no limit`, async (t) => {
    const pair = await openPair(t, role, { maxReceivedFrameSize: Infinity, maxReceivedMessageSize: Infinity });
    pair.send({ opcode: BINARY, payload: Buffer.alloc(2000000) });
    assert.strictEqual((await pair.messages())[0].length, 2000000);
  });
}

test('RFC 6455 10.4: no memory is taken for a declared length that has not arrived', async (t) => {
  const run = startScenario(t, require.resolve('../faults/scenarios.js'), 'measured', {
    args: { config: { maxReceivedFrameSize: 0x40000000, maxReceivedMessageSize: 0x40000000 } },
    execArgv: ['--expose-gc'],
  });
  const { port } = await run.report('port');
  const peers = [];
  for (let i = 0; i < 20; i++) {
    const peer = await openRawClient(port);
    t.after(() => peer.destroy());
    peer.send({ opcode: i % 2 ? TEXT : BINARY, declaredLength: 0x30000000, payload: 'x' });
    peers.push(peer);
  }
  const last = await openRawClient(port);
  t.after(() => last.destroy());
  last.send({ opcode: TEXT, payload: 'measure' });
  const { grownRss } = await run.report('grown');
  assert.ok(grownRss < 64 << 20, `${grownRss} bytes more`);
});

test('RFC 6455 10.4: header fields are parsed in linear time', () => {
  const WebSocketRequest = deep('lib/WebSocketRequest');
  const { parseExtensions, parseCookies } = WebSocketRequest.prototype;
  const begin = process.cpuUsage();
  for (const text of [
    'a,'.repeat(100000), ','.repeat(200000), `a${' '.repeat(200000)}b`, `a;${' '.repeat(200000)},`, 'a; b=c,'.repeat(40000),
    `"${'\\"'.repeat(100000)}`, 'x'.repeat(200000), '='.repeat(200000), ';'.repeat(200000), `a="${' '.repeat(200000)}`,
  ]) {
    for (const parse of [parseExtensions, parseCookies]) {
      try {
        parse.call(WebSocketRequest.prototype, text);
      } catch {
        // Refusing is as good as parsing here.
      }
    }
  }
  const { user, system } = process.cpuUsage(begin);
  assert.ok(user + system < 5e6, `${user + system} µs`);
});
