'use strict';

// All options: name, default and kind. docs/server.md and docs/client.md describe them, index.d.ts declares them; tests compare.

const { DEFAULT_IO, checkIo } = require('../transport/io-option');
const { deflateSettings } = require('../compression/per-message-deflate');
const { fallbackServer, httpServers } = require('./http-servers');
const { number, size, keepaliveTime, flag, oneOf, other, group, pubsub, webSocketVersion } = require('./kinds');

function io(value) {
  checkIo(value);
  return value;
}

function perMessageDeflate(value) {
  deflateSettings(value);
  return value;
}

/** Options of every connection, with the same default on servers and clients. */
const COMMON_OPTIONS = {
  fragmentOutgoingMessages: [true, flag],
  fragmentationThreshold: [0x4000, number(1)],
  assembleFragments: [true, flag],
  disableNagleAlgorithm: [true, flag],
  closeTimeout: [5000, number(0)],
  echoCloseCode: [false, flag],
  maxFragments: [Infinity, number(1)],
  maxMessagesPerSecond: [Infinity, number(1)],
  maxBytesPerSecond: [Infinity, number(1)],
  maxLifetime: [0, number(0)],
  idleTimeout: [0, number(0)],
  highWaterMark: [null, number(1, { orNull: true })],
  maxBufferedAmount: [Infinity, number(1)],
  maxBufferedAmountPolicy: ['close', oneOf('close', 'drop')],
  io: [DEFAULT_IO, io],
  perMessageDeflate: [false, perMessageDeflate],
};

const SERVER_OPTIONS = {
  httpServer: [null, httpServers],
  noServer: [false, flag],
  port: [null, other],
  reusePort: [false, flag],
  fallback: [null, fallbackServer],
  path: [null, other],
  host: [null, other],
  tls: [null, other],
  allowedOrigins: [null, other],
  verifyOrigin: [null, other],
  maxReceivedFrameSize: [0x10000, size],
  maxReceivedMessageSize: [0x100000, size],
  keepalive: [true, flag],
  keepaliveInterval: [20000, keepaliveTime],
  dropConnectionOnKeepaliveTimeout: [true, flag],
  keepaliveGracePeriod: [10000, keepaliveTime],
  useNativeKeepalive: [false, flag],
  autoAcceptConnections: [false, flag],
  ignoreXForwardedFor: [false, flag],
  trustProxy: [true, other],
  parseCookies: [true, flag],
  parseExtensions: [true, flag],
  handshakeTimeout: [0, number(0)],
  maxConnections: [Infinity, number(0)],
  maxConnectionsPerAddress: [Infinity, number(0)],
  maxPendingRequests: [0x4000, number(0)],
  pubsub: [null, pubsub],
  maxTopicsPerConnection: [128, number(1)],
  maxTopicLength: [255, number(1)],
  maxPublishQueue: [0, number(0)],
  topicLinger: [1000, number(0)],
  topicOrder: ['local-first', oneOf('local-first', 'engine')],
  ...COMMON_OPTIONS,
};

/** Options of an attempt to connect; they may be given to `connect()` as well. */
const ATTEMPT_OPTIONS = {
  handshakeTimeout: [0, number(0)],
  followRedirects: [false, flag],
  maxRedirects: [10, number(0)],
};

/** Those of the keepalive have no default here: `keepalive` is off, and whoever turns it on names the times. */
const CLIENT_OPTIONS = {
  webSocketVersion: [13, webSocketVersion],
  tlsOptions: [undefined, group],
  maxReceivedFrameSize: [0x100000, size],
  maxReceivedMessageSize: [0x800000, size],
  keepalive: [undefined, flag],
  keepaliveInterval: [undefined, keepaliveTime],
  dropConnectionOnKeepaliveTimeout: [undefined, flag],
  keepaliveGracePeriod: [undefined, keepaliveTime],
  useNativeKeepalive: [undefined, flag],
  ...ATTEMPT_OPTIONS,
  ...COMMON_OPTIONS,
};

/** Those that a connection itself goes by. */
const CONNECTION_OPTIONS = {
  ...COMMON_OPTIONS,
  ...pick(CLIENT_OPTIONS, 'maxReceivedFrameSize', 'maxReceivedMessageSize', 'keepalive', 'keepaliveInterval',
    'dropConnectionOnKeepaliveTimeout', 'keepaliveGracePeriod', 'useNativeKeepalive'),
};

function pick(table, ...names) {
  return Object.fromEntries(names.map((name) => [name, table[name]]));
}

module.exports = { SERVER_OPTIONS, CLIENT_OPTIONS, CONNECTION_OPTIONS, ATTEMPT_OPTIONS };
