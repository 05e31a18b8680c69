'use strict';

// Order and timing: ticks between messages, calls made from listeners, bytes that come with the handshake.

const { encodeFrame, acceptKey, requestHead } = require('../../helpers/raw');
const { once } = require('events');
const { raw, stateOf } = require('../watch');

const text = (payload, mask = true) => encodeFrame({ opcode: 1, payload, mask });
const texts = (...payloads) => Buffer.concat(payloads.map((payload) => text(payload)));

module.exports = [
  {
    name: 'ticks and microtasks of one message run before the next message',
    async run({ pair, trace, until, settle }) {
      const { connection, peer } = await pair({ events: [] });
      let seen = 0;
      connection.on('message', ({ utf8Data }) => {
        seen++;
        trace('message', utf8Data);
        process.nextTick(() => trace('tick of', utf8Data));
        Promise.resolve().then(() => trace('microtask of', utf8Data)).then(() => trace('second microtask of', utf8Data));
        queueMicrotask(() => process.nextTick(() => trace('tick of a microtask of', utf8Data)));
      });
      peer.write(texts('1', '2', '3', '4', '5'));
      await until(() => seen === 5, 'five messages');
      await settle();
    },
  },
  {
    name: 'await once(connection, "message") in a loop gets each message of a segment',
    async run({ pair, trace }) {
      const { connection, peer } = await pair({ events: [] });
      peer.write(texts('1', '2', '3', '4', '5'));
      for (let i = 0; i < 5; i++) {
        const [message] = await once(connection, 'message');
        trace('message', message.utf8Data);
      }
    },
  },
  {
    name: 'the same with fragments and control frames in between',
    async run({ pair, trace }) {
      const { connection, peer } = await pair({ events: [] });
      connection.on('pong', (data) => { trace('pong', data); process.nextTick(() => trace('tick of pong')); });
      peer.write(Buffer.concat([
        encodeFrame({ opcode: 1, payload: 'a', fin: false }), encodeFrame({ opcode: 10, payload: 'p' }), encodeFrame({ opcode: 0, payload: 'b' }), text('c'), text('d'),
      ]));
      for (let i = 0; i < 3; i++) {
        const [message] = await once(connection, 'message');
        trace('message', message.utf8Data);
      }
    },
  },
  {
    name: 'an exception in a message listener escapes and the other messages still arrive',
    crashes: true,
    async run({ pair, trace, until }) {
      const { connection, peer } = await pair({ events: [] });
      let seen = 0;
      connection.on('message', ({ utf8Data }) => {
        seen++;
        trace('message', utf8Data);
        if (utf8Data === '2') throw new Error('from the listener');
      });
      peer.write(texts('1', '2', '3', '4'));
      await until(() => seen === 4, 'four messages');
      trace('state', raw(stateOf(connection)));
    },
  },
  {
    name: 'an exception in a close listener escapes, the connection is closed all the same',
    crashes: true,
    async run({ pair, trace, until, settle }) {
      const { connection, peer, ws } = await pair({ watchServer: ['close'] });
      connection.on('close', () => { throw new Error('from the listener'); });
      peer.destroy();
      await until(() => connection.closeEventEmitted, 'the close event');
      await settle();
      trace('state', raw(stateOf(connection)), ws.connections.length);
    },
  },
  {
    name: 'an exception in a request listener escapes; the request stays pending',
    crashes: true,
    async run({ server, dial, trace, until, settle }) {
      const { ws, port } = await server({}, { watch: ['request'] });
      let seen = false;
      ws.on('request', () => { seen = true; throw new Error('from the listener'); });
      const peer = await dial(port);
      await until(() => seen, 'the request');
      await settle();
      trace('pending', ws.pendingRequests.length, peer.closed);
    },
  },
  {
    name: 'listeners added in a message listener hear the next message',
    async run({ pair, trace, until }) {
      const { connection, peer } = await pair({ events: [] });
      let seen = 0;
      connection.once('message', ({ utf8Data }) => {
        trace('first listener', utf8Data);
        connection.on('message', (message) => { seen++; trace('second listener', message.utf8Data); });
      });
      peer.write(texts('1', '2', '3'));
      await until(() => seen === 2, 'two messages');
    },
  },
  {
    name: 'answers sent from a message listener are on the wire in order',
    async run({ pair, wire }) {
      const { connection, peer } = await pair({ events: [] });
      connection.on('message', ({ utf8Data }) => { connection.sendUTF(`${utf8Data}a`); process.nextTick(() => connection.sendUTF(`${utf8Data}b`)); });
      peer.write(texts('1', '2', '3'));
      await peer.frame(6);
      wire(peer);
    },
  },
  {
    name: 'a message and a ping in one segment are answered in order',
    async run({ pair, wire }) {
      const { connection, peer } = await pair({ events: [] });
      connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data));
      peer.write(Buffer.concat([text('1'), encodeFrame({ opcode: 9, payload: 'p' }), text('2'), encodeFrame({ opcode: 9, payload: 'q' })]));
      await peer.frame(4);
      wire(peer);
    },
  },
  {
    name: 'messages of two connections keep their own order',
    async run({ server, open, lane, until }) {
      let seen = 0;
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        const note = lane(request.resource);
        request.accept().on('message', ({ utf8Data }) => { seen++; note('message', utf8Data); });
      });
      const peers = [await open(port, { path: '/a' }), await open(port, { path: '/b' })];
      for (const peer of peers) peer.write(texts('1', '2', '3'));
      await until(() => seen === 6, 'six messages');
    },
  },
  {
    name: 'sending right after accept(): the message follows the answer to the handshake',
    async run({ server, open, wire }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        const connection = request.accept();
        connection.sendUTF('welcome');
        connection.sendBytes(Buffer.from([1]));
        connection.ping('p');
      });
      const peer = await open(port);
      await peer.frame(3);
      wire(peer);
    },
  },
  {
    name: 'messages that arrive while accept() is awaited are delivered after it',
    async run({ server, dial, trace, until, watchConnection, settle }) {
      const { ws, port } = await server({}, { watch: ['connect'] });
      let pending;
      ws.on('request', (request) => { pending = request; });
      const peer = await dial(port);
      await until(() => pending, 'the request');
      peer.write(texts('early one', 'early two'));
      await settle();
      let seen = 0;
      const connection = watchConnection(pending.accept());
      trace('accepted', raw(stateOf(connection)));
      connection.on('message', () => { seen++; });
      await until(() => seen === 2, 'two messages');
    },
  },
  {
    name: 'a message that comes with the request head, accepted at once',
    async run({ server, dial, trace, watchConnection, settle }) {
      const { ws, port } = await server({}, { watch: ['connect'] });
      ws.on('request', (request) => watchConnection(request.accept()));
      const peer = await dial(port, { head: Buffer.concat([Buffer.from(requestHead()), texts('with the head')]) });
      await peer.until(() => peer.head !== null, 'an answer');
      await settle();
      peer.write(text('after'));
      await peer.until(() => peer.head !== null, 'an answer');
      await settle();
      trace('answer', peer.status);
    },
  },
  {
    name: 'the connect event of a client comes before its messages, those in one segment with the answer',
    async run({ rawServer, lib, trace, until }) {
      const server = await rawServer((peer) => {
        peer.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${acceptKey(peer.key)}\r\n\r\n`), text('one', false), text('two', false), text('three', false).subarray(0, 4)]));
      });
      const client = new lib.client();
      let seen = 0;
      client.on('connect', (connection) => {
        trace('connect', client.firstDataChunk.length);
        connection.on('message', ({ utf8Data }) => { seen++; trace('message', utf8Data); });
      });
      client.connect(server.url);
      const peer = await server.next();
      await until(() => seen === 2, 'two messages');
      peer.write(text('three', false).subarray(4));
      await until(() => seen === 3, 'three messages');
    },
  },
  {
    name: 'a Close that comes with the answer to the handshake',
    async run({ rawServer, lib, trace, event, watchConnection, wireToEnd }) {
      const server = await rawServer((peer) => {
        peer.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${acceptKey(peer.key)}\r\n\r\n`), encodeFrame({ opcode: 8, payload: Buffer.from([3, 233]), mask: false })]));
      });
      const client = new lib.client();
      client.on('connect', (connection) => { trace('connect'); watchConnection(connection); });
      client.connect(server.url);
      const [connection] = await event(client, 'connect');
      if (!connection.closeEventEmitted) await event(connection, 'close');
      await wireToEnd(await server.next());
    },
  },
  {
    name: 'messages, then a Close, then the end, in one segment',
    async run({ pair, event, settle, trace }) {
      const { connection, peer } = await pair({ events: [] });
      connection.on('message', (message) => trace('message', message));
      connection.on('close', (...args) => trace('close', ...args));
      const closed = event(connection, 'close');
      peer.socket.end(Buffer.concat([texts('1', '2'), encodeFrame({ opcode: 8, payload: Buffer.from([15, 160, 120, 121]) })]));
      await closed;
      await settle();
    },
  },
  {
    name: 'drop() inside a message listener: close comes at once, inside the call',
    async run({ pair, trace, event }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      connection.on('message', () => { trace('before drop'); connection.drop(1000); trace('after drop'); });
      peer.write(texts('1', '2'));
      await closed;
      await new Promise(setImmediate);
    },
  },
  {
    name: 'close(): the event comes later, never inside the call',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.close();
      trace('returned', connection.closeEventEmitted);
      await wireToEnd(peer);
    },
  },
  {
    name: 'removing all listeners stops events, the connection goes on answering',
    async run({ pair, trace, until, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.removeAllListeners();
      peer.write(Buffer.concat([text('unheard'), encodeFrame({ opcode: 9, payload: 'p' })]));
      await peer.frame();
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
      await wireToEnd(peer);
      await until(() => connection.closeEventEmitted, 'the end');
      trace('state', raw(stateOf(connection)));
    },
  },
];
