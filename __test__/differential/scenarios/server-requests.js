'use strict';

// Requests at a server: events, properties, the two lists, rejection, bad handshakes.

const { requestHead } = require('../../helpers/raw');
const { raw, watchRequest } = require('../watch');

const lists = (server) => raw(`| pending ${server.pendingRequests.length}, connections ${server.connections.length}`);

/** A scenario in which the handshake head is refused before the program sees a request. */
const refusedHead = (name, options, more = {}) => ({
  name,
  async run({ server, refused, trace }) {
    const { port } = await server({}, { on: { request: (request) => { trace('request'); request.accept(); } } });
    await refused(port, options);
  },
  ...more,
});

/** A scenario in which the program rejects the request in its own way. */
const rejection = (name, reject, more = {}) => ({
  name,
  async run({ server, refused, trace, call }) {
    const { ws, port } = await server({});
    ws.on('request', (request) => {
      watchRequest(trace, request);
      call('reject()', () => reject(request));
      trace('after', request._resolved, lists(ws));
    });
    await refused(port);
  },
  ...more,
});

module.exports = [
  {
    name: 'request, requestResolved, connect, requestAccepted, return of accept: in this order, with the lists at each step',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        trace('request', request, request === ws.pendingRequests[0], lists(ws));
        for (const event of ['requestResolved', 'requestAccepted', 'requestRejected']) {
          request.on(event, (argument) => trace(event, argument, argument === request, lists(ws)));
        }
        const connection = request.accept();
        trace('accept returned', connection, ws.connections[0] === connection, lists(ws));
        connection.on('close', (...args) => trace('connection close', ...args, lists(ws)));
        connection.drop(1001);
        trace('drop returned', lists(ws));
      });
      ws.on('connect', (connection) => trace('connect', connection, connection === ws.connections[0], lists(ws)));
      ws.on('close', (...args) => trace('server close', ...args, lists(ws)));
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'a request has the documented properties',
    async run({ server, refused, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        for (const key of ['resource', 'key', 'host', 'origin', 'webSocketVersion', 'requestedProtocols', 'protocolFullCaseMap',
          'requestedExtensions', 'cookies', 'remoteAddress', 'remoteAddresses', 'httpRequest', 'socket', '_resolved']) {
          trace(key, request[key]);
        }
        const url = request.resourceURL;
        for (const key of ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search', 'pathname', 'path', 'href']) {
          trace(`resourceURL.${key}`, url[key]);
        }
        trace('resourceURL.query', { ...url.query });
        trace('same objects', request.serverConfig === ws.config, request.socket === request.httpRequest.socket);
        request.reject();
      });
      await refused(port, {
        path: '/a%20b/c?x=1&y=two%20words&x=3&flag',
        headers: {
          Host: 'example.test:8080', Origin: 'http://page.test', Cookie: 'a=1', 'Sec-WebSocket-Protocol': 'Chat, other',
          'Sec-WebSocket-Extensions': 'foo; bar=1',
        },
      });
    },
  },
  {
    name: 'resourceURL of unusual resources',
    async run({ server, refused, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        const { pathname, search, path, href, query, host, hash } = request.resourceURL;
        trace(request.resource, { pathname, search, path, href, host, hash }, { ...query });
        request.reject();
      });
      for (const path of ['/', '/?', '/?a=b=c', '//double/slash', '/%zz?q=%zz', '/a;b?c', '/ü?ö=ä', '/a/../b', '/q?a[]=1&a[]=2']) {
        await refused(port, { path: Buffer.from(path).toString('latin1') });
      }
    },
  },
  {
    name: 'a version 8 request takes its origin from Sec-WebSocket-Origin and is answered with it',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        trace('request', request.webSocketVersion, request.origin);
        const connection = request.accept(null, request.origin);
        trace('connection', connection.webSocketVersion);
        connection.drop(1000);
      });
      const peer = await open(port, { headers: { 'Sec-WebSocket-Version': '8', Origin: 'http://ignored.test', 'Sec-WebSocket-Origin': 'http://old.test' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'the answer to an accepted request names origin and protocol in the spelling of the client',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        trace('request', request.requestedProtocols, request.protocolFullCaseMap);
        const connection = request.accept('superchat', 'http://page.test');
        trace('connection', connection.protocol, connection.extensions, request.requestedProtocols, request.protocolFullCaseMap);
        connection.drop(1000);
      });
      const peer = await open(port, { headers: { 'Sec-WebSocket-Protocol': 'Chat,SuperChat' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'without a request listener the request is rejected with 404',
    async run({ server, refused, settle, trace }) {
      const { ws, port } = await server();
      await refused(port);
      await settle();
      trace('lists', lists(ws));
    },
  },
  {
    name: 'autoAcceptConnections takes the first requested protocol and the origin',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({ autoAcceptConnections: true });
      ws.on('connect', (connection) => {
        trace('connection', connection.protocol, connection.connected, connection.state);
        connection.drop(1000);
      });
      const peer = await open(port, { headers: { 'Sec-WebSocket-Protocol': 'one, two', Origin: 'http://page.test' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
      const bare = await open(port);
      trace('answer', bare.head);
      await wireToEnd(bare, 'bare');
    },
  },
  {
    name: 'with autoAcceptConnections the request event is not emitted',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({ autoAcceptConnections: true }, { on: { request: () => trace('request') } });
      ws.on('connect', (connection) => connection.drop(1000));
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'autoAcceptConnections with an upper-case protocol',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({ autoAcceptConnections: true });
      ws.on('connect', (connection) => {
        trace('connection', connection.protocol);
        connection.drop(1000);
      });
      const peer = await open(port, { headers: { 'Sec-WebSocket-Protocol': 'ONE' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'autoAcceptConnections with illegal characters in the subprotocol',
    crashes: true,
    async run({ server, refused, settle, trace }) {
      const { ws, port } = await server({ autoAcceptConnections: true });
      await refused(port, { headers: { 'Sec-WebSocket-Protocol': 'a@b' } });
      await settle();
      trace('lists', lists(ws));
    },
  },
  rejection('reject() answers 403', (request) => request.reject()),
  rejection('reject(status) names the status', (request) => request.reject(401)),
  rejection('reject(status, reason) sends the reason as a header', (request) => request.reject(503, 'come back later')),
  rejection('reject() with extra headers', (request) => request.reject(302, null, { Location: 'http://else.test/', 'X-Number': 7 })),
  rejection('line breaks in reason and headers of reject() are removed',
    (request) => request.reject(400, 'one\r\ntwo: three', { 'X-A\r\nB': 'c\r\nd: e' })),
  rejection('reject() with a status unknown to it', (request) => request.reject(499, 'odd')),
  rejection('reject() with a status that is not a number', (request) => request.reject('404', 'text')),
  rejection('reject() with inherited extra headers', (request) => request.reject(403, '', Object.create({ 'X-Inherited': 'yes' }))),
  {
    name: 'every status that reject() knows has its phrase',
    async run({ server, dial, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      const statuses = [200, 201, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 400, 401, 402, 403, 404, 406, 407, 408, 409,
        410, 411, 412, 413, 414, 415, 416, 417, 426, 500, 501, 502, 503, 504, 505];
      let next = 0;
      ws.on('request', (request) => request.reject(statuses[next++]));
      while (next < statuses.length) {
        const peer = await dial(port);
        await peer.close();
        trace('answer', peer.head);
      }
    },
  },
  {
    name: 'a request is accepted or rejected once: everything after throws',
    async run({ server, refused, open, trace, call, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      let turn = 0;
      ws.on('request', (request) => {
        turn++;
        if (turn === 1) {
          request.reject();
        } else {
          request.accept().drop(1000);
        }
        call('accept() again', () => request.accept());
        call('reject() again', () => request.reject());
        trace('lists', lists(ws));
      });
      await refused(port);
      await wireToEnd(await open(port));
    },
  },
  {
    name: 'a request answered later stays pending until then',
    async run({ server, trace, settle, wireToEnd, dial, event }) {
      const { ws, port } = await server({}, { watch: ['request', 'connect', 'close'] });
      const peer = dial(port);
      const [request] = await event(ws, 'request');
      await settle();
      trace('waiting', lists(ws), request._resolved);
      const connection = request.accept();
      trace('accepted', lists(ws));
      connection.drop(1000);
      await wireToEnd(await peer);
    },
  },
  {
    name: 'a client that ends its side while its request is pending stays in the list until it is answered',
    async run({ server, dial, trace, until, event, settle }) {
      const { ws, port } = await server({}, { watch: ['connect', 'close'] });
      const [[request], peer] = await Promise.all([event(ws, 'request'), dial(port, { halfOpen: true })]);
      peer.socket.end();
      await until(() => request._socketIsClosing, 'the end of the socket');
      trace('ended', lists(ws), request._resolved);
      request.reject(410);
      await peer.close();
      await settle();
      trace('answered', peer.head, lists(ws));
    },
  },
  {
    name: 'accept() on a socket already gone gives a connection that closes with 1006 on the next tick',
    async run({ server, dial, trace, event, until, settle, watchConnection }) {
      const { ws, port } = await server({}, { watch: ['connect', 'close'] });
      const [[request], peer] = await Promise.all([event(ws, 'request'), dial(port)]);
      watchRequest(trace, request);
      peer.destroy();
      await until(() => request._socketIsClosing, 'the end of the socket');
      const connection = watchConnection(request.accept());
      trace('accepted', connection.connected, connection.state, lists(ws));
      process.nextTick(() => trace('next tick', connection.connected, connection.state, lists(ws)));
      await settle();
      trace('later', connection.connected, connection.state, connection.closeReasonCode, connection.closeDescription, lists(ws));
    },
  },
  {
    name: 'reject() on a socket already gone does not throw',
    async run({ server, dial, trace, event, until, call, settle }) {
      const { ws, port } = await server({}, { watch: [] });
      const [[request], peer] = await Promise.all([event(ws, 'request'), dial(port)]);
      watchRequest(trace, request);
      peer.destroy();
      await until(() => request._socketIsClosing, 'the end of the socket');
      call('reject()', () => request.reject());
      await settle();
      trace('lists', lists(ws));
    },
  },
  refusedHead('a handshake without Host is refused with 400', { version: 'HTTP/1.0', headers: { Host: null } }),
  refusedHead('a handshake without key is refused with 400', { headers: { 'Sec-WebSocket-Key': null } }),
  refusedHead('a handshake without version is refused with 400', { headers: { 'Sec-WebSocket-Version': null } }),
  refusedHead('a handshake with a version that is no number is refused with 400', { headers: { 'Sec-WebSocket-Version': 'abc' } }),
  refusedHead('a handshake with version 0 is refused', { headers: { 'Sec-WebSocket-Version': '0' } }),
  refusedHead('a handshake with an unsupported version is refused with 426', { headers: { 'Sec-WebSocket-Version': '9' } }),
  refusedHead('a handshake with two Host fields', { headers: { Host: ['one.test', 'two.test'] } }),
  refusedHead('a handshake by POST', { method: 'POST', headers: { 'Content-Length': '0' } }),
  refusedHead('a handshake with a key that is not base64 of 16 bytes', { headers: { 'Sec-WebSocket-Key': 'short' } }),
  {
    name: 'the error of a bad handshake reaches upgradeError once, and nothing is pending',
    async run({ server, refused, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('upgradeError', (...args) => trace('upgradeError', ...args, lists(ws)));
      await refused(port, { headers: { 'Sec-WebSocket-Key': null } });
    },
  },
  {
    name: 'a bad handshake without an upgradeError listener is answered all the same',
    async run({ server, refused }) {
      const { port } = await server({}, { watch: [] });
      await refused(port, { headers: { 'Sec-WebSocket-Key': null } });
    },
  },
  {
    name: 'a version that is a list',
    async run({ server, refused, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => { trace('version', request.webSocketVersion); request.reject(); });
      await refused(port, { headers: { 'Sec-WebSocket-Version': '13, 8' } });
    },
  },
  {
    name: 'several requests are pending at once and may be answered in any order',
    async run({ server, dial, trace, until, wireToEnd }) {
      const requests = new Map();
      const { ws, port } = await server({}, { watch: ['connect', 'close'], on: { request: (request) => requests.set(request.resource, request) } });
      const peers = [];
      for (const path of ['/1', '/2', '/3']) {
        peers.push(await dial(port, { head: requestHead({ path }) }));
        await until(() => requests.has(path), `request ${path}`);
        trace('pending', ws.pendingRequests.map((request) => request.resource));
      }
      requests.get('/2').reject(404);
      trace('pending', ws.pendingRequests.map((request) => request.resource));
      requests.get('/3').accept().drop(1000);
      trace('pending', ws.pendingRequests.map((request) => request.resource));
      requests.get('/1').reject(403);
      trace('pending', ws.pendingRequests);
      for (const [i, peer] of peers.entries()) await wireToEnd(peer, `peer ${i}`);
    },
  },
];
