'use strict';

// Closing: by us, by the peer, by both, without a Close frame, with every kind of code; timeouts.

const { closePayload } = require('../../helpers/raw');
const { raw, stateOf } = require('../watch');

const close = (code, reason) => ({ opcode: 8, payload: code === undefined ? '' : closePayload(code, reason) });

/** We close with `action`; the peer answers with the same code, and both ends are noted. */
const closing = (name, action, { config, answer = (code) => close(code || 1000), client = false, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await (client ? context.clientPair({ config }) : context.pair({ config }));
    context.call('close()', () => action(connection));
    context.trace('state', raw(stateOf(connection)));
    const frame = await peer.frame();
    const reply = answer(frame.code);
    peer.send(client ? { ...reply, mask: false } : reply);
    await context.wireToEnd(peer);
    context.trace('later', raw(stateOf(connection)));
  },
  ...more,
});

/** close() with arguments that are refused. */
const refusing = (name, ...codes) => ({
  name,
  async run({ pair, call, trace, settle, wire }) {
    const { connection, peer } = await pair();
    for (const code of codes) call(`close(${code})`, () => connection.close(code));
    trace('state', raw(stateOf(connection)));
    await settle();
    wire(peer);
  },
});

/** The peer sends these bytes; what comes of it. */
const peerCloses = (name, frame, { config, after = () => {}, client = false, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await (client ? context.clientPair({ config }) : context.pair({ config }));
    after(connection, context);
    peer.send(client ? { ...frame, mask: false } : frame);
    await context.wireToEnd(peer);
    context.trace('later', raw(stateOf(connection)));
  },
  ...more,
});

