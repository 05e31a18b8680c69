'use strict';

// Mounting a server: configuration, defaults, several servers, unmounting.

const http = require('http');

/** Emits an upgrade as an http server does, so that handlers can be counted without a network. */
const upgradeListeners = (server) => server.listenerCount('upgrade');

module.exports = [
  {
    name: 'the configuration has the documented defaults',
    async run({ lib, trace }) {
      const web = http.createServer();
      const server = new lib.server({ httpServer: web });
      const { httpServer, ...config } = server.config;
      for (const key of ['maxReceivedFrameSize', 'maxReceivedMessageSize', 'fragmentOutgoingMessages', 'fragmentationThreshold',
        'keepalive', 'keepaliveInterval', 'dropConnectionOnKeepaliveTimeout', 'keepaliveGracePeriod', 'useNativeKeepalive',
        'assembleFragments', 'autoAcceptConnections', 'ignoreXForwardedFor', 'parseCookies', 'parseExtensions',
        'disableNagleAlgorithm', 'closeTimeout']) {
        trace(key, config[key]);
      }
      trace('httpServer', Array.isArray(httpServer), httpServer.length, httpServer[0] === web);
      trace('lists', server.connections, server.pendingRequests);
    },
  },
  {
    name: 'options given replace the defaults and unknown ones are kept',
    async run({ lib, trace }) {
      const web = http.createServer();
      const server = new lib.server({ httpServer: web, maxReceivedFrameSize: 0x200000000, keepalive: false, closeTimeout: 1, mine: 'x' });
      const { maxReceivedFrameSize, keepalive, closeTimeout, mine, maxReceivedMessageSize } = server.config;
      trace('config', { maxReceivedFrameSize, keepalive, closeTimeout, mine, maxReceivedMessageSize });
    },
  },
  {
    name: 'without a configuration a server is made unmounted and can be mounted later',
    async run({ lib, trace, call }) {
      const web = http.createServer();
      const server = new lib.server();
      trace('config', server.config, server.connections, server.pendingRequests);
      call('mount()', () => server.mount({ httpServer: web }));
      trace('upgrade listeners', upgradeListeners(web), server.config.httpServer[0] === web);
    },
  },
  {
    name: 'mounting without an httpServer throws',
    async run({ lib, call }) {
      call('new server({})', () => new lib.server({}));
      call('new server({ httpServer: null })', () => new lib.server({ httpServer: null }));
      call('mount({})', () => new lib.server().mount({}));
      call('mount()', () => new lib.server().mount());
    },
  },
  {
    name: 'the configuration object of the caller is not modified',
    async run({ lib, trace }) {
      const web = http.createServer();
      const config = { httpServer: web, keepalive: false };
      const server = new lib.server(config);
      trace('caller', Object.keys(config), config.httpServer === web, server.config === config);
    },
  },
  {
    name: 'an array of http servers is mounted on each of them',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const webs = [await listen(), await listen()];
      const server = new lib.server({ httpServer: webs });
      trace('same array', server.config.httpServer === webs, webs.map(upgradeListeners));
      server.on('request', (request) => {
        const which = webs.findIndex((web) => web.port === request.socket.localPort);
        trace('request on server', which, request.resource);
        const connection = request.accept();
        connection.on('close', () => trace('close'));
        connection.sendUTF(`server ${which}`);
        connection.drop(1000);
      });
      for (const [i, web] of webs.entries()) {
        const peer = await open(web.port, { path: `/on-${i}` });
        await wireToEnd(peer, `peer ${i}`);
      }
    },
  },
  {
    name: 'unmount removes the upgrade handler of every http server and of this WebSocketServer only',
    async run({ lib, trace, call }) {
      const webs = [http.createServer(), http.createServer()];
      const first = new lib.server({ httpServer: webs });
      const second = new lib.server({ httpServer: webs[0] });
      trace('mounted', webs.map(upgradeListeners));
      call('unmount()', () => first.unmount());
      trace('first unmounted', webs.map(upgradeListeners));
      call('unmount() again', () => first.unmount());
      trace('first unmounted twice', webs.map(upgradeListeners));
      second.unmount();
      trace('both unmounted', webs.map(upgradeListeners));
    },
  },
  {
    name: 'unmounting what was never mounted throws',
    async run({ lib, trace }) {
      const server = new lib.server();
      let thrown = null;
      try {
        server.unmount();
      } catch (error) {
        thrown = error;
      }
      trace('unmount() throws', thrown !== null, thrown && thrown.constructor.name);
    },
  },
  {
    name: 'existing connections live on after unmount, new requests are not answered by it',
    async run({ pair, trace, dial, wire, settle }) {
      const { ws, http: web, connection, peer } = await pair({ watchServer: ['request', 'close'] });
      ws.unmount();
      peer.send({ opcode: 1, payload: 'still here' });
      connection.once('message', () => connection.sendUTF('so am I'));
      await peer.frame();
      web.on('upgrade', (request, socket) => {
        trace('upgrade seen by the program');
        socket.end('HTTP/1.1 503 Busy\r\n\r\n');
      });
      const second = await dial(web.port);
      await second.close();
      trace('second', second.head);
      await settle();
      wire(peer);
    },
  },
  {
    name: 'a server can be mounted again with another configuration',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const web = await listen();
      const server = new lib.server({ httpServer: web, closeTimeout: 11 });
      server.unmount();
      server.mount({ httpServer: web, maxReceivedFrameSize: 77, closeTimeout: 22 });
      trace('config', server.config.closeTimeout, server.config.maxReceivedFrameSize, upgradeListeners(web));
      server.on('request', (request) => {
        const connection = request.accept();
        trace('connection', connection.closeTimeout, connection.config === server.config, connection.config.maxReceivedFrameSize);
        connection.drop(1001, 'bye');
      });
      await wireToEnd(await open(web.port));
    },
  },
  {
    name: 'two WebSocketServers on one http server both see the request',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const web = await listen();
      for (const name of ['first', 'second']) {
        const server = new lib.server({ httpServer: web });
        server.on('request', (request) => {
          trace(`${name} sees`, request.resource, server.pendingRequests.length);
          if (request.resource === `/${name}`) request.accept().drop(1000, name);
        });
      }
      await wireToEnd(await open(web.port, { path: '/first' }), 'peer 1');
      await wireToEnd(await open(web.port, { path: '/second' }), 'peer 2');
    },
  },
  {
    name: 'a server can be mounted on one http server after the other',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const webs = [await listen(), await listen()];
      const server = new lib.server({ httpServer: webs[0], closeTimeout: 11 });
      server.mount({ httpServer: webs[1], closeTimeout: 22 });
      trace('config', server.config.closeTimeout, server.config.httpServer.length, webs.map(upgradeListeners));
      server.on('request', (request) => {
        const connection = request.accept();
        trace('connection', request.resource, connection.closeTimeout);
        connection.drop(1000, 'served');
      });
      for (const [i, web] of webs.entries()) await wireToEnd(await open(web.port, { path: `/on-${i}` }), `peer ${i}`);
    },
  },
  {
    name: 'mounting fails after mounting has succeeded',
    async run({ lib, trace, call, listen, open, wireToEnd }) {
      const web = await listen();
      const server = new lib.server({ httpServer: web, closeTimeout: 11 });
      call('mount()', () => server.mount({ closeTimeout: 22 }));
      trace('listeners', upgradeListeners(web));
      server.on('request', (request) => request.accept().drop(1000, 'served'));
      await wireToEnd(await open(web.port));
    },
  },
  {
    name: 'listeners that somebody has wrapped are the listeners of the server',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const web = await listen();
      const { on } = web;
      web.on = function wrapped(name, listener) {
        return on.call(this, name, function wrapper(...args) { return listener.apply(this, args); });
      };
      for (const name of ['first', 'second']) {
        new lib.server({ httpServer: web }).on('request', (request) => {
          trace(`${name} sees`, request.resource);
          if (request.resource === `/${name}`) request.accept().drop(1000, name);
        });
      }
      await wireToEnd(await open(web.port, { path: '/first' }), 'peer 1');
      await wireToEnd(await open(web.port, { path: '/second' }), 'peer 2');
    },
  },
  {
    name: 'listeners that a custom server has taken off and calls itself are those of the server',
    async run({ lib, trace, listen, open, wireToEnd }) {
      const web = await listen();
      for (const name of ['first', 'second']) {
        new lib.server({ httpServer: web }).on('request', (request) => {
          trace(`${name} sees`, request.resource);
          if (request.resource === `/${name}`) request.accept().drop(1000, name);
        });
      }
      const listeners = web.listeners('upgrade');
      web.removeAllListeners('upgrade');
      web.on('upgrade', (request, socket, head) => {
        for (const listener of listeners) listener(request, socket, head);
      });
      await wireToEnd(await open(web.port, { path: '/first' }), 'peer 1');
      await wireToEnd(await open(web.port, { path: '/second' }), 'peer 2');
    },
  },
  {
    name: 'handleUpgrade called by the program works like the mounted handler',
    async run({ lib, trace, listen, open, wireToEnd, watchServer }) {
      const web = await listen();
      const server = new lib.server({ httpServer: http.createServer(), autoAcceptConnections: true });
      watchServer(server);
      web.on('upgrade', (request, socket, head) => {
        trace('upgrade', request.url, head.length);
        trace('returns', server.handleUpgrade(request, socket, head));
      });
      server.on('connect', (connection) => connection.drop(1000, 'served'));
      await wireToEnd(await open(web.port, { path: '/by-hand' }));
    },
  },
  {
    name: 'handleUpgrade works without the head argument',
    async run({ lib, listen, open, wireToEnd, watchServer }) {
      const web = await listen();
      const server = new lib.server({ httpServer: http.createServer(), autoAcceptConnections: true });
      watchServer(server);
      web.on('upgrade', (request, socket) => server.handleUpgrade(request, socket));
      server.on('connect', (connection) => connection.drop(1000, 'served'));
      await wireToEnd(await open(web.port));
    },
  },
  {
    name: 'an http server with a WebSocketServer still serves plain requests',
    async run({ server, trace, event }) {
      const { port } = await server({}, { on: { request: (request) => request.reject() } });
      const request = http.get({ port, host: '127.0.0.1', path: '/plain', agent: false });
      const [response] = await event(request, 'response');
      trace('response', response.statusCode);
      response.resume();
      await event(response, 'end');
    },
  },
  {
    name: 'the internal handler functions are bound to the server',
    async run({ lib, trace }) {
      const web = http.createServer();
      const server = new lib.server({ httpServer: web });
      trace('_handlers', Object.keys(server._handlers).sort(), web.listeners('upgrade')[0] === server._handlers.upgrade);
    },
  },
];
