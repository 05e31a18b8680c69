'use strict';

// Clients and the servers they should not have met: whatever those answer, the attempt ends in exactly one event, nothing
// is thrown, and no socket is left.

const { describe, it: test, before, after } = require('node:test');
const assert = require('node:assert');
const net = require('net');
const { once } = require('events');
const { websocket } = require('../helpers/under-test');
const { eventually } = require('../helpers/under-test/endpoints');
const { OPCODE, RawPeer, acceptKey, encodeFrame, closePayload } = require('../helpers/raw');

const { TEXT, BINARY, CONTINUATION, CLOSE, PING } = OPCODE;

/** The right answer to a request, with header lines added. */
function answer(peer, lines = '') {
  const key = /^sec-websocket-key: *(.*)\r$/im.exec(peer.head)[1];
  return Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n${lines}\r\n`);
}

/** How a peer leaves. */
const leave = {
  'resets the connection': (socket) => socket.resetAndDestroy(),
  'ends its side': (socket) => socket.end(),
  'closes the socket': (socket) => socket.destroy()
};

/** Names of prototypes, as the names of header lines. */
const inherited = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];

const frame = (options) => encodeFrame({ mask: false, ...options });

/** What servers do: the bytes they answer, after which they stay or leave. */
const servers = {
  'thousands of header lines': (peer) => answer(peer, Array.from({ length: 5000 }, (_, index) => `X-${index}: 1\r\n`).join('')),
  'a header line of a megabyte': (peer) => answer(peer, `X: ${'y'.repeat(1 << 20)}\r\n`),
  'header lines called as what objects inherit': (peer) => answer(peer, inherited.map((name) => `${name}: 1\r\n`).join('')),
  'a subprotocol called __proto__': (peer) => answer(peer, 'Sec-WebSocket-Protocol: __proto__\r\n'),
  'an extension called __proto__': (peer) => answer(peer, 'Sec-WebSocket-Extensions: __proto__; constructor=1\r\n'),
  'a status of many digits': () => Buffer.from('HTTP/1.1 101101101101 x\r\n\r\n'),
  'HTTP of another version': () => Buffer.from('HTTP/9.9 101 Switching Protocols\r\n\r\n'),
  'another 101 before the 101': (peer) => Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), answer(peer)]),
  'a hundred hints before the 101': (peer) => Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'.repeat(100)), answer(peer)]),
  'a chunked body without end': () => Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(10000)}`),
  'a body of a length that lies': () => Buffer.from('HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999999999999\r\n\r\nx'),
  'a redirection to nowhere': () => Buffer.from('HTTP/1.1 302 Found\r\nLocation: \0\0\r\nContent-Length: 0\r\n\r\n'),
  'TLS': () => Buffer.from([0x16, 3, 3, 0, 0x7A, 2, 0, 0, 0x76, 3, 3]),
  'a masked frame with the answer': (peer) => Buffer.concat([answer(peer), encodeFrame({ opcode: TEXT, payload: 'x' })]),
  'a reserved opcode with the answer': (peer) => Buffer.concat([answer(peer), frame({ opcode: 3 })]),
  'broken text with the answer': (peer) => Buffer.concat([answer(peer), frame({ opcode: TEXT, payload: Buffer.from([0xFF]) })]),
  'a length of 2^63 with the answer': (peer) => Buffer.concat([answer(peer), frame({ opcode: BINARY, declaredLength: 1n << 63n })]),
  'a Close of one byte with the answer': (peer) => Buffer.concat([answer(peer), frame({ opcode: CLOSE, payload: 'x' })]),
  'twenty thousand pings and a Close with the answer': (peer) => Buffer.concat([
    answer(peer), Buffer.alloc(40000, frame({ opcode: PING })), frame({ opcode: CLOSE, payload: closePayload(1000) })]),
  'the beginning of a message, and then nothing': (peer) => Buffer.concat([
    answer(peer), frame({ opcode: TEXT, payload: 'x', fin: false }), frame({ opcode: CONTINUATION, declaredLength: 10, payload: 'y' })])
};

