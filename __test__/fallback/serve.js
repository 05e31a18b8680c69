'use strict';

// A WebSocket server with the option `fallback`, and an HTTP client that is nothing but a socket.

const assert = require('node:assert');
const http = require('http');
const net = require('net');
const tls = require('tls');
const { once } = require('events');
const websocket = require('../..');
const loaded = require('../../lib/internal/addon/binding');

const HOST = '127.0.0.1';

/** Whether the addon itself can listen here. */
const isNative = process.platform !== 'win32' && typeof loaded.nativeListen === 'function';

/** The ways in which a server can listen. */
const IO = isNative ? ['loop', 'threads', 'stream'] : ['stream'];

/** Answers with what it was asked. */
function echo(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(chunks)}`));
  // Of clients that go away.
  request.on('error', () => {});
}

/**
 * Starts both. `answer` is the listener of the HTTP server, `httpOptions` are those of http.createServer(), the rest are
 * options of the WebSocket server. Everything is closed after the test.
 */
async function serve(t, { answer = echo, httpOptions = {}, httpServer = http.createServer(httpOptions, answer), ...config } = {}) {
  const server = new websocket.server({ port: 0, host: HOST, autoAcceptConnections: true, fallback: httpServer, ...config });
  t.after(async () => {
    server.close();
    for (const { socket } of [...server.connections, ...server.pendingRequests]) socket.destroy();
    if (!httpServer.listening) return;
    httpServer.close();
    httpServer.closeAllConnections();
  });
  await once(server, 'listening');
  return { server, httpServer, port: server.address().port };
}

/** Responses off the front of a text, with bodies that have a Content-Length or are chunked, or (304, HEAD) none. */
function takeResponse(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = text.slice(0, end);
  const rest = text.slice(end + 4);
  const status = Number(head.split(' ')[1]);
  if (status < 200) return { response: { status, head, body: '' }, rest };
  const [, length] = /^content-length: (\d+)/im.exec(head) || [];
  if (length !== undefined) {
    if (rest.length < Number(length)) return null;
    return { response: { status, head, body: rest.slice(0, Number(length)) }, rest: rest.slice(Number(length)) };
  }
  const last = rest.indexOf('0\r\n\r\n');
  if (!/^transfer-encoding: chunked/im.test(head) || last === -1) return null;
  const body = rest.slice(0, last).replace(/[0-9a-f]+\r\n([^\r]*)\r\n/gi, '$1');
  return { response: { status, head, body }, rest: rest.slice(last + 5) };
}

/** A client that sends what it is told to, and reads responses. */
class RawHttp {
  constructor(socket) {
    this.socket = socket;
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => { this.error = error; });
    this.text = '';
    this.ended = false;
    this._changed = () => {};
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this._changed();
    });
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.ended = true;
        this._changed();
      });
    }
  }

  write(bytes) {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  /** The next response; null when there comes none any more. */
  async response() {
    for (;;) {
      const taken = takeResponse(this.text);
      if (taken !== null) {
        this.text = taken.rest;
        return taken.response;
      }
      if (this.ended) return null;
      await new Promise((resolve) => { this._changed = resolve; });
    }
  }

  /** Everything up to the end of the connection. */
  async rest() {
    while (!this.ended) await new Promise((resolve) => { this._changed = resolve; });
    return this.text;
  }
}

/** Connects; over TLS if a certificate authority is given. */
function client(t, port, ca) {
  const raw = new RawHttp(ca === undefined ? net.connect(port, HOST) : tls.connect({ port, host: HOST, ca, ALPNProtocols: ['http/1.1'] }));
  t.after(() => raw.socket.destroy());
  return raw;
}

const get = (path, ...headers) => `GET ${path} HTTP/1.1\r\n${['Host: a', ...headers].join('\r\n')}\r\n\r\n`;
const post = (path, body, ...headers) =>
  `POST ${path} HTTP/1.1\r\n${['Host: a', `Content-Length: ${body.length}`, ...headers].join('\r\n')}\r\n\r\n${body}`;

/** Makes some requests on one connection, and expects their answers. */
async function askInTurn(raw) {
  for (let i = 0; i < 5; i++) {
    raw.write(i % 2 ? get(`/${i}`) : post(`/${i}`, 'x'));
    assert.strictEqual((await raw.response()).body, i % 2 ? `GET /${i} ` : `POST /${i} x`);
  }
}

module.exports = { HOST, IO, isNative, serve, echo, client, get, post, askInTurn };
