'use strict';

// Keepalive pings, grace period, native keepalive. Intervals are short; only order counts, never time.

const { raw, stateOf } = require('../watch');
const { CONNECTION_CONFIG } = require('../context');

const FAST = { keepalive: true, keepaliveInterval: 15, keepaliveGracePeriod: 15 };

/** Number of timers a connection has set, as far as one can see from outside. */
const pings = (peer) => peer.frames.filter((frame) => frame.opcode === 9).length;

module.exports = [
  {
    name: 'an idle connection is pinged; without an answer it is dropped after the grace period',
    async run({ pair, event, settle, wireToEnd }) {
      const { connection, peer } = await pair({ config: FAST });
      await event(connection, 'close');
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'a pong in time keeps the connection, and the next ping follows',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair({ config: { ...FAST, keepaliveGracePeriod: 2000 } });
      for (let i = 1; i <= 3; i++) {
        await peer.frame(i);
        if (i < 3) peer.send({ opcode: 10 });
      }
      await peer.until(() => pings(peer) >= 3);
      trace('state', connection.state, connection.connected);
      connection.drop(1000, 'enough');
      await peer.close();
      trace('only pings, then the Close', peer.frames.every((frame, i) => frame.opcode === (i === peer.frames.length - 1 ? 8 : 9)));
      peer.frames = peer.frames.slice(-1);
      await wireToEnd(peer);
    },
  },
  {
    name: 'any data in time keeps the connection',
    async run({ pair, trace }) {
      const { connection, peer } = await pair({ config: { ...FAST, keepaliveGracePeriod: 2000 } });
      await peer.frame(1);
      peer.send({ opcode: 1, payload: 'data' });
      await peer.frame(2);
      trace('state', connection.state, connection.connected, peer.frames[0].opcode, peer.frames[1].opcode, peer.frames[0].payload);
      connection.drop(1000);
    },
  },
  {
    name: 'data resets the interval',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ config: { keepalive: true, keepaliveInterval: 400, keepaliveGracePeriod: 400 }, events: [] });
      for (let i = 0; i < 12; i++) {
        await sleep(40);
        peer.send({ opcode: 1, payload: 'x' });
      }
      trace('pings', pings(peer), connection.connected);
      connection.drop(1000);
    },
  },
  {
    name: 'dropConnectionOnKeepaliveTimeout: false pings again and again and never drops',
    async run({ pair, trace }) {
      const { connection, peer } = await pair({ config: { ...FAST, keepaliveGracePeriod: 1, dropConnectionOnKeepaliveTimeout: false } });
      await peer.frame(3);
      trace('state', connection.state, connection.connected, pings(peer) >= 3);
      connection.drop(1000);
    },
  },
  {
    name: 'keepalive: false sends no pings',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ config: { keepalive: false, keepaliveInterval: 5 } });
      await sleep(40);
      trace('pings', pings(peer), connection.connected);
      connection.drop(1000);
    },
  },
  {
    name: 'after close and drop no ping is sent',
    async run({ pair, trace, sleep, wire }) {
      const { connection, peer } = await pair({ config: { ...FAST, keepaliveInterval: 20 }, client: { halfOpen: true } });
      connection.drop(1000);
      await sleep(60);
      trace('pings', pings(peer));
      wire(peer);
    },
  },
  {
    name: 'keepalive options work on clients too',
    async run({ clientPair, event, wireToEnd, settle }) {
      const { connection, peer } = await clientPair({ config: { ...FAST, dropConnectionOnKeepaliveTimeout: true } });
      await event(connection, 'close');
      await settle();
      await wireToEnd(peer);
    },
  },
  {
    name: 'keepalive on a client without an interval throws',
    crashes: true,
    async run({ rawServer, lib, settle, trace, call }) {
      const server = await rawServer();
      let client = null;
      call('new client()', () => { client = new lib.client({ keepalive: true }); });
      if (client === null) return;
      client.on('connect', () => trace('connect'));
      client.on('connectFailed', (error) => trace('connectFailed', error));
      client.connect(server.url);
      await server.next();
      await settle(10);
      if (client.socket) client.socket.destroy();
    },
  },
  {
    name: 'a connection with keepalive and without its options throws',
    async run({ lib, mockConnection, call, mock }) {
      const make = (config) => () => { mockConnection({ config, listen: false, events: [], socket: mock() }); };
      call('no interval', make({ keepalive: true, keepaliveInterval: undefined }));
      call('interval as text', make({ keepalive: true, keepaliveInterval: '100' }));
      call('no grace period', () => {
        // Made without new, so that the timer it may have set can be taken back.
        const connection = Object.create(lib.connection.prototype);
        try {
          lib.connection.call(connection, mock(), [], null, false, { ...CONNECTION_CONFIG, keepalive: true, keepaliveGracePeriod: undefined });
        } finally {
          connection.clearKeepaliveTimer();
        }
      });
      call('no grace period, not needed', () => {
        mockConnection({ config: { keepalive: true, dropConnectionOnKeepaliveTimeout: false, keepaliveGracePeriod: undefined }, listen: false, events: [] })
          .connection.drop(1000, '', true);
      });
      call('native without setKeepAlive', () => {
        const socket = mock();
        Object.setPrototypeOf(socket, Object.getPrototypeOf(Object.getPrototypeOf(socket)));
        for (const method of ['setNoDelay', 'setTimeout', 'write', 'end', 'destroy']) socket[method] = () => {};
        mockConnection({ config: { keepalive: true, useNativeKeepalive: true }, listen: false, events: [], socket });
      });
    },
  },
  {
    name: 'native keepalive is set on the socket and no ping is sent',
    async run({ mockConnection, sleep, trace }) {
      const { connection } = mockConnection({ config: { keepalive: true, useNativeKeepalive: true, keepaliveInterval: 12 } });
      await sleep(40);
      trace('state', raw(stateOf(connection)));
      connection.drop(1000, 'done', true);
    },
  },
  {
    name: 'native keepalive on a real socket',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ config: { keepalive: true, useNativeKeepalive: true, keepaliveInterval: 10 } });
      await sleep(40);
      trace('pings', pings(peer), connection.connected);
      connection.drop(1000);
    },
  },
  {
    name: 'keepalive on a mock socket: ping, then drop without a Close frame',
    async run({ mockConnection, event }) {
      const { connection } = mockConnection({ config: FAST });
      await event(connection, 'close');
    },
  },
  {
    name: 'the timer handlers called by the program',
    async run({ mockConnection, trace, settle }) {
      const { connection } = mockConnection({ config: { keepalive: true, keepaliveInterval: 50000, keepaliveGracePeriod: 50000 } });
      connection.clearKeepaliveTimer();
      trace('keepalive'); connection.handleKeepaliveTimer();
      trace('state', raw(stateOf(connection)));
      connection.clearGracePeriodTimer();
      trace('grace'); connection.handleGracePeriodTimer();
      trace('state', raw(stateOf(connection)));
      await settle();
    },
  },
  {
    name: 'handleCloseTimer called by the program',
    async run({ mockConnection, trace, settle }) {
      const { connection } = mockConnection({ config: { closeTimeout: 1 } });
      connection.handleCloseTimer();
      trace('not waiting', raw(stateOf(connection)));
      connection.close(1000);
      connection.handleCloseTimer();
      trace('waiting', raw(stateOf(connection)));
      connection.drop(1000, 'end', true);
      await settle();
    },
  },
  {
    name: 'the keepalive ping goes through the ping() of the instance',
    async run({ mockConnection, trace, until }) {
      const { connection } = mockConnection({ config: { ...FAST, keepaliveGracePeriod: 100000 } });
      let pinged = false;
      connection.ping = (...args) => { pinged = true; trace('ping', args.length); };
      await until(() => pinged, 'the ping');
      connection.drop(1000, 'end', true);
    },
  },
];
