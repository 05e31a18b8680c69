'use strict';

// What the tests of siege.test.js run in a child process: a server that measures itself. It must not know the attacks.

const fs = require('fs');
const http = require('http');
const { websocket } = require('../helpers/under-test');

/** Entries of a directory of this process under /proc, 0 where there is none. */
function count(name) {
  try {
    return fs.readdirSync(`/proc/self/${name}`).length;
  } catch {
    return 0;
  }
}

/**
 * An echo server that answers each command with a measurement.
 * @param {'http'|'port'} by whether it is mounted on an HTTP server of the program or listens itself
 */
exports.besieged = ({ report, listen, by }) => {
  const config = { autoAcceptConnections: true, keepalive: false, closeTimeout: 200, perMessageDeflate: true };
  const httpServer = by === 'http' ? http.createServer() : null;
  const server = new websocket.server(httpServer ? { ...config, httpServer } : { ...config, port: 0, host: '127.0.0.1' });
  let accepted = 0;
  let closed = 0;
  let events = 0;
  server.on('connect', (connection) => {
    accepted++;
    connection.on('message', (message) => {
      events++;
      // The bound on what is sent is the program's, and this one keeps it.
      if (connection.outputBufferFull) return;
      connection.send(message.type === 'utf8' ? message.utf8Data : message.binaryData);
    });
    connection.on('error', () => {});
    connection.on('close', () => closed++);
  });
  server.on('upgradeError', () => {});
  // The longest that the event loop stood still since the last measurement, in milliseconds.
  let last = performance.now();
  let still = 0;
  setInterval(() => {
    const now = performance.now();
    still = Math.max(still, now - last);
    last = now;
  }, 10);
  let measurements = 0;
  listen().on('measure', () => {
    global.gc();
    const { rss, heapUsed, external } = process.memoryUsage();
    measurements++;
    report({
      [`measurement${measurements}`]: {
        rss, used: heapUsed + external, fds: count('fd'), threads: count('task'), still: Math.round(still), accepted, closed, events,
        connections: server.connections.length, pending: server.pendingRequests.length,
        handles: process._getActiveHandles().length
      }
    });
    still = 0;
  });
  if (httpServer) httpServer.listen(0, '127.0.0.1', 1024, () => report({ port: httpServer.address().port }));
  else server.on('listening', () => report({ port: server.address().port }));
};
