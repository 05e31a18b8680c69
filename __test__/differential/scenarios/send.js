'use strict';

// What a connection sends: arguments, fragmentation, callbacks, pings and pongs, frames made by the program.


/** Sends with `action` on an open server connection; notes results and the `count` frames that arrive. */
const sending = (name, count, action, { config, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await context.pair({ config, events: ['close', 'error'] });
    await action({ ...context, connection, call: context.call, trace: context.trace, lib: context.lib });
    if (count > 0) await peer.frame(count);
    await context.settle();
    context.wire(peer);
  },
  ...more,
});

/** The same on a client connection, whose frames are masked. */
const clientSending = (name, count, action, { config, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await context.clientPair({ config, events: ['close', 'error'] });
    await action({ connection, call: context.call, trace: context.trace, lib: context.lib });
    if (count > 0) await peer.frame(count);
    await context.settle();
    context.wire(peer);
  },
  ...more,
});

const calls = (...list) => ({ connection, call }) => {
  for (const [label, fn] of list) call(label, () => fn(connection));
};

const frameOf = (lib, connection, fields) =>
  Object.assign(new lib.frame(connection.maskBytes, connection.frameHeader, connection.config), fields);

module.exports = [
  sending('send() of a string is text', 2, calls(['send("text")', (c) => c.send('text')], ['send("")', (c) => c.send('')])),
  sending('send() of a Buffer is binary', 2, calls(
    ['send(Buffer)', (c) => c.send(Buffer.from([1, 2, 255]))], ['send(empty Buffer)', (c) => c.send(Buffer.alloc(0))])),
  sending('send() of a number, boolean, object, array and Date is their toString()', 5, calls(
    ['number', (c) => c.send(42)], ['boolean', (c) => c.send(true)], ['object', (c) => c.send({ a: 1 })],
    ['array', (c) => c.send([1, 2])], ['Date', (c) => c.send(new Date(0).toJSON())])),
  sending('send() of something without toString throws', 0, ({ connection, call, trace }) => {
    call('send(Object.create(null))', () => connection.send(Object.create(null)));
    for (const value of [null, undefined]) {
      let thrown = null;
      try { connection.send(value); } catch (error) { thrown = error; }
      trace(`send(${value}) throws`, thrown instanceof Error);
    }
  }),
  sending('send() of a typed array, an ArrayBuffer and a DataView', 3, calls(
    ['Uint8Array', (c) => c.send(new Uint8Array([1, 2, 3]))], ['ArrayBuffer', (c) => c.send(new Uint8Array([4, 5]).buffer)],
    ['DataView', (c) => c.send(new DataView(new Uint8Array([6]).buffer))])),
  sending('sendUTF() of text in every script', 4, calls(
    ['Latin-1', (c) => c.sendUTF('grüße')], ['BMP', (c) => c.sendUTF('κόσμε 漢字')], ['astral', (c) => c.sendUTF('😀🚀')], ['NUL', (c) => c.sendUTF('a\0b')])),
  sending('sendUTF() of lone surrogates sends replacement characters', 1, calls(['lone', (c) => c.sendUTF('a\ud800b\udc00c')])),
  sending('sendUTF() of something else than a string is its toString()', 3, calls(
    ['number', (c) => c.sendUTF(1.5)], ['Buffer', (c) => c.sendUTF(Buffer.from('bytes'))], ['String object', (c) => c.sendUTF(new String('wrapped'))])),
  sending('sendBytes() of something else than a Buffer throws', 0, calls(
    ['string', (c) => c.sendBytes('text')], ['number', (c) => c.sendBytes(5)], ['null', (c) => c.sendBytes(null)], ['nothing', (c) => c.sendBytes()])),
  sending('sendBytes() of a Uint8Array', 0, ({ connection, trace }) => {
    let thrown = null;
    try { connection.sendBytes(new Uint8Array([1, 2, 3])); } catch (error) { thrown = error; }
    trace('thrown', thrown);
  }),
  sending('messages up to the threshold are one frame, longer ones are cut', 8, calls(
    ['9', (c) => c.sendUTF('012345678')], ['10', (c) => c.sendUTF('0123456789')], ['11', (c) => c.sendUTF('0123456789a')],
    ['20', (c) => c.sendBytes(Buffer.alloc(20, 1))], ['21', (c) => c.sendBytes(Buffer.alloc(21, 2))]), { config: { fragmentationThreshold: 10 } }),
  sending('text is cut by bytes, in the middle of a character', 3, calls(['ü', (c) => c.sendUTF('aüüü')]), { config: { fragmentationThreshold: 3 } }),
  sending('a fragmentation threshold of 1', 3, calls(['abc', (c) => c.sendUTF('abc')]), { config: { fragmentationThreshold: 1 } }),
  sending('fragmentOutgoingMessages: false never cuts', 1, calls(['long', (c) => c.sendBytes(Buffer.alloc(50000, 3))]),
    { config: { fragmentOutgoingMessages: false, fragmentationThreshold: 10 } }),
  sending('the default threshold is 16 KiB', 4, calls(
    ['16384', (c) => c.sendBytes(Buffer.alloc(16384, 1))], ['32769', (c) => c.sendBytes(Buffer.alloc(32769, 2))])),
  sending('the configuration may be changed on the connection', 3, calls(
    ['before', (c) => c.sendUTF('0123456789')],
    ['after', (c) => { c.config = { ...c.config, fragmentationThreshold: 5 }; c.sendUTF('0123456789'); }])),
  sending('ping() with and without data', 5, calls(
    ['ping()', (c) => c.ping()], ['ping("text")', (c) => c.ping('text')], ['ping(Buffer)', (c) => c.ping(Buffer.from([1, 2]))],
    ['ping(number)', (c) => c.ping(7)], ['ping("")', (c) => c.ping('')])),
  sending('ping() with 125, 126 and 1000 bytes', 3, calls(
    ['125', (c) => c.ping(Buffer.alloc(125, 1))], ['126', (c) => c.ping(Buffer.alloc(126, 1))], ['1000', (c) => c.ping('x'.repeat(1000))])),
  sending('pong() with and without data', 3, calls(
    ['pong()', (c) => c.pong()], ['pong(Buffer)', (c) => c.pong(Buffer.from('data'))], ['pong(125)', (c) => c.pong(Buffer.alloc(125, 2))])),
  sending('pong() with more than 125 bytes', 1, calls(['pong(126)', (c) => c.pong(Buffer.alloc(126, 2))])),
  sending('sendFrame() sends any frame of the program', 4, ({ connection, call, lib }) => {
    const make = (fields) => frameOf(lib, connection, fields);
    call('text', () => connection.sendFrame(make({ fin: true, opcode: 1, binaryPayload: Buffer.from('own') })));
    call('not final', () => connection.sendFrame(make({ fin: false, opcode: 2, binaryPayload: Buffer.from('part') })));
    call('continuation', () => connection.sendFrame(make({ fin: true, opcode: 0, binaryPayload: Buffer.from('rest') })));
    call('rsv and mask', () => connection.sendFrame(make({ fin: true, opcode: 1, rsv1: true, mask: true, binaryPayload: Buffer.from('x') })));
  }),
  sending('fragmentAndSend() of a control frame throws', 0, ({ connection, call, lib }) => {
    call('ping', () => connection.fragmentAndSend(frameOf(lib, connection, { opcode: 9, binaryPayload: Buffer.alloc(0) })));
  }),
  sending('fragmentAndSend() of a frame of the program', 3, ({ connection, call, lib }) => {
    call('text', () => connection.fragmentAndSend(frameOf(lib, connection, { opcode: 1, binaryPayload: Buffer.from('abcdefgh') })));
  }, { config: { fragmentationThreshold: 3 } }),
  sending('sendCloseFrame() ends the socket without changing the state', 1, ({ connection, call, trace }) => {
    call('sendCloseFrame(4000, "r")', () => connection.sendCloseFrame(4000, 'r'));
    trace('state', connection.state, connection.connected, connection.closeReasonCode);
  }),
  clientSending('a client masks what it sends', 6, calls(
    ['text', (c) => c.sendUTF('masked')], ['bytes', (c) => c.sendBytes(Buffer.from([1, 2, 3, 4, 5]))], ['empty', (c) => c.sendUTF('')],
    ['ping', (c) => c.ping('p')], ['pong', (c) => c.pong(Buffer.from('q'))], ['large', (c) => c.sendBytes(Buffer.alloc(9000, 9))])),
  clientSending('a client cuts messages as well', 3, calls(['abc', (c) => c.sendUTF('abcdefgh')]), { config: { fragmentationThreshold: 3 } }),
  clientSending('the payload of the caller is not masked in place', 1, ({ connection, trace }) => {
    const payload = Buffer.from('mine');
    connection.sendBytes(payload);
    trace('payload', payload.toString());
  }),
  {
    name: 'send callbacks come in the order of the calls, once, without an error',
    async run({ pair, trace, settle, until }) {
      const { connection } = await pair({ config: { fragmentationThreshold: 4 } });
      let last = false;
      // Without an error the argument is null or missing, as the stream below has it.
      const note = (label) => (error) => { trace(label, error == null ? 'sent' : error); };
      connection.sendUTF('one', note('sendUTF'));
      connection.sendBytes(Buffer.from('two'), note('sendBytes'));
      connection.send('three and more', note('send in fragments'));
      connection.send(Buffer.from('4'), (error) => { note('send')(error); last = true; });
      trace('calls made');
      await until(() => last, 'the last callback');
      await settle();
    },
  },
  {
    name: 'a send callback gets no this, or not one to rely on, and may send',
    async run({ pair, trace, until, wire }) {
      const { connection, peer } = await pair();
      let done = false;
      connection.sendUTF('first', () => connection.sendUTF('second', () => { trace('second sent'); done = true; }));
      await until(() => done, 'the second callback');
      await peer.frame(2);
      wire(peer);
    },
  },
  {
    name: 'sending after close(): nothing is sent, the callback hears of it, nothing is thrown',
    async run({ pair, trace, call, settle, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.close();
      const note = (label) => (error) => trace(`${label} callback`, error instanceof Error);
      for (const [label, action] of [
        ['send', () => connection.send('x', note('send'))], ['sendUTF', () => connection.sendUTF('x', note('sendUTF'))],
        ['sendBytes', () => connection.sendBytes(Buffer.from('x'), note('sendBytes'))], ['ping', () => connection.ping('x')],
        ['pong', () => connection.pong(Buffer.from('x'))], ['without callback', () => connection.sendUTF('x')],
      ]) {
        let thrown = null;
        try { action(); } catch (error) { thrown = error; }
        trace(label, 'throws', thrown);
      }
      await settle();
      await wireToEnd(peer);
      call('after the close event', () => { connection.sendUTF('x', note('late')); });
      await settle();
    },
  },
  {
    name: 'sending after drop()',
    async run({ pair, trace, settle, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.drop();
      let thrown = null;
      try { connection.sendUTF('x', (error) => trace('callback', error instanceof Error)); } catch (error) { thrown = error; }
      trace('throws', thrown);
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'send() goes through sendUTF() and sendBytes() of the instance, those through fragmentAndSend() and sendFrame()',
    async run({ pair, trace, wire }) {
      const { connection, peer } = await pair();
      for (const method of ['sendUTF', 'sendBytes', 'fragmentAndSend', 'sendFrame']) {
        const original = connection[method];
        connection[method] = function spied(...args) {
          trace(method, args.length, typeof args[0]);
          return original.apply(this, args);
        };
      }
      connection.send('text');
      connection.send(Buffer.from('bytes'));
      connection.ping();
      connection.pong();
      await peer.frame(4);
      wire(peer);
    },
  },
];
