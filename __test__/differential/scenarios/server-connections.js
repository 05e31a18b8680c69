'use strict';

// A server and its accepted connections: lists, broadcast, closing all, order of close events.

const { raw } = require('../watch');

const lists = (server) => raw(`| pending ${server.pendingRequests.length}, connections ${server.connections.length}`);

/** A server with `count` accepted raw clients, in the order of their paths. */
async function crowd({ server, open }, count, config = {}, watch = ['close']) {
  const { ws, port } = await server(config, { watch, on: { request: (request) => { request.accept().resource = request.resource; } } });
  const peers = [];
  for (let i = 0; i < count; i++) peers.push(await open(port, { path: `/${i}` }));
  return { ws, port, peers };
}

const broadcast = (name, send) => ({
  name,
  async run(context) {
    const { ws, peers } = await crowd(context, 3);
    context.call('broadcast', () => send(ws));
    for (const [i, peer] of peers.entries()) {
      await peer.frame();
      context.wire(peer, `peer ${i}`);
    }
  },
});

module.exports = [
  broadcast('broadcast() of a string goes to every connection as text', (ws) => ws.broadcast('to all')),
  broadcast('broadcast() of a Buffer goes to every connection as binary', (ws) => ws.broadcast(Buffer.from([1, 2, 3]))),
  broadcast('broadcast() of an object sends its toString()', (ws) => ws.broadcast({ toString: () => 'as text' })),
  broadcast('broadcastUTF() sends text', (ws) => ws.broadcastUTF('ünïcode ✓')),
  broadcast('broadcastBytes() sends binary', (ws) => ws.broadcastBytes(Buffer.from('bytes'))),
  broadcast('broadcast() of a number sends it as text', (ws) => ws.broadcast(42)),
  {
    name: 'broadcastBytes() of something else than a Buffer throws',
    async run(context) {
      const { ws } = await crowd(context, 1);
      context.call('broadcastBytes("text")', () => ws.broadcastBytes('text'));
    },
  },
  {
    name: 'broadcast to nobody does nothing',
    async run({ lib, call }) {
      const server = new lib.server();
      call('broadcast', () => server.broadcast('x'));
      call('broadcastUTF', () => server.broadcastUTF('x'));
      call('broadcastBytes', () => server.broadcastBytes(Buffer.from('x')));
    },
  },
  {
    name: 'a broadcast goes through the sendUTF and sendBytes of each connection',
    async run(context) {
      const { ws, peers } = await crowd(context, 2);
      for (const connection of ws.connections) {
        connection.sendUTF = (data) => context.trace(`sendUTF ${connection.resource}`, data);
        connection.sendBytes = (data) => context.trace(`sendBytes ${connection.resource}`, data);
      }
      ws.broadcast('text');
      ws.broadcast(Buffer.from('bytes'));
      ws.broadcastUTF('text');
      ws.broadcastBytes(Buffer.from('bytes'));
      for (const peer of peers) context.wire(peer);
    },
  },
  {
    name: 'a fragmented broadcast is fragmented for every connection',
    async run(context) {
      const { ws, peers } = await crowd(context, 2, { fragmentationThreshold: 4 });
      ws.broadcastUTF('0123456789');
      for (const [i, peer] of peers.entries()) {
        await peer.frame(3);
        context.wire(peer, `peer ${i}`);
      }
    },
  },
  {
    name: 'closeAllConnections() closes every connection with 1000',
    async run(context) {
      const { trace, call } = context;
      const { ws, peers } = await crowd(context, 3);
      call('closeAllConnections()', () => ws.closeAllConnections());
      trace('states', ws.connections.map((connection) => `${connection.state} ${connection.connected}`), lists(ws));
      for (const [i, peer] of peers.entries()) {
        await peer.frame();
        peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
        await context.wireToEnd(peer, `peer ${i}`);
      }
      await context.until(() => ws.connections.length === 0, 'an empty list');
    },
  },
  {
    name: 'closeAllConnections() rejects pending requests with 503 on the next tick',
    async run({ server, dial, event, trace, call, settle }) {
      const { ws, port } = await server({}, { watch: [] });
      const [, peer] = await Promise.all([event(ws, 'request'), dial(port)]);
      call('closeAllConnections()', () => ws.closeAllConnections());
      trace('at once', lists(ws));
      await peer.close();
      await settle();
      trace('answer', peer.head, lists(ws));
    },
  },
  {
    name: 'shutDown() unmounts and closes everything',
    async run(context) {
      const { trace, call, wireToEnd, until } = context;
      const { ws, peers } = await crowd(context, 2);
      call('shutDown()', () => ws.shutDown());
      trace('mounted', ws.config.httpServer.map((web) => web.listenerCount('upgrade')), lists(ws));
      for (const [i, peer] of peers.entries()) {
        await peer.frame();
        peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
        await wireToEnd(peer, `peer ${i}`);
      }
      await until(() => ws.connections.length === 0, 'an empty list');
      call('shutDown() again', () => ws.shutDown());
    },
  },
  {
    name: 'the close event of the server comes before listeners the user put on the connection',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('close', (connection, code, description) => trace('server close', connection, code, description, lists(ws)));
      ws.on('request', (request) => {
        const connection = request.accept();
        connection.on('close', (code, description) => trace('connection close', code, description, lists(ws)));
        setImmediate(() => connection.drop(1011, 'over'));
      });
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'a close listener put on in requestAccepted or connect runs before or after that of the server as it was put on',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: ['close'] });
      ws.on('connect', (connection) => connection.on('close', () => trace('listener from connect', lists(ws))));
      ws.on('request', (request) => {
        request.on('requestAccepted', (connection) => connection.on('close', () => trace('listener from requestAccepted', lists(ws))));
        const connection = request.accept();
        connection.on('close', () => trace('listener after accept', lists(ws)));
        setImmediate(() => connection.drop(1000));
      });
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'dropping a connection inside the server connect event',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server();
      ws.on('connect', (connection) => {
        connection.drop(1008, 'not you');
        trace('dropped', lists(ws));
      });
      ws.on('request', (request) => {
        const connection = request.accept();
        trace('accepted', connection.state, connection.connected, lists(ws));
      });
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'closing a connection inside the request handler, right after accept()',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server();
      ws.on('request', (request) => {
        const connection = request.accept();
        connection.close(4000, 'that was quick');
        trace('closed', connection.state, connection.connected, lists(ws));
      });
      const peer = await open(port);
      await peer.frame();
      peer.send({ opcode: 8, payload: Buffer.from([3, 232]) });
      await wireToEnd(peer);
    },
  },
  {
    name: 'connections close in the order their peers leave and the list keeps the others',
    async run(context) {
      const { ws, peers } = await crowd(context, 3, {}, []);
      ws.on('close', (connection, code) => {
        context.trace('close', connection.resource, code, ws.connections.map((other) => other.resource));
      });
      for (const i of [1, 0, 2]) {
        const left = ws.connections.length;
        peers[i].destroy();
        await context.until(() => ws.connections.length < left, 'the connection to leave');
      }
    },
  },
  {
    name: 'a connection accepted by the server carries addresses, version and configuration',
    async run({ pair, trace }) {
      const { connection, ws, request } = await pair({ config: { closeTimeout: 123, maxReceivedMessageSize: 5 } });
      for (const key of ['remoteAddress', 'remoteAddresses', 'webSocketVersion', 'protocol', 'extensions', 'closeReasonCode',
        'closeDescription', 'closeEventEmitted', 'maskOutgoingPackets', 'connected', 'state', 'waitingForCloseResponse',
        'closeTimeout', 'assembleFragments', 'maxReceivedMessageSize', 'outputBufferFull', 'inputPaused', 'fragmentationSize', 'frameQueue',
        '_pingListenerCount']) {
        trace(key, connection[key]);
      }
      trace('same', connection.config === ws.config, connection.socket === request.socket);
      trace('no members of other libraries', 'readyState' in connection, 'OPEN' in connection, 'terminate' in connection);
    },
  },
];
