'use strict';

// What handlers of the W3C class may do inside its own events: call it, and throw.

const { describe, it: test } = require('node:test');
const assert = require('node:assert');
const { websocket } = require('../helpers/under-test');
const { rawServer, eventually, turns } = require('../helpers/under-test/endpoints');
const { runScenario } = require('../helpers/under-test/child');
const { OPCODE, encodeFrame, closePayload } = require('../helpers/raw');

const actions = {
  'close()': (socket) => socket.close(),
  'close(), twice': (socket) => {
    socket.close(4000, 'inside');
    socket.close();
  },
  'send()': (socket) => socket.send('inside'),
  'send() and close()': (socket) => {
    socket.send('inside');
    socket.close();
  },
  'dispatchEvent() of the same event': (socket, event) => {
    // Once, or it would go round for ever.
    if (!event.again) socket.dispatchEvent({ type: event.type, again: true });
  },
  'taking away the handlers': (socket) => Object.assign(socket, { onopen: null, onmessage: null, onerror: null }),
  'adding listeners while they are called': (socket, event) => {
    for (let i = 0; i < 20; i++) socket.addEventListener(event.type, () => {}, { once: i % 2 === 0 });
  }
};

describe('handlers of the W3C class', () => {
  for (const event of ['open', 'message', 'error', 'close']) {
    for (const [what, act] of Object.entries(actions)) {
      test(`${what} inside ${event}`, async (t) => {
        const raw = await rawServer(event === 'error' ? (peer) => peer.socket.end('HTTP/1.1 403 Forbidden\r\n\r\n') : undefined);
        t.after(() => raw.close());
        const socket = new websocket.w3cwebsocket(raw.url);
        const events = [];
        for (const name of ['open', 'message', 'error', 'close']) socket.addEventListener(name, (one) => events.push(one.again ? `${name} again` : name));
        let calls = 0;
        socket[`on${event}`] = (one) => {
          calls++;
          try {
            act(socket, one);
          } catch (error) {
            // Not connected yet, or not any more.
            assert.match(error.message, /not connected/);
          }
        };
        const peer = await raw.next();
        if (event === 'message') peer.write(encodeFrame({ opcode: OPCODE.TEXT, payload: 'x', mask: false }));
        if (event !== 'open') await turns();
        if (event !== 'error') {
          await eventually(() => socket.readyState === 1 || calls > 0, 'the connection');
          if (event !== 'close') await eventually(() => calls > 0, event);
          if (!peer.socket.destroyed) peer.write(encodeFrame({ opcode: OPCODE.CLOSE, payload: closePayload(1000), mask: false }));
        }
        await eventually(() => events.includes('close'), 'the close event');
        await turns();
        assert.ok(calls > 0, `${event} was not emitted`);
        assert.strictEqual(events.filter((name) => name === 'close').length, 1, String(events));
        assert.strictEqual(events[events.length - 1].replace(' again', ''), 'close', String(events));
        assert.strictEqual(socket.readyState, 3);
      });
    }

    test(`what is thrown inside ${event} reaches uncaughtException, and close still comes`, async (t) => {
      const { code, signal, stderr, reports } = await runScenario(t, require.resolve('./w3c-scenarios.js'), 'throwInside', { args: { event } });
      assert.deepStrictEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
      assert.deepStrictEqual(reports, [{ caught: [`inside ${event}`], closes: event === 'close' ? 0 : 1, readyState: 3 }]);
    });
  }
});
