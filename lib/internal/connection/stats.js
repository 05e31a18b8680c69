'use strict';

// Figures about connections and servers. They are put together when somebody asks; what has to be counted meanwhile is
// counted where it costs next to nothing.

const binding = require('../addon/binding');

/** Figures that add up over connections. */
const SUMS = [
  'messagesReceived', 'messagesSent', 'bytesReceived', 'bytesSent', 'compressedBytesReceived', 'compressedBytesSent',
  'framesReceived', 'pingsReceived', 'pingsSent', 'pongsReceived',
];

/** Figures about topics that nobody has used, and about an engine that there is not. */
const NO_TOPICS = Object.freeze({
  topics: 0, subscriptions: 0, published: 0, received: 0, echoes: 0, malformed: 0, dropped: 0, repeated: 0, missed: 0,
  queuedBytes: 0, lostFor: 0,
});

/** Messages sent so far, those included that the addon has sent by itself; and what others have compressed of them, in bytes. */
function sentOf({ _messagesSent: messages, _member: member, _topics: topics }) {
  if (member === null) return [messages, 0];
  const [published, compressed] = binding.topicsSent(topics.table, member);
  return [messages + published, compressed];
}

/** Figures about one connection; docs/connection.md describes them. */
function statsOf(connection) {
  const { socket, _heartbeat: heartbeat, _compressor: compressor } = connection;
  const [messagesSent, compressedByOthers] = sentOf(connection);
  const [framesReceived, compressedBytesReceived] = connection._transport.received(connection);
  return {
    messagesReceived: connection._messagesReceived,
    messagesSent,
    bytesReceived: socket.bytesRead || 0,
    bytesSent: socket.bytesWritten || 0,
    compressedBytesReceived,
    compressedBytesSent: compressor === null ? connection._compressedBytesSent : compressor.bytesSent + compressedByOthers,
    framesReceived,
    pingsReceived: heartbeat === null ? 0 : heartbeat.pingsReceived,
    pingsSent: heartbeat === null ? 0 : heartbeat.pingsSent,
    pongsReceived: heartbeat === null ? 0 : heartbeat.pongsReceived,
    latency: connection.latency,
    bufferedAmount: connection._transport.bufferedAmount(connection),
    transport: connection.transport,
  };
}

/** What the connections of a server have done that are closed, and what it has refused. */
class Totals {
  constructor() {
    this.closed = 0;
    this.refused = 0;
    this.sums = Object.fromEntries(SUMS.map((name) => [name, 0]));
  }

  /** A connection is closed. */
  add(connection) {
    this.closed++;
    addTo(this.sums, statsOf(connection));
  }
}

/** Adds the figures of one connection. */
function addTo(sums, stats) {
  for (const name of SUMS) sums[name] += stats[name];
}

/** Figures about a server; docs/server.md describes them. */
function statsOfServer({ connections, pendingRequests, _totals: totals, _topics: topics }) {
  const sums = { ...totals.sums };
  const transports = { stream: 0, loop: 0, threads: 0 };
  let bufferedAmount = 0;
  for (const connection of connections) {
    const stats = statsOf(connection);
    addTo(sums, stats);
    bufferedAmount += stats.bufferedAmount;
    transports[stats.transport]++;
  }
  return {
    connections: connections.length,
    pendingRequests: pendingRequests.length,
    connectionsAccepted: totals.closed + connections.length,
    requestsRefused: totals.refused,
    ...sums,
    bufferedAmount,
    transports,
    pubsub: { ...NO_TOPICS, ...(topics === null ? null : topics.stats()) },
  };
}

module.exports = { SUMS, addTo, sentOf, statsOf, statsOfServer, Totals };
