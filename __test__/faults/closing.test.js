'use strict';

// The closing handshake where 1.0.35 reported or answered wrongly. COMPATIBILITY: P4, P5, P6, P23.

const { test } = require('node:test');
const assert = require('node:assert');
const { websocket } = require('../helpers/under-test');
const { openPair, startServer, openRawClient, rawServer, next, eventually, turns } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

for (const role of ['server', 'client']) {
  test(`P4: ${role}: an empty Close is reported as 1005`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: OPCODE.CLOSE });
    assert.strictEqual((await pair.closed()).code, 1005);
    assert.strictEqual(pair.connection.closeReasonCode, 1005);
  });

  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    test(`P5: ${role}: a Close with code ${code} is answered with 1002 and reported as 1002`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.CLOSE, payload: closePayload(code) });
      assert.strictEqual((await pair.received(OPCODE.CLOSE)).code, 1002);
      assert.strictEqual((await pair.closed()).code, 1002);
    });
  }

  for (const [what, reason] of [
    ['124 ASCII characters', 'x'.repeat(124)],
    ['62 characters of two bytes', 'ä'.repeat(62)],
    ['a very long text', 'x'.repeat(70000)],
  ]) {
    test(`P6: ${role}: close() with a reason of ${what} throws and changes nothing`, async (t) => {
      const pair = await openPair(t, role);
      assert.throws(() => pair.connection.close(1000, reason), /123|reason|description/i);
      assert.strictEqual(pair.connection.connected, true);
      assert.strictEqual(pair.connection.state, 'open');
      assert.strictEqual(pair.connection.closeReasonCode, -1);
      pair.connection.close(1000, 'x'.repeat(123));
      const close = await pair.received(OPCODE.CLOSE);
      assert.strictEqual(close.reason, 'x'.repeat(123));
    });
  }

  test(`P6: ${role}: drop() with a reason over 123 bytes sends no illegal Close frame`, async (t) => {
    const pair = await openPair(t, role);
    let error = null;
    try {
      pair.connection.drop(1008, 'ä'.repeat(100));
    } catch (thrown) {
      error = thrown;
      pair.connection.drop(1008, 'short');
    }
    assert.ok(error === null || /123|reason|description/i.test(error.message), String(error));
    const close = await pair.received(OPCODE.CLOSE);
    assert.strictEqual(close.code, 1008);
    assert.ok(close.payload.length <= 125, `${close.payload.length} bytes of payload`);
    assert.doesNotThrow(() => new TextDecoder('utf-8', { fatal: true }).decode(close.payload.subarray(2)));
  });

  for (const [what, bytes] of [
    ['a single byte', [0xff]],
    ['a single lead byte', [0xc3]],
    ['a single continuation byte', [0x80]],
  ]) {
    test(`P23: ${role}: a close reason that is ${what} of broken UTF-8 fails with 1007`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: OPCODE.CLOSE, payload: Buffer.concat([closePayload(1000), Buffer.from(bytes)]) });
      assert.strictEqual((await pair.received(OPCODE.CLOSE)).code, 1007);
      assert.strictEqual((await pair.closed()).code, 1007);
    });
  }

  test(`option echoCloseCode: ${role}: a Close is answered with its own code`, async (t) => {
    const pair = await openPair(t, role, { echoCloseCode: true });
    pair.send({ opcode: OPCODE.CLOSE, payload: closePayload(3001, 'enough') });
    assert.strictEqual((await pair.received(OPCODE.CLOSE)).code, 3001);
    assert.deepStrictEqual(await pair.closed(), { code: 3001, description: 'enough' });
  });
}

test('P4: the server event close reports 1005 for an empty Close', async (t) => {
  const started = await startServer(t, { config: { keepalive: false } });
  const peer = await openRawClient(started.port);
  peer.send({ opcode: OPCODE.CLOSE });
  await eventually(() => started.closes.length === 1, 'the close event of the server');
  assert.strictEqual(started.closes[0].code, 1005);
  assert.strictEqual(started.closes[0].connection, started.connections[0]);
});

test('P4: a W3C CloseEvent has code 1005 for an empty Close', async (t) => {
  const raw = await rawServer(undefined, false);
  t.after(() => raw.close());
  const socket = new websocket.w3cwebsocket(raw.url);
  const peer = await raw.next();
  let event = null;
  socket.onclose = (closeEvent) => { event = closeEvent; };
  peer.send({ opcode: OPCODE.CLOSE, mask: false });
  await eventually(() => event !== null, 'the close event');
  assert.strictEqual(event.code, 1005);
});

test('P4: an empty Close and a lost TCP connection are told apart', async (t) => {
  const started = await startServer(t, { config: { keepalive: false } });
  const [closing, losing] = [await openRawClient(started.port), await openRawClient(started.port)];
  await started.connection(2);
  closing.send({ opcode: OPCODE.CLOSE });
  losing.socket.end();
  if (started.closes.length < 2) await next(started.server, 'close');
  await eventually(() => started.closes.length === 2, 'both close events');
  await turns();
  const code = (index) => started.closes.find((one) => one.connection === started.connections[index]).code;
  assert.deepStrictEqual([code(0), code(1)], [1005, 1006]);
});
