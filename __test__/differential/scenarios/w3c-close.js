'use strict';

// The W3C class: failure and closing in each state.

const { opened } = require('./w3c');
const { closePayload } = require('../../helpers/raw');
const { raw } = require('../watch');

/** The program closes an open socket with these arguments, the peer answers. */
const closing = (name, args, more = {}) => ({
  name,
  async run(context) {
    const { socket, peer } = await opened(context);
    const closed = new Promise((resolve) => { socket.addEventListener('close', resolve); });
    let thrown = false;
    try {
      context.trace('close() returns', socket.close(...args), raw(`| readyState ${socket.readyState}`));
    } catch (error) {
      thrown = true;
      context.trace('close() throws', error, raw(`| readyState ${socket.readyState}`));
    }
    if (!thrown) {
      const { code } = await peer.frame();
      peer.send({ opcode: 8, payload: closePayload(code || 1000), mask: false });
      await closed;
    }
    await context.settle();
    context.wire(peer);
  },
  ...more,
});

/** The peer closes an open socket with this frame, or in its own way. */
const peerCloses = (name, action, more = {}) => ({
  name,
  async run(context) {
    const { socket, peer } = await opened(context);
    const closed = new Promise((resolve) => { socket.addEventListener('close', resolve); });
    action(peer, socket);
    await closed;
    await context.settle();
    context.trace('state', socket.readyState);
  },
  ...more,
});

const close = (code, reason) => (peer) => peer.send({ opcode: 8, payload: code === undefined ? '' : closePayload(code, reason), mask: false });

/** A socket that cannot connect; `start` gives its URL. */
const failing = (name, start, more = {}) => ({
  name,
  async run(context) {
    const url = await start(context);
    const socket = context.watchW3C(new context.lib.w3cwebsocket(url));
    socket.onerror = () => context.trace('onerror', socket.readyState);
    const closed = new Promise((resolve) => { socket.onclose = () => { context.trace('onclose', socket.readyState); resolve(); }; });
    context.trace('connecting', socket.readyState);
    await closed;
    await context.settle();
  },
  ...more,
});

