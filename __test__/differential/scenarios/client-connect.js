'use strict';

// The client: configuration, arguments of connect(), the request it sends, successful connections.

const http = require('http');
const url = require('url');
const { acceptKey } = require('../../helpers/raw');

/** Notes a request head with its header lines in order; the random key appears as <key>. */
function noteHead(trace, head) {
  const lines = head.trimEnd().split('\r\n');
  trace('request line', lines[0]);
  for (const line of lines.slice(1)) trace('header', line.replace(/^(Sec-WebSocket-Key: )[A-Za-z0-9+/]{22}==$/, '$1<key of 16 bytes>'));
}

/** Answers a handshake correctly, with more header lines. */
const answer = (...lines) => (peer) => {
  peer.write(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(peer.key)}`, ...lines, '', ''].join('\r\n'));
};

/** connect() with arguments made from the URL of a raw server; notes the request and the outcome. */
const connecting = (name, args, { config, onRequest, setup = () => {}, ...more } = {}) => ({
  name,
  async run({ rawServer, client, trace, call, event, wireToEnd }) {
    const server = await rawServer(onRequest);
    const it = client(config && config());
    setup(it);
    const outcome = Promise.race([event(it, 'connect'), event(it, 'connectFailed')]);
    call('connect()', () => it.connect(...args(server)));
    const peer = await server.next();
    noteHead(trace, peer.head);
    const [result] = await outcome;
    if (!(result instanceof Error)) {
      trace('connection', { protocol: result.protocol, extensions: result.extensions, version: result.webSocketVersion, masking: result.maskOutgoingPackets, closeTimeout: result.closeTimeout });
      trace('client', { protocols: it.protocols, origin: it.origin, secure: it.secure, protocol: it.protocol, _req: it._req, firstDataChunk: it.firstDataChunk });
      trace('same socket', result.socket === it.socket, it.response.statusCode, it.base64nonce === peer.key);
      result.drop(1000);
    }
    await wireToEnd(peer);
  },
  ...more,
});

const throwing = (name, args, config) => ({
  name,
  async run({ client, call, settle, trace }) {
    const it = client(config);
    call('connect()', () => it.connect(...args));
    await settle();
    trace('_req', it._req);
  },
});

module.exports = [
  {
    name: 'the client configuration has the documented defaults',
    async run({ lib, trace }) {
      const { config, _req } = new lib.client();
      for (const key of ['maxReceivedFrameSize', 'maxReceivedMessageSize', 'fragmentOutgoingMessages', 'fragmentationThreshold',
        'webSocketVersion', 'assembleFragments', 'disableNagleAlgorithm', 'closeTimeout', 'tlsOptions', 'keepalive', 'keepaliveInterval']) {
        trace(key, config[key]);
      }
      trace('_req', _req);
    },
  },
  {
    name: 'client options replace the defaults, tlsOptions are copied and taken out of the object of the caller',
    async run({ lib, trace }) {
      const tlsOptions = { rejectUnauthorized: false };
      const config = { closeTimeout: 9, webSocketVersion: 8, mine: true, tlsOptions };
      const client = new lib.client(config);
      const { closeTimeout, webSocketVersion, mine } = client.config;
      trace('config', { closeTimeout, webSocketVersion, mine, tls: client.config.tlsOptions, same: client.config.tlsOptions === tlsOptions });
      trace('caller', Object.keys(config));
    },
  },
  {
    name: 'an unsupported webSocketVersion throws',
    async run({ lib, call }) {
      call('version 7', () => new lib.client({ webSocketVersion: 7 }));
      call('version "13"', () => new lib.client({ webSocketVersion: '13' }));
    },
  },
  connecting('connect(url)', ({ url: target }) => [target]),
  connecting('connect(url, protocol)', ({ url: target }) => [target, 'chat'], { onRequest: answer('Sec-WebSocket-Protocol: chat') }),
  connecting('connect(url, [protocols])', ({ url: target }) => [target, ['one', 'two']], { onRequest: answer('Sec-WebSocket-Protocol: two') }),
  connecting('connect(url, "")', ({ url: target }) => [target, '']),
  connecting('connect(url, null, origin)', ({ url: target }) => [target, null, 'http://origin.test']),
  connecting('connect(url, [], null, headers)', ({ url: target }) => [target, [], null, { 'X-One': '1', Cookie: 'a=b' }]),
  connecting('a Host header of the caller is kept, the headers of the handshake are not replaced',
    ({ url: target }) => [target, null, null, { Host: 'other.test', Upgrade: 'x', Connection: 'close', 'Sec-WebSocket-Version': '1' }]),
  connecting('headers of the handshake are not replaced by those of the caller in lower case',
    ({ url: target }) => [target, ['chat'], 'http://origin.test', {
      upgrade: 'x', connection: 'close', 'sec-websocket-key': 'x', 'sec-websocket-version': '1', 'sec-websocket-protocol': 'other',
      origin: 'http://other.test', 'x-one': '1',
    }], { onRequest: answer('Sec-WebSocket-Protocol: chat') }),
  connecting('a subprotocol in the headers need not be chosen by the server',
    ({ url: target }) => [target, null, null, { 'Sec-WebSocket-Protocol': 'ocpp1.6' }]),
  connecting('an extension in the headers need not be agreed to by the server',
    ({ url: target }) => [target, null, null, { 'Sec-WebSocket-Extensions': 'x-one' }]),
  connecting('headers with numbers and lists as values',
    ({ url: target }) => [target, null, null, { 'X-Number': 5, 'X-List': ['a', 'b'], 'X-Empty': '' }]),
  connecting('connect() with request options', ({ url: target }) => [target, null, null, null,
    { localAddress: '127.0.0.1', path: '/ignored', method: 'POST', headers: { 'X-Ignored': '1' } }]),
  connecting('connect() of an already parsed URL', ({ url: target }) => [url.parse(`${target}parsed?x=1`)]),
  connecting('connect() of an already parsed URL with a fragment', ({ url: target }) => [url.parse(`${target}parsed?x=1#y`)]),
  connecting('connect() of a plain object with the parts of a URL',
    ({ port }) => [{ protocol: 'ws:', host: `127.0.0.1:${port}`, hostname: '127.0.0.1', port: String(port), pathname: '/p', path: '/p?q' }]),
  connecting('connect() with path and query', ({ url: target }) => [`${target}a/b%20c?d=e&f#fragment`]),
  connecting('connect() without a path', ({ port }) => [`ws://127.0.0.1:${port}`]),
  connecting('connect() with a query and no path', ({ port }) => [`ws://127.0.0.1:${port}?x=1`]),
  connecting('connect() with webSocketVersion 8 sends Sec-WebSocket-Origin', ({ url: target }) => [target, null, 'http://o.test'],
    { config: () => ({ webSocketVersion: 8 }) }),
  connecting('connect() with user and password in the URL', ({ port }) => [`ws://user:pass@127.0.0.1:${port}/`]),
  connecting('the protocol is not matched without regard to case', ({ url: target }) => [target, 'chat'],
    { onRequest: answer('Sec-WebSocket-Protocol: CHAT') }),
  connecting('an answer with other case in Upgrade and Connection is accepted', ({ url: target }) => [target], {
    onRequest: (peer) => peer.write('HTTP/1.1 101 Yes\r\nupgrade: WebSocket\r\nconnection: UPGRADE\r\n' +
      `sec-websocket-accept: ${acceptKey(peer.key)}\r\n\r\n`),
  }),
  connecting('an answer with "Connection: keep-alive, Upgrade"', ({ url: target }) => [target], {
    onRequest: (peer) => peer.write('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${acceptKey(peer.key)}\r\n\r\n`),
  }),
  connecting('an answer with a subprotocol nobody asked for', ({ url: target }) => [target], { onRequest: answer('Sec-WebSocket-Protocol: surprise') }),
  connecting('an answer with an extension nobody asked for', ({ url: target }) => [target], { onRequest: answer('Sec-WebSocket-Extensions: surprise') }),
  throwing('connect() without a protocol in the URL throws', ['/relative']),
  throwing('connect() without a host throws', ['ws:/path']),
  throwing('connect() with an illegal character in a subprotocol throws', ['ws://127.0.0.1:9/', 'a b']),
  throwing('connect() with a non-ASCII character in a subprotocol throws', ['ws://127.0.0.1:9/', ['ok', 'bäd']]),
  throwing('connect() with a separator in a subprotocol throws', ['ws://127.0.0.1:9/', ['a/b']]),
  throwing('connect() of an object without protocol throws', [{ host: 'x' }]),
  throwing('connect() of an object without host throws', [{ protocol: 'ws:' }]),
  {
    name: 'connect() without arguments throws',
    async run({ client, trace }) {
      let thrown = null;
      try {
        client().connect();
      } catch (error) {
        thrown = error;
      }
      trace('thrown', thrown instanceof Error);
    },
  },
  {
    name: 'default ports are left out of the Host header and filled into the URL',
    async run({ lib, trace, sleep }) {
      // Nothing is sent: the agent never gives the request a socket.
      const agent = Object.assign(new http.Agent(), { addRequest() {} });
      for (const target of ['ws://a.test/', 'ws://a.test:80/', 'ws://a.test:8080/', 'ws://a.test:443/', 'ws://[::1]:8080/']) {
        const client = new lib.client();
        client.connect(target, null, null, null, { agent });
        trace(target, client.url.port, client.url.hostname, client._req.getHeader('host'), client._req.path);
        client._req.destroy();
        await sleep(0);
      }
    },
  },
  {
    name: 'an agent of the caller makes the connection',
    async run({ rawServer, client, trace, event, wireToEnd }) {
      const server = await rawServer();
      const agent = new http.Agent({ keepAlive: true });
      const create = agent.createConnection;
      agent.createConnection = (...args) => { trace('agent used'); return create.apply(agent, args); };
      const it = client();
      it.connect(server.url, null, null, null, { agent });
      const [connection] = await event(it, 'connect');
      connection.drop(1000);
      await wireToEnd(await server.next());
      agent.destroy();
    },
  },
  {
    name: 'a message that comes with the answer is delivered after the connect event',
    async run({ rawServer, client, trace, event, wireToEnd, watchConnection, settle }) {
      const server = await rawServer((peer) => {
        peer.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${acceptKey(peer.key)}\r\n\r\n`), Buffer.from([0x81, 2, 104, 105, 0x81, 3, 121, 111, 117])]));
      });
      const it = client();
      it.on('connect', (connection) => watchConnection(connection));
      it.connect(server.url);
      const [connection] = await event(it, 'connect');
      await settle();
      trace('firstDataChunk', it.firstDataChunk);
      connection.drop(1000);
      await wireToEnd(await server.next());
    },
  },
  {
    name: 'one client connects several times',
    async run({ rawServer, client, trace, event, wireToEnd }) {
      const server = await rawServer();
      const it = client();
      const seen = [];
      it.on('connect', (connection) => seen.push(connection));
      for (let i = 0; i < 2; i++) {
        it.connect(`${server.url}${i}`);
        const [connection] = await event(it, 'connect');
        trace('connection', i, connection === seen[i], it._req, it.url.pathname);
        const peer = await server.next();
        connection.drop(1000, `number ${i}`);
        await wireToEnd(peer, `peer ${i}`);
      }
    },
  },
  {
    name: 'members of the client before, during and after connecting',
    async run({ rawServer, client, trace, event, wireToEnd }) {
      const server = await rawServer();
      const it = client();
      const members = () => ['url', 'protocols', 'origin', 'secure', 'base64nonce', 'protocol', 'socket', 'response', 'firstDataChunk', '_req']
        .map((key) => `${key}: ${it[key] === null ? 'null' : typeof it[key]}`).join(', ');
      trace(`before ${members()}`);
      it.connect(server.url);
      trace(`during ${members()}`);
      const [connection] = await event(it, 'connect');
      trace(`after ${members()}`);
      connection.drop(1000);
      await wireToEnd(await server.next());
    },
  },
];
