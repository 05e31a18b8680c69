'use strict';

// The servers of a run: behind an HTTP server, listening themselves, or no server at all, but connections made by hand.

const http = require('http');
const net = require('net');
const { once } = require('events');
const { acceptHead } = require('../helpers/raw');

const LISTENERS = ['http', 'port', 'hand'];

/**
 * @param {object} package_ the package under test
 * @param {object} options
 * @param {'http'|'port'|'hand'} options.listener
 * @param {string[]} options.ios values of the option `io`: a server for each
 * @param {object} options.config options of the servers
 * @param {(path: string, accept: () => object, server: object|null) => void} options.onRequest
 * @returns {Promise<{ portOf(io: string): number, serverOf(io: string): object|null, close(): Promise<void> }>}
 */
function startServers(package_, { listener, ios, config, onRequest }) {
  const start = { http: startBehindHttp, port: startListening, hand: startByHand }[listener];
  return start(package_, ios, config, onRequest);
}

function makeServer(package_, options, onRequest) {
  const server = new package_.server({ maxReceivedFrameSize: 4 << 20, maxReceivedMessageSize: 4 << 20, ...options });
  server.on('request', (request) => {
    onRequest(request.resource, () => request.accept(null, request.origin), server);
  });
  return server;
}

async function startBehindHttp(package_, ios, config, onRequest) {
  const httpServer = http.createServer();
  const servers = new Map();
  if (ios.length === 1) {
    servers.set(ios[0], makeServer(package_, { ...config, io: ios[0], httpServer }, onRequest));
  } else {
    for (const io of ios) servers.set(io, makeServer(package_, { ...config, io, noServer: true }, onRequest));
    httpServer.on('upgrade', (request, socket, head) => servers.get(request.url.split('/')[1]).handleUpgrade(request, socket, head));
  }
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  return {
    portOf: () => httpServer.address().port,
    serverOf: (io) => servers.get(io),
    close() {
      for (const server of servers.values()) server.unmount();
      return new Promise((resolve) => { httpServer.close(resolve); });
    },
  };
}

async function startListening(package_, ios, config, onRequest) {
  const servers = new Map();
  for (const io of ios) {
    const server = makeServer(package_, { ...config, io, port: 0, host: '127.0.0.1' }, onRequest);
    await once(server, 'listening');
    servers.set(io, server);
  }
  return {
    portOf: (io) => servers.get(io).address().port,
    serverOf: (io) => servers.get(io),
    close: () => Promise.all([...servers.values()].map((server) => new Promise((resolve) => { server.close(resolve); }))),
  };
}

/** Connections on plain sockets, the handshake of which the program has done itself. */
async function startByHand(package_, ios, config, onRequest) {
  const configs = new Map(ios.map((io) => [io, makeServer(package_, { ...config, io, noServer: true }, onRequest).config]));
  const netServer = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    let head = Buffer.alloc(0);
    socket.on('readable', function read() {
      const chunk = socket.read();
      if (chunk === null) return;
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.removeListener('readable', read);
      if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
      const text = head.toString('latin1', 0, end);
      const path = text.split(' ', 2)[1];
      socket.write(acceptHead(/^sec-websocket-key: *(.*)\r?$/im.exec(text)[1].trim()), (error) => {
        if (!error) onRequest(path, () => adopt(package_, socket, configs.get(path.split('/')[1])), null);
      });
    });
  });
  netServer.listen(0, '127.0.0.1');
  await once(netServer, 'listening');
  return {
    portOf: () => netServer.address().port,
    serverOf: () => null,
    close: () => new Promise((resolve) => { netServer.close(resolve); }),
  };
}

function adopt(package_, socket, config) {
  const connection = new package_.connection(socket, [], null, false, config);
  connection._addSocketEventListeners();
  return connection;
}

module.exports = { LISTENERS, startServers };
