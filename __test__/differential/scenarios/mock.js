'use strict';

// Connections made by hand on an EventEmitter that stands in for a socket.

const { EventEmitter } = require('events');
const { encodeFrame, closePayload } = require('../../helpers/raw');
const { raw, stateOf } = require('../watch');
const { CONNECTION_CONFIG } = require('../context');

/** A connection on a mock, to which `frames` are given as data; `action` runs before. */
const mocked = (name, action, { config, mask, socket: options, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, socket } = context.mockConnection({ config, mask, socket: context.mock(options) });
    const give = (...frames) => socket.emit('data', Buffer.concat(frames.map((frame) => (Buffer.isBuffer(frame) ? frame : encodeFrame(frame)))));
    await action({ connection, socket, give, trace: context.trace, call: context.call, settle: context.settle, sleep: context.sleep, lib: context.lib });
    await context.settle();
    context.trace('in the end', raw(stateOf(connection)), connection.frameQueue.length, connection.fragmentationSize);
    if (connection.state !== 'closed') connection.drop(1000, 'end of the test', true);
  },
  ...more,
});

const text = (payload, more) => ({ opcode: 1, payload, ...more });

module.exports = [
  {
    name: 'a new connection has the documented members and touches the socket only as documented',
    async run({ lib, mock, trace }) {
      const socket = mock();
      const config = { ...CONNECTION_CONFIG, closeTimeout: 77, maxReceivedMessageSize: 0x200000000 };
      const connection = new lib.connection(socket, ['ext'], 'proto', true, config);
      for (const key of ['config', 'socket', 'protocol', 'extensions', 'remoteAddress', 'closeReasonCode', 'closeDescription', 'closeEventEmitted',
        'maskOutgoingPackets', 'fragmentationSize', 'frameQueue', 'connected', 'state', 'waitingForCloseResponse', 'receivedEnd', 'closeTimeout',
        'assembleFragments', 'maxReceivedMessageSize', 'outputBufferFull', 'inputPaused', '_pingListenerCount']) {
        if (!['config', 'socket'].includes(key)) trace(key, connection[key]);
      }
      trace('given', connection.config === config, connection.socket === socket);
      trace('buffers', Buffer.isBuffer(connection.maskBytes), connection.maskBytes.length, Buffer.isBuffer(connection.frameHeader), connection.frameHeader.length);
      trace('bufferList', connection.bufferList.length, connection.currentFrame instanceof lib.frame, connection.currentFrame.parseState);
      trace('listeners on the socket', socket.eventNames());
      trace('_debug', typeof connection._debug, typeof connection._debug.printOutput, Boolean(connection._debug.enabled));
      trace('absent', connection.webSocketVersion, connection.remoteAddresses);
    },
  },
  {
    name: '_addSocketEventListeners() listens to exactly the documented events',
    async run({ mockConnection, trace }) {
      const { connection, socket } = mockConnection({ listen: false });
      connection._addSocketEventListeners();
      for (const event of ['error', 'end', 'close', 'drain', 'pause', 'resume', 'data']) trace(event, socket.listenerCount(event));
    },
  },
  {
    name: 'listeners for errors on the socket are removed by the constructor',
    async run({ lib, mock, trace }) {
      const socket = mock();
      socket.on('error', () => {});
      socket.on('close', () => {});
      void new lib.connection(socket, [], null, false, CONNECTION_CONFIG);
      trace('left', socket.listenerCount('error'), socket.listenerCount('close'));
    },
  },
  {
    name: 'disableNagleAlgorithm is handed to setNoDelay()',
    async run({ mockConnection }) {
      mockConnection({ config: { disableNagleAlgorithm: false } });
      mockConnection({ config: { disableNagleAlgorithm: true } });
    },
  },
  mocked('sending: one write for each frame, header and payload together', async ({ connection, socket, trace }) => {
    connection.sendUTF('text');
    connection.sendBytes(Buffer.from([1, 2, 3]));
    connection.ping('p');
    connection.pong(Buffer.from('q'));
    trace('bytes', socket.written);
  }),
  mocked('sending fragments: one write each', async ({ connection, socket, trace }) => {
    connection.sendUTF('0123456789');
    trace('bytes', socket.written);
  }, { config: { fragmentationThreshold: 4 } }),
  mocked('the write is synchronous', async ({ connection, trace }) => {
    trace('before');
    connection.sendUTF('now');
    trace('after');
  }),
  mocked('a masking connection on a mock', async ({ connection, socket, trace }) => {
    connection.sendUTF('masked');
    trace('length', socket.written[0].length, (socket.written[0][1] & 0x80) !== 0);
  }, { mask: true }),
  mocked('messages given as data', async ({ give, settle }) => {
    give(text('one'));
    await settle();
    give(text('two'), text('three'), { opcode: 2, payload: Buffer.from([1, 2]) });
    await settle();
  }),
  mocked('frames may be unmasked when they come by a mock', async ({ give, settle }) => {
    give(text('unmasked', { mask: false }));
    await settle();
  }),
  mocked('frames in pieces', async ({ give, settle }) => {
    const bytes = encodeFrame(text('in pieces'));
    for (const byte of bytes) { give(Buffer.from([byte])); await settle(); }
  }),
  mocked('fragments fill frameQueue and the message empties it', async ({ connection, give, settle, trace }) => {
    give(text('a', { fin: false }));
    await settle();
    trace('queue', connection.frameQueue.length, connection.fragmentationSize);
    give({ opcode: 0, payload: 'bc', fin: false });
    await settle();
    trace('queue', connection.frameQueue.length, connection.fragmentationSize);
    give({ opcode: 0, payload: 'd', fin: true });
    await settle();
  }),
  mocked('drop() empties the queue of fragments', async ({ connection, give, settle, trace }) => {
    give(text('a', { fin: false }));
    await settle();
    connection.drop();
    trace('queue', connection.frameQueue, connection.fragmentationSize, connection.bufferList.length);
  }),
  mocked('a protocol error drops the connection', async ({ give, settle }) => { give(text('x', { rsv: 4 })); await settle(); }),
  mocked('a too large frame drops the connection', async ({ give, settle }) => { give(text('x'.repeat(11))); await settle(); }, { config: { maxReceivedFrameSize: 10 } }),
  mocked('a message too large drops the connection', async ({ give, settle }) => {
    give(text('123456', { fin: false }), { opcode: 0, payload: '78901', fin: true });
    await settle();
  }, { config: { maxReceivedMessageSize: 10 } }),
  mocked('invalid UTF-8 drops the connection', async ({ give, settle }) => { give(text(Buffer.from([0xff]))); await settle(); }),
  mocked('a ping is answered', async ({ give, settle }) => { give({ opcode: 9, payload: 'mock' }); await settle(); }),
  mocked('close(), then the answer of the peer, then the end of the socket', async ({ connection, give, settle, trace, socket }) => {
    connection.close(1000, 'bye');
    trace('closing', raw(stateOf(connection)));
    give({ opcode: 8, payload: closePayload(1000) });
    await settle();
    trace('answered', raw(stateOf(connection)));
    socket.emit('end');
    socket.emit('close', false);
  }),
  mocked('a Close of the peer', async ({ connection, give, settle, trace, socket }) => {
    give({ opcode: 8, payload: closePayload(4001, 'reason') });
    await settle();
    trace('answered', raw(stateOf(connection)));
    socket.emit('end');
    socket.emit('close', false);
  }),
  mocked('the end of the socket in the open state', async ({ socket, settle, trace, connection }) => {
    socket.emit('end');
    await settle();
    trace('ended', raw(stateOf(connection)));
    socket.emit('close', false);
  }),
  mocked('close of the socket with an error', async ({ socket, connection, trace }) => {
    socket.emit('close', true);
    trace('hadError', connection.socketHadError);
  }),
  mocked('close of the socket twice', async ({ socket }) => { socket.emit('close', false); socket.emit('close', false); }),
  mocked('end and data after close of the socket', async ({ socket, give, settle }) => {
    socket.emit('close', false);
    socket.emit('end');
    give(text('late'));
    await settle();
  }),
  mocked('an error of the socket', async ({ socket, settle }) => {
    socket.emit('error', Object.assign(new Error('broken'), { syscall: 'write', code: 'EPIPE' }));
    await settle();
  }),
  mocked('an error of the socket after the connection closed', async ({ socket, connection, settle }) => {
    connection.drop(1000, 'first', true);
    socket.emit('error', Object.assign(new Error('late'), { syscall: 'read', code: 'ECONNRESET' }));
    await settle();
  }),
  mocked('destroy() that emits close synchronously inside drop()', async ({ connection, settle }) => {
    connection.drop(4000, 'sync');
    await settle();
  }, { socket: { closing: 'sync' } }),
  mocked('destroy() that never emits close', async ({ connection, settle }) => {
    connection.drop(4000, 'never');
    await settle();
  }, { socket: { closing: 'never' } }),
  mocked('a write whose callback never comes', async ({ connection, trace, settle }) => {
    connection.sendUTF('x', () => trace('called'));
    await settle();
  }, { socket: { acknowledge: 'never' } }),
  mocked('a write whose callback comes at once', async ({ connection, trace }) => {
    connection.sendUTF('x', (...args) => trace('called', ...args));
    trace('returned');
  }, { socket: { acknowledge: 'sync' } }),
  mocked('a write that fails: the callback hears the error', async ({ connection, socket, trace, settle }) => {
    socket.writeError = new Error('no more');
    connection.sendUTF('x', (...args) => trace('called', ...args));
    connection.sendBytes(Buffer.from('123456'), (...args) => trace('bytes', ...args));
    await settle();
  }),
  mocked('a failing write of fragments: the callback hears the first error only', async ({ connection, socket, trace, settle }) => {
    socket.writeError = new Error('no more');
    connection.sendUTF('0123456789', (...args) => trace('called', ...args));
    await settle();
  }, { config: { fragmentationThreshold: 4 } }),
  mocked('a write that throws', async ({ connection, socket, call }) => {
    socket.write = () => { throw new Error('from write'); };
    call('sendUTF', () => connection.sendUTF('x'));
    call('ping', () => connection.ping());
    socket.write = () => true;
  }),
  mocked('the close timeout ends the socket', async ({ connection, sleep, trace }) => {
    connection.close();
    trace('timer', connection.closeTimer !== null && connection.closeTimer !== undefined);
    await sleep(40);
    trace('timed out', raw(stateOf(connection)));
  }, { config: { closeTimeout: 10 } }),
  mocked('a close event of the socket stops the close timer', async ({ connection, socket, sleep, trace }) => {
    connection.close();
    socket.emit('close', false);
    trace('closed', raw(stateOf(connection)));
    await sleep(30);
  }, { config: { closeTimeout: 10 } }),
  mocked('state and friends are writable', async ({ connection, trace, call }) => {
    Object.assign(connection, { state: 'ending', connected: false, closeReasonCode: 4444, closeDescription: 'set', waitingForCloseResponse: true });
    trace('set', raw(stateOf(connection)));
    call('close()', () => connection.close());
    connection.state = 'open';
    connection.connected = true;
    connection.waitingForCloseResponse = false;
    call('close()', () => connection.close(4445, 'really'));
  }),
  mocked('connected = false makes it ignore data', async ({ connection, give, settle }) => {
    connection.connected = false;
    give(text('ignored'));
    await settle();
  }),
  mocked('waitingForCloseResponse = true makes a Close an answer', async ({ connection, give, settle, trace }) => {
    connection.waitingForCloseResponse = true;
    give({ opcode: 8, payload: closePayload(1001) });
    await settle();
    trace('state', raw(stateOf(connection)));
  }),
  mocked('handlers called directly', async ({ connection, settle, call }) => {
    call('handleSocketData', () => connection.handleSocketData(encodeFrame(text('direct'))));
    await settle();
    call('handleSocketPause', () => connection.handleSocketPause());
    call('handleSocketResume', () => connection.handleSocketResume());
    call('handleSocketDrain', () => connection.handleSocketDrain());
    call('handleSocketEnd', () => connection.handleSocketEnd());
    call('handleSocketError', () => connection.handleSocketError(Object.assign(new Error('direct'), { syscall: 's', code: 'C' })));
    call('handleSocketClose', () => connection.handleSocketClose(true));
  }),
  mocked('processFrame() of a frame made by the program', async ({ connection, lib, call }) => {
    const make = (fields) => Object.assign(new lib.frame(Buffer.alloc(4), Buffer.alloc(10), connection.config), { fin: true, length: 0, binaryPayload: Buffer.alloc(0) }, fields);
    call('text', () => connection.processFrame(make({ opcode: 1, binaryPayload: Buffer.from('abc'), length: 3 })));
    call('binary', () => connection.processFrame(make({ opcode: 2, binaryPayload: Buffer.from([1]), length: 1 })));
    call('start', () => connection.processFrame(make({ opcode: 1, fin: false, binaryPayload: Buffer.from('x'), length: 1 })));
    call('continuation', () => connection.processFrame(make({ opcode: 0, binaryPayload: Buffer.from('y'), length: 1 })));
    call('ping', () => connection.processFrame(make({ opcode: 9, binaryPayload: Buffer.from('p'), length: 1 })));
    call('pong', () => connection.processFrame(make({ opcode: 10 })));
    call('unknown', () => connection.processFrame(make({ opcode: 6 })));
  }),
  {
    name: 'two connections on one socket both hear its events',
    async run({ mock, mockConnection, settle }) {
      const socket = mock();
      const first = mockConnection({ socket, label: 'first' });
      const second = mockConnection({ socket, label: 'second' });
      socket.emit('data', encodeFrame({ opcode: 1, payload: 'for both' }));
      await settle();
      first.connection.sendUTF('from the first');
      second.connection.sendUTF('from the second');
      socket.emit('drain');
      first.connection.drop(4000, 'only the first');
      await settle();
      second.connection.drop(1000, 'end', true);
    },
  },
  {
    name: 'a mock without the methods a socket has beyond the documented ones',
    async run({ lib, trace, settle }) {
      const socket = new EventEmitter();
      for (const method of ['end', 'destroy', 'pause', 'resume', 'setNoDelay', 'setTimeout']) socket[method] = (...args) => trace(method, ...args);
      socket.write = (data) => { trace('write', data); return true; };
      const connection = new lib.connection(socket, [], null, false, CONNECTION_CONFIG);
      connection._addSocketEventListeners();
      connection.on('message', (message) => trace('message', message));
      connection.on('close', (...args) => trace('close', ...args));
      trace('remoteAddress', connection.remoteAddress);
      socket.emit('data', encodeFrame({ opcode: 1, payload: 'bare' }));
      await settle();
      connection.sendUTF('out');
      connection.close();
      socket.emit('close');
    },
  },
  {
    name: 'a duplex stream as socket',
    async run({ lib, trace, settle }) {
      const { Duplex } = require('stream');
      const socket = new Duplex({ read() {}, write(chunk, encoding, done) { trace('written', chunk); done(); } });
      Object.assign(socket, { setNoDelay() {}, setTimeout() {}, remoteAddress: 'nowhere' });
      const connection = new lib.connection(socket, [], null, false, CONNECTION_CONFIG);
      connection._addSocketEventListeners();
      connection.on('message', (message) => trace('message', message));
      connection.on('close', (...args) => trace('close', ...args));
      socket.push(encodeFrame({ opcode: 1, payload: 'through a stream' }));
      await settle();
      connection.sendUTF('answer');
      await settle();
      socket.push(null);
      await settle();
      connection.drop(1000);
      await settle();
    },
  },
];
