'use strict';

// What a connection receives: messages, fragments, frame mode, pings and pongs.

const { encodeFrame, closePayload } = require('../../helpers/raw');

/** Writes frames (objects for the codec, or Buffers) in one segment and notes what becomes of them. */
const receiving = (name, frames, { config, events, wait = 'message', answers = 0, one = false, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await context.pair({ config, events });
    const list = frames();
    const count = list.length;
    let seen = 0;
    if (wait) connection.on(wait, () => { seen++; });
    const bytes = list.map((frame) => (Buffer.isBuffer(frame) ? frame : encodeFrame(frame)));
    if (one) {
      for (const chunk of bytes) peer.write(chunk);
    } else {
      peer.write(Buffer.concat(bytes));
    }
    if (wait) await context.until(() => seen >= (more.count || count) || peer.closed, `${wait} events`);
    if (wait === 'close') await peer.close();
    if (answers) await peer.frame(answers);
    await context.settle();
    context.trace('in between', connection.fragmentationSize, connection.frameQueue.length);
    context.wire(peer);
  },
  ...more,
});

const text = (payload, more) => ({ opcode: 1, payload, ...more });
const binary = (payload, more) => ({ opcode: 2, payload, ...more });
const continuation = (payload, fin = false) => ({ opcode: 0, payload, fin });

/** Frames of one message cut into pieces. */
const pieces = (opcode, ...parts) => parts.map((payload, i) => ({ opcode: i === 0 ? opcode : 0, payload, fin: i === parts.length - 1 }));

