'use strict';

// How a client fails: exact messages, httpResponse, abort.

const net = require('net');
const { acceptKey } = require('../../helpers/raw');

const OK = (peer) => ({
  status: 'HTTP/1.1 101 Switching Protocols', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptKey(peer.key),
});

/** Text of an answer: the correct one with `changes`; null takes a line away. */
function answerText(peer, changes = {}) {
  const { status, ...headers } = { ...OK(peer), ...changes };
  const lines = Object.entries(headers).filter(([, value]) => value !== null).map(([key, value]) => `${key}: ${value}`);
  return [status, ...lines, '', ''].join('\r\n');
}

/** A client whose handshake is answered with `changes`; notes the failure and how its socket ends. */
const failing = (name, changes, { protocols, body = '', http: listen = false, ...more } = {}) => ({
  name,
  async run({ rawServer, client, trace, event, hide, settle }) {
    const server = await rawServer((peer) => {
      hide(acceptKey(peer.key), 'accept key');
      peer.write(answerText(peer, changes) + body);
    });
    const it = client();
    if (listen) {
      it.on('httpResponse', (response, self) => {
        trace('httpResponse', response.statusCode, response.headers, self === it);
        response.resume();
      });
    }
    const outcome = event(it, listen ? 'httpResponse' : 'connectFailed');
    it.connect(server.url, protocols);
    const peer = await server.next();
    await outcome;
    // What node:http does not take for an upgrade is a response; one that nobody reads keeps its socket.
    if (listen || !(changes.status || 'Connection' in changes)) await peer.until(() => peer.ended, 'the client to end');
    await settle();
    trace('frames sent', peer.frames.length, '_req', it._req);
  },
  ...more,
});

