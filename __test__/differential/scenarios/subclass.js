'use strict';

// Inheritance, overriding, stubbing.

const util = require('util');
const { EventEmitter } = require('events');
const { encodeFrame } = require('../../helpers/raw');
const { CONNECTION_CONFIG } = require('../context');

module.exports = [
  {
    name: 'ES5: a connection by util.inherits and call()',
    async run({ lib, mockConnection, trace, settle }) {
      function Mine(...args) { lib.connection.apply(this, args); this.mine = true; }
      util.inherits(Mine, lib.connection);
      Mine.prototype.sendUTF = function sendUTF(data, callback) { trace('Mine.sendUTF', data); lib.connection.prototype.sendUTF.call(this, `<${data}>`, callback); };
      const { connection, socket } = mockConnection({ Class: Mine });
      trace('instance', connection instanceof lib.connection, connection instanceof EventEmitter, connection.mine, connection.constructor.name);
      connection.send('text');
      socket.emit('data', encodeFrame({ opcode: 1, payload: 'in' }));
      await settle();
      connection.drop(1000, 'x', true);
    },
  },
  {
    name: 'ES6: a connection by extends, with overridden methods the library calls',
    async run({ lib, mockConnection, trace, settle }) {
      class Mine extends lib.connection {
        constructor(...args) { super(...args); this.log = []; }
        drop(...args) { trace('Mine.drop', ...args); return super.drop(...args); }
        pong(...args) { trace('Mine.pong', ...args); return super.pong(...args); }
        sendFrame(frame, callback) { trace('Mine.sendFrame', frame.opcode); return super.sendFrame(frame, callback); }
        close(...args) { trace('Mine.close', ...args); return super.close(...args); }
        sendCloseFrame(...args) { trace('Mine.sendCloseFrame', ...args); return super.sendCloseFrame(...args); }
      }
      const { connection, socket } = mockConnection({ Class: Mine });
      socket.emit('data', encodeFrame({ opcode: 9, payload: 'p' }));
      await settle();
      connection.close(4000, 'x');
      connection.state = 'open';
      connection.connected = true;
      socket.emit('data', encodeFrame({ opcode: 3, payload: 'bad' }));
      await settle();
    },
  },
  {
    name: 'an overridden emit sees every event of a connection',
    async run({ lib, mock, trace, settle }) {
      class Mine extends lib.connection {
        emit(event, ...args) { if (event !== 'newListener') trace('emit', event, ...args); return super.emit(event, ...args); }
      }
      const socket = mock();
      const connection = new Mine(socket, [], null, false, CONNECTION_CONFIG);
      connection._addSocketEventListeners();
      socket.emit('data', Buffer.concat([encodeFrame({ opcode: 1, payload: 'm' }), encodeFrame({ opcode: 10, payload: 'p' })]));
      await settle();
      socket.emit('drain');
      connection.drop(1000, 'x', true);
      await settle();
    },
  },
  {
    name: 'an emit put on the instance sees every event, also on a real socket',
    async run({ pair, trace, until, wireToEnd }) {
      const { connection, peer } = await pair({ events: [] });
      const emit = connection.emit;
      let seen = 0;
      connection.emit = function spy(event, ...args) {
        if (event !== 'removeListener') { seen++; trace('emit', event, ...args); }
        return emit.call(this, event, ...args);
      };
      peer.send({ opcode: 1, payload: 'spied' });
      peer.send({ opcode: 2, payload: 'bytes' });
      await until(() => seen === 2, 'two events');
      connection.drop(1000);
      await wireToEnd(peer);
    },
  },
  {
    name: 'Object.create(connection.prototype) is a connection without a state',
    async run({ lib, trace }) {
      const connection = Object.create(lib.connection.prototype);
      trace('instance', connection instanceof lib.connection, typeof connection.sendUTF, connection.state);
      let sent = null;
      connection.sendUTF = (data) => { sent = data; };
      connection._debug = () => {};
      connection.send('through');
      trace('sent', sent);
    },
  },
  {
    name: 'methods added to and replaced on the prototype are there for all connections',
    async run({ lib, pair, trace, onCleanup }) {
      const { prototype } = lib.connection;
      const original = prototype.sendUTF;
      onCleanup(() => { prototype.sendUTF = original; delete prototype.shout; });
      prototype.shout = function shout(data) { this.sendUTF(data.toUpperCase()); };
      prototype.sendUTF = function sendUTF(data, ...rest) { trace('patched', data); return original.call(this, data, ...rest); };
      const { connection, peer } = await pair();
      connection.shout('hello');
      connection.send('send');
      await peer.frame(2);
      trace('received', peer.frames.map((frame) => frame.payload.toString()));
      prototype.sendUTF = original;
      delete prototype.shout;
    },
  },
  {
    name: 'expando properties stay on connections, requests and servers',
    async run({ server, open, trace }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.mine = 'server';
      ws.on('request', (request) => {
        request.mine = 'request';
        request.on('requestAccepted', (connection) => { connection.mine = 'connection'; });
        const connection = request.accept();
        trace('mine', ws.connections[0].mine, connection === ws.connections[0], request.mine, ws.mine);
      });
      await open(port);
    },
  },
  {
    name: 'a subclass of the server with overridden handlers',
    async run({ lib, listen, open, trace, wireToEnd }) {
      class Mine extends lib.server {
        handleRequestAccepted(connection) { trace('Mine.handleRequestAccepted'); connection.mine = 1; return super.handleRequestAccepted(connection); }
        handleUpgrade(...args) { trace('Mine.handleUpgrade', args.length); return super.handleUpgrade(...args); }
        handleConnectionClose(connection, ...args) { trace('Mine.handleConnectionClose', ...args); return super.handleConnectionClose(connection, ...args); }
      }
      const web = await listen();
      const server = new Mine({ httpServer: web });
      server.on('request', (request) => {
        const connection = request.accept();
        trace('accepted', connection.mine);
        connection.drop(1000);
      });
      await wireToEnd(await open(web.port));
    },
  },
  {
    name: 'an ES5 subclass of the server',
    async run({ lib, listen, open, trace, wireToEnd }) {
      function Mine(config) { lib.server.call(this, config); }
      util.inherits(Mine, lib.server);
      const web = await listen();
      const server = new Mine({ httpServer: web, autoAcceptConnections: true });
      server.on('connect', (connection) => { trace('connect', server instanceof lib.server); connection.drop(1000); });
      await wireToEnd(await open(web.port));
    },
  },
  {
    name: 'a subclass of the client whose steps of the handshake are overridden',
    async run({ lib, rawServer, trace, event, wireToEnd }) {
      class Mine extends lib.client {
        validateHandshake() { trace('Mine.validateHandshake', this.response.statusCode); return super.validateHandshake(); }
        succeedHandshake() { trace('Mine.succeedHandshake'); return super.succeedHandshake(); }
        failHandshake(text) { trace('Mine.failHandshake', text); return super.failHandshake(text); }
      }
      const server = await rawServer();
      const client = new Mine();
      client.connect(server.url);
      const [connection] = await event(client, 'connect');
      connection.drop(1000);
      await wireToEnd(await server.next());
      client.on('connectFailed', (error) => trace('connectFailed', error.message));
      client.failHandshake('by hand');
    },
  },
  {
    name: 'ES5 subclasses of client, router, request and W3C class',
    async run({ lib, trace, listen }) {
      function Client(config) { lib.client.call(this, config); }
      util.inherits(Client, lib.client);
      trace('client', new Client().config.closeTimeout);
      function Router(config) { lib.router.call(this, config); }
      util.inherits(Router, lib.router);
      trace('router', new Router().handlers);
      function Request(...args) { lib.request.apply(this, args); }
      util.inherits(Request, lib.request);
      trace('request', new Request(Object.assign(new EventEmitter(), { remoteAddress: 'x' }), { url: '/r', headers: {} }, {}).resource);
      const { port } = await listen();
      function Socket(url) { lib.w3cwebsocket.call(this, url); }
      util.inherits(Socket, lib.w3cwebsocket);
      const socket = new Socket(`ws://127.0.0.1:${port}/`);
      trace('w3c', socket instanceof lib.w3cwebsocket, socket.readyState);
      await new Promise((resolve) => { socket.onclose = resolve; });
    },
  },
  {
    name: 'replacing lib/WebSocketClient in the require cache replaces it in W3CWebSocket',
    async run({ pkg, trace }) {
      const { withFreshCopy } = require('../packages');
      await withFreshCopy(pkg, (load) => {
        class Fake extends EventEmitter {
          connect(...args) { trace('Fake.connect', ...args); }
        }
        const file = require.resolve(`${pkg.root}/lib/WebSocketClient.js`);
        require.cache[file] = Object.assign(new module.constructor(file), { exports: Fake, loaded: true });
        const W3C = load('lib/W3CWebSocket');
        const socket = new W3C('ws://fake.test/', ['p'], 'o', { h: 1 }, { r: 2 });
        trace('client', socket._client instanceof Fake, socket.readyState);
      });
    },
  },
  {
    name: 'members of the module may be stubbed',
    async run({ lib, trace }) {
      const original = lib.client;
      lib.client = function Stub() {};
      trace('stubbed', lib.client !== original);
      lib.client = original;
    },
  },
];
