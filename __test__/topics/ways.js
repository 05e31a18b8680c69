'use strict';

// Servers and clients with every way in which the bytes of a connection are moved, and of compressing them.

const { createHttpServer } = require('../helpers/under-test/transport');
const { startServer, openClient, openRawClient, record, eventually } = require('../helpers/under-test/endpoints');

const alone = { serverNoContextTakeover: true, threshold: 0 };

/** Name, options of the server and its clients, whether TLS is below. */
const WAYS = [
  { name: 'auto', config: {} },
  { name: 'loop', config: { io: 'loop' } },
  { name: 'threads', config: { io: 'threads' } },
  { name: 'stream', config: { io: 'stream' } },
  { name: 'TLS', config: {}, secure: true },
  { name: 'loop, compressed one by one', config: { io: 'loop', perMessageDeflate: alone } },
  { name: 'threads, compressed one by one', config: { io: 'threads', perMessageDeflate: alone } },
  { name: 'loop, compressed with context', config: { io: 'loop', perMessageDeflate: { threshold: 0 } } },
  { name: 'stream, compressed one by one', config: { io: 'stream', perMessageDeflate: alone } },
];

/**
 * A server with `count` clients. `connections[i]` is the server's end of `clients[i]`, `seen[i]` what that has received.
 */
async function open(t, way, count, config = {}) {
  const options = { keepalive: false, ...way.config, ...config };
  const httpServer = way.secure ? createHttpServer(undefined, true) : undefined;
  const started = await startServer(t, { config: options, httpServer });
  const clients = [];
  const seen = [];
  for (let i = 0; i < count; i++) {
    clients.push(await openClient(t, started.url, {
      config: { io: way.config.io, perMessageDeflate: way.config.perMessageDeflate && { threshold: 0 } },
      onConnect: (connection) => seen.push(record(connection)),
    }));
    await started.connection(i + 1);
  }
  return { ...started, clients, seen };
}

/** A client that does not read, until it is told to. */
async function openStuck(t, { port, connection, connections }, way) {
  const count = connections.length;
  const peer = await openRawClient(port, { secure: way.secure });
  peer.socket.pause();
  t.after(() => peer.destroy());
  return { peer, connection: await connection(count + 1) };
}

const BLOCK = Buffer.alloc(256 * 1024, 'x');

/** Sends to a connection whose peer does not read, until the system takes no more. */
async function fill(connection) {
  for (let sent = 0; sent < 400; sent++) {
    connection.sendBytes(BLOCK);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (connection.bufferedAmount < 1 << 20) continue;
    await new Promise((resolve) => setTimeout(resolve, 40));
    if (connection.bufferedAmount >= 1 << 20) return;
  }
  throw new Error('a peer that does not read takes everything');
}

/** Resolves when all of these records have so many messages. */
function received(seen, count) {
  return eventually(() => seen.every(({ messages }) => messages.length >= count), `${count} messages for each`, 10000);
}

module.exports = { WAYS, open, openStuck, fill, received };
