'use strict';

// RFC 6455 section 7: closing the connection, in both roles.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, turns, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE, closePayload } = require('../helpers/raw');

const { TEXT, CLOSE, PING } = OPCODE;

const onTheWire = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3500, 3999, 4000, 4500, 4999];
const never = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 6000, 65535];

for (const role of ['server', 'client']) {
  for (const code of onTheWire) {
    test(`RFC 6455 7.4: ${role}: a Close with code ${code} is answered and reported with its reason`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: CLOSE, payload: closePayload(code, 'the reason') });
      const answer = await pair.received(CLOSE);
      assert.deepStrictEqual([answer.code, answer.reason, answer.masked], [1000, '', role === 'client']);
      assert.deepStrictEqual(await pair.closed(), { code, description: 'the reason' });
      assert.strictEqual(pair.connection.state, 'closed');
      await pair.peer.until((peer) => peer.ended, 'the end of the TCP connection');
      assert.strictEqual(pair.peer.frames.length, 1);
    });

    test(`RFC 6455 7.1.2: ${role}: close(${code}) sends the code and the reason`, async (t) => {
      const pair = await openPair(t, role);
      pair.connection.close(code, 'the reason');
      const frame = await pair.received(CLOSE);
      assert.deepStrictEqual([frame.code, frame.reason, frame.fin, frame.rsv], [code, 'the reason', true, 0]);
    });
  }

  for (const code of never) {
    test(`RFC 6455 7.4: ${role}: a Close with code ${code} is a protocol error`, async (t) => {
      const pair = await openPair(t, role);
      pair.send({ opcode: CLOSE, payload: closePayload(code) });
      assert.strictEqual((await pair.received(CLOSE)).code, 1002);
      await pair.closed();
    });

    test(`RFC 6455 7.4: ${role}: close(${code}) never sends that code`, async (t) => {
      const pair = await openPair(t, role);
      assert.throws(() => pair.connection.close(code), /valid/);
      assert.strictEqual(pair.connection.connected, true);
      pair.connection.ping('still open');
      await pair.received(PING);
      assert.strictEqual(pair.peer.frames.length, 1);
    });
  }

  test(`RFC 6455 7.1.5: ${role}: a Close without a code is answered`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: CLOSE });
    await pair.received(CLOSE);
    const { code } = await pair.closed();
    assert.strictEqual(code, 1005);
  });

  test(`RFC 6455 7.1.5: ${role}: a lost TCP connection is reported as 1006`, async (t) => {
    const pair = await openPair(t, role);
    pair.peer.socket.end();
    assert.strictEqual((await pair.closed()).code, 1006);
    assert.deepStrictEqual(pair.peer.frames, []);
  });

  test(`RFC 6455 7.1.5: ${role}: a reset TCP connection is reported as error and as 1006`, async (t) => {
    const pair = await openPair(t, role);
    pair.peer.socket.resetAndDestroy();
    const { code, description } = await pair.closed();
    assert.strictEqual(code, 1006);
    assert.match(description, /ECONNRESET/);
    assert.strictEqual(pair.seen.errors[0].code, 'ECONNRESET');
    assert.deepStrictEqual(pair.seen.log.map(([event]) => event), ['error', 'close']);
  });

  test(`RFC 6455 7.1.2: ${role}: close() waits for the answer and reports its own code`, async (t) => {
    const pair = await openPair(t, role);
    // The end of the one direction must not end the other before the answer is sent.
    pair.peer.socket.allowHalfOpen = true;
    pair.connection.close(3001, 'mine');
    assert.strictEqual(pair.connection.connected, false);
    assert.strictEqual(pair.connection.state, 'ending');
    await pair.received(CLOSE);
    await turns();
    assert.deepStrictEqual(pair.seen.closes, []);
    pair.send({ opcode: CLOSE, payload: closePayload(3001) });
    pair.peer.socket.end();
    assert.deepStrictEqual(await pair.closed(), { code: 3001, description: 'mine' });
    assert.strictEqual(pair.peer.frames.length, 1);
  });

  test(`RFC 6455 7.1.2: ${role}: close() without arguments sends 1000`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.close();
    assert.strictEqual((await pair.received(CLOSE)).code, 1000);
    pair.send({ opcode: CLOSE, payload: closePayload(1000) });
    assert.strictEqual((await pair.closed()).code, 1000);
  });

  test(`RFC 6455 7.1.2: ${role}: close() twice sends one Close`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.close(1000, 'first');
    pair.connection.close(3000, 'second');
    await pair.received(CLOSE);
    pair.send({ opcode: CLOSE, payload: closePayload(1000) });
    assert.deepStrictEqual(await pair.closed(), { code: 1000, description: 'first' });
    assert.deepStrictEqual(pair.peer.frames.map((frame) => frame.reason), ['first']);
  });

  test(`RFC 6455 7.1.2: ${role}: both sides may close at once`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.close(3002, 'mine');
    pair.send({ opcode: CLOSE, payload: closePayload(3003, 'yours') });
    await pair.closed();
    await pair.peer.until((peer) => peer.ended, 'the end of the TCP connection');
    assert.deepStrictEqual(pair.peer.frames.map((frame) => [frame.opcode, frame.code]), [[CLOSE, 3002]]);
    assert.strictEqual(pair.seen.closes.length, 1);
    assert.ok([3002, 3003].includes(pair.seen.closes[0].code));
  });

  test(`RFC 6455 7.1.4: ${role}: a peer that never answers a Close is given up after closeTimeout`, async (t) => {
    const pair = await openPair(t, role, { closeTimeout: 40 });
    pair.connection.close();
    await pair.received(CLOSE);
    await pair.peer.until((peer) => peer.ended, 'the end of the TCP connection');
    pair.peer.socket.end();
    await pair.closed();
    assert.strictEqual(pair.seen.closes.length, 1);
  });

  test(`RFC 6455 7.1.1: ${role}: what was sent before close() arrives before the Close`, async (t) => {
    const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
    const big = 'x'.repeat(300000);
    for (let i = 0; i < 10; i++) pair.connection.sendUTF(big);
    pair.connection.close();
    await pair.received(CLOSE);
    assert.deepStrictEqual(pair.peer.frames.map((frame) => frame.opcode), [...Array(10).fill(TEXT), CLOSE]);
    assert.ok(pair.peer.frames.slice(0, 10).every((frame) => frame.payload.length === big.length));
  });

  test(`RFC 6455 5.5.1: ${role}: nothing is sent after the Close`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.close();
    const errors = [];
    pair.connection.sendUTF('late', (error) => errors.push(error));
    pair.connection.sendBytes(Buffer.from('late'), (error) => errors.push(error));
    pair.connection.ping('late');
    await pair.received(CLOSE);
    pair.send({ opcode: PING, payload: 'not answered' });
    pair.send({ opcode: CLOSE, payload: closePayload(1000) });
    await pair.closed();
    await pair.peer.until((peer) => peer.ended, 'the end of the TCP connection');
    assert.deepStrictEqual(pair.peer.frames.map((frame) => frame.opcode), [CLOSE]);
    await eventually(() => errors.length === 2, 'both callbacks');
    assert.ok(errors.every((error) => error instanceof Error));
  });

  test(`RFC 6455 7.1.2: ${role}: messages that come before the answer to close() are still delivered`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.close();
    await pair.received(CLOSE);
    pair.send({ opcode: TEXT, payload: 'on the way' }, { opcode: CLOSE, payload: closePayload(1000) });
    await pair.closed();
    // 1.0.35 drops them; what matters here is that they cannot come after the end.
    const log = pair.seen.log.map(([event]) => event);
    assert.strictEqual(log.indexOf('close'), log.length - 1);
  });

  test(`RFC 6455 7.1.7: ${role}: drop() sends its code and ends the TCP connection without waiting`, async (t) => {
    const pair = await openPair(t, role);
    let state;
    pair.connection.on('close', () => { state = pair.connection.state; });
    pair.connection.drop(1008, 'policy');
    assert.deepStrictEqual(pair.seen.closes, [{ code: 1008, description: 'policy' }]);
    assert.strictEqual(state, 'closed');
    const frame = await pair.received(CLOSE);
    assert.deepStrictEqual([frame.code, frame.reason], [1008, 'policy']);
    await pair.peer.close();
    await turns();
    assert.strictEqual(pair.seen.closes.length, 1);
  });

  test(`RFC 6455 7.1.7: ${role}: drop() without a Close frame sends none`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.drop(1006, 'gone', true);
    await pair.peer.close();
    assert.deepStrictEqual(pair.peer.frames, []);
    assert.deepStrictEqual(pair.seen.closes, [{ code: 1006, description: 'gone' }]);
  });

  for (const code of [1005, 1006, 1015]) {
    test(`RFC 6455 7.4.1: ${role}: drop(${code}) does not put that code on the wire`, async (t) => {
      const pair = await openPair(t, role);
      pair.connection.drop(code, 'gone');
      assert.strictEqual(pair.seen.closes[0].code, code);
      await pair.peer.close();
      assert.ok(pair.peer.frames.every((frame) => frame.code !== code), `code ${code} was sent`);
    });
  }

  test(`RFC 6455 7.1.4: ${role}: one close event and no error when the peer leaves after its Close was answered`, async (t) => {
    const pair = await openPair(t, role);
    pair.send({ opcode: CLOSE, payload: closePayload(1000, 'done') });
    await pair.received(CLOSE);
    pair.peer.socket.end();
    assert.deepStrictEqual(await pair.closed(), { code: 1000, description: 'done' });
    await turns();
    assert.deepStrictEqual(pair.seen.log, [['close', 1000, 'done']]);
  });
}
