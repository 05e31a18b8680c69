'use strict';

// drop(): all its forms, in every state.

const { closePayload } = require('../../helpers/raw');
const { raw, stateOf } = require('../watch');

/** Drops with `action` and notes both ends. */
const dropping = (name, action, { config, client = false, ...more } = {}) => ({
  name,
  async run(context) {
    const { connection, peer } = await (client ? context.clientPair({ config }) : context.pair({ config }));
    await action(connection, { call: context.call, trace: context.trace, settle: context.settle, peer });
    context.trace('state', raw(stateOf(connection)));
    await context.wireToEnd(peer);
    context.trace('later', raw(stateOf(connection)), connection.socket.destroyed);
  },
  ...more,
});

const calls = (...list) => (connection, { call }) => {
  for (const [label, fn] of list) call(label, () => fn(connection));
};

module.exports = [
  dropping('drop() sends 1002', calls(['drop()', (c) => c.drop()])),
  dropping('drop(code)', calls(['drop(1008)', (c) => c.drop(1008)])),
  dropping('drop(code, description)', calls(['drop(4000, "out")', (c) => c.drop(4000, 'out')])),
  dropping('drop(code, description, true) sends no Close frame', calls(['drop(1006, "dead", true)', (c) => c.drop(1006, 'dead', true)])),
  dropping('drop(code without description)', calls(['drop(4999)', (c) => c.drop(4999)])),
  dropping('drop(null, description)', calls(['drop(null, "odd")', (c) => c.drop(null, 'odd')])),
  dropping('drop("1000")', calls(['drop("1000")', (c) => c.drop('1000')])),
  dropping('drop(code, number)', calls(['drop(1001, 5)', (c) => c.drop(1001, 5)])),
  dropping('drop(code, "")', calls(['drop(1001, "")', (c) => c.drop(1001, '')])),
  dropping('drop() of a client', calls(['drop(1000, "client")', (c) => c.drop(1000, 'client')]), { client: true }),
  dropping('drop() twice: the second changes code and description, one close event', calls(
    ['drop(4000, "one")', (c) => c.drop(4000, 'one')], ['drop(4001, "two")', (c) => c.drop(4001, 'two')])),
  dropping('drop() after close()', calls(['close(4000)', (c) => c.close(4000)], ['drop(4001, "now")', (c) => c.drop(4001, 'now')])),
  dropping('close() after drop() does nothing', calls(['drop(4000)', (c) => c.drop(4000)], ['close(4001)', (c) => c.close(4001)])),
  dropping('drop() in the close listener', (connection, { call }) => {
    connection.on('close', () => call('drop()', () => connection.drop(4009, 'inside')));
    connection.drop(4008, 'outside');
  }),
  dropping('the close event comes before the socket is destroyed', (connection, { trace }) => {
    connection.on('close', () => trace('in close', connection.socket.destroyed, connection.state, connection.connected));
    connection.drop(1000);
    trace('after', connection.socket.destroyed);
  }),
  dropping('an exception in a close listener comes out of drop()', (connection, { trace }) => {
    connection.on('close', () => { throw new Error('from the listener'); });
    let thrown = null;
    try { connection.drop(1000); } catch (error) { thrown = error; }
    trace('thrown', thrown, connection.socket.destroyed);
    connection.socket.destroy();
  }),
  dropping('drop() empties what was being assembled', async (connection, { peer, trace, settle }) => {
    peer.send({ opcode: 1, payload: 'part', fin: false });
    await settle();
    connection.drop(1001);
    trace('queue', connection.frameQueue, connection.fragmentationSize);
  }),
  dropping('messages sent before drop() are on the wire', calls(
    ['sendUTF', (c) => c.sendUTF('first')], ['sendBytes', (c) => c.sendBytes(Buffer.alloc(3000, 1))], ['drop', (c) => c.drop(1000, 'then')])),
  {
    name: 'drop() from a message listener: no further message is delivered',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.on('message', (message) => {
        if (message.utf8Data === 'two') connection.drop(4003, 'enough');
        trace('after', raw(stateOf(connection)));
      });
      for (const payload of ['one', 'two', 'three']) peer.send({ opcode: 1, payload });
      await wireToEnd(peer);
    },
  },
  {
    name: 'drop() while the peer closes',
    async run({ pair, event, wireToEnd, trace }) {
      const { connection, peer } = await pair({ client: { halfOpen: true }, events: [] });
      connection.on('close', (...args) => trace('close', ...args, connection.state));
      peer.send({ opcode: 8, payload: closePayload(4000, 'peer') });
      await peer.frame();
      trace('state', connection.state, connection.connected);
      const closed = event(connection, 'close');
      connection.drop(4001, 'us');
      await closed;
      peer.socket.end();
      await wireToEnd(peer);
      trace('later', connection.state, connection.connected, connection.closeReasonCode, connection.closeDescription);
    },
  },
  {
    name: 'drop() after the connection has closed',
    async run({ pair, event, settle, trace, call }) {
      const { connection, peer } = await pair();
      const closed = event(connection, 'close');
      peer.destroy();
      await closed;
      call('drop()', () => connection.drop(4001, 'late'));
      call('close()', () => connection.close());
      await settle();
      trace('later', raw(stateOf(connection)));
    },
  },
  {
    name: 'a drop() of the instance is the one the library calls',
    async run({ pair, trace, until, settle, wire }) {
      const { connection, peer } = await pair();
      let dropped = false;
      connection.drop = (...args) => { dropped = true; trace('drop', ...args); };
      peer.send({ opcode: 3, payload: 'reserved opcode' });
      await until(() => dropped, 'the drop');
      await settle();
      trace('state', raw(stateOf(connection)));
      wire(peer);
      connection.socket.destroy();
    },
  },
];
