'use strict';

// Pausing and resuming, full output buffers and drain.

const { raw, stateOf } = require('../watch');

module.exports = [
  {
    name: 'pause() stops messages, resume() delivers what came meanwhile in order',
    async run({ pair, trace, call, sleep, until }) {
      const { connection, peer } = await pair();
      let seen = 0;
      connection.on('message', () => { seen++; });
      call('pause()', () => connection.pause());
      trace('paused', connection.inputPaused);
      for (const payload of ['one', 'two', 'three']) peer.send({ opcode: 1, payload });
      await sleep(20);
      trace('while paused', seen);
      call('resume()', () => connection.resume());
      await until(() => seen === 3, 'three messages');
    },
  },
  {
    name: 'pause() in a message listener holds back the rest of the segment',
    async run({ pair, trace, sleep, until }) {
      const { connection, peer } = await pair();
      let seen = 0;
      connection.on('message', (message) => {
        seen++;
        if (message.utf8Data !== 'two') return;
        connection.pause();
        trace('paused', raw(stateOf(connection)));
      });
      peer.socket.cork();
      for (const payload of ['one', 'two', 'three', 'four']) peer.send({ opcode: 1, payload });
      peer.socket.uncork();
      await until(() => seen >= 2, 'two messages');
      await sleep(10);
      trace('while paused', seen);
      connection.resume();
      await until(() => seen === 4, 'four messages');
    },
  },
  {
    name: 'pause and resume events come once for each change',
    async run({ pair, settle, trace }) {
      const { connection } = await pair();
      await settle();
      trace('start');
      connection.pause();
      connection.pause();
      await settle();
      connection.resume();
      connection.resume();
      await settle();
    },
  },
  {
    name: 'a paused connection does not notice a Close before it is resumed',
    async run({ pair, trace, sleep, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.pause();
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
      await sleep(20);
      trace('paused', raw(stateOf(connection)));
      connection.resume();
      await wireToEnd(peer);
    },
  },
  {
    name: 'sending is possible while paused',
    async run({ pair, wire }) {
      const { connection, peer } = await pair();
      connection.pause();
      connection.sendUTF('out');
      await peer.frame();
      wire(peer);
      connection.resume();
    },
  },
  {
    name: 'drop() while paused',
    async run({ pair, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.pause();
      connection.drop(4000, 'paused');
      await wireToEnd(peer);
    },
  },
  {
    name: 'a full output buffer is announced, and drained',
    async run({ pair, trace, until, sleep }) {
      const { connection, peer } = await pair({ config: { fragmentOutgoingMessages: false }, events: ['drain', 'close'] });
      peer.socket.pause();
      const block = Buffer.alloc(1 << 20, 1);
      let sent = 0;
      while (!connection.outputBufferFull && sent < 64) { connection.sendBytes(block); sent++; }
      trace('full', connection.outputBufferFull);
      await sleep(5);
      peer.socket.resume();
      await until(() => !connection.outputBufferFull, 'the drain');
      trace('drained', raw(stateOf(connection)));
      connection.drop(1000);
    },
  },
  {
    name: 'mock: the return value of write() is that of sendFrame() and sets outputBufferFull',
    async run({ lib, mock, mockConnection, call, trace }) {
      const socket = mock();
      const { connection } = mockConnection({ socket });
      const frame = () => Object.assign(new lib.frame(connection.maskBytes, connection.frameHeader, connection.config), { fin: true, opcode: 1, binaryPayload: Buffer.from('x') });
      for (const flushed of [true, false, true]) {
        socket.flushed = flushed;
        call('sendFrame()', () => connection.sendFrame(frame()));
        trace('full', connection.outputBufferFull);
      }
      socket.flushed = false;
      connection.sendUTF('y');
      trace('full', connection.outputBufferFull);
      socket.emit('drain');
      trace('after drain', connection.outputBufferFull);
    },
  },
  {
    name: 'mock: pause, resume and drain events of the socket',
    async run({ mock, mockConnection, trace }) {
      const socket = mock();
      const { connection } = mockConnection({ socket });
      for (const event of ['pause', 'resume', 'drain', 'pause']) socket.emit(event);
      trace('state', raw(stateOf(connection)));
      connection.resume();
      trace('state', raw(stateOf(connection)));
    },
  },
  {
    name: 'mock: data that arrives while paused waits for resume',
    async run({ mock, mockConnection, trace, settle }) {
      const { encodeFrame } = require('../../helpers/raw');
      const socket = mock();
      const { connection } = mockConnection({ socket });
      socket.emit('pause');
      socket.emit('data', Buffer.concat([encodeFrame({ opcode: 1, payload: 'one' }), encodeFrame({ opcode: 1, payload: 'two' })]));
      await settle();
      trace('paused', raw(stateOf(connection)));
      socket.emit('resume');
      await settle();
      trace('resumed', raw(stateOf(connection)));
    },
  },
];
