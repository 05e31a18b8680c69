'use strict';

// What `npm run test:conformance` runs the cases against: which endpoint, in which role, with what in its environment.

/**
 * @typedef {object} Target
 * @property {string} name unique; the key of deviations.js
 * @property {'server'|'client'} role
 * @property {string} endpoint a name in endpoints/server.js or endpoints/client.js
 * @property {string} [transport] what --transport selects
 * @property {object} [env]
 */

/** Ways in which this package moves bytes. A new one needs no more than a line. */
const TRANSPORTS = [
  { transport: 'stream', env: { WEBSOCKET_IO: 'stream' } },
  { transport: 'loop', env: { WEBSOCKET_IO: 'loop' } },
  { transport: 'threads', env: { WEBSOCKET_IO: 'threads' } },
];

/** @type {Target[]} */
const OURS = [
  ...TRANSPORTS.flatMap((way) => [
    { name: `server, ${way.transport}`, role: 'server', endpoint: 'websocket', ...way },
    { name: `client, ${way.transport}`, role: 'client', endpoint: 'websocket', ...way },
  ]),
  // The server that accepts and reads requests itself, without Node's HTTP parser.
  { name: 'server, listening', role: 'server', endpoint: 'websocket, listening', transport: 'listener', env: { WEBSOCKET_IO: 'loop' } },
  { name: 'w3cwebsocket', role: 'client', endpoint: 'w3cwebsocket', transport: 'loop', env: { WEBSOCKET_IO: 'loop' } },
];

/** Others, as a check on the tester: it has to find what deviations.js lists, and nothing else. @type {Target[]} */
const PEERS = [
  { name: 'ws server', role: 'server', endpoint: 'ws' },
  { name: 'ws client', role: 'client', endpoint: 'ws' },
  { name: 'websocket@1.0.35 server', role: 'server', endpoint: 'websocket@1.0.35' },
  { name: 'websocket@1.0.35 client', role: 'client', endpoint: 'websocket@1.0.35' },
  { name: 'undici client', role: 'client', endpoint: 'undici' },
];

module.exports = { OURS, PEERS };
