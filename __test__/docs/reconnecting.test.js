'use strict';

// docs/reconnecting.md: its programs, and what reconnecting clients of others need of w3cwebsocket.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { createRequire } = require('module');
const { server: WebSocketServer, w3cwebsocket: W3CWebSocket } = require('../..');
const { namedSnippet, makeProject, withPort } = require('./snippets');

const PAGE = 'docs/reconnecting.md';
const PACKAGES = ['partysocket@1.3.0', 'reconnecting-websocket@4.4.0'];

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-reconnecting-')));
after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));

/** Why the packages could not be installed, or null. */
let problem = null;
before(() => {
  problem = makeProject(directory, PACKAGES);
});

/** A server that can be stopped and started again on the same port. */
async function flakyServer(t, onConnection) {
  const state = { port: 0, httpServer: null, wsServer: null, connections: 0 };
  state.start = async () => {
    state.httpServer = http.createServer();
    state.wsServer = new WebSocketServer({ httpServer: state.httpServer });
    state.wsServer.on('request', (request) => {
      state.connections++;
      onConnection(request.accept(request.requestedProtocols[0]), state, request);
    });
    state.httpServer.listen(state.port, '127.0.0.1');
    await once(state.httpServer, 'listening');
    state.port = state.httpServer.address().port;
  };
  state.stop = async () => {
    for (const connection of [...state.wsServer.connections]) connection.drop(1001, 'Server restarts');
    state.wsServer.shutDown();
    state.httpServer.close();
    await once(state.httpServer, 'close');
  };
  await state.start();
  t.after(() => state.stop().catch(() => {}));
  return state;
}

describe('the programs of the page connect again', () => {
  for (const file of ['by-hand.js', 'partysocket.js', 'reconnecting-websocket.js']) {
    test(file, async (t) => {
      if (problem !== null && file !== 'by-hand.js') {
        t.skip(problem);
        return;
      }
      const messages = [];
      const server = await flakyServer(t, (connection) => {
        connection.on('message', (message) => {
          messages.push(message.utf8Data);
          connection.sendUTF('welcome');
          // The first time, the server goes away without a word.
          if (messages.length === 1) setTimeout(() => connection.socket.destroy(), 50);
        });
      });
      // As in the page, but for the port and the time it waits.
      const code = withPort(namedSnippet(PAGE, file).code, server.port).replace('minReconnectionDelay: 1000', 'minReconnectionDelay: 50').replace('1000 *', '50 *');
      fs.writeFileSync(path.join(directory, file), code);
      const child = spawn(process.execPath, [file], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => child.kill('SIGKILL'));
      let output = '';
      await new Promise((resolve, reject) => {
        child.stdout.on('data', (data) => {
          output += data;
          if (output.split('welcome').length > 2) resolve();
        });
        child.on('exit', (code) => reject(new Error(`exit ${code} after ${output}`)));
      });
      assert.deepStrictEqual(messages, ['hello', 'hello']);
      assert.match(output, /^welcome\n1006\nwelcome\n/);
    });
  }
});

const LOADED = {
  partysocket: () => createRequire(path.join(directory, 'x.js'))('partysocket/ws').default,
  'reconnecting-websocket': () => createRequire(path.join(directory, 'x.js'))('reconnecting-websocket'),
};

for (const [name, load] of Object.entries(LOADED)) {
  describe(name, () => {
    const skipped = (t) => {
      if (problem !== null) t.skip(problem);
      return problem !== null;
    };

    test('waits for a server that is not there yet, and sends what was queued', async (t) => {
      if (skipped(t)) return;
      const got = [];
      const server = await flakyServer(t, (connection) => connection.on('message', (message) => {
        got.push(message);
        connection.sendUTF('thanks');
      }));
      await server.stop();
      const socket = new (load())(`ws://127.0.0.1:${server.port}/`, [], { WebSocket: W3CWebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 100 });
      t.after(() => socket.close());
      const errors = [];
      const failedTwice = new Promise((resolve) => {
        socket.addEventListener('error', (event) => {
          if (errors.push(event.message) === 2) resolve();
        });
      });
      socket.send('queued');
      await failedTwice;
      await server.start();
      await new Promise((resolve) => { socket.addEventListener('message', resolve); });
      assert.deepStrictEqual(got, [{ type: 'utf8', utf8Data: 'queued' }]);
      assert.match(errors[0], /ECONNREFUSED/);
    });

    test('passes subprotocols, binary data and close codes, and a derived class adds headers', async (t) => {
      if (skipped(t)) return;
      class Authorized extends W3CWebSocket {
        constructor(url, protocols) {
          super(url, protocols, undefined, { Authorization: 'Bearer token' });
        }
      }
      const headers = [];
      const server = await flakyServer(t, (connection, state, request) => {
        headers.push(request.httpRequest.headers.authorization);
        connection.on('message', (message) => {
          connection.sendBytes(message.binaryData);
          connection.close(4001, 'again');
        });
      });
      const socket = new (load())(`ws://127.0.0.1:${server.port}/`, 'chat', { WebSocket: Authorized, minReconnectionDelay: 50, maxReconnectionDelay: 100 });
      socket.binaryType = 'arraybuffer';
      const seen = [];
      await new Promise((resolve) => {
        socket.addEventListener('open', () => {
          seen.push(socket.protocol);
          socket.send(new Uint8Array([1, 2, 3]));
        });
        socket.addEventListener('message', ({ data }) => seen.push([...new Uint8Array(data)]));
        socket.addEventListener('close', ({ code, reason }) => {
          seen.push([code, reason]);
          if (seen.length < 6) return;
          socket.close();
          resolve();
        });
      });
      assert.deepStrictEqual(seen, ['chat', [1, 2, 3], [4001, 'again'], 'chat', [1, 2, 3], [4001, 'again']]);
      assert.deepStrictEqual(headers, ['Bearer token', 'Bearer token']);
    });

    test('close() by the program is the end', async (t) => {
      if (skipped(t)) return;
      const server = await flakyServer(t, () => {});
      const socket = new (load())(`ws://127.0.0.1:${server.port}/`, [], { WebSocket: W3CWebSocket, minReconnectionDelay: 50 });
      await new Promise((resolve) => { socket.addEventListener('open', resolve); });
      const closed = new Promise((resolve) => { socket.addEventListener('close', resolve); });
      const gone = once(server.wsServer, 'close');
      socket.close(1000, 'done');
      assert.strictEqual((await closed).code, 1000);
      await gone;
      assert.strictEqual(server.connections, 1);
    });
  });
}
