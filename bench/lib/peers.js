'use strict';

// Who takes part. A peer is a server (bench/peers), a client (bench/clients) or both under one name.

const path = require('path');

const BENCH = path.join(__dirname, '..');

/** What a server can do; a workload that needs more is not run with it. */
const ALL = ['echo', 'callbacks', 'broadcast', 'connect', 'idle', 'deflate', 'tls'];
const WITH_TOPICS = [...ALL, 'publish', 'topics'];
const WITHOUT_CALLBACKS = ALL.filter((ability) => ability !== 'callbacks');
const WITHOUT_DEFLATE = ALL.filter((ability) => ability !== 'deflate');

/** How ours is started: on an http.Server, and who drives the sockets. */
function ours(title, io, extra = []) {
  const args = ['--io', io, ...extra];
  return {
    title,
    module: '../package.json',
    server: { file: 'websocket.js', args, abilities: WITH_TOPICS, transport: io === 'auto' ? undefined : io },
    client: extra.length ? undefined : { file: 'websocket.js', args }
  };
}

/** A package from bench/node_modules. */
function other(title, module, { file, abilities = ALL, env, server = true, client = false, nodeArgs }) {
  return {
    title,
    module: module && `${module}/package.json`,
    server: server ? { file, abilities, env } : undefined,
    client: client ? { file, env, nodeArgs } : undefined
  };
}

/** Socket.IO on a package with the interface of ws. */
function socketio(engine) {
  return {
    title: `Socket.IO on ${engine}`,
    module: 'socket.io/package.json',
    server: { file: 'socket.io.js', args: ['--engine', engine], abilities: ['socketio'], env: { WS_NO_BUFFER_UTIL: '1' } }
  };
}

const nodeMajor = Number(process.versions.node.split('.')[0]);

/** Every peer by its name on the command line, in the order of the tables. */
const PEERS = {
  floor: { title: 'epoll echo in Rust (floor)', server: { rust: true, abilities: ['echo', 'broadcast', 'connect', 'idle'] } },
  net: other('node:net, no WebSocket', null, { file: 'net.js', abilities: ['echo', 'idle', 'raw'] }),
  ours: ours('this package', 'auto'),
  'ours-loop': ours('this package, io: loop', 'loop'),
  'ours-threads': ours('this package, io: threads', 'threads'),
  'ours-stream': ours('this package, io: stream', 'stream'),
  'ours-native': ours('this package, native listener', 'auto', ['--native']),
  'ours-ws': { title: 'this package, websocket/ws', module: '../package.json', server: { file: 'websocket-ws.js', abilities: ALL } },
  uwebsockets: other('uWebSockets.js', 'uwebsockets', { file: 'uwebsockets.js', abilities: WITH_TOPICS.filter((ability) => ability !== 'callbacks') }),
  ws: other('ws', 'ws', { file: 'ws.js', client: true, env: { WS_NO_BUFFER_UTIL: '1' } }),
  'ws-bufferutil': other('ws with bufferutil', 'ws', { file: 'ws.js', client: true }),
  websocket: other('websocket 1.0.35', 'websocket-1.0.35', { file: 'websocket-1.0.35.js', abilities: WITHOUT_DEFLATE, client: true }),
  'faye-websocket': other('faye-websocket', 'faye-websocket', {
    file: 'faye-websocket.js', abilities: WITHOUT_CALLBACKS.filter((ability) => ability !== 'deflate')
  }),
  'ours-w3c': { title: 'this package, w3cwebsocket', module: '../package.json', client: { file: 'w3cwebsocket.js' } },
  'socketio-ours': { ...socketio('websocket/ws'), module: '../package.json' },
  'socketio-ws': socketio('ws'),
  undici: other('undici', 'undici', { file: 'undici.js', server: false, client: true }),
  node: other('WebSocket of Node', null, {
    file: 'node.js', server: false, client: true, nodeArgs: nodeMajor < 22 ? ['--experimental-websocket'] : []
  })
};

/** Those that --quick runs. */
const QUICK = ['floor', 'ours', 'uwebsockets', 'ws', 'websocket'];

/** The version of a peer as installed, null when it is not or has none. */
function versionOf(name) {
  const { module } = PEERS[name];
  if (!module) return null;
  try {
    return require(module.startsWith('.') ? path.join(BENCH, module) : require.resolve(module, { paths: [BENCH] })).version;
  } catch {
    return null;
  }
}

/** Whether a peer can run a workload. */
function canRun(name, workload) {
  const peer = PEERS[name];
  if (workload.peers && !workload.peers.includes(name)) return false;
  if (workload.mode === 'client') return Boolean(peer.client);
  return Boolean(peer.server) && workload.needs.every((ability) => peer.server.abilities.includes(ability));
}

/** The command line that starts a peer in a role. */
function command(name, role, args, loader) {
  const side = PEERS[name][role];
  if (side.rust) return { file: loader, args: ['floor', ...args], env: {} };
  const script = path.join(BENCH, role === 'server' ? 'peers' : 'clients', side.file);
  return {
    file: process.execPath,
    args: ['--expose-gc', ...(side.nodeArgs || []), script, ...(side.args || []), ...args],
    env: side.env || {}
  };
}

module.exports = { PEERS, QUICK, BENCH, versionOf, canRun, command };
