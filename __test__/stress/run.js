'use strict';

// One run: the server in this process, the peers in another.

const http = require('http');
const path = require('path');
const { fork } = require('child_process');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');
const { server: WebSocketServer } = require('../..');
const { nativeCount } = require('../../lib/internal/addon/binding');
const { Random, broadcastPayload } = require('./random');

const MEBIBYTE = 1 << 20;

/** Everything the server is seen to do in a run. */
class Observer {
  constructor(seed) {
    this.seed = seed;
    this.fault = null;
    /** Connections whose peer has not told how they ended: `number -> { count, code, description }`. */
    this.closes = new Map();
    /** What the peers say of sessions that are over and that the server has not closed yet. */
    this.ended = [];
    this.load = { active: 0, messages: 0, rss: 0 };
    this.accepted = 0;
    this.compressed = 0;
    this.broadcasts = 0;
    this.pauses = 0;
    this.callbacks = { given: 0, called: 0 };
    this.transports = {};
    this.transportChanges = 0;
    this.lastTransport = null;
    this.rss = [];
  }

  setFault(what) {
    if (this.fault === null) this.fault = what;
  }

  /** What the peers tell every second. */
  hear({ ended, totals, active, rss }) {
    this.load = { active, messages: totals.messages, rss };
    this.ended.push(...ended);
    this.compare();
  }

  /** Holds what the server has seen of connections that are over against what their peers did, and forgets them. */
  compare() {
    this.ended = this.ended.filter(([number, ending, code]) => {
      const record = this.closes.get(number);
      if (record === undefined) {
        this.setFault(`connection ${number} is unknown to the server after "${ending}"`);
        return false;
      }
      if (record.count === 0) return true;
      if (code !== undefined && record.code !== code) {
        this.setFault(`connection ${number}: close with ${record.code} ${record.description} instead of ${code} after "${ending}"`);
      }
      this.closes.delete(number);
      return false;
    });
  }

  noteTransport(name) {
    this.transports[name] = (this.transports[name] || 0) + 1;
    if (this.lastTransport !== null && this.lastTransport !== name) this.transportChanges++;
    this.lastTransport = name;
  }
}

/** Echoes what a connection brings, pauses it at times, and closes it when it is asked to. */
function serve(request, observer) {
  const number = Number(request.resource.slice(1));
  const random = new Random(observer.seed, 0xa, number);
  const connection = request.accept(null, request.origin);
  let paused = false;
  observer.accepted++;
  if (connection.extensions.length > 0) observer.compressed++;
  const record = { count: 0, code: null, description: null };
  observer.closes.set(number, record);
  connection.on('message', (message) => {
    observer.noteTransport(connection.transport);
    if (paused) observer.setFault(`connection ${number}: a message while it is paused`);
    if (record.count > 0) observer.setFault(`connection ${number}: a message after close`);
    if (message.type === 'utf8' && message.utf8Data[0] === 'c') {
      const { drop, code, reason } = JSON.parse(message.utf8Data.slice(1));
      if (drop) connection.drop(code, reason);
      else connection.close(code, reason);
      return;
    }
    const cb = random.chance(20) ? countOnce(observer, number) : undefined;
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data, cb);
    else connection.sendBytes(message.binaryData, cb);
    if (!random.chance(1.5)) return;
    paused = true;
    observer.pauses++;
    connection.pause();
    setTimeout(() => {
      paused = false;
      connection.resume();
    }, 1 + random.int(40));
  });
  connection.on('close', (code, description) => {
    record.count++;
    record.description = description;
    record.code = code;
    if (record.count > 1) observer.setFault(`connection ${number}: close was emitted ${record.count} times`);
  });
}

/** A callback for send() that is to be called once. */
function countOnce(observer, number) {
  let called = false;
  observer.callbacks.given++;
  return () => {
    if (called) observer.setFault(`connection ${number}: a callback of send() was called twice`);
    called = true;
    observer.callbacks.called++;
  };
}

/** Broadcasts, samples of memory, and work for the event loop, until the returned function is called. */
function startTimers(server, observer, { io, pace }) {
  const random = new Random(observer.seed, 0xc);
  const broadcasts = setInterval(() => {
    if (!random.chance(30)) return;
    const { text, data } = broadcastPayload(observer.seed, observer.broadcasts++);
    if (text) server.broadcastUTF(data.toString());
    else server.broadcastBytes(data);
  }, 20 * pace);
  const samples = setInterval(() => observer.rss.push(process.memoryUsage.rss()), 500);
  // A program that computes: meanwhile many connections become ready, which is what 'auto' goes by.
  const work = io === 'auto' && pace === 1 ? setInterval(() => {
    if (server.connections.length < 20) return;
    for (const end = performance.now() + 7; performance.now() < end;);
  }, 1) : null;
  return () => {
    clearInterval(broadcasts);
    clearInterval(samples);
    clearInterval(work);
  };
}

