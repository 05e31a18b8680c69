'use strict';

// What runs in a child process, because it ends the process of 1.0.35 or fills its memory.

const fs = require('fs');
const http = require('http');
const { websocket } = require('../helpers/under-test');

/** A WebSocketServer on a port that is reported. */
function listen(report, config, onRequest) {
  const httpServer = http.createServer();
  const server = new websocket.server({ httpServer, keepalive: false, autoAcceptConnections: !onRequest, ...config });
  if (onRequest) server.on('request', onRequest);
  server.on('upgradeError', (error) => report({ upgradeError: error.message }));
  httpServer.listen(0, '127.0.0.1', () => report({ port: httpServer.address().port }));
  return server;
}

/** Stands still, event loop and all, until the parent says so. */
function stand() {
  const line = Buffer.alloc(64);
  fs.readSync(0, line);
}

/** Reports what a connection tells. */
function watch(connection, report) {
  const events = [];
  connection.on('error', (error) => events.push(['error', error.code]));
  connection.on('close', (code, description) => events.push(['close', code, description]));
  // Late events would be faults as well, so some time has to pass.
  setTimeout(() => report({ events }), 100);
}

/**
 * The peer resets the TCP connection while its request is pending; the program answers it in one of these orders.
 * `order` is a list of: stand (until it is reset), accept, reject, wait (for the event loop to notice the reset)
 */
exports.reset = ({ report, order }) => {
  const server = listen(report, {}, async (request) => {
    report({ pending: server.pendingRequests.length });
    for (const step of order) {
      if (step === 'stand') stand();
      if (step === 'wait') await new Promise((resolve) => setTimeout(resolve, 50));
      if (step === 'accept') watch(request.accept(), report);
      if (step === 'reject') request.reject(403, 'not today');
    }
    setTimeout(() => {
      report({ left: [server.pendingRequests.length, server.connections.length] });
      process.exit(0);
    }, 150);
  });
};

/** Accepts whatever comes; the parent tries to make it fall. */
exports.acceptAll = ({ report }) => {
  listen(report).on('connect', (connection) => report({ connected: connection.protocol }));
};

/** Memory in use after everything that can be freed is. */
function memory() {
  global.gc();
  global.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, used: heapUsed + external };
}

/**
 * Accepts connections and reports its memory before the first and whenever the text message `measure` arrives, or the
 * connection is closed.
 * @param {number} [spin] microseconds each binary message keeps the program busy
 */
exports.measured = ({ report, spin = 0, config }) => {
  const server = listen(report, config);
  let before;
  let messages = 0;
  server.on('connect', (connection) => {
    before = memory();
    const measure = () => {
      const after = memory();
      report({ grown: after.used - before.used, grownRss: after.rss - before.rss, messages });
    };
    connection.on('message', (message) => {
      messages++;
      if (message.utf8Data === 'measure') measure();
      if (spin > 0) {
        const until = process.hrtime.bigint() + BigInt(spin) * 1000n;
        while (process.hrtime.bigint() < until);
      }
    });
    connection.on('close', measure);
  });
};

/** As `measured`, but measures of its own accord after `after` milliseconds, while the flood goes on. */
exports.flooded = ({ report, spin, after }) => {
  const server = listen(report);
  server.on('connect', (connection) => {
    const before = memory();
    let messages = 0;
    connection.on('message', () => {
      messages++;
      const until = process.hrtime.bigint() + BigInt(spin) * 1000n;
      while (process.hrtime.bigint() < until);
    });
    setTimeout(() => {
      const now = memory();
      report({ grown: now.used - before.used, grownRss: now.rss - before.rss, messages });
    }, after);
  });
};
