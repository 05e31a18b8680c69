'use strict';

// Peers that filled the memory of 1.0.35. COMPATIBILITY: W4, W5, W6.
// The server is a child process that measures itself; this process is the peer. The bounds leave room for the buffers
// of a busy connection and are a third or less of what 1.0.35 takes.

const { test } = require('node:test');
const assert = require('node:assert');
const { openRawClient } = require('../helpers/under-test/endpoints');
const { startScenario } = require('../helpers/under-test/child');
const { OPCODE, encodeFrame } = require('../helpers/raw');

const scenarios = require.resolve('./scenarios.js');
const MiB = 1 << 20;

/** A child that runs the scenario, and a peer connected to it. */
async function victim(t, name, args) {
  const run = startScenario(t, scenarios, name, { args, execArgv: ['--expose-gc'] });
  const { port } = await run.report('port');
  const peer = await openRawClient(port);
  t.after(() => peer.destroy());
  return { run, peer };
}

/** The same frame over and over: `count` times. */
function flood(frame, count) {
  const one = encodeFrame(frame);
  return Buffer.alloc(one.length * count, one);
}

const mask = Buffer.from([1, 2, 3, 4]);

for (const [what, payload, count] of [['empty', '', 150000], ['one-byte', 'x', 150000]]) {
  for (const opcode of [OPCODE.TEXT, OPCODE.BINARY]) {
    test(`W4: an endless ${opcode === OPCODE.TEXT ? 'text' : 'binary'} message of ${what} fragments does not fill the memory`, async (t) => {
      const { run, peer } = await victim(t, 'measured', {});
      peer.send({ opcode, payload: 'x', fin: false });
      peer.write(flood({ opcode: OPCODE.CONTINUATION, payload, fin: false, mask }, count));
      // Not part of the message, and answered after all that came before: then it is time to measure.
      peer.send({ opcode: OPCODE.PING, payload: 'done' });
      await peer.until(() => peer.frames.length > 0 || peer.closed, 'the pong, or a refusal', 30000);
      if (!peer.closed && peer.frames[0].opcode === OPCODE.PONG) {
        // Ends the message, so that the connection is closed with everything still in place.
        peer.send({ opcode: OPCODE.CLOSE });
      }
      const { grown } = await run.report('grown', 10000);
      assert.ok(grown < 8 * MiB, `${(grown / MiB).toFixed(1)} MiB more in use`);
    });
  }
}

test('W5: a flood of tiny frames faster than the program handles it is not read into memory', async (t) => {
  const { run, peer } = await victim(t, 'flooded', { spin: 20, after: 700 });
  const chunk = flood({ opcode: OPCODE.BINARY, payload: 'x', mask }, 20000);
  const write = () => {
    while (peer.socket.bytesWritten < 96 * MiB && peer.socket.write(chunk));
  };
  peer.socket.on('drain', write);
  write();
  const { grown, grownRss, messages } = await run.report('grown', 20000);
  assert.ok(messages > 0);
  assert.ok(grown < 12 * MiB, `${(grown / MiB).toFixed(1)} MiB more in use after ${messages} messages`);
  assert.ok(grownRss < 64 * MiB, `${(grownRss / MiB).toFixed(1)} MiB more resident`);
});

test('W6: pongs nobody reads do not pile up, and the newest ping is answered', async (t) => {
  const { run, peer } = await victim(t, 'measured', {});
  peer.socket.pause();
  const pings = 150000;
  peer.write(flood({ opcode: OPCODE.PING, payload: 'p'.repeat(125), mask }, pings));
  peer.send({ opcode: OPCODE.PING, payload: 'the newest' });
  peer.send({ opcode: OPCODE.TEXT, payload: 'measure' });
  const { grown } = await run.report('grown', 30000);
  assert.ok(grown < 12 * MiB, `${(grown / MiB).toFixed(1)} MiB more in use`);
  peer.socket.resume();
  await peer.until(() => {
    const last = peer.frames[peer.frames.length - 1];
    return last && last.payload.toString() === 'the newest';
  }, 'the pong to the newest ping');
  assert.ok(peer.frames.every((frame) => frame.opcode === OPCODE.PONG));
});
