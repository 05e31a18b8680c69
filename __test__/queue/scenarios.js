'use strict';

// What the tests of this folder run in processes of their own.

const fs = require('fs');
const http = require('http');
const { websocket } = require('../helpers/under-test');

/** What a program may do with the socket of a connection as soon as it has one. */
const uses = {
  'nothing': () => {},
  'localPort': ({ socket }) => void socket.localPort,
  'setTimeout()': ({ socket }) => socket.setTimeout(60000),
  'a data listener': ({ socket }) => socket.on('data', () => {}),
};

/** An echo server that tells, whenever it is asked, what it holds. */
exports.echo = ({ report, listen, way: { io, listener }, config = {}, use = 'nothing' }) => {
  const httpServer = listener ? null : http.createServer();
  const server = new websocket.server({
    ...config, io, autoAcceptConnections: true, ...(listener ? { port: 0, host: '127.0.0.1' } : { httpServer }),
  });
  server.on('connect', (connection) => {
    connection.on('error', () => {});
    connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data));
    uses[use](connection);
  });
  let asked = 0;
  listen().on('figures', () => {
    asked++;
    let fds = -1;
    try {
      fds = fs.readdirSync('/proc/self/fd').length;
    } catch {
      // None is left, or there is no such folder.
    }
    report({ [`figures${asked}`]: { fds, connections: server.connections.length } });
  });
  if (httpServer) httpServer.listen(0, '127.0.0.1', () => report({ port: httpServer.address().port }));
  else server.on('listening', () => report({ port: server.address().port }));
};

/** A server whose program does not take what comes: it computes when told to, or pauses each connection at once. */
exports.slow = ({ report, listen, way: { io, listener }, config = {}, pauses = false }) => {
  const httpServer = listener ? null : http.createServer();
  const server = new websocket.server({
    keepalive: false, perMessageDeflate: true, maxReceivedFrameSize: 2 << 20, maxReceivedMessageSize: 2 << 20, ...config,
    io, autoAcceptConnections: true, ...(listener ? { port: 0, host: '127.0.0.1' } : { httpServer }),
  });
  server.on('connect', (connection) => {
    connection.on('error', () => {});
    for (const event of ['message', 'frame', 'ping']) connection.on(event, () => {});
    if (pauses) connection.pause();
  });
  listen().on('compute', () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    report({ computed: true });
  });
  if (httpServer) httpServer.listen(0, '127.0.0.1', () => report({ port: httpServer.address().port }));
  else server.on('listening', () => report({ port: server.address().port }));
};

exports.USES = Object.keys(uses);
