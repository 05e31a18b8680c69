'use strict';

// What the tests of floods.test.js run in child processes: a server that measures itself and serves HTTP beside, and the attackers.

const http = require('http');
const net = require('net');
const zlib = require('zlib');
const { encodeFrame, requestHead, OPCODE } = require('../helpers/raw');
const { websocket } = require('../helpers/under-test');

const { CONTINUATION, TEXT, BINARY, PING } = OPCODE;
const mask = Buffer.alloc(4);
const MiB = 1 << 20;

/** Keeps this thread busy, as a program would that works. */
function work(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/**
 * A server of a program that needs `busy` milliseconds for each `event`. HTTP is served by the same process. Every ten
 * milliseconds a timer is due; how late each was is reported at the end.
 * @param {'ws'|'websocket'} library
 * @param {object} options of the server under test; with `port` it listens itself
 */
exports.flooded = ({ report, listen, library, options, event, busy }) => {
  const httpServer = http.createServer((request, response) => response.end('served'));
  let messages = 0;
  let connections = 0;
  const received = () => {
    messages++;
    if (busy > 0) work(busy);
  };
  let server = null;
  if (library === 'ws') {
    const { WebSocketServer } = require('ws');
    server = new WebSocketServer({ server: httpServer, perMessageDeflate: true, maxPayload: 2 * MiB });
    server.on('connection', (socket) => {
      connections++;
      socket.on(event, received);
      socket.on('error', () => {});
    });
  } else {
    server = new websocket.server({
      ...(options.port === undefined && { httpServer }), autoAcceptConnections: true, keepalive: false, perMessageDeflate: true,
      maxReceivedMessageSize: 2 * MiB, maxReceivedFrameSize: 2 * MiB, ...options,
    });
    server.on('connect', (connection) => {
      connections++;
      connection.on(event, received);
      connection.on('error', () => {});
    });
  }
  // How late a timer was that was due each ten milliseconds, one that has not come yet included.
  let due = performance.now();
  let late = [];
  const look = () => {
    const now = performance.now();
    for (; due <= now; due += 10) late.push(now - due);
  };
  setInterval(look, 10);
  listen().on('begin', () => {
    look();
    late = [];
    messages = 0;
    connections = 0;
    report({ begun: true });
  }).on('figures', () => {
    look();
    late.sort((a, b) => a - b);
    report({ figures: { median: Math.round(late[late.length >> 1]), worst: Math.round(late[late.length - 1]), messages, connections } });
  });
  const listening = () => {
    if (options.port === undefined) report({ port: httpServer.address().port, httpPort: httpServer.address().port });
    else if (httpServer.listening && server.address()) report({ port: server.address().port, httpPort: httpServer.address().port });
  };
  if (options.port !== undefined) server.on('listening', listening);
  httpServer.listen(0, '127.0.0.1', 1024, listening);
};

const repeated = (bytes, length) => Buffer.alloc(Math.ceil(length / bytes.length) * bytes.length, bytes);
const frame = (fields) => encodeFrame({ mask, ...fields });
const fragments = (length, pieces) => Buffer.concat(Array.from({ length: pieces }, (_, index) => frame({
  opcode: index === 0 ? BINARY : CONTINUATION, payload: Buffer.alloc(length / pieces, 'a'), fin: index === pieces - 1,
})));

/** A message of a mebibyte that is one kibibyte on the wire (RFC 7692 section 7.2.1). */
const bomb = () => frame({ opcode: BINARY, rsv: 4, payload: zlib.deflateRawSync(Buffer.alloc(MiB), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4) });

/** What an attacker writes over and over: [the first bytes after the handshake, the bytes that are repeated]. */
const writers = {
  'tiny frames': () => [Buffer.alloc(0), repeated(frame({ opcode: TEXT, payload: 'a' }), MiB)],
  'tiny fragments': () => [frame({ opcode: TEXT, payload: 'a', fin: false }), repeated(frame({ opcode: CONTINUATION, fin: false }), MiB)],
  'pings': () => [Buffer.alloc(0), repeated(frame({ opcode: PING, payload: 'p' }), MiB)],
  'uploads in one frame': () => [Buffer.alloc(0), frame({ opcode: BINARY, payload: Buffer.alloc(MiB) })],
  'uploads in fragments': () => [Buffer.alloc(0), fragments(MiB, 16)],
  'compressed bombs': () => [Buffer.alloc(0), repeated(bomb(), 64 * 1024)],
};

/** Writes `bytes` for as long as the server takes them. */
function pump(socket, bytes) {
  const write = () => { while (socket.writable && socket.write(bytes)); };
  socket.on('drain', write);
  write();
}

/** `count` peers who have shaken hands, and then flood the server until this process is ended. */
exports.attackers = ({ report, listen, port, count, kind }) => {
  const [first, chunk] = kind === 'connections' ? [] : writers[kind]();
  const compressed = kind === 'compressed bombs';
  const head = requestHead({ headers: compressed ? { 'Sec-WebSocket-Extensions': 'permessage-deflate' } : {} });
  const connect = (onAnswer) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.write(head);
    socket.once('data', () => {
      socket.resume();
      onAnswer(socket);
    });
    return socket;
  };
  if (kind === 'connections') {
    report({ ready: true });
    listen().on('go', () => {
      const again = () => connect((socket) => socket.resetAndDestroy()).on('close', again);
      for (let i = 0; i < count; i++) again();
    });
    return;
  }
  const sockets = [];
  let open = 0;
  for (let i = 0; i < count; i++) {
    sockets.push(connect(() => {
      open++;
      if (open === count) report({ ready: true });
    }));
  }
  listen().on('go', () => {
    for (const socket of sockets) {
      socket.write(first);
      pump(socket, chunk);
    }
  });
};
