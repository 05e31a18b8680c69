'use strict';

// The workloads and what this package has to reach in each of them: data, nothing else.
//
//   id      name on the command line
//   title   name in the tables
//   mode    echo, broadcast, topics, connect, idle (options of bench/load) or client (options of bench/clients)
//   load    options for the load generator, as it spells them
//   unit    what is counted; figures are per unit
//   peers   only these take part
//   publish whether broadcasts go by a topic
//   socketio   whether the servers are those of Socket.IO
//   callbacks  whether the servers send with a callback
//   quick   whether --quick runs it
//   goals   of    the peer that has to reach it
//           metric  cpu (process), main (JS thread alone), rss (memory)
//           than, ratio   at most so much of another peer's figure, round by round; or
//           atMost        at most this figure

/** At most `ratio` of what `than` needs. */
const versus = (than, ratio, of = 'ours', metric = 'cpu') => ({ of, metric, than, ratio });
/** At most a figure. */
const atMost = (figure, metric, of = 'ours') => ({ of, metric, atMost: figure });

/** A workload whose servers echo messages. */
const echo = (id, title, load, goals, extra = {}) => ({ id, title, mode: 'echo', unit: 'message', load, goals, ...extra });

const WORKLOADS = [
  echo('ping-1', '1 connection, ping-pong, 64 B text', { connections: 1, size: 64 },
    [versus('uwebsockets', 0.95), versus('ws', 0.65), versus('websocket', 0.5)], { quick: true }),

  echo('ping-64', '64 connections, ping-pong, 64 B text', { connections: 64, size: 64 },
    [versus('uwebsockets', 0.95), versus('ws', 0.5), versus('websocket', 0.4), versus('ours', 1.15, 'ours-ws'), versus('ws', 0.5, 'ours-ws')],
    { quick: true }),

  echo('ping-1000', '1,000 connections, ping-pong, 64 B text', { connections: 1000, size: 64 },
    [versus('uwebsockets', 0.95), versus('ws', 0.5)]),

  echo('pipeline-32', '16 connections, 32 in flight, 64 B text', { connections: 16, 'in-flight': 32, size: 64 },
    [versus('uwebsockets', 0.4), versus('ws', 0.05), versus('websocket', 0.05), versus('ours', 1.15, 'ours-ws')], { quick: true }),

  echo('callbacks', '16 connections, 32 in flight, 64 B text, a callback for each send', { connections: 16, 'in-flight': 32, size: 64 },
    [versus('ws', 0.2), versus('websocket', 0.2)], { callbacks: true }),

  echo('burst-256', '4 connections, bursts of 256, 16 B text', { connections: 4, 'in-flight': 256, burst: true, size: 16 },
    [versus('uwebsockets', 0.35), versus('websocket', 0.04)], { quick: true }),

  echo('ascii-1k', '64 connections, 1 KiB ASCII text', { connections: 64, size: 1024 },
    [versus('uwebsockets', 0.85), versus('ws', 0.45)]),

  echo('non-ascii-1k', '64 connections, 1 KiB non-ASCII text', { connections: 64, size: 1024, payload: 'non-ascii' },
    [versus('uwebsockets', 0.65), versus('ws', 0.5)]),

  echo('text-16k', '16 connections, 16 KiB text', { connections: 16, size: 16384 },
    [versus('uwebsockets', 0.6), versus('ws', 0.25)], { quick: true }),

  echo('binary-16k', '16 connections, 16 KiB binary', { connections: 16, size: 16384, payload: 'binary' },
    [versus('uwebsockets', 0.9), versus('ws', 0.2)]),

  echo('binary-16m', '16 MiB binary', { connections: 1, size: 16777216, payload: 'binary' },
    [versus('uwebsockets', 1), versus('ws', 0.25)]),

  echo('fragments', '16 connections, 1 KiB text in 8 fragments, 8 in flight',
    { connections: 16, 'in-flight': 8, size: 1024, fragments: 8 },
    [versus('uwebsockets', 0.8), versus('websocket', 0.05)]),

  echo('socketio', 'Socket.IO, 64 connections, ping-pong, events of 64 B',
    { connections: 64, size: 64, payload: 'socket.io', path: '/socket.io/?EIO=4&transport=websocket' },
    [versus('socketio-ws', 0.75, 'socketio-ours')], { socketio: true }),

  { id: 'broadcast-100', title: 'broadcast to 100, 64 B text, 4 in flight', mode: 'broadcast', unit: 'delivery', quick: true,
    load: { connections: 100, 'in-flight': 4, size: 64 },
    goals: [versus('uwebsockets', 0.95), versus('ws', 0.15)] },

  { id: 'broadcast-500', title: 'broadcast to 500, 1 KiB text, 2 in flight', mode: 'broadcast', unit: 'delivery',
    load: { connections: 500, 'in-flight': 2, size: 1024 },
    goals: [versus('uwebsockets', 0.95), atMost(0.1, 'main')] },

  { id: 'publish-100', title: 'publish to 100 subscribers, 64 B text, 4 in flight', mode: 'broadcast', publish: true, unit: 'delivery',
    load: { connections: 100, 'in-flight': 4, size: 64 },
    goals: [versus('uwebsockets', 1), atMost(0.1, 'main')] },

  { id: 'topics-1000', title: '1,000 topics of 5, 64 B text, to all but the sender', mode: 'topics', unit: 'delivery',
    load: { connections: 5000, room: 5, size: 64 },
    goals: [versus('uwebsockets', 1)] },

  echo('deflate-1k', '16 connections, permessage-deflate, 1 KiB JSON, context takeover',
    { connections: 16, size: 1024, payload: 'json', deflate: true },
    [versus('uwebsockets', 0.8), versus('ws', 0.1)]),

  echo('deflate-16k', '16 connections, permessage-deflate, 16 KiB JSON, context takeover',
    { connections: 16, size: 16384, payload: 'json', deflate: true },
    [versus('uwebsockets', 0.8)]),

  { id: 'connect', title: 'connect + handshake + close, 16 at a time', mode: 'connect', unit: 'connection', quick: true,
    load: { connections: 16 },
    goals: [versus('ws', 0.7), versus('uwebsockets', 1.3, 'ours-native')] },

  { id: 'client-ping', title: 'client, 16 connections, ping-pong, 64 B text', mode: 'client', unit: 'message', quick: true,
    load: { connections: 16, size: 64 },
    goals: [versus('ws', 0.55)] },

  { id: 'client-pipeline', title: 'client, 16 connections, 16 in flight, 64 B text', mode: 'client', unit: 'message',
    load: { connections: 16, 'in-flight': 16, size: 64 },
    goals: [versus('ws', 0.08)] },

  { id: 'idle', title: 'memory of an idle connection', mode: 'idle', unit: 'connection',
    load: { connections: 5000 },
    goals: [
      versus('ws', 0.95, 'ours', 'rss'), versus('websocket', 0.5, 'ours', 'rss'), atMost(2000, 'rss', 'ours-native')
    ] },

  echo('stream', 'stream transport, 64 connections, ping-pong, 64 B text', { connections: 64, size: 64 },
    [versus('ws', 0.75, 'ours-stream')], { peers: ['ours-stream', 'ws', 'ws-bufferutil'] }),

  echo('tls', 'TLS, 64 connections, ping-pong, 64 B text', { connections: 64, size: 64, tls: true },
    [versus('ws', 1), versus('uwebsockets', 0.95, 'ours-native')],
    { peers: ['ours', 'ours-native', 'ws', 'ws-bufferutil', 'websocket', 'uwebsockets'] }),

  echo('tls-pipeline-32', 'TLS, 16 connections, 32 in flight, 64 B text', { connections: 16, 'in-flight': 32, size: 64, tls: true },
    [versus('uwebsockets', 0.95, 'ours-native')], { peers: ['ours', 'ours-native', 'ws', 'uwebsockets'] }),

  { id: 'tls-connect', title: 'TLS, connect with a full handshake + close, 16 at a time', mode: 'connect', unit: 'connection',
    load: { connections: 16, tls: true }, peers: ['ours', 'ours-native', 'ws', 'uwebsockets'],
    goals: [versus('ours', 0.6, 'ours-native')] },

  { id: 'tls-idle', title: 'TLS, memory of an idle connection', mode: 'idle', unit: 'connection',
    load: { connections: 2000, tls: true }, peers: ['ours', 'ours-native', 'ws', 'uwebsockets'],
    goals: [atMost(12000, 'rss', 'ours-native')] },

  echo('ping-500', '500 connections, ping-pong, 64 B text', { connections: 500, size: 64 },
    [versus('uwebsockets', 0.12, 'ours-threads', 'main'), versus('uwebsockets', 1, 'ours-threads')]),

  echo('pipeline-16', '50 connections, 16 in flight, 64 B text', { connections: 50, 'in-flight': 16, size: 64 },
    [versus('uwebsockets', 0.25, 'ours-threads', 'main')])
];

/** `io: 'auto'` is as good as the better of the two it chooses from, give or take this much. */
const AUTO_NOISE = 1.1;

for (const workload of WORKLOADS) {
  const options = workload.load;
  const { mode, socketio } = workload;
  workload.needs = mode === 'client' ? [] : [socketio ? 'socketio' : mode, ...['deflate', 'tls'].filter((name) => options[name]), ...['callbacks', 'publish'].filter((name) => workload[name])];
}

module.exports = { WORKLOADS, AUTO_NOISE };
