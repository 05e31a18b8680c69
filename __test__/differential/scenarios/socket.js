'use strict';

// The socket below a connection: what programs read from it and do to it.

const net = require('net');
const { encodeFrame, decodeFrames, rawClient } = require('../../helpers/raw');
const { formatFrame } = require('../format');
const { raw, stateOf } = require('../watch');
const { CONNECTION_CONFIG } = require('../context');

module.exports = [
  {
    name: 'connection.socket is the socket of the request, with its addresses',
    async run({ pair, trace }) {
      const { connection, request, peer, port } = await pair();
      const { socket } = connection;
      trace('same', socket === request.socket, socket === request.httpRequest.socket, socket instanceof net.Socket);
      trace('addresses', socket.remoteAddress, socket.remoteFamily, socket.localPort === port, socket.remotePort === peer.socket.localPort);
      trace('state', socket.destroyed, socket.readable, socket.writable, socket.connecting, socket.readyState);
    },
  },
  {
    name: 'write() of the socket, spied on before anything was sent, sees each frame',
    async run({ pair, trace, wire }) {
      const { connection, peer } = await pair();
      const { write } = connection.socket;
      connection.socket.write = function spy(data, ...rest) {
        trace('write', decodeFrames(Buffer.from(data)).frames.map(formatFrame));
        return write.call(this, data, ...rest);
      };
      connection.sendUTF('text');
      connection.sendBytes(Buffer.from([1]));
      connection.ping('p');
      await peer.frame(3);
      wire(peer);
    },
  },
  {
    name: 'write() of the socket, spied on after something was sent, sees each frame',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.sendUTF('before');
      await peer.frame(1);
      const { write } = connection.socket;
      connection.socket.write = function spy(data, ...rest) {
        trace('write', decodeFrames(Buffer.from(data)).frames.map(formatFrame));
        return write.call(this, data, ...rest);
      };
      connection.sendUTF('after');
      await peer.frame(2);
      connection.close(4000, 'over');
      await wireToEnd(peer);
    },
  },
  {
    name: 'end() and destroy() of the socket, spied on, are called by close() and drop()',
    async run({ pair, trace }) {
      const { connection } = await pair({ events: [] });
      for (const method of ['end', 'destroy']) {
        const original = connection.socket[method];
        connection.socket[method] = function spy(...args) { trace(method); return original.apply(this, args); };
      }
      connection.drop(1000);
    },
  },
  {
    name: 'a data listener of the program on the socket sees the bytes, the connection still its messages',
    async run({ pair, trace, until }) {
      const { connection, peer } = await pair({ events: ['message'] });
      let bytes = 0;
      let seen = 0;
      connection.socket.on('data', (chunk) => { bytes += chunk.length; });
      connection.on('message', () => { seen++; });
      peer.send({ opcode: 1, payload: 'one' });
      peer.send({ opcode: 1, payload: 'two' });
      await until(() => seen === 2, 'two messages');
      trace('bytes', bytes);
    },
  },
  {
    name: 'data emitted on a real socket by the program is received',
    async run({ pair, event }) {
      const { connection } = await pair({ events: ['message'] });
      const got = event(connection, 'message');
      connection.socket.emit('data', encodeFrame({ opcode: 1, payload: 'emitted' }));
      await got;
    },
  },
  {
    name: 'bytes the program writes on the socket are on the wire in order with frames',
    async run({ pair, wire }) {
      const { connection, peer } = await pair();
      connection.sendUTF('first');
      connection.socket.write(encodeFrame({ opcode: 1, payload: 'second, by hand', mask: false }));
      connection.sendUTF('third');
      await peer.frame(3);
      wire(peer);
    },
  },
  {
    name: 'pause() and resume() of the socket pause and resume the connection',
    async run({ pair, trace, sleep, until }) {
      const { connection, peer } = await pair();
      let seen = 0;
      connection.on('message', () => { seen++; });
      connection.socket.pause();
      trace('paused', raw(stateOf(connection)), connection.socket.isPaused());
      peer.send({ opcode: 1, payload: 'later' });
      await sleep(15);
      trace('seen', seen);
      connection.socket.resume();
      await until(() => seen === 1, 'the message');
    },
  },
  {
    name: 'bytesRead and bytesWritten of the socket grow with the messages',
    async run({ pair, trace, event }) {
      const { connection, peer } = await pair({ events: [] });
      const before = [connection.socket.bytesRead, connection.socket.bytesWritten];
      const message = event(connection, 'message');
      peer.send({ opcode: 1, payload: 'x'.repeat(50) });
      await message;
      connection.sendUTF('y'.repeat(60));
      await peer.frame();
      trace('grown', connection.socket.bytesRead - before[0], connection.socket.bytesWritten - before[1]);
    },
  },
  {
    name: 'close listeners on the socket: their order with the close event of the connection',
    async run({ pair, trace, event }) {
      const { connection, peer } = await pair({ events: ['close'] });
      const closed = event(connection.socket, 'close');
      connection.socket.on('end', () => trace('socket end'));
      connection.socket.on('close', (hadError) => trace('socket close', hadError));
      peer.socket.end();
      await closed;
    },
  },
  {
    name: 'after drop() the socket is destroyed and emits close',
    async run({ pair, trace, event }) {
      const { connection } = await pair({ events: ['close'] });
      const closed = event(connection.socket, 'close');
      connection.drop(1000);
      trace('dropped', connection.socket.destroyed, connection.socket.writable);
      await closed;
      trace('closed', connection.socket.destroyed, connection.socket.readable);
    },
  },
  {
    name: 'a timeout set on the socket by the program is emitted',
    async run({ pair, trace, event }) {
      const { connection } = await pair({ events: ['close'] });
      const timeout = event(connection.socket, 'timeout');
      connection.socket.setTimeout(15);
      await timeout;
      trace('timeout', connection.connected);
      connection.socket.setTimeout(0);
    },
  },
  {
    name: 'messages keep a timeout set on the socket by the program away',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ events: ['close'] });
      connection.socket.on('timeout', () => trace('timeout'));
      connection.socket.setTimeout(300);
      for (let i = 0; i < 10; i++) {
        await sleep(40);
        peer.send({ opcode: 1, payload: 'x' });
      }
      trace('done');
      connection.socket.setTimeout(0);
    },
  },
  {
    name: 'http.Server.close() waits for connections, and calls back when the last has gone',
    async run({ pair, trace, event }) {
      const { http: web, connection, peer } = await pair({ events: ['close'] });
      const closed = new Promise((resolve) => { web.close(() => { trace('server closed'); resolve(); }); });
      trace('closing', connection.connected);
      connection.sendUTF('still here');
      await peer.frame();
      const gone = event(connection, 'close');
      connection.drop(1000);
      await gone;
      await closed;
    },
  },
  {
    name: 'getConnections() of the http server counts connections',
    async run({ pair, trace, until }) {
      const { http: web, connection } = await pair({ events: [] });
      const count = () => new Promise((resolve) => { web.getConnections((error, number) => resolve(number)); });
      trace('open', await count());
      connection.drop(1000);
      let left = 1;
      await until(() => { count().then((number) => { left = number; }); return left === 0; }, 'the server to forget it');
      trace('dropped', left);
    },
  },
  {
    name: 'setNoDelay, setKeepAlive, ref and unref of the socket may be called',
    async run({ pair, trace }) {
      const { connection } = await pair({ events: [] });
      const { socket } = connection;
      trace('chained', socket.setNoDelay(false) === socket, socket.setKeepAlive(true, 1000) === socket, socket.unref() === socket, socket.ref() === socket);
    },
  },
  {
    name: 'the socket of a client connection is a net.Socket and that of the client',
    async run({ clientPair, trace }) {
      const { connection, client } = await clientPair({ events: [] });
      trace('socket', connection.socket === client.socket, connection.socket instanceof net.Socket, connection.socket.remoteAddress, connection.remoteAddress);
    },
  },
  {
    name: 'a connection made by hand on a real socket',
    async run({ lib, trace, event, onCleanup, hide, watchConnection, wireToEnd }) {
      const server = net.createServer().listen(0, '127.0.0.1');
      onCleanup(() => new Promise((resolve) => { server.close(resolve); }));
      await event(server, 'listening');
      hide(server.address().port, 'port');
      const accepted = event(server, 'connection');
      const peer = await rawClient(server.address().port, { head: '' });
      const [socket] = await accepted;
      const connection = watchConnection(new lib.connection(socket, [], null, false, CONNECTION_CONFIG), 'connection', ['message', 'close']);
      connection._addSocketEventListeners();
      peer.head = '';
      const message = event(connection, 'message');
      peer.send({ opcode: 1, payload: 'by hand' });
      await message;
      connection.sendUTF('answer');
      await peer.frame();
      connection.drop(1000, 'done');
      await wireToEnd(peer);
      trace('destroyed', socket.destroyed);
    },
  },
];