/** Waits until `condition()` holds; false after `ms` milliseconds. */
async function eventually(condition, ms = 8000) {
  for (const end = Date.now() + ms; !condition();) {
    if (Date.now() > end) return false;
    await sleep(10);
  }
  return true;
}

/** Runs the peers; resolves with their report, or null when a fault was found. */
async function runPeers(options, observer) {
  const child = fork(path.join(__dirname, 'peers.js'), [JSON.stringify(options)], { execArgv: [] });
  const exited = once(child, 'exit');
  let report = null;
  child.on('message', (message) => {
    if (message.fault) observer.setFault(message.fault);
    else if (message.over) report = message;
    else observer.hear(message);
  });
  const watch = setInterval(() => { if (observer.fault !== null) child.kill(); }, 50);
  const [code, signal] = await exited;
  clearInterval(watch);
  if (report === null) observer.setFault(`the peers ended without a report (${code}, ${signal})`);
  return report;
}

/** What has to hold when all peers are gone. */
async function checkEnd(server, httpServer, observer) {
  const { closes, callbacks } = observer;
  if (!await eventually(() => server.connections.length === 0)) {
    observer.setFault(`server.connections still has ${server.connections.length} of them: ${server.connections
      .map(({ state, closeReasonCode, socket }) => `${state} ${closeReasonCode} ${socket.destroyed}`).join(', ')}`);
  }
  observer.compare();
  for (const [number] of closes) observer.setFault(`connection ${number}: its peer or its close event is missing`);
  if (!await eventually(() => callbacks.called === callbacks.given)) {
    observer.setFault(`${callbacks.called} of ${callbacks.given} callbacks of send() were called`);
  }
  if (!await eventually(() => nativeCount() === 0)) observer.setFault(`the addon still has ${nativeCount()} sockets`);
  const sockets = await new Promise((resolve) => httpServer.getConnections((_, count) => resolve(count)));
  if (sockets !== 0) observer.setFault(`the HTTP server still has ${sockets} sockets`);
  checkMemory(observer);
}

/** In a long run the last quarter must not need much more than the second one. */
function checkMemory(observer) {
  const { rss } = observer;
  if (rss.length < 60) return;
  const quarter = Math.floor(rss.length / 4);
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const before = median(rss.slice(quarter, 2 * quarter));
  const after = median(rss.slice(3 * quarter));
  if (after > 1.5 * before + 100 * MEBIBYTE) {
    observer.setFault(`memory grows: ${Math.round(before / MEBIBYTE)} MiB, later ${Math.round(after / MEBIBYTE)} MiB`);
  }
}

/**
 * @param {object} options
 * @param {'auto'|'loop'|'threads'|'stream'} options.io
 * @param {number} options.seconds
 * @param {number} options.connections how many at most are active at once
 * @param {number} options.seed
 * @param {number} [options.pace] by how much slower than as fast as possible everything goes
 * @param {boolean} [options.steady] keeps the number of connections up instead of letting it swing
 * @param {(server: object, observer: Observer) => () => void} [options.watch] called at the start; what it returns at the end
 * @returns {Promise<{ fault: string|null, totals: object }>} the first fault and what was done
 */
async function run({ io, seconds, connections, seed, pace = 1, steady = false, watch = () => () => {} }) {
  const observer = new Observer(seed);
  const httpServer = http.createServer();
  const server = new WebSocketServer({
    httpServer, io, maxReceivedFrameSize: MEBIBYTE, maxReceivedMessageSize: 4 * MEBIBYTE, echoCloseCode: true,
    perMessageDeflate: true
  });
  server.on('request', (request) => serve(request, observer));
  server.on('upgradeError', (error) => observer.setFault(`upgradeError: ${error.stack}`));
  const onException = (error) => observer.setFault(`the server threw: ${error.stack}`);
  process.on('uncaughtException', onException);
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  observer.rss.push(process.memoryUsage.rss());
  const stopTimers = startTimers(server, observer, { io, pace });
  const stopWatching = watch(server, observer);

  const { port } = httpServer.address();
  const report = await runPeers({ port, io, seconds, connections, seed, pace, steady }, observer);
  stopTimers();
  if (observer.fault === null) await checkEnd(server, httpServer, observer);
  stopWatching();

  for (const connection of server.connections.slice()) connection.socket.destroy();
  server.unmount();
  httpServer.closeAllConnections();
  httpServer.close();
  process.removeListener('uncaughtException', onException);
  const { fault, accepted, compressed, pauses, transports, transportChanges, rss, callbacks } = observer;
  return {
    fault,
    totals: {
      ...(report && report.totals), accepted, compressed, serverBroadcasts: observer.broadcasts, pauses, callbacks: callbacks.called,
      transports, transportChanges,
      rssMiB: [rss[0], Math.max(...rss), process.memoryUsage.rss()].map((bytes) => Math.round(bytes / MEBIBYTE))
    }
  };
}

module.exports = { run };
