'use strict';

// The W3C class: opening, events in both styles, messages, sending.

const { EventEmitter } = require('events');
const { raw } = require('../watch');
const { acceptKey } = require('../../helpers/raw');

/** A W3C socket connected to a raw server; its events are noted. */
async function opened(context, { args = [], onRequest, watch = true } = {}) {
  const server = await context.rawServer(onRequest);
  const socket = new context.lib.w3cwebsocket(server.url, ...args);
  if (watch) context.watchW3C(socket);
  const open = new Promise((resolve, reject) => { socket.addEventListener('open', resolve); socket.addEventListener('error', reject); });
  const peer = await server.next();
  await open;
  return { socket, peer, server };
}

/** Sends with `action` and notes the `count` frames that arrive. */
const sending = (name, count, action, more = {}) => ({
  name,
  async run(context) {
    const { socket, peer } = await opened(context);
    await action({ socket, call: context.call, trace: context.trace });
    if (count > 0) await peer.frame(count);
    await context.settle();
    context.wire(peer);
  },
  ...more,
});

/** The peer sends these frames; messages are noted. */
const receiving = (name, frames, { setup = () => {}, ...more } = {}) => ({
  name,
  async run(context) {
    const { socket, peer } = await opened(context);
    setup(socket, context);
    for (const frame of frames()) peer.send({ mask: false, ...frame });
    const last = new Promise((resolve) => socket._connection.on('pong', resolve));
    peer.send({ opcode: 10, mask: false });
    await last;
    await context.settle();
  },
  ...more,
});

const text = (payload) => ({ opcode: 1, payload });
const binary = (payload) => ({ opcode: 2, payload });