describe('servers that clients should not have met', { concurrency: false }, () => {
  let server;
  let port;
  let act;
  const sockets = new Set();
  const thrown = [];
  const onException = (error) => thrown.push(error);

  before(async () => {
    server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      const peer = new RawPeer(socket);
      peer.until(() => peer.head !== null, 'a request').then(() => act(peer), () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address());
    process.on('uncaughtException', onException);
  });

  after(() => {
    process.removeListener('uncaughtException', onException);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** Connects with the client; resolves with its events when nothing more can come. */
  async function attempt() {
    const events = [];
    const client = new websocket.client({ closeTimeout: 100 });
    client.on('connectFailed', (error) => events.push(['connectFailed', error]));
    client.on('connect', (connection) => {
      events.push(['connect']);
      connection.on('error', () => {});
      connection.on('close', (code) => events.push(['close', code]));
    });
    client.connect(`ws://127.0.0.1:${port}/`);
    await eventually(() => events.length > 0, 'an event');
    if (events[0][0] === 'connect') await eventually(() => events.length > 1, 'close');
    return events;
  }

  /** What an attempt may end in: one failure, or a connection and its end. */
  function check(events) {
    const names = events.map(([name]) => name);
    assert.ok(['connectFailed', 'connect,close'].includes(names.join()), `events: ${names}`);
    if (names[0] === 'connectFailed') assert.ok(events[0][1] instanceof Error, String(events[0][1]));
    assert.deepStrictEqual(thrown, []);
  }

  /** Connects with the W3C class; resolves with its events and state at the end. */
  async function attemptW3C() {
    const events = [];
    const socket = new websocket.w3cwebsocket(`ws://127.0.0.1:${port}/`);
    for (const name of ['open', 'error', 'close']) socket[`on${name}`] = () => events.push(name);
    await eventually(() => events.includes('close'), 'the close event');
    return { events, readyState: socket.readyState };
  }

  for (const [how, end] of Object.entries(leave)) {
    test(`a server that ${how} after each byte of its answer`, async () => {
      const length = answer({ head: 'Sec-WebSocket-Key: x\r\n' }).length;
      for (let start = 0; start < length; start += 40) {
        const some = Array.from({ length: Math.min(40, length - start) }, (_, index) => start + index);
        const cuts = [...some];
        act = (peer) => {
          const cut = cuts.shift();
          peer.socket.write(answer(peer).subarray(0, cut), () => end(peer.socket));
        };
        for (const events of await Promise.all(some.map(attempt))) {
          check(events);
          assert.strictEqual(events[0][0], 'connectFailed');
        }
      }
      await eventually(() => sockets.size === 0, 'all sockets to close');
    });

    test(`a server that ${how} after each byte of its first frames`, async () => {
      const frames = Buffer.concat([frame({ opcode: TEXT, payload: 'abc', fin: false }), frame({ opcode: PING }), frame({ opcode: CONTINUATION, payload: 'd' })]);
      for (let cut = 0; cut <= frames.length; cut++) {
        act = (peer) => peer.socket.write(Buffer.concat([answer(peer), frames.subarray(0, cut)]), () => end(peer.socket));
        const events = await attempt();
        check(events);
        // A reset may overtake the answer.
        if (events[0][0] === 'connect') assert.strictEqual(events[1][1], 1006);
      }
      await eventually(() => sockets.size === 0, 'all sockets to close');
    });
  }

  for (const [what, bytes] of Object.entries(servers)) {
    test(`a server that answers with ${what}`, async () => {
      act = (peer) => {
        peer.socket.write(bytes(peer));
        setTimeout(() => peer.socket.end(), 50);
      };
      check(await attempt());
      const { events, readyState } = await attemptW3C();
      assert.ok(/^(open,)?(error,)?close$/.test(events.join()), `events of the W3C class: ${events}`);
      assert.strictEqual(readyState, 3);
      await eventually(() => sockets.size === 0, 'all sockets to close');
      assert.deepStrictEqual(thrown, []);
      assert.strictEqual({}[1], undefined);
    });
  }

  test('a server that answers one byte at a time', async () => {
    act = async (peer) => {
      peer.socket.setNoDelay(true);
      for (const byte of Buffer.concat([answer(peer), frame({ opcode: CLOSE, payload: closePayload(1000) })])) {
        peer.socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const events = await attempt();
    assert.deepStrictEqual(events, [['connect'], ['close', 1000]]);
  });

  test('a server that accepts the connection and says nothing, until abort()', async () => {
    act = () => {};
    const events = [];
    const client = new websocket.client();
    client.on('connectFailed', () => events.push('connectFailed'));
    client.on('connect', () => events.push('connect'));
    client.connect(`ws://127.0.0.1:${port}/`);
    await eventually(() => sockets.size === 1, 'the connection');
    client.abort();
    client.abort();
    await eventually(() => sockets.size === 0, 'the socket to close');
    assert.ok(events.length <= 1 && !events.includes('connect'), String(events));
    assert.deepStrictEqual(thrown, []);
  });
});

describe('line breaks that a program passes on to a client', () => {
  const evil = 'a\r\nX-Evil: 1';
  for (const [what, args] of [
    ['a header', [null, null, { 'X-A': evil }]],
    ['the name of a header', [null, null, { [evil]: '1' }]],
    ['the origin', [null, evil]],
    ['a subprotocol', [[evil]]]
  ]) {
    test(`${what} with a line break adds no line to the request`, async (t) => {
      const heads = [];
      const server = net.createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (data) => {
          heads.push(data.toString('latin1'));
          socket.destroy();
        });
      });
      t.after(() => server.close());
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      let outcome = null;
      const client = new websocket.client();
      client.on('connectFailed', (error) => { outcome = error; });
      try {
        client.connect(`ws://127.0.0.1:${server.address().port}/`, ...args);
      } catch (error) {
        outcome = error;
      }
      await eventually(() => outcome !== null, 'an error');
      assert.ok(outcome instanceof Error);
      for (const head of heads) assert.doesNotMatch(head, /^X-Evil/im);
    });
  }
});
