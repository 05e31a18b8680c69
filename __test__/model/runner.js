'use strict';

// One run: the program of a seed against a transport, and what was wrong with it.

const path = require('path');
const { Worker } = require('worker_threads');
const { once } = require('events');
const { ConnectionRecord } = require('./record');
const { Leftovers } = require('./leftovers');
const { PlannedError, block, perform, resume } = require('./operations');
const { makeProgram } = require('./program');
const { owed, unfinished, judge } = require('./oracle');
const { sabotage } = require('./sabotage');
const { startServers } = require('./servers');

const IOS = ['loop', 'threads', 'auto', 'stream', 'mixed'];

/** Milliseconds without any progress after which what is owed counts as lost. */
const PATIENCE = 6000;

/** Milliseconds between two looks at what is still owed, at most. */
const LONGEST_PAUSE = 25;

/** The thread of the peers, which serves one run after another. */
class PeerThread {
  async start() {
    this._worker = new Worker(path.join(__dirname, 'peer-thread.js'));
    this.onEvents = () => {};
    this._echoes = [];
    this._worker.on('message', (events) => {
      if (events === 'echo') this._echoes.shift()();
      else this.onEvents(events);
    });
    await once(this._worker, 'online');
  }

  order(order, values = {}) {
    this._worker.postMessage({ order, ...values });
  }

  /** Resolves when everything that has happened there until now is known here. */
  echo() {
    return new Promise((resolve) => {
      this._echoes.push(resolve);
      this.order('echo');
    });
  }

  stop() {
    this.order('stop');
    return once(this._worker, 'exit');
  }
}

class Run {
  constructor({ seed, io, listener, patience = PATIENCE, sabotage: broken = null, packageDirectory }, peers) {
    this.program = makeProgram(seed);
    this.io = io;
    this.listener = listener;
    this.patience = patience;
    this.peers = peers;
    this.broken = broken;
    this.package = require(packageDirectory);
    this.packageDirectory = packageDirectory;
    this.Frame = this.package.frame;
    this.faults = [];
    this.lines = [];
    this.started = performance.now();
    this.lastProgress = performance.now();
    this.quietTurns = 0;
    this.pendingTimers = 0;
    this.broadcasts = 0;
    this.broadcasting = 0;
    this.calls = 0;
    this.records = [];
    /** What undoes a sabotage. */
    this.repairs = [];
    this.servers = null;
    this._onException = (error) => this._exception(error);
  }

  trace(text) {
    this.lines.push(`${(performance.now() - this.started).toFixed(1).padStart(8)} ${text}`);
  }

  fault(number, kind, text) {
    this.trace(`FAULT ${kind} ${text}`);
    // One of a kind tells enough.
    if (!this.faults.some((fault) => fault.number === number && fault.kind === kind)) this.faults.push({ number, kind, text });
  }

  progress() {
    this.lastProgress = performance.now();
    this.quietTurns = 0;
  }

  /** Calls `callback` after some time; a run does not end before. */
  later(ms, callback) {
    this.pendingTimers++;
    setTimeout(() => {
      this.pendingTimers--;
      this.progress();
      callback();
    }, ms);
  }

  ioOf(plan) {
    return this.io === 'mixed' ? plan.io : this.io;
  }

  serverOf(record) {
    return this.servers.serverOf(this.ioOf(record.plan));
  }

  /** The connections that a broadcast of `server` reaches. */
  recordsOf(server) {
    return this.records.filter(({ connection }) => connection !== null && server.connections.includes(connection));
  }

  // ----------------------------------------------------------------------------------------------- set up