const withProtocol = (protocol) => (peer) => peer.write('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${acceptKey(peer.key)}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`);

const ATTRIBUTES = ['url', 'readyState', 'protocol', 'extensions', 'bufferedAmount', 'binaryType', 'CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

module.exports = [
  {
    name: 'a connection that the program has made up takes the place of one',
    async run({ lib, watchW3C, trace }) {
      for (const [label, ...args] of [['normal', 1000, 'bye'], ['abnormal', 1006, 'gone'], ['other', 4000, ''], ['without a code']]) {
        const socket = new lib.w3cwebsocket('ws://127.0.0.1:9/');
        watchW3C(socket, label);
        socket._client.abort();
        const connection = Object.assign(new EventEmitter(), { protocol: 'chat', socket: {} });
        socket._client.emit('connect', connection);
        trace(label, socket.readyState, socket.protocol, socket.extensions);
        connection.emit('message', { type: 'utf8', utf8Data: 'hello' });
        connection.emit('close', ...args);
        trace(label, socket.readyState);
        socket._client.on('connectFailed', () => {});
      }
    },
  },
  {
    name: 'attributes before, while and after being open',
    async run(context) {
      const { lib, rawServer, trace, event } = context;
      const server = await rawServer(withProtocol('chat'));
      const socket = new lib.w3cwebsocket(server.url, 'chat');
      const note = (label) => { for (const key of ATTRIBUTES) trace(`${label} ${key}`, socket[key]); };
      note('connecting');
      trace('connection', socket._connection);
      await new Promise((resolve) => { socket.onopen = resolve; });
      note('open');
      trace('connection', socket._connection, socket._client, socket._readyState, socket._client.response.headers.upgrade);
      const closed = event(socket._connection, 'close');
      (await server.next()).destroy();
      await closed;
      note('closed');
    },
  },
  {
    name: 'attributes are read-only, except binaryType',
    async run(context) {
      const { socket } = await opened(context);
      for (const key of ['url', 'readyState', 'protocol', 'extensions', 'bufferedAmount']) {
        let thrown = null;
        try { socket[key] = 'x'; } catch (error) { thrown = error.constructor.name; }
        context.trace(key, thrown, socket[key]);
      }
    },
  },
  {
    name: 'own members of a socket, as programs see them',
    async run(context) {
      const { socket } = await opened(context);
      for (const key of ['_url', '_readyState', '_protocol', '_extensions', '_bufferedAmount', '_binaryType', '_connection', '_client']) {
        context.trace(key, socket[key]);
      }
      context.trace('event target', typeof socket.addEventListener, typeof socket.removeEventListener, typeof socket.dispatchEvent);
    },
  },
  {
    name: 'on* handlers run before listeners, listeners in the order they were added',
    async run(context) {
      const { lib, rawServer, trace } = context;
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      const done = new Promise((resolve) => { socket.addEventListener('close', () => { trace('close listener'); resolve(); }); });
      socket.addEventListener('open', () => trace('open listener 1'));
      socket.onopen = () => trace('onopen');
      socket.addEventListener('open', () => trace('open listener 2'));
      socket.addEventListener('message', () => trace('message listener'));
      socket.onmessage = () => trace('onmessage');
      socket.onerror = () => trace('onerror');
      socket.onclose = () => trace('onclose');
      const peer = await server.next();
      peer.send({ opcode: 1, payload: 'x', mask: false });
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]), mask: false });
      await done;
    },
  },
  {
    name: 'events are plain mutable objects with type and target; this is the socket',
    async run(context) {
      const { lib, rawServer, trace } = context;
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      const show = (type) => function listener(event) {
        trace(type, event.type, event.target === socket, this === socket, Object.isExtensible(event), typeof event.stopImmediatePropagation);
        event.mine = 'yes';
        event.type = event.type + '';
        trace('members', ['data', 'code', 'reason', 'wasClean'].filter((key) => key in event));
      };
      for (const type of ['open', 'message', 'close']) {
        socket.addEventListener(type, show(type));
        socket.addEventListener(type, (event) => trace('second', event.mine));
      }
      const peer = await server.next();
      peer.send({ opcode: 1, payload: 'x', mask: false });
      const closed = new Promise((resolve) => { socket.onclose = resolve; });
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]), mask: false });
      await closed;
    },
  },
  {
    name: 'a listener is added once, removed listeners are not called, unknown ones are ignored',
    async run({ lib, rawServer, trace, settle }) {
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      await new Promise((resolve) => { socket.onopen = resolve; });
      const listener = () => trace('called');
      trace('returns', socket.addEventListener('custom', listener), socket.addEventListener('custom', listener));
      socket.dispatchEvent({ type: 'custom' });
      trace('removed', socket.removeEventListener('custom', listener), socket.removeEventListener('custom', listener), socket.removeEventListener('none', listener));
      socket.dispatchEvent({ type: 'custom' });
      socket.addEventListener('custom', null);
      socket.addEventListener(undefined, listener);
      socket.dispatchEvent({ type: 'custom' });
      socket.onopen = 'not a function';
      trace('dispatched', socket.dispatchEvent({ type: 'open' }));
      await settle();
    },
  },
  {
    name: 'dispatchEvent() by the program',
    async run({ lib, rawServer, trace, call }) {
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      await new Promise((resolve) => { socket.onopen = resolve; });
      socket.addEventListener('custom', (event) => trace('listener', event));
      socket.oncustom = (event) => trace('oncustom', event.type);
      call('event', () => socket.dispatchEvent({ type: 'custom', detail: 1 }));
      call('prevented', () => socket.dispatchEvent({ type: 'custom', defaultPrevented: true }));
      call('without type', () => socket.dispatchEvent({}));
      call('nothing', () => socket.dispatchEvent());
      socket.addEventListener('stop', (event) => { trace('first'); event.stopImmediatePropagation(); });
      socket.addEventListener('stop', () => trace('second'));
      call('stopped', () => socket.dispatchEvent({ type: 'stop' }));
    },
  },
  {
    name: 'removing a listener while it is being called',
    async run({ lib, rawServer, trace }) {
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      await new Promise((resolve) => { socket.onopen = resolve; });
      const once = () => { trace('once'); socket.removeEventListener('custom', once); };
      socket.addEventListener('custom', once);
      socket.addEventListener('custom', () => trace('other'));
      socket.dispatchEvent({ type: 'custom' });
      socket.dispatchEvent({ type: 'custom' });
    },
  },
  {
    name: 'an exception in a message listener reaches the process and the socket lives on',
    crashes: true,
    async run(context) {
      const { socket, peer } = await opened(context);
      socket.onmessage = ({ data }) => { if (data === 'bad') throw new Error('from onmessage'); };
      peer.send({ opcode: 1, payload: 'bad', mask: false });
      peer.send({ opcode: 1, payload: 'good', mask: false });
      await new Promise((resolve) => { socket.addEventListener('message', ({ data }) => { if (data === 'good') resolve(); }); });
      context.trace('state', socket.readyState);
    },
  },
  sending('send() of a string', 2, ({ socket, call }) => { call('string', () => socket.send('text')); call('String', () => socket.send(new String('object'))); }),
  sending('send() of an empty string', 1, ({ socket, call }) => { call('empty', () => socket.send('')); }),
  sending('send() of a Buffer', 1, ({ socket, call }) => { call('Buffer', () => socket.send(Buffer.from([1, 2, 3]))); }),
  sending('send() of ArrayBuffer, typed arrays and DataView', 5, ({ socket, call }) => {
    const { buffer } = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]);
    call('ArrayBuffer', () => socket.send(buffer));
    call('Uint8Array', () => socket.send(new Uint8Array([9, 8])));
    call('view', () => socket.send(new Uint8Array(buffer, 2, 3)));
    call('Float32Array', () => socket.send(new Float32Array([1])));
    call('empty', () => socket.send(new ArrayBuffer(0)));
  }),
  sending('send() of a DataView', 1, ({ socket, call }) => { call('DataView', () => socket.send(new DataView(new Uint8Array([7, 7]).buffer))); }),
  sending('send() of a number, an object, null and nothing', 0, ({ socket, trace }) => {
    for (const [label, value] of [['number', 5], ['object', { a: 1 }], ['array', [1]], ['boolean', true]]) {
      let thrown = null;
      try { socket.send(value); } catch (error) { thrown = error; }
      trace(label, thrown);
    }
    for (const value of [null, undefined]) {
      let thrown = null;
      try { socket.send(value); } catch (error) { thrown = error; }
      trace(String(value), thrown instanceof Error);
    }
  }),
  sending('send() goes through sendUTF() and sendBytes() of the connection', 0, ({ socket, trace }) => {
    socket._connection.sendUTF = (data) => trace('sendUTF', data);
    socket._connection.sendBytes = (data) => trace('sendBytes', data);
    socket.send('text');
    socket.send(Buffer.from([1]));
    socket.send(new Uint8Array([2]));
  }),
  {
    name: 'send() while connecting throws',
    async run(context) {
      const { lib, rawServer, call } = context;
      const server = await rawServer();
      const socket = new lib.w3cwebsocket(server.url);
      call('send()', () => socket.send('x'));
      await new Promise((resolve) => { socket.onopen = resolve; });
    },
  },
  {
    name: 'send() while closing and when closed',
    async run(context) {
      const { socket, peer } = await opened(context);
      const closed = new Promise((resolve) => { socket.onclose = resolve; });
      socket.close();
      context.call('closing', () => socket.send('x'));
      await peer.frame();
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]), mask: false });
      await closed;
      context.call('closed', () => socket.send('x'));
      await context.wireToEnd(peer);
    },
  },
  receiving('text messages', () => [text('one'), text('grüße')]),
  receiving('an empty text message', () => [text(''), text('after')]),
  receiving('binary messages are ArrayBuffers', () => [binary(Buffer.from([1, 2, 3])), binary('')], {
    setup: (socket, { trace }) => socket.addEventListener('message', ({ data }) => trace('data', data.constructor === ArrayBuffer, data.byteLength)),
  }),
  receiving('large messages', () => [binary(Buffer.alloc(70000, 1)), text('x'.repeat(70000))]),
  receiving('fragments are assembled', () => [{ opcode: 1, payload: 'a', fin: false }, { opcode: 0, payload: 'b' }]),
  {
    name: 'fragments are assembled although the client configuration says otherwise',
    async run(context) {
      const { lib, rawServer, trace, watchW3C } = context;
      const server = await rawServer();
      const config = { assembleFragments: false, closeTimeout: 99 };
      const socket = watchW3C(new lib.w3cwebsocket(server.url, null, null, null, null, config));
      const peer = await server.next();
      const message = new Promise((resolve) => { socket.onmessage = resolve; });
      peer.send({ opcode: 1, payload: 'a', fin: false, mask: false });
      peer.send({ opcode: 0, payload: 'b', mask: false });
      await message;
      trace('config', config.assembleFragments, Object.keys(config), socket._connection.closeTimeout);
    },
  },
  {
    name: 'the client configuration of the caller, with tlsOptions, after the constructor',
    async run({ lib, listen, trace }) {
      const { port } = await listen();
      const config = { tlsOptions: { rejectUnauthorized: false } };
      const socket = new lib.w3cwebsocket(`ws://127.0.0.1:${port}/`, [], null, null, null, config);
      trace('config', config);
      await new Promise((resolve) => { socket.onclose = resolve; });
    },
  },
  {
    name: 'six arguments reach the client',
    async run(context) {
      const { peer, socket } = await opened(context, {
        args: [['a', 'b'], 'http://origin.test', { 'X-Own': '1' }, { localAddress: '127.0.0.1' }, { closeTimeout: 321 }], onRequest: withProtocol('b'),
      });
      context.trace('head', peer.head.replace(/Sec-WebSocket-Key: .*/, 'Sec-WebSocket-Key: <key>'));
      context.trace('socket', socket.protocol, socket._connection.closeTimeout, socket._client.origin);
    },
  },
  {
    name: 'binaryType',
    async run(context) {
      const { socket } = await opened(context);
      context.call('arraybuffer', () => { socket.binaryType = 'arraybuffer'; return socket.binaryType; });
      for (const value of ['nodebuffer', '', undefined, 'ARRAYBUFFER']) {
        let thrown = null;
        try { socket.binaryType = value; } catch (error) { thrown = error.constructor.name; }
        context.trace(String(value), thrown, socket.binaryType);
      }
    },
  },
  {
    name: 'binaryType "blob"',
    async run(context) {
      const { socket } = await opened(context);
      let thrown = null;
      try { socket.binaryType = 'blob'; } catch (error) { thrown = error; }
      context.trace('blob', thrown, socket.binaryType);
    },
  },
  {
    name: 'expandos and _readyState written from outside are kept',
    async run(context) {
      const { socket } = await opened(context);
      socket.mine = 1;
      socket._readyState = 3;
      context.trace('state', socket.mine, socket.readyState);
      context.call('send()', () => socket.send('x'));
      socket._readyState = 1;
      context.call('send()', () => socket.send('y'));
    },
  },
  {
    name: 'bufferedAmount after sending much',
    async run(context) {
      const { socket, peer } = await opened(context);
      peer.socket.pause();
      for (let i = 0; i < 40 && socket._connection.socket.writableLength === 0; i++) socket.send(Buffer.alloc(1 << 20));
      context.trace('buffered', socket.bufferedAmount > 0, raw(`| readyState ${socket.readyState}`));
      peer.destroy();
    },
  },
];
module.exports.opened = opened;