module.exports = [
  closing('close()', []),
  closing('close(1000)', [1000]),
  closing('close(1000, reason)', [1000, 'bye']),
  closing('close(3000, reason)', [3000, 'of the application']),
  closing('close(4999)', [4999]),
  closing('close(1001), a code that is not for scripts', [1001]),
  closing('close(2999)', [2999]),
  closing('close(1005)', [1005]),
  closing('close(0)', [0]),
  closing('close(undefined, reason)', [undefined, 'only a reason']),
  closing('close(4000, reason of 124 bytes)', [4000, 'r'.repeat(124)]),
  closing('close("4000")', ['4000']),
  {
    name: 'close() twice, and in the close listener',
    async run(context) {
      const { socket, peer } = await opened(context);
      socket.onclose = () => { context.trace('onclose'); socket.close(4001); };
      const closed = new Promise((resolve) => { socket.addEventListener('close', resolve); });
      socket.close(4000, 'first');
      socket.close(4001, 'second');
      await peer.frame();
      peer.send({ opcode: 8, payload: closePayload(4000), mask: false });
      await closed;
      socket.close();
      await context.wireToEnd(peer);
    },
  },
  peerCloses('the server closes with 1000', close(1000, 'done')),
  peerCloses('the server closes with 1001', close(1001, 'going')),
  peerCloses('the server closes with 4000 and no reason', close(4000)),
  peerCloses('the server closes without code', close()),
  peerCloses('the server hangs up without Close', (peer) => peer.socket.end()),
  peerCloses('the server resets the connection', (peer) => peer.socket.resetAndDestroy()),
  peerCloses('the server breaks the protocol', (peer) => peer.send({ opcode: 3, payload: 'x', mask: false })),
  peerCloses('the server sends invalid UTF-8', (peer) => peer.send({ opcode: 1, payload: Buffer.from([0xff]), mask: false })),
  peerCloses('the program drops the connection below', (peer, socket) => socket._connection.drop(4004, 'below')),
  failing('a refused connection: error, then close 1006', async ({ hide }) => {
    const net = require('net');
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => { server.on('listening', resolve); });
    const { port } = server.address();
    hide(port, 'port');
    await new Promise((resolve) => { server.close(resolve); });
    return `ws://127.0.0.1:${port}/`;
  }),
  failing('a rejected handshake: error, then close 1006', async ({ server }) => (await server({}, { on: { request: (request) => request.reject(401) }, watch: [] })).url),
  failing('a server that hangs up: error, then close 1006', async ({ rawServer }) => (await rawServer((peer) => peer.destroy())).url),
  {
    name: 'a constructor with bad arguments throws',
    async run({ lib, call }) {
      call('relative', () => new lib.w3cwebsocket('/x'));
      call('bad protocol', () => new lib.w3cwebsocket('ws://127.0.0.1:9/', 'a b'));
    },
  },
  {
    name: 'removing the connectFailed listener of the client silences error and close',
    async run({ lib, server, trace, event, settle, watchW3C }) {
      const { url } = await server({}, { on: { request: (request) => request.reject(500) }, watch: [] });
      const socket = watchW3C(new lib.w3cwebsocket(url));
      socket._client.removeAllListeners('connectFailed');
      await event(socket._client, 'connectFailed');
      await settle();
      trace('state', socket.readyState);
    },
  },
  {
    name: 'an httpResponse listener on the client suppresses error and close',
    async run({ lib, server, trace, event, settle, watchW3C }) {
      const { url } = await server({}, { on: { request: (request) => request.reject(429, 'slow') }, watch: [] });
      const socket = watchW3C(new lib.w3cwebsocket(url));
      const [response] = await event(socket._client, 'httpResponse');
      response.resume();
      trace('response', response.statusCode);
      await settle();
      trace('state', socket.readyState);
    },
  },
  {
    name: 'an exception in the error listener: close is dispatched all the same',
    crashes: true,
    async run({ lib, rawServer, watchW3C, settle }) {
      const server = await rawServer((peer) => peer.destroy());
      const socket = watchW3C(new lib.w3cwebsocket(server.url));
      socket.onerror = () => { throw new Error('from onerror'); };
      await new Promise((resolve) => { socket.onclose = resolve; });
      await settle();
    },
  },
  {
    name: 'close() while connecting: events and state',
    async run({ lib, rawServer, watchW3C, trace, settle, until }) {
      const server = await rawServer();
      const socket = watchW3C(new lib.w3cwebsocket(server.url));
      trace('close() returns', socket.close(4000, 'early'), raw(`| readyState ${socket.readyState}`));
      trace('after the call');
      await until(() => socket.readyState === 3, 'the end');
      await settle();
      trace('state', socket.readyState);
    },
  },
  {
    name: 'close() while connecting: what the server sees',
    async run({ lib, rawServer, settle, trace, until }) {
      let answer;
      const server = await rawServer((peer) => { answer = peer; });
      const socket = new lib.w3cwebsocket(server.url);
      await until(() => answer, 'the request');
      socket.close(4000, 'early');
      await settle();
      trace('state', socket.readyState);
      if (!answer.closed) {
        const { acceptKey } = require('../../helpers/raw');
        answer.write(`HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(answer.key)}\r\n\r\n`);
        await answer.frame();
        trace('Close', answer.frames[0].code, answer.frames[0].reason);
        answer.send({ opcode: 8, payload: closePayload(4000), mask: false });
      }
      await answer.close();
      trace('frames', answer.frames.length);
    },
  },
  {
    name: 'after the close event the listeners of client and connection are gone',
    async run(context) {
      const { socket, peer } = await opened(context);
      const connection = socket._connection;
      const closed = new Promise((resolve) => { socket.addEventListener('close', resolve); });
      peer.destroy();
      await closed;
      await context.settle();
      context.trace('listeners', connection.listenerCount('message'), connection.listenerCount('close'), socket._client.listenerCount('connect'), socket._client.listenerCount('connectFailed'));
      context.trace('kept', socket._connection === connection, socket.readyState);
    },
  },
];