  async start() {
    process.on('uncaughtException', this._onException);
    process.on('unhandledRejection', this._onException);
    const { connections, options } = this.program;
    for (const plan of connections) this.records.push(this._newRecord(plan));
    this.peers.onEvents = (events) => {
      for (const [number, ...event] of events) if (number < this.records.length) this.records[number].hear(...event);
    };
    const ios = [...new Set(connections.map((plan) => this.ioOf(plan)))];
    this.servers = await startServers(this.package, {
      listener: this.listener, ios, config: options, onRequest: (...request) => this._request(...request),
    });
    for (const io of ios) {
      const server = this.servers.serverOf(io);
      if (server === null) continue;
      server.on('close', (connection) => {
        const record = this.records.find((one) => one.connection === connection);
        if (record !== undefined) record.serverCloses++;
      });
    }
    for (const plan of connections) {
      const io = this.ioOf(plan);
      const order = { plan, port: this.servers.portOf(io), path: `/${io}/${plan.number}` };
      this.later(plan.connectAfter, () => this.peers.order('connect', order));
    }
    if (this.program.busy !== null) this.later(60, () => this._compute(this.program.busy));
  }

  /** A program that computes: meanwhile many connections become ready. */
  _compute({ ms, times }) {
    block(ms);
    if (times > 1) this.later(0, () => this._compute({ ms, times: times - 1 }));
  }

  _newRecord(plan) {
    const record = new ConnectionRecord(plan, {
      fault: (kind, text) => this.fault(plan.number, kind, text),
      trace: (text) => this.trace(`[${plan.number}] ${text}`),
      progress: () => this.progress(),
      nextCall: () => ++this.calls,
      react: (on, nth) => this._react(record, on, nth),
    });
    if (this.broken !== null) this.repairs.push(sabotage(this.broken, record));
    return record;
  }

  _request(resource, accept) {
    const record = this.records[Number(resource.split('/')[2])];
    const { via, ms } = record.plan.accept;
    const go = () => {
      record.attach(accept());
      this._react(record, 'start', 0);
    };
    if (via === 'sync') go();
    else if (via === 'tick') process.nextTick(go);
    else this.later(ms, go);
  }

  /** Does what the program has for an event of a connection. */
  _react(record, on, nth) {
    for (const reaction of record.plan.reactions) {
      if (reaction.on !== on || reaction.nth !== nth) continue;
      const act = () => this._perform(record, reaction.operations);
      // Within a broadcast, what is sent has no place in the order yet.
      const via = reaction.via === 'sync' && this.broadcasting > 0 ? 'tick' : reaction.via;
      if (via === 'sync') act();
      else if (via === 'tick') process.nextTick(act);
      else if (via === 'promise') Promise.resolve().then(act);
      else if (via === 'immediate') setImmediate(act);
      else this.later(reaction.ms, act);
    }
  }

  _perform(record, operations) {
    for (const operation of operations) {
      const target = operation.to === undefined ? record : this.records[operation.to];
      perform(target, this, operation);
    }
  }

  _exception(error) {
    if (error instanceof PlannedError) this.trace('the planned exception was reported');
    else this.fault(null, 'threw', error && error.stack ? error.stack.split('\n').slice(0, 5).join(' | ') : String(error));
  }

  // ------------------------------------------------------------------------------------------------ course

  /** Waits until `missing(record)` is null for each of `records`; what is not after a time without progress is a fault. */
  async _wait(records, missing) {
    this.progress();
    for (let pause = 2; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
      await new Promise((resolve) => { setTimeout(resolve, pause); });
      this.quietTurns++;
      const open = records.filter((record) => missing(record) !== null);
      if (open.length === 0 && this.pendingTimers === 0) return;
      if (this.pendingTimers === 0) for (const record of records) if (record.paused) setImmediate(resume, record);
      if (!this._isQuiet) continue;
      // Whatever this thread was too busy to hear of is heard now.
      await this.peers.echo();
      if (!this._isQuiet) continue;
      for (const record of open) {
        const fault = missing(record);
        if (fault !== null) this.fault(record.number, fault.kind, `${fault.text}, and nothing has happened for ${Math.round(this.patience / 1000)} s`);
      }
      return;
    }
  }

  /** Whether nothing has happened for so long that nothing will: in time, and in turns of the event loop, which may have been busy. */
  get _isQuiet() {
    return performance.now() - this.lastProgress > this.patience && this.quietTurns > this.patience / LONGEST_PAUSE / 2;
  }

