'use strict';

// How headers of the opening handshake are read: protocols, forwarded addresses, extensions, cookies.

const { EventEmitter } = require('events');

/** Sends a handshake with these headers for each case and notes what `show` picks from the request. */
const reading = (name, cases, show, { config = {}, ...more } = {}) => ({
  name,
  async run({ server, refused, trace }) {
    const { ws, port } = await server(config, { watch: [] });
    let label;
    ws.on('request', (request) => {
      trace(label, ...show(request));
      request.reject();
    });
    ws.on('upgradeError', (error) => trace(`${label} upgradeError`, error));
    for (const headers of cases) {
      label = JSON.stringify(headers);
      await refused(port, { headers });
    }
  },
  ...more,
});

const protocols = (...values) => values.map((value) => ({ 'Sec-WebSocket-Protocol': value }));
const extensions = (...values) => values.map((value) => ({ 'Sec-WebSocket-Extensions': value }));
const cookies = (...values) => values.map((value) => ({ Cookie: value }));

/** A request object made by hand, to call its parsers directly. */
function requestByHand(lib, headers = {}) {
  const socket = Object.assign(new EventEmitter(), { remoteAddress: '192.0.2.1', end() {}, write() {} });
  const httpRequest = { url: '/', method: 'GET', headers: { host: 'a', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13', ...headers } };
  return new lib.request(socket, httpRequest, { parseCookies: true, parseExtensions: true });
}

const parsing = (name, method, inputs, more = {}) => ({
  name,
  async run({ lib, call }) {
    const request = requestByHand(lib);
    for (const input of inputs) call(`${method}(${JSON.stringify(input)})`, () => request[method](input));
  },
  ...more,
});

module.exports = [
  reading('subprotocols are split at commas, lower-cased and mapped to the spelling of the client',
    protocols('one', 'one,two', 'one, two', 'one ,two', 'One, TWO', 'a,A', 'a,,b', 'a, ', ',', 'a b, c'),
    (request) => [request.requestedProtocols, request.protocolFullCaseMap]),
  reading('several protocol headers are one list', [{ 'Sec-WebSocket-Protocol': ['one', 'Two, three'] }],
    (request) => [request.requestedProtocols, request.protocolFullCaseMap]),
  reading('without a protocol header the lists are empty', [{}], (request) => [request.requestedProtocols, request.protocolFullCaseMap]),
  reading('X-Forwarded-For gives the addresses, the immediate peer last',
    [{ 'X-Forwarded-For': '203.0.113.9' }, { 'X-Forwarded-For': '203.0.113.9, 198.51.100.1,10.0.0.1' }, { 'X-Forwarded-For': '' },
      { 'X-Forwarded-For': ['203.0.113.9', '10.0.0.1'] }, { 'X-Forwarded-For': ' spaces , x ' }],
    (request) => [request.remoteAddress, request.remoteAddresses]),
  reading('ignoreXForwardedFor leaves the address of the socket', [{ 'X-Forwarded-For': '203.0.113.9' }],
    (request) => [request.remoteAddress, request.remoteAddresses], { config: { ignoreXForwardedFor: true } }),
  {
    name: 'the forwarded addresses go on to the connection',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        const connection = request.accept();
        trace('connection', connection.remoteAddress, connection.remoteAddresses, connection.socket.remoteAddress);
        connection.drop(1000);
      });
      await wireToEnd(await open(port, { headers: { 'X-Forwarded-For': '203.0.113.9, 10.0.0.1' } }));
    },
  },
  reading('extensions are parsed into names and parameters',
    extensions('foo', 'foo, bar', 'foo; a=1; b', 'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame', 'FOO; Bar=BAZ', 'foo;a="q"', 'foo;a=1=2'),
    (request) => [request.requestedExtensions]),
  reading('several extension headers are one list', [{ 'Sec-WebSocket-Extensions': ['foo; a=1', 'bar'] }], (request) => [request.requestedExtensions]),
  reading('parseExtensions: false leaves the list empty', extensions('foo'), (request) => [request.requestedExtensions],
    { config: { parseExtensions: false } }),
  parsing('parseExtensions() called directly', 'parseExtensions', ['', null, undefined, 'a', 'a,b;c', 'a;b=c, d;e', 'a; b=', ' a', 'a ;b', ',', ';']),
  reading('cookies are parsed into names and decoded values',
    cookies('a=1', 'a=1; b=2', 'a=1, b=2', 'a=1;b=2', 'a="quoted"', 'a=x%20y', 'flag', 'a=', '=v', 'a=b=c', ' a = 1 ', 'a=1; a=2', 'a="x; b=2"', ';'),
    (request) => [request.cookies]),
  reading('parseCookies: false leaves the list empty', cookies('a=1'), (request) => [request.cookies], { config: { parseCookies: false } }),
  reading('without a cookie header the list is empty', [{}], (request) => [request.cookies]),
  reading('a cookie with a malformed escape', cookies('a=%zz', 'ok=1; a=%E0%A4%A; b=2'), (request) => [request.cookies]),
  parsing('parseCookies() called directly', 'parseCookies', ['', null, undefined, 7, {}, 'a=1', 'a', 'a="', 'a=""', 'a="%41"', 'x=1;  y=2', 'a=1,b']),
  {
    name: 'names that are members of every object are ordinary protocol names',
    async run({ server, refused, trace }) {
      const { ws, port } = await server({}, { watch: ['upgradeError'] });
      ws.on('request', (request) => {
        const list = [...request.requestedProtocols];
        for (const protocol of list) trace(protocol, Object.prototype.hasOwnProperty.call(request.protocolFullCaseMap, protocol), request.protocolFullCaseMap[protocol]);
        request.reject();
      });
      await refused(port, { headers: { 'Sec-WebSocket-Protocol': 'constructor, __proto__, toString' } });
    },
  },
  {
    name: 'accept("__proto__") when the client asked for it',
    async run({ server, trace, call, dial }) {
      const { ws, port } = await server({}, { watch: ['connect'] });
      let seen;
      const answered = new Promise((resolve) => { seen = resolve; });
      ws.on('request', (request) => {
        seen(call('accept()', () => request.accept('__proto__')));
      });
      const peer = await dial(port, { headers: { 'Sec-WebSocket-Protocol': '__proto__' } });
      if (await answered) await peer.until(() => peer.head !== null, 'an answer');
      trace('answer', peer.head);
    },
  },
  {
    name: 'extensions and cookies named like members of every object',
    async run({ lib, call }) {
      const request = requestByHand(lib);
      call('extensions', () => request.parseExtensions('__proto__; constructor=1, hasOwnProperty'));
      call('cookies', () => request.parseCookies('__proto__=1; constructor=2').map(({ name, value }) => [name, value]));
    },
  },
  {
    name: 'a request made by hand is read by readHandshake()',
    async run({ lib, call, trace }) {
      const request = requestByHand(lib, { origin: 'http://o.test', 'sec-websocket-protocol': 'A, b', cookie: 'k=v', 'x-forwarded-for': '203.0.113.5' });
      call('readHandshake()', () => request.readHandshake());
      const { key, host, origin, webSocketVersion, requestedProtocols, protocolFullCaseMap, cookies: list, requestedExtensions, remoteAddress, remoteAddresses } = request;
      trace('read', { key, host, origin, webSocketVersion, requestedProtocols, protocolFullCaseMap, list, requestedExtensions, remoteAddress, remoteAddresses });
    },
  },
  {
    name: 'readHandshake() throws for each missing part, in order',
    async run({ lib, call }) {
      const without = (...names) => requestByHand(lib, Object.fromEntries(names.map((name) => [name, undefined])));
      call('no host', () => without('host', 'sec-websocket-key').readHandshake());
      call('no key', () => without('sec-websocket-key', 'sec-websocket-version').readHandshake());
      call('no version', () => without('sec-websocket-version').readHandshake());
    },
  },
  {
    name: 'what a request made by hand has before readHandshake()',
    async run({ lib, trace }) {
      const request = requestByHand(lib);
      trace('fields', { resource: request.resource, remoteAddress: request.remoteAddress, remoteAddresses: request.remoteAddresses, _resolved: request._resolved });
      trace('listeners', request.socket.listenerCount('end'), request.socket.listenerCount('close'));
    },
  },
];
