'use strict';

// The router: mounting, matching, errors, its requests.

/** A server with a router; `routes` are [path, protocol, name]. Requests are noted and rejected with 410. */
async function routed({ lib, server, trace }, routes) {
  const { ws, port } = await server({}, { watch: [] });
  const router = new lib.router({ server: ws });
  for (const [path, protocol, name] of routes) {
    router.mount(path, protocol, (request) => {
      trace(`handler ${name}`, request, request.protocol, request.resource);
      request.reject(410, name);
    });
  }
  return { router, port, ws };
}

/** Which handler serves which request. `routes` makes the routes afresh (a RegExp has a state); `requests` are [path, protocols]. */
const matching = (name, routes, requests, more = {}) => ({
  name,
  async run(context) {
    const { port } = await routed(context, routes());
    for (const [path, protocols] of requests) {
      context.trace('request', path, protocols || null);
      await context.refused(port, { path, headers: protocols ? { 'Sec-WebSocket-Protocol': protocols } : {} });
    }
  },
  ...more,
});

module.exports = [
  matching('paths are matched literally and as a whole', () => [['/a', null, 'a'], ['/a.b', null, 'a.b'], ['/', null, 'root']],
    [['/a'], ['/a/'], ['/a.b'], ['/axb'], ['/'], ['/A'], ['/a?query=1']]),
  matching('a target in absolute form is matched by its path', () => [['/a', null, 'a'], ['/', null, 'root']],
    [['http://example.com/a'], ['http://example.com:8080/a?b=/c'], ['http://example.com'], ['http://example.com/a/b']]),
  matching('"*" matches every path', () => [['*', null, 'star']], [['/'], ['/x/y?z']]),
  matching('a RegExp matches parts of the path', () => [[/^\/room\/\d+$/, null, 'room'], [/deep/i, null, 'deep']],
    [['/room/1'], ['/room/x'], ['/a/DEEP/b'], ['/none']]),
  matching('a RegExp with the g flag', () => [[/^\/g/g, null, 'global']], [['/g'], ['/g'], ['/g']]),
  matching('a RegExp with the y flag', () => [[/\/y/y, null, 'sticky']], [['/y'], ['/y']]),
  matching('special characters in a path are taken literally', () => [['/a+b(c)[d]{e}^$|f', null, 'special'], ['/x y', null, 'space']],
    [['/a+b(c)[d]{e}^$|f'], ['/aab(c)']]),
  matching('a route with a protocol serves requests for it only', () => [['/p', 'chat', 'chat'], ['/p', null, 'none']],
    [['/p', 'chat'], ['/p'], ['/p', 'other'], ['/p', 'CHAT']]),
  matching('protocol "*" serves any protocol and none', () => [['/p', '*', 'any']], [['/p', 'chat'], ['/p'], ['/p', 'a, b']]),
  matching('the first protocol of the client that has a handler is taken', () => [['/p', 'b', 'b'], ['/p', 'c', 'c'], ['/q', 'a', 'qa']],
    [['/p', 'a, b, c'], ['/p', 'c, b'], ['/q', 'b, a']]),
  matching('of several handlers the one mounted first is taken', () => [['/p', '*', 'any'], ['/p', 'chat', 'chat'], ['*', '*', 'all']],
    [['/p', 'chat'], ['/other', 'chat']]),
  matching('mounting lower-cases the protocol', () => [['/p', 'CHAT', 'chat']], [['/p', 'chat'], ['/p', 'Chat']]),
  matching('without a handler the request is rejected with 404', () => [['/only', null, 'only']], [['/other'], ['/only', 'unknown']]),
  {
    name: 'the router has its server and handlers',
    async run({ lib, trace, server }) {
      const { ws } = await server({}, { watch: [] });
      const router = new lib.router({ server: ws, mine: 1 });
      trace('router', router.server === ws, router.config.server === ws, router.config.mine, router.handlers, ws.listenerCount('request'));
      const callback = () => {};
      router.mount('/a', 'P', callback);
      router.mount(/b/, null, callback);
      trace('handlers', router.handlers);
      trace('callback', router.handlers[0].callback === callback);
    },
  },
  {
    name: 'mount() complains about each argument',
    async run({ lib, call }) {
      const router = new lib.router();
      call('no path', () => router.mount());
      call('no callback', () => router.mount('/a', 'p'));
      call('number as path', () => router.mount(7, 'p', () => {}));
      call('object as path', () => router.mount({}, 'p', () => {}));
      call('good', () => router.mount('/a', 'p', () => {}));
      call('twice', () => router.mount('/a', 'P', () => {}));
      call('twice as RegExp', () => router.mount(/^\/a$/, 'p', () => {}));
      call('twice without protocol', () => { router.mount('/b', null, () => {}); router.mount('/b', '', () => {}); });
    },
  },
  {
    name: 'unmount() takes the route away and complains when there is none',
    async run({ lib, call, trace }) {
      const router = new lib.router();
      router.mount('/a', 'p', () => {});
      router.mount(/r/, 'p', () => {});
      call('other protocol', () => router.unmount('/a', 'q'));
      call('other path', () => router.unmount('/b', 'p'));
      call('this one', () => router.unmount('/a', 'P'));
      call('again', () => router.unmount('/a', 'p'));
      call('RegExp', () => router.unmount(/r/, 'p'));
      trace('handlers', router.handlers);
    },
  },
  {
    name: 'unmount(path) without a protocol takes away the route mounted without one',
    async run({ lib, call, trace }) {
      const router = new lib.router();
      router.mount('/a', null, () => {});
      call('unmount', () => router.unmount('/a'));
      trace('handlers', router.handlers.length);
    },
  },
  {
    name: 'attachServer() and detachServer()',
    async run({ lib, call, trace, server }) {
      const { ws } = await server({}, { watch: [] });
      const router = new lib.router();
      call('attach nothing', () => router.attachServer());
      call('detach nothing', () => router.detachServer());
      call('attach', () => router.attachServer(ws));
      trace('attached', router.server === ws, ws.listenerCount('request'));
      call('detach', () => router.detachServer());
      trace('detached', router.server, ws.listenerCount('request'));
      call('detach again', () => router.detachServer());
    },
  },
  {
    name: 'pathToRegExp() and findHandlerIndex()',
    async run({ lib, trace, call }) {
      const router = new lib.router();
      for (const path of ['*', '/a', '/a*', '/a-b_c d#e', /already/g]) trace('pathToRegExp', router.pathToRegExp(path));
      router.mount('/a', 'P', () => {});
      call('found', () => router.findHandlerIndex('/^\\/a$/', 'p'));
      call('path string of the handler', () => router.findHandlerIndex(router.handlers[0].pathString, 'P'));
      call('not found', () => router.findHandlerIndex('/a', 'p'));
    },
  },
  {
    name: 'a router request carries what the request has',
    async run(context) {
      const { lib, server, trace, refused } = context;
      const { ws, port } = await server({}, { watch: [] });
      const router = new lib.router({ server: ws });
      router.mount('*', '*', (request) => {
        const { protocol, origin, resource, remoteAddress, webSocketVersion, requestedExtensions, cookies } = request;
        trace('request', { protocol, origin, resource, remoteAddress, webSocketVersion, requestedExtensions, cookies });
        const inner = request.webSocketRequest;
        trace('same', inner instanceof lib.request, inner.httpRequest === request.httpRequest, inner.resourceURL === request.resourceURL, request.resourceURL.pathname);
        request.reject(404);
      });
      await refused(port, {
        path: '/x?y=z',
        headers: { Origin: 'http://o.test', Cookie: 'a=b', 'Sec-WebSocket-Protocol': 'One', 'Sec-WebSocket-Extensions': 'foo', 'X-Forwarded-For': '203.0.113.7' },
      });
      await refused(port);
    },
  },
  {
    name: 'accept() of a router request takes the protocol found and emits requestAccepted',
    async run(context) {
      const { lib, server, trace, open, wireToEnd, watchRequest } = context;
      const { ws, port } = await server({}, { watch: ['connect', 'close'] });
      const router = new lib.router({ server: ws });
      router.mount('/p', 'chat', (request) => {
        watchRequest(request, 'router request');
        watchRequest(request.webSocketRequest, 'request');
        const connection = request.accept('http://o.test', [{ name: 'k', value: 'v' }]);
        trace('accepted', connection, connection.protocol);
        connection.drop(1000);
      });
      const peer = await open(port, { path: '/p', headers: { 'Sec-WebSocket-Protocol': 'other, Chat' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'accept() of a router request without protocol',
    async run(context) {
      const { lib, server, trace, open, wireToEnd } = context;
      const { ws, port } = await server({}, { watch: [] });
      new lib.router({ server: ws }).mount('*', null, (request) => {
        const connection = request.accept();
        trace('accepted', request.protocol, connection.protocol);
        connection.drop(1000);
      });
      const peer = await open(port);
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'accept() with protocol "*" takes the first of the client',
    async run(context) {
      const { lib, server, trace, open, wireToEnd } = context;
      const { ws, port } = await server({}, { watch: [] });
      new lib.router({ server: ws }).mount('*', '*', (request) => {
        const connection = request.accept();
        trace('accepted', request.protocol, connection.protocol);
        connection.drop(1000);
      });
      const peer = await open(port, { headers: { 'Sec-WebSocket-Protocol': 'First, second' } });
      trace('answer', peer.head);
      await wireToEnd(peer);
    },
  },
  {
    name: 'reject() of a router request emits requestRejected with itself',
    async run(context) {
      const { lib, server, trace, refused, call } = context;
      const { ws, port } = await server({}, { watch: [] });
      new lib.router({ server: ws }).mount('*', null, (request) => {
        request.on('requestRejected', (argument) => trace('requestRejected', argument === request));
        call('reject()', () => request.reject(402, 'pay', { 'X-Price': '1' }));
        call('reject() again', () => request.reject());
        call('accept()', () => request.accept());
      });
      await refused(port);
    },
  },
  {
    name: 'two routers on one server: each takes its own, and rejects what it does not know',
    crashes: true,
    async run(context) {
      const { lib, server, trace, dial, settle } = context;
      const { ws, port } = await server({}, { watch: [] });
      new lib.router({ server: ws }).mount('/first', null, (request) => { trace('first'); request.reject(410); });
      new lib.router({ server: ws }).mount('/second', null, (request) => { trace('second'); request.reject(411); });
      const peer = await dial(port, { path: '/first' });
      await peer.close();
      await settle();
      trace('answer', peer.head);
    },
  },
];