  /** Whether somebody has ended the connection, or is about to. */
  _isEnding({ plan, peer, serverEnds, closes }) {
    return plan.end !== null || peer.ends !== null || peer.end || peer.closed || serverEnds.length > 0 || closes.length > 0;
  }

  async run() {
    const leftovers = new Leftovers(this.packageDirectory);
    await this.start();
    // First everything that was promised on connections that stay open,
    await this._wait(this.records, (record) => (this._isEnding(record) ? null : owed(record)));
    // then the ends.
    for (const { number } of this.records) this.peers.order('readAll', { number });
    for (const record of this.records) if (!this._isEnding(record)) this._finale(record);
    await this._wait(this.records, unfinished);
    await this._judge();
    await this._close(leftovers);
  }

  _finale(record) {
    const { finale } = record.plan;
    record.trace(`finale by the ${finale.by}`);
    if (finale.by === 'peer') this.peers.order('end', { number: record.number, end: finale });
    else if (record.connection === null) this.peers.order('end', { number: record.number, end: { kind: 'destroy' } });
    // What a listener throws within it is an exception of the program, not of this run.
    else setImmediate(() => this._perform(record, finale.operations));
  }

  async _judge() {
    // Ticks and callbacks of the last moment.
    await new Promise((resolve) => { setTimeout(resolve, 10); });
    const { closeTimeout } = this.program.options;
    for (const record of this.records) {
      for (const { kind, text } of judge(record, { closeTimeout, hasServer: this.listener !== 'hand' })) record.fault(kind, text);
    }
  }

  async _close(leftovers) {
    this.trace('all connections are over');
    this.peers.order('forget');
    for (const { connection } of this.records) if (connection !== null) connection.socket.destroy();
    const closed = this.servers.close().then(() => true);
    const inTime = await Promise.race([closed, new Promise((resolve) => { setTimeout(resolve, 3000, false).unref(); })]);
    if (!inTime) this.fault(null, 'server-open', 'the server has not closed within 3 s after its last connection');
    let left = leftovers.find();
    for (const end = performance.now() + Math.min(3000, this.patience); left.length > 0 && performance.now() < end;) {
      await new Promise((resolve) => { setTimeout(resolve, 10); });
      left = leftovers.find();
    }
    for (const { kind, text } of left) this.fault(null, kind, text);
    for (const repair of this.repairs) repair();
    this.peers.onEvents = () => {};
    process.removeListener('uncaughtException', this._onException);
    process.removeListener('unhandledRejection', this._onException);
  }

  /** How much was done, so that nobody takes a run for one that has tested something. */
  get totals() {
    const sum = (count) => this.records.reduce((total, record) => total + count(record), 0);
    return {
      connections: this.records.length,
      received: sum(({ inbound }) => inbound.arrivals.length),
      sent: sum(({ outbound }) => outbound.arrivals.length),
      callbacks: sum(({ withCallback }) => withCallback.length),
      drains: sum(({ counts }) => counts.get('drain') || 0),
      answers: sum(({ answers }) => answers.length),
      ...Object.fromEntries(['stream', 'loop', 'threads'].map((name) => [`on ${name}`, sum(({ transports }) => Number(transports.has(name)))])),
    };
  }
}

/**
 * Runs the program of one seed.
 * @param {object} options
 * @param {number} options.seed
 * @param {'loop'|'threads'|'auto'|'stream'|'mixed'} options.io mixed: each connection as its plan says, so that the driver changes
 * @param {'http'|'port'|'hand'} options.listener
 * @param {string} options.packageDirectory the package under test
 * @param {number} [options.patience]
 * @param {string} [options.sabotage] what the test itself is to break, to see that it is noticed
 * @param {PeerThread} peers
 * @returns {Promise<{ faults: object[], program: object, trace: string[], totals: object }>}
 */
async function runSeed(options, peers) {
  const run = new Run(options, peers);
  await run.run();
  return { faults: run.faults, program: run.program, trace: run.lines, totals: run.totals };
}

module.exports = { IOS, PeerThread, runSeed };
