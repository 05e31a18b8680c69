'use strict';

// The option `fallback` and the life of a process: it ends when nothing is left to do, and contexts stay apart.

const { test, describe } = require('node:test');
const assert = require('node:assert');
const path = require('path');
const { AsyncLocalStorage } = require('async_hooks');
const { spawnSync } = require('child_process');
const { IO, serve, client, get } = require('./serve');

const PACKAGE = path.resolve(__dirname, '../..');

/** Runs a program with a server and a client whose connection is idle, until `body` is called; it must end by itself. */
function endsByItself(io, body) {
  const program = `
    const http = require('http'), net = require('net');
    const { server: WebSocketServer } = require(${JSON.stringify(PACKAGE)});
    const httpServer = http.createServer((request, response) => response.end('x'));
    const wsServer = new WebSocketServer({ port: 0, host: '127.0.0.1', io: '${io}', fallback: httpServer });
    wsServer.on('listening', () => {
      const socket = net.connect(wsServer.address().port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'));
      socket.on('error', () => {});
      socket.once('data', () => { ${body} });
    });
    setTimeout(() => process.exit(9), 10000).unref();`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 30000 });
  assert.strictEqual(status, 0, stderr);
}

for (const io of IO) {
  describe(`the process, io: ${io}`, () => {
    test('ends after shutDown() of the WebSocket server', () => endsByItself(io, 'wsServer.shutDown();'));
    test('ends after close() of the HTTP server', () => {
      endsByItself(io, 'httpServer.close(); if (parseInt(process.version.slice(1), 10) < 19) httpServer.closeIdleConnections();');
    });
    test('ends after unref() of the HTTP server, when its connections have gone', () => {
      endsByItself(io, 'httpServer.unref(); socket.destroy();');
    });
    test('ends while a worker thread that has such servers is terminated', () => {
      endsByItself(io, `
        if (!require('worker_threads').isMainThread) return;
        const { Worker } = require('worker_threads');
        const worker = new Worker(program, { eval: true });
        worker.on('message', (port) => {
          const peers = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1', function () {
            this.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n');
          }).on('error', () => {}));
          let answers = 0;
          for (const peer of peers) peer.once('data', () => { if (++answers === peers.length) worker.terminate().then(() => wsServer.shutDown()); });
        });
      `.replace('program', JSON.stringify(`
        const http = require('http');
        const { server: WebSocketServer } = require(${JSON.stringify(PACKAGE)});
        const fallback = http.createServer((request, response) => response.end('x'));
        const server = new WebSocketServer({ port: 0, host: '127.0.0.1', io: '${io}', fallback });
        server.on('listening', () => require('worker_threads').parentPort.postMessage(server.address().port));
      `)));
    });

    test('what a handler enters does not reach the requests of other connections', async (t) => {
      const storage = new AsyncLocalStorage();
      const seen = [];
      const answer = ({ url }, response) => {
        seen.push(storage.getStore());
        storage.enterWith(url);
        setImmediate(() => response.end(storage.getStore()));
      };
      const { port } = await serve(t, { io, answer });
      const urls = ['/1', '/2', '/3', '/4'];
      const clients = urls.map((url) => client(t, port).write(get(url)));
      for (const [i, raw] of clients.entries()) assert.strictEqual((await raw.response()).body, urls[i]);
      assert.deepStrictEqual(seen, urls.map(() => undefined));
    });
  });
}
