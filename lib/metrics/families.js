'use strict';

// What is measured, as the families of OpenMetrics: `samples()` takes a snapshot and returns pairs of labels and value.

const ROLES = ['server', 'client'];

/** One sample for servers, and one for clients. */
function ofRoles(value) {
  return (snapshot) => ROLES.map((role) => [{ role }, value(snapshot[role])]);
}

function sum(name, family, help, unit = null) {
  return { name: family, type: 'counter', unit, help, labels: ['role'], samples: ofRoles((figures) => figures[name]) };
}

/** @type {{ name: string, type: 'counter'|'gauge', unit: string|null, help: string, labels: string[], samples: Function }[]} */
const FAMILIES = [
  {
    name: 'websocket_connections',
    type: 'gauge',
    unit: null,
    help: 'Open connections, by what reads and writes their sockets.',
    labels: ['role', 'transport'],
    samples: (snapshot) => ROLES.flatMap((role) => Object.entries(snapshot[role].transports)
      .map(([transport, count]) => [{ role, transport }, count])),
  },
  {
    name: 'websocket_pending_requests',
    type: 'gauge',
    unit: null,
    help: 'Requests to servers that are neither accepted nor refused.',
    labels: [],
    samples: ({ server }) => [[{}, server.pendingRequests]],
  },
  sum('opened', 'websocket_connections_opened', 'Connections that were opened.'),
  {
    name: 'websocket_connections_closed',
    type: 'counter',
    unit: null,
    help: 'Connections that have closed, by close code; codes of applications are 3xxx and 4xxx.',
    labels: ['role', 'code'],
    samples: (snapshot) => ROLES.flatMap((role) => snapshot[role].closes.map(([code, count]) => [{ role, code }, count])),
  },
  {
    name: 'websocket_requests_refused',
    type: 'counter',
    unit: null,
    help: 'Requests that servers have refused by themselves (upgradeError).',
    labels: [],
    samples: ({ server }) => [[{}, server.failed]],
  },
  {
    name: 'websocket_connects_failed',
    type: 'counter',
    unit: null,
    help: 'Attempts of clients that have failed (connectFailed).',
    labels: [],
    samples: ({ client }) => [[{}, client.failed]],
  },
  sum('socketErrors', 'websocket_socket_errors', 'Connections whose socket has failed.'),
  sum('messagesReceived', 'websocket_messages_received', 'Messages received.'),
  sum('messagesSent', 'websocket_messages_sent', 'Messages sent.'),
  sum('bytesReceived', 'websocket_received_bytes', 'Bytes received on sockets.', 'bytes'),
  sum('bytesSent', 'websocket_sent_bytes', 'Bytes sent on sockets.', 'bytes'),
  sum('compressedBytesReceived', 'websocket_compressed_received_bytes',
    'Payload bytes of compressed messages received, as they are on the wire.', 'bytes'),
  sum('compressedBytesSent', 'websocket_compressed_sent_bytes',
    'Payload bytes of compressed messages sent, as they are on the wire.', 'bytes'),
  sum('framesReceived', 'websocket_frames_received', 'Frames received, control frames included.'),
  sum('pingsReceived', 'websocket_pings_received', 'Pings received.'),
  sum('pingsSent', 'websocket_pings_sent', 'Pings sent.'),
  sum('pongsReceived', 'websocket_pongs_received', 'Pongs received.'),
  {
    name: 'websocket_buffered_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes that wait to be sent (bufferedAmount).',
    labels: ['role'],
    samples: ofRoles(({ bufferedAmount }) => bufferedAmount),
  },
];

module.exports = { FAMILIES };
