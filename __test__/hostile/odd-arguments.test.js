'use strict';

// Numbers, odd objects and things that fight back, passed to every method: it may throw an Error, or do something sensible,
// but it throws nothing else, leaves the process alive and the connections of others at work.

const { describe, it: test } = require('node:test');
const assert = require('node:assert');
const { websocket, root, isReference } = require('../helpers/under-test');
const { startServer, openClient, openPair, rawClient, eventually, turns } = require('../helpers/under-test/endpoints');
const { runScenario } = require('../helpers/under-test/child');
const { odd, lists, call } = require('./odd-values');
const { OPCODE } = require('../helpers/raw');

/** The methods of a connection, with every odd value in each place. */
const connectionMethods = {
  send: 2, sendUTF: 2, sendBytes: 2, ping: 1, pong: 1, close: 2, drop: 3, sendFrame: 2, pause: 1, resume: 1
};

describe('odd arguments', { skip: isReference ? 'some of them end the process of 1.0.35' : false }, () => {
  for (const role of ['server', 'client']) {
    for (const [method, count] of Object.entries(connectionMethods)) {
      test(`${role}: ${method}() with odd arguments`, async (t) => {
        let pair = await openPair(t, role);
        for (const [name, value] of Object.entries(odd)) {
          for (const args of lists(value, count)) {
            call(() => pair.connection[method](...args), `${method}(${name})`);
            pair.connection.resume();
            if (!pair.connection.connected) {
              await eventually(() => pair.seen.closes.length === 1 || pair.peer.closed || pair.peer.frames.length > 0, 'an end');
              pair.peer.destroy();
              pair = await openPair(t, role);
            }
          }
          await turns(1);
          assert.deepStrictEqual(pair.peer.frames.filter((frame) => frame.rsv !== 0 || !(frame.opcode in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])), [], name);
        }
        // What is sent in between is whole frames: the peer still finds the one it waits for.
        pair.connection.sendUTF('still at work');
        await pair.peer.until(() => pair.peer.frames.some((frame) => frame.payload.toString() === 'still at work'), 'the last message', 15000);
      });
    }

    test(`${role}: odd frames for sendFrame()`, async (t) => {
      let pair = await openPair(t, role);
      for (const [name, value] of Object.entries(odd)) {
        for (const property of ['opcode', 'fin', 'mask', 'rsv1', 'binaryPayload', 'length', 'closeStatus']) {
          call(() => {
            const frame = new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), pair.connection.config);
            Object.assign(frame, { opcode: 2, fin: true, binaryPayload: Buffer.from('x'), [property]: value() });
            pair.connection.sendFrame(frame, value());
          }, `a frame whose ${property} is ${name}`);
        }
        pair.peer.destroy();
        pair = await openPair(t, role);
      }
      pair.connection.sendUTF('still at work');
      await pair.received(OPCODE.TEXT);
    });
  }

  test('new WebSocketServer(), mount() and handleUpgrade() with odd arguments', () => {
    for (const [name, value] of Object.entries(odd)) {
      call(() => new websocket.server(value()), `new WebSocketServer(${name})`);
      call(() => new websocket.server({ httpServer: value() }), `httpServer: ${name}`);
      const server = new websocket.server();
      call(() => server.mount(value()), `mount(${name})`);
      call(() => server.handleUpgrade(value(), value(), value()), `handleUpgrade(${name})`);
      call(() => server.broadcast(value()), `broadcast(${name})`);
      call(() => server.shutDown(value()), `shutDown(${name})`);
    }
  });

  test('options of a server that are odd', async (t) => {
    const { server } = await startServer(t);
    const options = Object.keys(server.config).filter((option) => option !== 'httpServer');
    for (const [name, value] of Object.entries(odd)) {
      for (const option of options) {
        const other = await startServer(t).catch(() => null);
        call(() => other.server.mount({ httpServer: other.httpServer, [option]: value() }), `${option}: ${name}`);
        other.httpServer.close();
      }
    }
  });

  test('broadcasts of odd things reach the others whole or not at all', async (t) => {
    const started = await startServer(t);
    const client = await openClient(t, started.url);
    const texts = [];
    client.on('message', (message) => texts.push(message.utf8Data));
    await started.connection();
    for (const [name, value] of Object.entries(odd)) {
      for (const method of ['broadcast', 'broadcastUTF', 'broadcastBytes']) call(() => started.server[method](value()), `${method}(${name})`);
    }
    started.server.broadcastUTF('the last');
    await eventually(() => texts.includes('the last'), 'the last broadcast', 15000);
  });

  for (const [method, count] of [['accept', 3], ['reject', 3]]) {
    test(`request.${method}() with odd arguments answers, or leaves the request to be answered`, async (t) => {
      let answer;
      const started = await startServer(t, { onRequest: (request) => answer(request) });
      const values = Object.entries(odd);
      for (const [name, value] of values) {
        for (const args of lists(value, count)) {
          answer = (request) => {
            call(() => request[method](...args), `${method}(${name})`);
            call(() => request.reject(), 'reject()');
          };
          const peer = await rawClient(started.port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
          await peer.until(() => peer.head !== null || peer.closed, `an answer to ${method}(${name})`);
          assert.doesNotMatch(peer.head || '', /^b: c/im);
          peer.destroy();
        }
      }
      await eventually(() => started.server.connections.length === 0 && started.server.pendingRequests.length === 0, 'everything to go');
    });
  }

  test('client.connect() with odd arguments connects, fails, or throws an Error', async (t) => {
    const started = await startServer(t);
    const attempts = [];
    for (const value of Object.values(odd)) {
      for (const args of [[value()], ...lists(value, 3).map((list) => [started.url, ...list])]) {
        const client = new websocket.client();
        const outcome = new Promise((resolve) => {
          client.on('connectFailed', resolve);
          client.on('connect', (connection) => {
            connection.drop();
            resolve();
          });
          try {
            client.connect(...args);
          } catch (error) {
            call(() => { throw error; }, 'connect()');
            resolve();
          }
        });
        attempts.push(outcome);
      }
      await Promise.race([Promise.all(attempts), new Promise((resolve) => setTimeout(resolve, 5000).unref())]);
    }
    await eventually(() => started.server.connections.length === 0, 'all connections to go', 10000);
  });

  test('W3CWebSocket and its methods with odd arguments', async (t) => {
    const started = await startServer(t);
    for (const [name, value] of Object.entries(odd)) {
      call(() => {
        const socket = new websocket.w3cwebsocket(value());
        socket.onerror = () => {};
      }, `new W3CWebSocket(${name})`);
      for (const args of lists(value, 2)) {
        const socket = new websocket.w3cwebsocket(started.url);
        await new Promise((resolve) => Object.assign(socket, { onopen: resolve, onerror: resolve }));
        call(() => socket.send(...args), `send(${name})`);
        call(() => socket.close(...args), `close(${name})`);
        call(() => { socket.binaryType = value(); }, `binaryType = ${name}`);
        call(() => { socket.onmessage = value(); }, `onmessage = ${name}`);
        call(() => socket.addEventListener(...args), `addEventListener(${name})`);
        call(() => socket.removeEventListener(...args), `removeEventListener(${name})`);
        call(() => socket.dispatchEvent(...args), `dispatchEvent(${name})`);
        socket.close();
      }
    }
    await eventually(() => started.server.connections.length === 0, 'all connections to go', 15000);
  });

  test('the router with odd arguments', async (t) => {
    const { server, port } = await startServer(t, { onRequest: () => {} });
    for (const [name, value] of Object.entries(odd)) {
      call(() => new websocket.router(value()), `new WebSocketRouter(${name})`);
      const router = new websocket.router({ server });
      for (const args of lists(value, 3)) {
        call(() => router.mount(...args), `mount(${name})`);
        call(() => router.unmount(...args), `unmount(${name})`);
        call(() => router.findHandlerIndex(...args), `findHandlerIndex(${name})`);
      }
      router.detachServer();
      call(() => router.attachServer(value()), `attachServer(${name})`);
      call(() => router.detachServer(), `detachServer() after attachServer(${name})`);
    }
    // Nothing is left of it.
    const router = new websocket.router({ server });
    router.mount('*', 'chat', (request) => request.accept(request.origin));
    const peer = await rawClient(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    await peer.until(() => peer.head !== null, 'an answer');
    assert.strictEqual(peer.status, 101);
    peer.destroy();
  });

  test('WebSocketFrame with odd arguments and payloads', () => {
    const { frame: WebSocketFrame } = websocket;
    for (const [name, value] of Object.entries(odd)) {
      for (const args of lists(value, 3)) {
        call(() => new WebSocketFrame(...args).toBuffer(), `new WebSocketFrame(${name})`);
        call(() => new WebSocketFrame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 100 }).addData(...args), `addData(${name})`);
        call(() => new WebSocketFrame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 100 }).throwAwayPayload(...args), `throwAwayPayload(${name})`);
        call(() => new WebSocketFrame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 100 }).toBuffer(...args), `toBuffer(${name})`);
      }
    }
  });

  test('what the addon exports takes anything without ending the process', async (t) => {
    const { code, signal, stderr, reports } = await runScenario(t, require.resolve('./odd-values.js'), 'addon', { args: { root }, timeout: 30000 });
    assert.deepStrictEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    assert.ok(reports[0].calls > 2000, `${reports[0].calls} calls`);
  });
});
