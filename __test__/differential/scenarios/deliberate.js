'use strict';

// Deliberate changes that no other scenario shows: each of these must differ.

const { EventEmitter } = require('events');
const { encodeFrame, requestHead } = require('../../helpers/raw');
const { raw, stateOf } = require('../watch');
const { CONNECTION_CONFIG } = require('../context');

/** The peer sends the beginning of something bad and waits: is it noticed at once? */
const half = (name, bytes, more = {}) => ({
  name,
  async run({ pair, settle, trace, wire }) {
    const { connection, peer } = await pair();
    peer.write(bytes());
    await settle(10);
    trace('so far', raw(stateOf(connection)));
    wire(peer);
  },
  ...more,
});

/** A request made by hand, never read by readHandshake(). */
function requestByHand({ lib, trace }) {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress: '192.0.2.1', setNoDelay() {}, setTimeout() {}, destroy() {},
    end: (data) => trace('socket.end', String(data)),
    write: (data) => { trace('socket.write', String(data)); return true; },
  });
  const headers = { host: 'h.test', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13', 'sec-websocket-protocol': 'Chat', cookie: 'a=1' };
  return new lib.request(socket, { url: '/path?q=1', method: 'GET', headers }, CONNECTION_CONFIG);
}

module.exports = [
  half('a reserved opcode is noticed when its two bytes are there', () => encodeFrame({ opcode: 3, payload: Buffer.alloc(100) }).subarray(0, 2)),
  half('a reserved bit is noticed when its two bytes are there', () => encodeFrame({ opcode: 1, rsv: 4, payload: Buffer.alloc(100) }).subarray(0, 2)),
  half('an unexpected continuation is noticed when its two bytes are there', () => encodeFrame({ opcode: 0, payload: Buffer.alloc(100) }).subarray(0, 2)),
  half('invalid UTF-8 is noticed at the first wrong byte', () => encodeFrame({ opcode: 1, payload: Buffer.concat([Buffer.from([0x61, 0xff]), Buffer.alloc(50, 97)]) }).subarray(0, 20)),
  half('invalid UTF-8 is noticed in an unfinished fragment', () => encodeFrame({ opcode: 1, fin: false, payload: Buffer.from([0xc3, 0x28]) })),
  {
    name: 'drop() with a code that must not be sent',
    async run({ pair, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.drop(1006, 'not for the wire');
      await wireToEnd(peer);
    },
  },
  {
    name: 'drop() with a description that does not fit',
    async run({ pair, trace, wireToEnd }) {
      const { connection, peer } = await pair();
      connection.drop(1000, 'd'.repeat(200));
      trace('description', connection.closeDescription);
      await wireToEnd(peer);
    },
  },
  {
    name: 'a message that comes with the request head, accepted later',
    async run({ server, dial, trace, event, settle, watchConnection }) {
      const { ws, port } = await server({}, { watch: [] });
      const [[request]] = await Promise.all([
        event(ws, 'request'), dial(port, { head: Buffer.concat([Buffer.from(requestHead()), encodeFrame({ opcode: 1, payload: 'with the head' })]) }),
      ]);
      await settle();
      trace('accept');
      watchConnection(request.accept(), 'connection', ['message', 'close']);
      await settle(10);
      trace('later');
    },
  },
  {
    name: 'pings of a peer that reads nothing',
    async run({ mock, mockConnection, settle, trace }) {
      const socket = mock({ flushed: false });
      // As a net.Socket says it.
      Object.defineProperty(socket, 'writableNeedDrain', { get: () => !socket.flushed });
      const { connection } = mockConnection({ socket, events: ['close'] });
      for (let i = 0; i < 20; i++) socket.emit('data', encodeFrame({ opcode: 9, payload: `${i}` }));
      await settle(30);
      trace('full');
      socket.flushed = true;
      socket.emit('drain');
      await settle();
      trace('drained');
      socket.emit('data', encodeFrame({ opcode: 9, payload: 'last' }));
      await settle();
      connection.drop(1000, 'end', true);
    },
  },
  {
    name: 'option maxConnections',
    async run({ server, open, dial, trace, settle }) {
      const { ws, port } = await server({ maxConnections: 1 }, { watch: [], on: { request: (request) => request.accept() } });
      await open(port);
      const second = await dial(port);
      await second.until(() => second.head !== null, 'an answer');
      await settle();
      trace('second', second.status, ws.connections.length);
    },
  },
  {
    name: 'a peer that answers our Close and keeps its end of the socket',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ config: { closeTimeout: 20 }, client: { halfOpen: true }, events: ['message', 'close'] });
      connection.close();
      const { code } = await peer.frame();
      peer.send({ opcode: 8, payload: Buffer.from([code >> 8, code & 255]) });
      await sleep(150);
      trace('emitted', connection.closeEventEmitted);
    },
  },
  {
    name: 'a peer that closes and keeps its end of the socket',
    async run({ pair, trace, sleep }) {
      const { connection, peer } = await pair({ config: { closeTimeout: 20 }, client: { halfOpen: true }, events: ['message', 'close'] });
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
      await peer.frame();
      await sleep(150);
      trace('emitted', connection.closeEventEmitted);
    },
  },
  {
    name: 'a peer that never answers our Close',
    async run({ pair, trace, sleep }) {
      const { connection } = await pair({ config: { closeTimeout: 20 }, client: { halfOpen: true }, events: ['message', 'close'] });
      connection.close();
      await sleep(700);
      trace('emitted', connection.closeEventEmitted);
    },
  },
  {
    name: 'characters beyond Latin-1 in the reason of reject() are no line breaks',
    async run({ server, refused }) {
      const { port } = await server({}, { watch: [], on: { request: (request) => request.reject(403, 'a\u010d\u010aX-Evil: 1') } });
      await refused(port);
    },
  },
  {
    name: 'a cookie to be set whose name is a member of every object',
    async run({ server, refused, call }) {
      const { port } = await server({}, { watch: [], on: { request: (request) => { call('accept()', () => request.accept(null, null, [{ name: 'constructor', value: '1' }])); } } });
      await refused(port);
    },
  },
  {
    name: 'option echoCloseCode',
    async run({ pair, wireToEnd }) {
      const { peer } = await pair({ config: { echoCloseCode: true } });
      peer.send({ opcode: 8, payload: Buffer.from([15, 160]) });
      await wireToEnd(peer);
    },
  },
  {
    name: 'option trustProxy: false',
    async run({ server, refused, trace }) {
      const { port } = await server({ trustProxy: false }, { watch: [], on: { request: (request) => { trace('address', request.remoteAddress, request.remoteAddresses); request.reject(); } } });
      await refused(port, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    },
  },
  {
    name: 'a request made by hand has its properties without readHandshake()',
    async run(context) {
      const request = requestByHand(context);
      const { key, host, webSocketVersion, requestedProtocols, cookies, resourceURL } = request;
      context.trace('properties', { key, host, webSocketVersion, requestedProtocols, cookies, pathname: resourceURL && resourceURL.pathname });
    },
  },
  {
    name: 'a request made by hand is accepted without readHandshake()',
    async run(context) {
      const request = requestByHand(context);
      let thrown = null;
      try { context.trace('accepted', request.accept('chat')); } catch (error) { thrown = error.constructor.name; }
      context.trace('thrown', thrown);
    },
  },
  {
    name: 'readHandshake() may be called twice',
    async run(context) {
      const request = requestByHand(context);
      context.call('first', () => request.readHandshake());
      context.call('second', () => request.readHandshake());
      context.trace('protocols', request.requestedProtocols);
    },
  },
  {
    name: 'request.websocketVersion is the version as a string',
    async run({ server, refused, trace }) {
      const { port } = await server({}, { watch: [], on: { request: (request) => { trace('version', request.websocketVersion, request.webSocketVersion); request.reject(); } } });
      await refused(port);
    },
  },
  {
    name: 'server event connection',
    async run({ server, open, trace, settle }) {
      const { ws, port } = await server({ autoAcceptConnections: true }, { watch: ['connect'] });
      ws.on('connection', (connection) => trace('connection', connection, ws.connections[0] === connection));
      await open(port);
      await settle();
    },
  },
  {
    name: 'sendFrame() of a frame made without arguments',
    async run({ pair, lib, trace, settle, wire }) {
      const { connection, peer } = await pair();
      try {
        const frame = new lib.frame();
        Object.assign(frame, { fin: true, opcode: 1, binaryPayload: Buffer.from('bare') });
        connection.sendFrame(frame);
      } catch (error) {
        trace('thrown', error.constructor.name);
      }
      await settle();
      wire(peer);
    },
  },
  {
    name: 'W3C: the error event carries the error',
    async run({ lib, server, trace }) {
      const { url } = await server({}, { watch: [], on: { request: (request) => request.reject(401) } });
      const socket = new lib.w3cwebsocket(url);
      await new Promise((resolve) => {
        socket.onerror = (event) => { trace('error event', event.error instanceof Error, typeof event.message, event.error && event.error.message === event.message); };
        socket.onclose = resolve;
      });
    },
  },
  {
    name: 'W3C: wasClean is false without a Close frame and after a fault, true after a Close without code',
    async run(context) {
      const { opened } = require('./w3c');
      for (const action of [(peer) => peer.send({ opcode: 8, mask: false }), (peer) => peer.socket.end(), (peer) => peer.send({ opcode: 3, mask: false })]) {
        const { socket, peer } = await opened(context, { watch: false });
        const closed = new Promise((resolve) => { socket.onclose = resolve; });
        action(peer);
        const { code, wasClean } = await closed;
        context.trace('close', code, wasClean);
      }
    },
  },
  {
    name: 'W3C: binaryType blob delivers Blobs',
    async run(context) {
      const { opened } = require('./w3c');
      const { socket, peer } = await opened(context, { watch: false });
      let thrown = null;
      try { socket.binaryType = 'blob'; } catch (error) { thrown = error.constructor.name; }
      context.trace('set', thrown);
      const message = new Promise((resolve) => { socket.onmessage = resolve; });
      peer.send({ opcode: 2, payload: Buffer.from([1, 2, 3]), mask: false });
      const { data } = await message;
      context.trace('data', data.constructor.name, data.size === undefined ? data.byteLength : data.size);
    },
  },
];