module.exports = [
  receiving('text and binary messages', () => [text('hello'), binary(Buffer.from([1, 2, 3])), text('grüße 漢字 😀')]),
  receiving('empty messages', () => [text(''), binary('')]),
  receiving('messages of every length form', () => [125, 126, 65535, 65536].map((size) => binary(Buffer.alloc(size, 5))), { config: { maxReceivedFrameSize: 100000 } }),
  receiving('a message with a byte order mark keeps it', () => [text('\ufeffbom')]),
  receiving('a message in fragments', () => pieces(1, 'one ', 'two ', 'three'), { count: 1 }),
  receiving('a binary message in fragments', () => pieces(2, Buffer.from([1]), Buffer.from([2, 3]), Buffer.from([4])), { count: 1 }),
  receiving('a character over two fragments', () => pieces(1, Buffer.from([0x61, 0xc3]), Buffer.from([0xbc, 0x62])), { count: 1 }),
  receiving('empty fragments', () => pieces(1, '', 'a', '', 'b', ''), { count: 1 }),
  receiving('a fragmented message of empty fragments', () => pieces(2, '', ''), { count: 1 }),
  receiving('control frames between fragments', () => [text('a', { fin: false }), { opcode: 9, payload: 'ping' }, continuation('b'), { opcode: 10, payload: 'pong' }, continuation('c', true)],
    { count: 1, answers: 1 }),
  receiving('several messages in one segment', () => Array.from({ length: 6 }, (_, i) => text(`message ${i}`))),
  receiving('a frame cut into single bytes', () => [...encodeFrame(text('byte by byte'))].map((byte) => Buffer.from([byte])), { count: 1, one: true }),
  receiving('the start of a fragmented message stays queued', () => [text('a', { fin: false }), continuation('bc')], { wait: null, answers: 0 }),
  receiving('assembleFragments false: frames of a fragmented message are emitted one by one', () => pieces(1, 'one', 'two', 'three'),
    { config: { assembleFragments: false }, wait: 'frame' }),
  receiving('assembleFragments false: a message in a single frame', () => [text('single'), binary('bytes')],
    { config: { assembleFragments: false }, wait: 'frame' }),
  receiving('assembleFragments false: control frames are emitted as well', () => [{ opcode: 9, payload: 'p' }, { opcode: 10, payload: 'q' }],
    { config: { assembleFragments: false }, wait: 'frame', answers: 1 }),
  receiving('assembleFragments false: a close frame is emitted before the connection closes', () => [{ opcode: 8, payload: closePayload(1000, 'bye') }],
    { config: { assembleFragments: false }, wait: 'close', answers: 1 }),
  receiving('assembleFragments false: unexpected continuation is left to the program', () => [continuation('x'), continuation('y', true)],
    { config: { assembleFragments: false }, wait: 'frame' }),
  receiving('assembleFragments false: invalid UTF-8 is left to the program', () => [text(Buffer.from([0xff, 0xfe]), { fin: false })],
    { config: { assembleFragments: false }, wait: 'frame' }),
  receiving('assembleFragments false: a new message inside a fragmented one is left to the program', () => [text('a', { fin: false }), text('b')],
    { config: { assembleFragments: false }, wait: 'frame' }),
  {
    name: 'assembleFragments may be changed on the connection',
    async run({ pair, event, wire, settle }) {
      const { connection, peer } = await pair();
      connection.assembleFragments = false;
      const frame = event(connection, 'frame');
      peer.send(text('part', { fin: false }));
      await frame;
      const last = event(connection, 'frame');
      peer.send(continuation('end', true));
      await last;
      await settle();
      connection.assembleFragments = true;
      const message = event(connection, 'message');
      peer.send(text('whole'));
      await message;
      await settle();
      wire(peer);
    },
  },
  receiving('a ping is answered by a pong with the same data', () => [{ opcode: 9, payload: 'data' }, { opcode: 9 }, { opcode: 9, payload: Buffer.alloc(125, 7) }],
    { wait: null, answers: 3 }),
  receiving('a pong is emitted with its data', () => [{ opcode: 10, payload: 'unasked' }, { opcode: 10 }], { wait: 'pong' }),
  {
    name: 'a ping listener gets a cancel function and the data; the pong follows it',
    async run({ pair, trace, wire, settle }) {
      const { connection, peer } = await pair();
      connection.on('ping', (cancel, data) => { trace('ping', typeof cancel, data); connection.sendUTF('from the listener'); });
      trace('_pingListenerCount', connection._pingListenerCount);
      peer.send({ opcode: 9, payload: 'abc' });
      await peer.frame(2);
      await settle();
      wire(peer);
    },
  },
  {
    name: 'cancel() in a ping listener suppresses the pong, also with several listeners',
    async run({ pair, trace, wire, settle }) {
      const { connection, peer } = await pair();
      connection.on('ping', () => trace('first listener'));
      connection.on('ping', (cancel) => trace('cancel returns', cancel()));
      peer.send({ opcode: 9, payload: 'no answer' });
      peer.send({ opcode: 1, payload: 'after' });
      await new Promise((resolve) => connection.once('message', resolve));
      await settle();
      wire(peer);
    },
  },
  {
    name: 'cancel() called later does nothing',
    async run({ pair, trace, wire, settle }) {
      const { connection, peer } = await pair();
      connection.on('ping', (cancel) => setImmediate(() => { cancel(); trace('cancelled late'); }));
      peer.send({ opcode: 9, payload: 'x' });
      await peer.frame();
      await settle();
      wire(peer);
    },
  },
  {
    name: 'the number of ping listeners is counted, and without one the ping event is not emitted',
    async run({ pair, trace, wire, settle }) {
      const { connection, peer } = await pair();
      const listener = () => trace('ping');
      const counts = [connection._pingListenerCount];
      connection.on('ping', listener);
      counts.push(connection._pingListenerCount);
      connection.once('ping', listener);
      counts.push(connection._pingListenerCount);
      connection.removeListener('ping', listener);
      counts.push(connection._pingListenerCount);
      connection.removeListener('ping', listener);
      counts.push(connection._pingListenerCount);
      connection.prependListener('ping', listener);
      connection.removeAllListeners('ping');
      counts.push(connection._pingListenerCount);
      trace('counts', counts);
      const emit = connection.emit;
      connection.emit = function spied(event, ...args) {
        if (event === 'ping') trace('emitted');
        return emit.call(this, event, ...args);
      };
      peer.send({ opcode: 9 });
      await peer.frame();
      await settle();
      wire(peer);
    },
  },
  {
    name: 'a once listener for ping is called once, pongs go on',
    async run({ pair, trace, wire }) {
      const { connection, peer } = await pair();
      connection.once('ping', (cancel, data) => trace('ping', data, connection._pingListenerCount));
      peer.send({ opcode: 9, payload: '1' });
      peer.send({ opcode: 9, payload: '2' });
      await peer.frame(2);
      wire(peer);
    },
  },
  {
    name: 'the message object has exactly the documented members',
    async run({ pair, trace, event }) {
      const { connection, peer } = await pair({ events: [] });
      for (const frame of [text('t'), binary('b'), text('')]) {
        const got = event(connection, 'message');
        peer.send(frame);
        const [message, ...rest] = await got;
        trace('message', Object.keys(message), message.type, rest.length, Object.getPrototypeOf(message) === Object.prototype);
        if (message.binaryData) trace('data', Buffer.isBuffer(message.binaryData), message.binaryData.constructor === Buffer);
      }
    },
  },
  {
    name: 'received binary data is the own of the program: later frames do not change it',
    async run({ pair, trace, until }) {
      const { connection, peer } = await pair({ events: [] });
      const kept = [];
      connection.on('message', (message) => kept.push(message.binaryData));
      for (let i = 0; i < 20; i++) peer.send(binary(Buffer.alloc(50, i)));
      await until(() => kept.length === 20, '20 messages');
      trace('kept', kept.map((data) => data.every((byte) => byte === data[0])), kept.map((data) => data[0]));
    },
  },
  {
    // From 32 KiB on; whether smaller ones do depends on Node's version with 1.0.35.
    name: 'the memory of received binary data can be transferred to another thread',
    async run({ pair, trace, event }) {
      const { connection, peer } = await pair({ config: { maxReceivedFrameSize: 2e6, maxReceivedMessageSize: 2e6 }, events: [] });
      for (const size of [40000, 65536, 100000, 1000000]) {
        const got = event(connection, 'message');
        peer.send(binary(Buffer.alloc(size, 7)));
        const [{ binaryData }] = await got;
        const moved = structuredClone(binaryData, { transfer: [binaryData.buffer] });
        trace('moved', moved.length, moved[size - 1], 'left', binaryData.length);
      }
    },
  },
  {
    name: 'a client receives unmasked frames',
    async run({ clientPair, until, settle, wire }) {
      const { connection, peer } = await clientPair();
      let seen = 0;
      connection.on('message', () => { seen++; });
      peer.write(Buffer.concat([text('to the client', { mask: false }), binary('bytes', { mask: false }), { opcode: 9, payload: 'p', mask: false },
        ...pieces(1, 'a', 'b').map((frame) => ({ ...frame, mask: false }))].map(encodeFrame)));
      await until(() => seen === 3, 'three messages');
      await peer.frame();
      await settle();
      wire(peer);
    },
  },
];
