'use strict';

// The option reusePort: several processes, and threads of one, listen at the same port, each by itself.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const cluster = require('cluster');
const path = require('path');
const { fork } = require('child_process');
const { once } = require('events');
const { Worker, parentPort, workerData } = require('worker_threads');
const { websocket, isReference } = require('../helpers/under-test');
const { openRawClient } = require('../helpers/raw');

/** Enough that each of two gets some: all to one is as likely as 100 tosses of a coin that are alike. */
const CONNECTIONS = 100;

const skip = isReference ? '1.0.35 does not listen itself' : process.platform !== 'linux' ? 'only Linux spreads connections' : false;
const NODE_KNOWS_IT = (() => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
})();

function listen(options) {
  const server = new websocket.server({ host: '127.0.0.1', keepalive: false, autoAcceptConnections: true, ...options });
  return once(server, 'listening').then(() => server);
}

/** Listens where it is told to, and tells how many connections it has when it is asked. */
async function serve(port, io, send, receive) {
  const server = await listen({ port, io, reusePort: true });
  receive((what) => {
    if (what === 'count') send(server.connections.length);
    else process.exit(0);
  });
  send('listening');
}

if (process.argv[2] === 'serve') {
  serve(Number(process.argv[3]), process.argv[4], (what) => process.send(what), (listener) => process.on('message', listener));
} else if (workerData && workerData.reusePort) {
  serve(workerData.port, workerData.io, (what) => parentPort.postMessage(what), (listener) => parentPort.on('message', listener));
} else {
  const starts = {
    'a process': (port, io) => {
      const child = fork(__filename, ['serve', port, io]);
      return { emitter: child, ask: (what) => child.send(what), end: () => child.kill() };
    },
    'a worker of a cluster': (port, io) => {
      cluster.setupPrimary({ exec: __filename, args: ['serve', port, io] });
      const worker = cluster.fork();
      return { emitter: worker, ask: (what) => worker.send(what), end: () => worker.process.kill() };
    },
    'a thread': (port, io) => {
      const worker = new Worker(path.join(__dirname, path.basename(__filename)), { workerData: { reusePort: true, port, io } });
      return { emitter: worker, ask: (what) => worker.postMessage(what), end: () => worker.terminate() };
    },
  };

  describe('reusePort', { skip }, () => {
    for (const io of ['auto', ...(NODE_KNOWS_IT ? ['stream'] : [])]) {
      for (const [who, start] of Object.entries(starts)) {
        test(`${io}: this process and ${who} listen at one port, and both get connections`, { timeout: 30000 }, async (t) => {
          const server = await listen({ port: 0, io, reusePort: true });
          t.after(() => server.shutDown());
          const { port } = server.address();
          const other = start(String(port), io);
          t.after(other.end);
          assert.deepStrictEqual((await once(other.emitter, 'message'))[0], 'listening');
          const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => openRawClient(port)));
          t.after(() => clients.forEach((client) => client.destroy()));
          other.ask('count');
          const [there] = await once(other.emitter, 'message');
          const here = server.connections.length;
          assert.strictEqual(here + there, CONNECTIONS);
          assert.ok(here > 0 && there > 0, `${here} here, ${there} there`);
        });
      }
    }

    test('a port at which somebody listens without the option is in use', { timeout: 10000 }, async (t) => {
      const server = await listen({ port: 0, io: 'auto' });
      t.after(() => server.shutDown());
      const { port } = server.address();
      await assert.rejects(listen({ port, io: 'auto', reusePort: true }), { code: 'EADDRINUSE' });
    });

    test('what it cannot be used with is said', () => {
      assert.throws(() => new websocket.server({ noServer: true, reusePort: true }), { code: 'ERR_WEBSOCKET_OPTION', message: /needs the option port/ });
      if (NODE_KNOWS_IT) return;
      assert.throws(() => new websocket.server({ port: 0, io: 'stream', reusePort: true }), { code: 'ERR_WEBSOCKET_OPTION', message: /Node\.js 22\.12/ });
    });
  });
}
