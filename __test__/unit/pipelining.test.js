'use strict';

// RFC 9112 section 9.3.2: a client may send requests without waiting for responses, and gets these in the order of the requests.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const net = require('net');
const { AsyncLocalStorage } = require('async_hooks');
const { once } = require('events');
const websocket = require('../..');
const { startHttpServer, eventually, turns } = require('../helpers/under-test/endpoints');
const { requestHead, encodeFrame, OPCODE } = require('../helpers/raw');

const plain = (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Starts an HTTP server with a WebSocket server, sends `text` and collects what comes back. */
async function exchange(t, onPlain, text, config = {}) {
  const { httpServer, port } = await startHttpServer(t, http.createServer(onPlain));
  const server = new websocket.server({ httpServer, ...config });
  const requests = [];
  server.on('request', (request) => {
    requests.push(request.resource);
    const connection = request.accept();
    connection.on('message', (message) => connection.sendUTF(`${message.utf8Data}!`));
    connection.sendUTF('frame');
  });
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let seen = '';
  let ended = false;
  socket.on('data', (bytes) => { seen += bytes.toString('latin1'); });
  socket.on('close', () => { ended = true; });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  /** Resolves when all of the texts have come, and checks their order. */
  const inOrder = async (...texts) => {
    await eventually(() => texts.every((one) => seen.includes(one)), `${texts} in ${JSON.stringify(seen.slice(0, 300))}`);
    const places = texts.map((one) => seen.indexOf(one));
    assert.deepStrictEqual(places, [...places].sort((a, b) => a - b), JSON.stringify(seen.slice(0, 600)));
  };
  return { server, httpServer, socket, requests, inOrder, seen: () => seen, ended: () => ended };
}

const later = (response, body) => setTimeout(() => response.end(body), 30);

describe('an upgrade behind another request waits for the response to that', () => {
  test('which comes later', async (t) => {
    const { inOrder } = await exchange(t, (request, response) => later(response, 'page'), plain('/page') + requestHead());
    await inOrder('200 OK', 'page', '101 Switching', '\x81\x05frame');
  });

  test('which comes at once', async (t) => {
    const { inOrder } = await exchange(t, (request, response) => response.end('page'), plain('/page') + requestHead());
    await inOrder('200 OK', 'page', '101 Switching', '\x81\x05frame');
  });

  test('or to several of them', async (t) => {
    const { inOrder } = await exchange(t, (request, response) => later(response, `body of ${request.url}`),
      plain('/1') + plain('/2') + plain('/3') + requestHead());
    await inOrder('body of /1', 'body of /2', 'body of /3', '101 Switching', '\x81\x05frame');
  });

  test('also when later requests are answered first', async (t) => {
    const { inOrder } = await exchange(t,
      (request, response) => setTimeout(() => response.end(`body of ${request.url}`), request.url === '/1' ? 60 : 1),
      plain('/1') + plain('/2') + requestHead());
    await inOrder('body of /1', 'body of /2', '101 Switching', '\x81\x05frame');
  });

  test('when that request has a body', async (t) => {
    const { inOrder } = await exchange(t, (request, response) => request.on('data', () => {}).on('end', () => later(response, 'thanks')),
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody${requestHead()}`);
    await inOrder('thanks', '101 Switching', '\x81\x05frame');
  });

  test('when the response is longer than what the socket takes', async (t) => {
    const chunk = Buffer.alloc(100000, 'x');
    const { socket, inOrder } = await exchange(t, async (request, response) => {
      for (let i = 0; i < 50; i++) {
        if (!response.write(chunk)) await once(response, 'drain');
      }
      response.end('the end');
    }, plain('/long') + requestHead());
    socket.pause();
    await turns(20);
    socket.resume();
    await inOrder('200 OK', 'the end', '101 Switching', '\x81\x05frame');
  });

  test('and its refusal does, too', async (t) => {
    for (const config of [{ path: '/chat' }, { maxConnections: 0 }]) {
      const { inOrder, requests } = await exchange(t, (request, response) => later(response, 'page'), plain('/page') + requestHead(), config);
      await inOrder('200 OK', 'page', config.path ? '404 Not Found' : '503 Service');
      assert.deepStrictEqual(requests, []);
    }
  });

  test('and messages that came with it are delivered', async (t) => {
    const early = encodeFrame({ opcode: OPCODE.TEXT, payload: 'early' });
    const { inOrder } = await exchange(t, (request, response) => later(response, 'page'),
      Buffer.concat([Buffer.from(plain('/page') + requestHead()), early]));
    await inOrder('page', '101 Switching', '\x81\x05frame', '\x81\x06early!');
  });

  test('for each of several servers', async (t) => {
    const { httpServer, port } = await startHttpServer(t, http.createServer((request, response) => later(response, 'page')));
    const seen = [];
    for (const path of ['/a', '/b']) {
      new websocket.server({ httpServer }).on('request', (request) => {
        seen.push(path);
        if (request.resource === path) request.accept().sendUTF(path);
      });
    }
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(plain('/page') + requestHead({ path: '/b' }));
    let text = '';
    socket.on('data', (bytes) => { text += bytes.toString('latin1'); });
    await eventually(() => text.includes('\x81\x02/b'), 'the message');
    assert.ok(text.indexOf('page') < text.indexOf('101 Switching'));
    assert.deepStrictEqual(seen, ['/a', '/b']);
  });

  test('and is emitted in the async context in which it came', async (t) => {
    const storage = new AsyncLocalStorage();
    const { httpServer, port } = await startHttpServer(t,
      http.createServer((request, response) => storage.run('of the page', () => later(response, 'page'))));
    const server = new websocket.server({ httpServer });
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const store = new Promise((resolve) => server.on('request', (request) => {
      resolve(storage.getStore());
      request.reject();
    }));
    socket.write(plain('/page') + requestHead());
    assert.strictEqual(await store, undefined);
  });
});

test('an upgrade behind the last response of a connection is not answered', async (t) => {
  const { requests, seen, ended } = await exchange(t, (request, response) => {
    response.setHeader('Connection', 'close');
    later(response, 'bye');
  }, plain('/page') + requestHead());
  await eventually(ended, 'the connection to end');
  assert.match(seen(), /bye$/);
  assert.deepStrictEqual(requests, []);
});

test('a client that goes away while its upgrade waits harms nobody', async (t) => {
  for (const leave of ['destroy', 'resetAndDestroy']) {
    let response;
    const { socket, requests, server } = await exchange(t, (request, first) => { response = first; }, plain('/page') + requestHead());
    await eventually(() => response, 'the request');
    socket[leave]();
    await turns(10);
    response.end('page');
    await eventually(() => response.destroyed || response.writableFinished, 'the end of the response');
    await turns(10);
    assert.strictEqual(server.pendingRequests.length, 0);
    assert.ok(requests.length <= 1);
  }
});

test('an upgrade that waits while the server is unmounted is refused with 503', async (t) => {
  let response;
  const { server, inOrder, requests } = await exchange(t, (request, first) => { response = first; }, plain('/page') + requestHead());
  await eventually(() => response, 'the request');
  server.shutDown();
  response.end('page');
  await inOrder('page', '503 Service Unavailable');
  assert.deepStrictEqual(requests, []);
});
