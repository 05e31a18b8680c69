'use strict';

// permessage-deflate with a real browser, which offers it by itself.

const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { once } = require('node:events');
const { skip, startBrowser } = require('./chromium');
const { server: WebSocketServer } = require('../..');

/** What runs in the page: sends all messages, and resolves with what the socket says and what came back. */
function talk({ url, texts, sizes }) {
  return new Promise((resolve, reject) => {
    const socket = new globalThis.WebSocket(url);
    socket.binaryType = 'arraybuffer';
    const received = [];
    socket.onclose = ({ code, reason }) => reject(new Error(`closed: ${code} ${reason}`));
    socket.onopen = () => {
      for (const text of texts) socket.send(text);
      for (const size of sizes) socket.send(new Uint8Array(size).map((_, i) => i * i >> 3));
    };
    socket.onmessage = ({ data }) => {
      received.push(typeof data === 'string' ? data : new Uint8Array(data).every((byte, i) => byte === (i * i >> 3 & 0xff)));
      if (received.length < texts.length + sizes.length) return;
      const { extensions } = socket;
      socket.onclose = ({ wasClean }) => resolve({ extensions, received, wasClean });
      socket.close(1000);
    };
  });
}

for (const [options, expected] of [
  [{}, 'permessage-deflate'],
  [{ sharedCompressor: true, clientNoContextTakeover: true },
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
  [{ serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
    'permessage-deflate; server_max_window_bits=9; client_max_window_bits=10'],
]) {
  test(`a browser exchanges compressed messages: ${JSON.stringify(options)}`, { skip }, async (t) => {
    const httpServer = http.createServer((request, response) => response.end('<!doctype html>'));
    const server = new WebSocketServer({
      httpServer, autoAcceptConnections: true, perMessageDeflate: { threshold: 0, ...options },
      maxReceivedFrameSize: 1 << 20, maxReceivedMessageSize: 1 << 20,
    });
    server.on('connect', (connection) => connection.on('message', (message) => {
      connection.send(message.type === 'utf8' ? message.utf8Data : message.binaryData);
    }));
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    t.after(() => {
      server.shutDown();
      httpServer.closeAllConnections();
      httpServer.close();
    });
    const { port } = httpServer.address();
    const browser = await startBrowser(t);
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const texts = ['short', '', 'äöü€😀'.repeat(1000), JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, even: id % 2 === 0 })))];
    const result = await page.evaluate(talk, { url: `ws://127.0.0.1:${port}/`, texts: [...texts, ...texts], sizes: [1, 1000, 300000] });
    assert.strictEqual(result.extensions, expected);
    assert.deepStrictEqual(result.received, [...texts, ...texts, true, true, true]);
    assert.ok(result.wasClean);
  });
}
