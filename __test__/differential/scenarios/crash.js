'use strict';

// What peers could do to end the process, and what only shows in a process of its own.

const { execFile } = require('child_process');
const { pathToFileURL } = require('url');
const { encodeFrame } = require('../../helpers/raw');
const { raw, stateOf } = require('../watch');

/** Runs a script in a process of its own with the package as `lib`; resolves with what it printed. */
function inChild(pkg, script, env = {}) {
  const code = `const lib = require(${JSON.stringify(require.resolve(pkg.root))});\n${script}`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', code], { env: { ...process.env, NODE_OPTIONS: '', ...env }, timeout: 5000 }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, signal: error ? error.signal : null, stdout, stderr });
    });
  });
}

const lists = (server) => raw(`| pending ${server.pendingRequests.length}, connections ${server.connections.length}`);

module.exports = [
  {
    name: 'the peer resets the connection while its request is pending',
    crashes: true,
    async run({ server, dial, event, trace, until, settle }) {
      const { ws, port } = await server({}, { watch: [] });
      const [[request], peer] = await Promise.all([event(ws, 'request'), dial(port)]);
      peer.socket.resetAndDestroy();
      await until(() => request.socket.destroyed, 'the end of the socket');
      await settle();
      trace('lists', lists(ws));
    },
  },
  {
    name: 'the peer resets the connection while its request is pending, which is then accepted',
    crashes: true,
    async run({ server, dial, event, trace, until, settle, watchConnection }) {
      const { ws, port } = await server({}, { watch: ['connect', 'close'] });
      const [[request], peer] = await Promise.all([event(ws, 'request'), dial(port)]);
      peer.socket.resetAndDestroy();
      await until(() => request.socket.destroyed, 'the end of the socket');
      await settle();
      const connection = watchConnection(request.accept());
      await settle();
      trace('state', raw(stateOf(connection)), lists(ws));
    },
  },
  {
    name: 'the peer resets the connection right after accept()',
    crashes: true,
    async run({ server, dial, trace, settle, watchConnection, until }) {
      let connection;
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        peer.socket.resetAndDestroy();
        connection = watchConnection(request.accept(), 'connection', ['message', 'close']);
      });
      const peer = await dial(port);
      await until(() => connection && connection.socket.destroyed, 'the end of the socket');
      await settle();
      trace('closed', connection.closeEventEmitted, connection.connected, lists(ws));
    },
  },
  {
    name: 'the peer resets the connection right before reject()',
    crashes: true,
    async run({ server, dial, trace, settle, until }) {
      let seen;
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        peer.socket.resetAndDestroy();
        request.reject(403);
        seen = request;
      });
      const peer = await dial(port);
      await until(() => seen && seen.socket.destroyed, 'the end of the socket');
      await settle();
      trace('lists', lists(ws));
    },
  },
  {
    name: 'the peer resets the connection after a bad handshake',
    crashes: true,
    async run({ server, dial, trace, settle, event }) {
      const { ws, port } = await server({}, { watch: [] });
      let socket;
      ws.config.httpServer[0].prependListener('upgrade', (request, its) => { socket = its; peer.socket.resetAndDestroy(); });
      const failed = event(ws, 'upgradeError');
      const peer = await dial(port, { headers: { 'Sec-WebSocket-Key': null } });
      await failed;
      await settle(20);
      trace('destroyed', socket.destroyed, lists(ws));
    },
  },
  {
    name: 'a flood of empty fragments',
    async run({ pair, trace, settle }) {
      const { connection, peer } = await pair({ events: ['message'] });
      const count = 3000;
      peer.write(Buffer.concat([encodeFrame({ opcode: 2, fin: false, mask: Buffer.alloc(4) }),
        ...Array.from({ length: count }, () => encodeFrame({ opcode: 0, fin: false, mask: Buffer.alloc(4) })), encodeFrame({ opcode: 9, payload: 'end' })]));
      await peer.frame();
      await settle();
      trace('state', raw(stateOf(connection)));
    },
  },
  {
    name: 'named imports of an ES module',
    async run({ pkg, trace, lib }) {
      const imported = await import(pathToFileURL(require.resolve(pkg.root)).href);
      trace('default', imported.default === lib);
      trace('named', Object.keys(lib).filter((key) => imported[key] === lib[key]));
    },
  },
  {
    name: 'a process ends by itself after its last connection has closed',
    async run({ pkg, trace }) {
      const result = await inChild(pkg, `
        const http = require('http').createServer().listen(0, '127.0.0.1', () => {
          const server = new lib.server({ httpServer: http, autoAcceptConnections: true });
          server.on('connect', (c) => c.on('message', (m) => c.sendUTF(m.utf8Data)));
          server.on('close', () => { console.log('server close'); http.close(); });
          const client = new lib.client();
          client.on('connect', (c) => {
            c.on('message', (m) => { console.log('message', m.utf8Data); c.close(); });
            c.sendUTF('hello');
          });
          client.connect('ws://127.0.0.1:' + http.address().port + '/');
        });`);
      trace('ended', result.code, result.signal, result.stdout);
    },
  },
  {
    name: 'DEBUG=websocket:* prints what server and connection do',
    async run({ pkg, trace }) {
      const result = await inChild(pkg, `
        const { EventEmitter } = require('events');
        const socket = Object.assign(new EventEmitter(), { setNoDelay() {}, setTimeout() {}, write() { return true; }, end() {}, destroy() {} });
        const c = new lib.connection(socket, [], null, false, { closeTimeout: 1, keepalive: false });
        c._addSocketEventListeners();
        console.log('enabled', Boolean(c._debug.enabled));
        c.sendUTF('x');
        c.handleSocketError(Object.assign(new Error('e'), { syscall: 's', code: 'C' }));
        const request = Object.assign(new EventEmitter(), { url: '/', method: 'GET', headers: {} });
        const server = new lib.server();
        server.config = { httpServer: [] };
        server.handleUpgrade(request, socket);`, { DEBUG: 'websocket:*', DEBUG_COLORS: 'no' });
      trace('child', result.code, result.stdout);
      for (const word of ['websocket:connection', 'websocket:server']) {
        trace(word, result.stderr.includes(word));
      }
    },
  },
  {
    name: 'without DEBUG nothing is printed',
    async run({ pkg, trace }) {
      const result = await inChild(pkg, 'new lib.server(); new lib.client(); new lib.router(); console.log(lib.version.length > 0);', { DEBUG: '' });
      trace('child', result.code, result.stdout, result.stderr);
    },
  },
  {
    name: 'requiring the package keeps no process alive and starts nothing that does',
    async run({ pkg, trace }) {
      const result = await inChild(pkg, 'console.log("required");', { DEBUG: '' });
      trace('child', result.code, result.signal, result.stdout, result.stderr);
    },
  },
];
