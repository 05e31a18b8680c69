'use strict';

// What every peer has in common: its options, its port on stdout, and answers about itself on stdin. The Rust server of
// bench/load speaks the same: a word a line in, a line of JSON out.

const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');

/** No message of any workload is larger; every peer gets the same limit. */
const MAX_MESSAGE = 64 * 1024 * 1024;

const CERTIFICATES = path.join(__dirname, '..', '..', '..', 'examples', 'certs');
const TLS_FILES = { key: path.join(CERTIFICATES, 'key.pem'), cert: path.join(CERTIFICATES, 'cert.pem') };

/**
 * @typedef {object} PeerOptions
 * @property {boolean} broadcast send each message to all connections instead of back
 * @property {boolean} publish the same by a topic that all have subscribed to
 * @property {boolean} topics send each message to all others on the same path
 * @property {boolean} callbacks send with a callback each time
 * @property {boolean} deflate agree to permessage-deflate with context takeover and compress every message
 * @property {boolean} tls listen with TLS
 * @property {string} io for our own server: who drives the sockets
 * @property {string} engine for Socket.IO: the package with the interface of ws
 * @property {boolean} native for our own server: listen without an http.Server
 */

/** CPU time of the JS thread alone in microseconds, null where the system does not tell. Call it on that thread. */
function jsThreadMicros() {
  if (process.threadCpuUsage) {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  }
  try {
    // On Linux the main thread has the id of the process; the first field is its time on a CPU in nanoseconds.
    return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    return null;
  }
}

/** CPU time in microseconds: the whole process as user and system, and the JS thread. */
function cpu() {
  return { ...process.cpuUsage(), main: jsThreadMicros() };
}

/** Memory after garbage collection, which takes several rounds because finalizers run between them. */
async function memory() {
  for (let round = 0; round < 4 && global.gc; round += 1) {
    global.gc();
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/**
 * Runs a peer.
 * @param {(options: PeerOptions, listening: (port: number) => void, status: object) => void} start starts the server,
 *   says where it listens, and may put what is worth knowing into `status`
 */
function run(start) {
  const { values: options } = parseArgs({
    options: {
      broadcast: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      topics: { type: 'boolean', default: false },
      callbacks: { type: 'boolean', default: false },
      deflate: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
      io: { type: 'string', default: 'auto' },
      engine: { type: 'string', default: 'ws' },
      native: { type: 'boolean', default: false }
    }
  });
  const status = {};
  const questions = { cpu, memory, status: () => status };
  const print = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  process.stdin.setEncoding('utf8').on('data', async (lines) => {
    for (const word of lines.trim().split('\n')) print(await questions[word]());
  });
  process.stdin.on('end', () => process.exit(0));
  start(options, (port) => print({ port }), status);
}

/** An HTTP or HTTPS server that listens and answers nothing but upgrades. */
function httpServer(options, listening) {
  const server = options.tls
    ? require('https').createServer({ key: fs.readFileSync(TLS_FILES.key), cert: fs.readFileSync(TLS_FILES.cert) })
    : require('http').createServer();
  // The tests open many connections at once; Node's own default is 511.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => listening(server.address().port));
  return server;
}

module.exports = { run, httpServer, cpu, MAX_MESSAGE, TLS_FILES };