module.exports = [
  failing('an answer without Connection', { Connection: null }),
  failing('an answer with another Connection', { Connection: 'close' }),
  failing('an answer with another Upgrade', { Upgrade: 'h2c' }),
  failing('an answer without Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': null }),
  failing('an answer with a wrong Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }),
  failing('an answer without the protocol asked for', {}, { protocols: ['a', 'b'] }),
  failing('an answer with a protocol not asked for', { 'Sec-WebSocket-Protocol': 'c' }, { protocols: ['a', 'b'] }),
  failing('protocol is checked before Connection', { Connection: 'close' }, { protocols: ['a'] }),
  failing('an answer of 200', { status: 'HTTP/1.1 200 OK', Upgrade: null, Connection: 'close', 'Sec-WebSocket-Accept': null, 'Content-Length': '2' }, { body: 'hi' }),
  failing('an answer of 401 with headers', {
    status: 'HTTP/1.1 401 Unauthorized', Upgrade: null, Connection: 'close', 'Sec-WebSocket-Accept': null, 'WWW-Authenticate': 'Basic', 'Content-Length': '0',
  }),
  failing('an answer of 404 without headers', { status: 'HTTP/1.1 404 Not Found', Upgrade: null, Connection: null, 'Sec-WebSocket-Accept': null, 'Content-Length': '0' }),
  failing('a redirect is not followed', {
    status: 'HTTP/1.1 302 Found', Upgrade: null, Connection: 'close', 'Sec-WebSocket-Accept': null, Location: 'ws://x.test/', 'Content-Length': '0',
  }),
  failing('a reason phrase of its own is in the message', { status: 'HTTP/1.1 503 Gone Fishing', Upgrade: null, Connection: 'close', 'Sec-WebSocket-Accept': null, 'Content-Length': '0' }),
  failing('an httpResponse listener gets the answer instead of connectFailed', {
    status: 'HTTP/1.1 401 Unauthorized', Upgrade: null, Connection: 'close', 'Sec-WebSocket-Accept': null, 'X-Why': 'no', 'Content-Length': '0',
  }, { http: true }),
  {
    name: 'the body of the answer can be read in httpResponse',
    async run({ rawServer, client, trace, event }) {
      const server = await rawServer((peer) => peer.write('HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 9\r\n\r\nsome text'));
      const it = client();
      it.connect(server.url);
      const [response] = await event(it, 'httpResponse');
      let body = '';
      response.on('data', (chunk) => { body += chunk; });
      await event(response, 'end');
      trace('body', body);
    },
  },
  {
    name: 'a refused connection reports the error of the system',
    async run({ client, trace, event, hide }) {
      const server = net.createServer().listen(0, '127.0.0.1');
      await event(server, 'listening');
      const { port } = server.address();
      hide(port, 'port');
      server.close();
      await event(server, 'close');
      const it = client();
      it.connect(`ws://127.0.0.1:${port}/`);
      const [error] = await event(it, 'connectFailed');
      trace('error', error instanceof Error, error.code, error.syscall, error.address, Object.isExtensible(error), it._req);
    },
  },
  {
    name: 'a server that hangs up without an answer',
    async run({ rawServer, client, event, settle }) {
      const server = await rawServer((peer) => peer.destroy());
      const it = client();
      it.connect(server.url);
      await event(it, 'connectFailed');
      await settle();
    },
  },
  {
    name: 'a server that answers no HTTP',
    async run({ rawServer, client, event, trace }) {
      const server = await rawServer((peer) => peer.write('SSH-2.0-OpenSSH\r\n\r\n'));
      const it = client();
      it.removeAllListeners('connectFailed');
      it.connect(server.url);
      const [error] = await event(it, 'connectFailed');
      trace('connectFailed', error instanceof Error, error.code);
    },
  },
  {
    name: 'abort() before the answer',
    async run({ rawServer, client, call, event, trace, settle }) {
      const server = await rawServer(() => {});
      const it = client();
      it.connect(server.url);
      const peer = await server.next();
      const failed = event(it, 'connectFailed');
      call('abort()', () => it.abort());
      await failed;
      await peer.close();
      trace('_req', it._req);
      call('abort() again', () => it.abort());
      await settle();
    },
  },
  {
    name: 'abort() right after connect()',
    async run({ listen, client, call, settle }) {
      const { port } = await listen();
      const it = client();
      it.connect(`ws://127.0.0.1:${port}/`);
      call('abort()', () => it.abort());
      await settle();
    },
  },
  {
    name: 'abort() without connect() and after a connection does nothing',
    async run({ rawServer, client, call, event, trace, settle, wireToEnd }) {
      const server = await rawServer();
      const it = client();
      call('abort() before', () => it.abort());
      it.connect(server.url);
      const [connection] = await event(it, 'connect');
      call('abort() after', () => it.abort());
      await settle();
      trace('connected', connection.connected);
      connection.drop(1000);
      await wireToEnd(await server.next());
    },
  },
  {
    name: 'without a connectFailed listener a failure is silent',
    async run({ rawServer, lib, trace, settle }) {
      const server = await rawServer((peer) => peer.socket.end('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'));
      const client = new lib.client();
      client.connect(server.url);
      const peer = await server.next();
      await peer.close();
      await settle();
      trace('still here', client._req);
    },
  },
  {
    name: 'after a failure the same client can connect',
    async run({ rawServer, client, trace, event, wireToEnd }) {
      let turn = 0;
      const server = await rawServer((peer) => peer.write(answerText(peer, turn++ === 0 ? { status: 'HTTP/1.1 500 No', Connection: 'close', Upgrade: null, 'Sec-WebSocket-Accept': null, 'Content-Length': '0' } : {})));
      const it = client();
      it.connect(server.url);
      await event(it, 'connectFailed');
      await server.next();
      it.connect(server.url);
      const [connection] = await event(it, 'connect');
      trace('connected', connection.connected);
      connection.drop(1000);
      await wireToEnd(await server.next());
    },
  },
  {
    name: 'an error event of the client exists for those who listen',
    async run({ rawServer, client, trace, event, settle }) {
      const server = await rawServer((peer) => peer.destroy());
      const it = client();
      it.on('error', (error) => trace('error', error));
      it.connect(server.url);
      await event(it, 'connectFailed');
      await settle();
    },
  },
];