module.exports = [
  closing('close() sends 1000 with its description', (c) => c.close()),
  closing('close(code) sends the description of the code', (c) => c.close(1001)),
  closing('close(code, reason)', (c) => c.close(1000, 'finished')),
  closing('close(code of the application)', (c) => c.close(4321)),
  closing('close(3000, "")', (c) => c.close(3000, '')),
  closing('close(4999, unicode)', (c) => c.close(4999, 'schluß ✓')),
  closing('close(null, reason)', (c) => c.close(null, 'only a reason')),
  closing('close(1011, 7)', (c) => c.close(1011, 7)),
  closing('close(1012)', (c) => c.close(1012)),
  closing('close(1000, reason of 123 bytes)', (c) => c.close(1000, 'r'.repeat(123))),
  closing('close() twice does nothing the second time', (c) => { c.close(4000, 'first'); c.close(4001, 'second'); }),
  closing('close() by a client', (c) => c.close(1000, 'client'), { client: true }),
  closing('the answer of the peer has another code', (c) => c.close(4000, 'ours'), { answer: () => close(4001, 'theirs') }),
  closing('the answer of the peer is empty', (c) => c.close(4000, 'ours'), { answer: () => close() }),
  closing('close("1001")', (c) => c.close('1001')),
  {
    name: 'close(1000, reason of 124 bytes)',
    async run({ pair, trace, settle, wire }) {
      const { connection, peer } = await pair();
      let thrown = null;
      try { connection.close(1000, 'r'.repeat(124)); } catch (error) { thrown = error; }
      trace('thrown', thrown !== null, raw(stateOf(connection)));
      await settle();
      wire(peer);
    },
  },
  refusing('close() with codes that do not exist throws and changes nothing', 0, 999, 1004, 1005, 1006, 1016, 2000, 2999, 5000, -1),
  refusing('close(NaN)', NaN),
  refusing('close(1015), a code that must not be sent', 1015),
  {
    name: 'every valid code can be closed with',
    async run({ trace, mockConnection }) {
      for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
        const { connection } = mockConnection({ events: ['close'] });
        connection.close(code);
        trace('closed', code, raw(stateOf(connection)));
        connection.drop(code, 'end', true);
      }
    },
  },
  peerCloses('the peer closes with 1000', close(1000)),
  peerCloses('the peer closes with 1000 and a reason', close(1000, 'bye')),
  peerCloses('the peer closes with 1001', close(1001, '')),
  peerCloses('the peer closes with a code of the application', close(4567, 'why not')),
  peerCloses('the peer closes with 3999', close(3999)),
  peerCloses('the peer closes with 1012, 1013 or 1014', close(1013, 'later')),
  peerCloses('the peer closes with a reason of one byte', close(4000, 'x')),
  peerCloses('the peer closes with a unicode reason', close(1000, 'tschüß ✓')),
  peerCloses('the peer closes with a reason of 123 bytes', close(1000, 'x'.repeat(123))),
  peerCloses('the peer closes without code', close()),
  peerCloses('the peer closes with one byte', { opcode: 8, payload: 'x' }),
  peerCloses('the peer closes with 1004', close(1004, 'reserved')),
  peerCloses('the peer closes with 1005', close(1005)),
  peerCloses('the peer closes with 1006', close(1006)),
  peerCloses('the peer closes with 1015', close(1015)),
  peerCloses('the peer closes with 1016', close(1016)),
  peerCloses('the peer closes with 2999', close(2999)),
  peerCloses('the peer closes with 0', close(0)),
  peerCloses('the peer closes with 999', close(999, 'low')),
  peerCloses('the peer closes with 5000', close(5000)),
  peerCloses('the peer closes with 65535', close(65535, 'high')),
  peerCloses('the peer closes with an invalid UTF-8 reason', { opcode: 8, payload: Buffer.concat([closePayload(1000), Buffer.from([0xc3, 0x28])]) }),
  peerCloses('the peer closes with an overlong UTF-8 reason of one byte more', { opcode: 8, payload: Buffer.concat([closePayload(1000), Buffer.from([0xff])]) }),
  peerCloses('the peer of a client closes', close(1001, 'server goes'), { client: true }),
  peerCloses('close() in the close listener does nothing', close(1000), {
    after: (connection, { call }) => connection.on('close', () => call('close()', () => connection.close(4000))),
  }),
  {
    name: 'messages before the close frame are delivered, those after it are not',
    async run({ pair, wireToEnd }) {
      const { peer } = await pair();
      peer.send({ opcode: 1, payload: 'before' });
      peer.send(close(1000));
      peer.send({ opcode: 1, payload: 'after' });
      await wireToEnd(peer);
    },
  },
  {
    name: 'both close at once',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      peer.send(close(4001, 'theirs'));
      connection.close(4000, 'ours');
      await wireToEnd(peer);
      trace('later', raw(stateOf(connection)));
    },
  },
  {
    name: 'close() from a message listener: no further message is delivered',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.on('message', (message) => {
        if (message.utf8Data === 'two') connection.close(4002, 'enough');
        trace('after', raw(stateOf(connection)));
      });
      for (const payload of ['one', 'two', 'three', 'four']) peer.send({ opcode: 1, payload });
      await peer.frame();
      peer.send(close(4002));
      await wireToEnd(peer);
    },
  },
  {
    name: 'messages that arrive between our Close and its answer',
    async run({ pair, wireToEnd, trace }) {
      const { connection, peer } = await pair();
      connection.close(1000);
      await peer.frame();
      peer.send({ opcode: 1, payload: 'late' });
      peer.send({ opcode: 9, payload: 'late ping' });
      peer.send(close(1000));
      await wireToEnd(peer);
      trace('later', raw(stateOf(connection)));
    },
  },
  {
    name: 'the socket ends without a Close frame',
    async run({ pair, event, trace, settle }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      peer.socket.end();
      await closed;
      await settle();
      trace('later', raw(stateOf(connection)), connection.socketHadError);
    },
  },
  {
    name: 'the socket ends in the middle of a frame',
    async run({ pair, event, settle }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      peer.socket.end(Buffer.from([0x81, 0x85, 1, 2]));
      await closed;
      await settle();
    },
  },
  {
    name: 'a message right before the end of the socket is delivered',
    async run({ pair, event, settle }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      peer.send({ opcode: 1, payload: 'last words' });
      peer.socket.end();
      await closed;
      await settle();
    },
  },
  {
    name: 'a reset connection, without an error listener',
    async run({ pair, event, settle }) {
      const { connection, peer } = await pair({ events: ['close', 'message'] });
      const closed = event(connection, 'close').catch(() => {});
      peer.socket.resetAndDestroy();
      await closed;
      await settle();
    },
  },
  {
    name: 'a reset connection, with an error listener',
    async run({ pair, until, settle, trace }) {
      const { connection, peer } = await pair();
      peer.socket.resetAndDestroy();
      await until(() => connection.closeEventEmitted, 'the close event');
      await settle();
      trace('hadError', connection.socketHadError);
    },
  },
  {
    name: 'our socket is destroyed by the program',
    async run({ pair, event, settle, wireToEnd }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      connection.socket.destroy();
      await closed;
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'our socket is destroyed with an error by the program',
    async run({ pair, until, settle, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.socket.destroy(Object.assign(new Error('own'), { code: 'EOWN', syscall: 'test' }));
      await until(() => connection.closeEventEmitted, 'the close event');
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'our socket is ended by the program',
    async run({ pair, event, settle, wireToEnd }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      connection.socket.end();
      await closed;
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'close timeout: the peer neither answers nor hangs up until later',
    async run({ pair, trace, until, wireToEnd, event, sleep }) {
      const { connection, peer } = await pair({ config: { closeTimeout: 40 }, client: { halfOpen: true } });
      connection.close(1000, 'answer me');
      trace('closing', raw(stateOf(connection)), connection.closeTimer !== null);
      const closed = event(connection, 'close');
      await until(() => !connection.waitingForCloseResponse, 'the close timer');
      await sleep(5);
      trace('timed out', connection.waitingForCloseResponse, connection.connected, connection.closeReasonCode);
      peer.socket.end();
      await closed;
      await wireToEnd(peer);
    },
  },
  {
    name: 'close timeout 0',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair({ config: { closeTimeout: 0 } });
      connection.close();
      trace('closing', raw(stateOf(connection)));
      await wireToEnd(peer);
    },
  },
  {
    name: 'a client and a server of the library close with each other, either side first',
    async run({ server, lib, lane, event, until }) {
      const sides = { server: lane('server side'), client: lane('client side') };
      const { ws, port } = await server({}, { watch: [] });
      for (const first of ['server', 'client']) {
        const accepted = new Promise((resolve) => ws.once('request', (request) => resolve(request.accept())));
        const client = new lib.client();
        const connected = event(client, 'connect');
        client.connect(`ws://127.0.0.1:${port}/`);
        const ends = { server: await accepted, client: (await connected)[0] };
        let open = 2;
        for (const side of ['server', 'client']) {
          ends[side].on('close', (...args) => { open--; sides[side](`${first} first: close`, ...args, raw(stateOf(ends[side]))); });
        }
        ends[first].close(4100, `${first} closes`);
        await until(() => open === 0, 'both to close');
      }
    },
  },
];
