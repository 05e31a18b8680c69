'use strict';

// What is known about one connection: what both ends have sent, got and been promised. The rules that this is held against are in
// oracle.js.

const { Sequence } = require('./order');
const { digest } = require('./payloads');

/** Keepalive sends Pings without a payload, and the peer answers them; the program's have one. */
const EMPTY_PING = digest('ping', Buffer.alloc(0));
const EMPTY_PONG = digest('pong', Buffer.alloc(0));

/** Events of which nobody is told anything any more once there was a `close`. */
const NOT_AFTER_CLOSE = ['message', 'ping', 'pong', 'drain', 'error', 'dropped'];

class ConnectionRecord {
  /**
   * @param {object} plan of program.js
   * @param {object} run
   * @param {(kind: string, text: string) => void} run.fault
   * @param {(text: string) => void} run.trace
   * @param {(on: string, nth: number) => void} run.react does what the program does in an event
   * @param {() => void} run.progress tells that something has happened
   * @param {() => number} run.nextCall a number for each callback, in order
   */
  constructor(plan, { fault, trace, react, progress, nextCall }) {
    this.plan = plan;
    this.number = plan.number;
    this.fault = fault;
    this.trace = trace;
    this.react = react;
    this.progress = progress;
    this.nextCall = nextCall;
    this.connection = null;

    /** Messages, Pings and Pongs from the peer to the program. */
    this.inbound = new Sequence();
    /** Messages, Pings and unasked Pongs from the program to the peer. */
    this.outbound = new Sequence();

    this.sendCount = 0;
    /** Sent entries with a callback, in order. */
    this.withCallback = [];
    /** Calls that have returned false since the last `drain`, of the connection and of its socket. */
    this.full = [];
    this.socketFull = 0;
    /** Payloads of Pings told to the program that have to be answered, and of the peer's Pongs for them. */
    this.pings = [];
    this.answers = [];
    this.counts = new Map();

    /** Who was seen to move the bytes. */
    this.transports = new Set();

    this.paused = false;
    /** Whether close() or drop() was called, or the server has refused a message by ending the connection. */
    this.stopped = false;
    /** How the program has ended the connection, first thing first; close codes that may be told then. */
    this.serverEnds = [];
    this.codes = new Set();
    this.endedAt = 0;
    this.closedAt = 0;
    /** Whether the program has sent after it has ended the socket itself, which may end in an error of the socket. */
    this.abused = false;
    this.closes = [];
    this.serverCloses = 0;
    this.socketCloses = 0;
    this.errors = [];
    this.gone = false;

    this.peer = {
      open: false, scriptDone: false, ends: null, close: null, end: false, error: null, closed: false, incomplete: false, violations: [],
    };
  }

  // -------------------------------------------------------------------------------- the server's end

  /** Begins to watch a connection that was just accepted. */
  attach(connection) {
    this.connection = connection;
    this.trace(`accepted, transport ${connection.transport}`);
    this.transports.add(connection.transport);
    connection.on('message', (message) => this.onMessage(message));
    connection.on('ping', (cancel, data) => this.onPing(cancel, data));
    connection.on('pong', (data) => this.onControl('pong', data));
    connection.on('close', (code, description) => this.onClose(code, description));
    connection.on('error', (error) => {
      this.errors.push(error);
      this.note('error', error.message);
    });
    connection.on('dropped', (data) => this.onDropped(data));
    connection.on('drain', () => this.onDrain());
    for (const event of ['pause', 'resume']) connection.on(event, () => this.note(event));
    connection.socket.on('end', () => this.note('end'));
    connection.socket.on('drain', () => this.note('socketDrain'));
    // Before those of the connection: a listener of the program that throws keeps Node from calling the ones behind it.
    connection.socket.prependListener('drain', () => { this.socketFull = 0; });
    connection.socket.prependListener('close', () => {
      this.socketCloses++;
      this.trace('the socket is closed');
      this.progress();
    });
    // The peer may have broken off before the program has accepted it.
    if (connection.socket.closed === true) this.socketCloses++;
  }

  /** Notes an event of the connection, and has its listeners do what the program has for them. */
  note(event, what = '') {
    this.progress();
    const nth = this.counts.get(event) || 0;
    this.counts.set(event, nth + 1);
    this.trace(`${event} ${nth} ${what}`);
    if (this.closes.length > 0 && NOT_AFTER_CLOSE.includes(event)) this.fault('after-close', `the event ${event} after close`);
    this.react(event, nth);
  }

  /** An event that the peer has caused. */
  received(event, what, entry) {
    if (this.paused) this.fault('while-paused', `the event ${event} (${what}) while the connection is paused`);
    if (this.stopped && this.closes.length === 0) this.fault('after-end', `the event ${event} (${what}) after close() or drop()`);
    this.inbound.arrive(entry);
  }

  onMessage({ type, utf8Data, binaryData }) {
    this.transports.add(this.connection.transport);
    const what = type === 'utf8' ? digest('text', Buffer.from(utf8Data)) : digest('binary', binaryData);
    this.received('message', what, what);
    this.note('message', what);
  }

  onControl(event, data) {
    const what = digest(event, data);
    if (event === 'pong' && data.length === 0) return;
    this.received(event, what, what);
    this.note(event, what);
  }

  onPing(cancel, data) {
    const { cancelsPings } = this.plan;
    const count = this.counts.get('ping') || 0;
    const cancelled = cancelsPings > 0 && count % cancelsPings === 0;
    if (cancelled) cancel();
    const ping = { payload: data.toString('latin1'), cancelled, sure: false };
    this.pings.push(ping);
    this.onControl('ping', data);
    // A listener that throws, or ends the connection, prevents the answer.
    ping.sure = !cancelled && this.mayBeSent === 'sure';
  }

  onClose(code, description) {
    this.closes.push({ code, description });
    this.closedAt = Date.now();
    // maxBufferedAmountPolicy 'close'.
    if (code === 1008 && this.connection.config.maxBufferedAmount < Infinity && !this.codes.has(1008)) this.ends('overflow', 1008);
    this.trace(`close ${code} ${description}`);
    this.progress();
    if (this.closes.length > 1) this.fault('close-twice', `close was emitted ${this.closes.length} times`);
    else this.react('close', 0);
  }

  onDrain() {
    this.full = [];
    this.note('drain');
  }

  onDropped(data) {
    const what = typeof data === 'string' ? digest('text', Buffer.from(data)) : digest('binary', data);
    const waiting = this.outbound.entries.filter((one) => one.droppable && !one.dropped && !one.arrived);
    let entry = waiting.find((one) => one.digest === what);
    if (entry === undefined) {
      // The same bytes as another type.
      entry = waiting.find((one) => one.digest.slice(one.digest.indexOf(' ')) === what.slice(what.indexOf(' ')));
      this.fault('dropped', entry === undefined ? `dropped was emitted for ${what}, which was not sent, not refused, or has arrived`
        : `dropped was emitted for ${what}, but ${entry.digest} was sent (${entry.label})`);
    }
    if (entry !== undefined) {
      entry.dropped = true;
      entry.sure = false;
      this.full = this.full.filter((one) => one !== entry);
    }
    this.note('dropped', what);
  }

  /** Whether what is sent now has to arrive ('sure'), may ('maybe'), or has to be refused ('no'). */
  get mayBeSent() {
    const { connection } = this;
    if (!connection.connected || connection.state !== 'open') return 'no';
    const { socket } = connection;
    return socket.writableEnded || socket.readableEnded || socket.destroyed ? 'maybe' : 'sure';
  }

  /** A name for the next thing to be sent. */
  nextName() {
    return `s${this.number.toString(36)}.${(this.sendCount++).toString(36)}`;
  }

  /** Something is about to be sent. */
  sends(type, payload, label, { written = false, droppable = false } = {}) {
    const entry = { digest: digest(type, payload), sure: this.mayBeSent === 'sure', refusedBefore: this.mayBeSent === 'no', label, droppable, written };
    if (this.mayBeSent === 'maybe' && this.serverEnds.includes('end')) this.abused = true;
    this.trace(`sends ${label}: ${entry.digest}${entry.sure ? '' : ` (${this.mayBeSent})`}`);
    // What is refused by contract would only make the comparison harder.
    if (entry.refusedBefore && !written) return { ...entry, arrived: false };
    return this.outbound.expect(entry);
  }

  /** A callback for `entry`; `react` is told of it. */
  callbackFor(entry) {
    entry.calls = 0;
    entry.error = undefined;
    entry.callOrder = this.withCallback.length;
    this.withCallback.push(entry);
    return (error) => this.onCallback(entry, error);
  }

  onCallback(entry, error) {
    entry.calls++;
    entry.calledAt = this.nextCall();
    entry.error = error || undefined;
    // The tick that may emit `dropped` is the next one, and nothing comes after `close`.
    if (error && error.code === 'ERR_WEBSOCKET_BUFFER_FULL') process.nextTick(() => { entry.refusedAtClose = this.closes.length > 0; });
    this.trace(`callback of ${entry.label}${error ? `: ${error.code} ${error.message}` : ''}`);
    this.progress();
    if (entry.sending) this.fault('callback-sync', `the callback of ${entry.label} was called within the call that sent it`);
    if (entry.calls > 1) this.fault('callback-twice', `the callback of ${entry.label} was called ${entry.calls} times`);
    else this.react('callback', entry.callOrder);
  }

  /** The call that sent `entry` has returned `room`. */
  returned(entry, room) {
    entry.sending = false;
    if (room !== false && room !== true) this.fault('returned', `${entry.label} returned ${room}`);
    if (entry.refusedBefore) {
      if (room !== false) this.fault('returned', `${entry.label} returned true although the connection was not open`);
      return;
    }
    if (room) return;
    if (!this.connection.connected && this.connection.closeReasonCode === 1008 && this.closes.length > 0) {
      entry.sure = false;
      entry.overflowed = true;
      return;
    }
    if (entry.sure) this.full.push(entry);
  }

  /** The program ends the connection. */
  ends(how, code = null) {
    this.serverEnds.push(how);
    if (code !== null) this.codes.add(code);
    if (this.endedAt === 0) this.endedAt = Date.now();
  }

  // --------------------------------------------------------------------------------- the peer's end

  /** What the thread of the peers tells. */
  hear(type, ...values) {
    const { peer } = this;
    switch (type) {
      case 'sent':
        if (values[0] === EMPTY_PONG) return;
        this.inbound.expect({ digest: values[0], sure: true, label: `number ${this.inbound.entries.length + 1} of the peer` });
        break;
      case 'got':
        if (values[0] === EMPTY_PING) return;
        this.outbound.arrive(values[0]);
        break;
      case 'pong':
        // What begins with s is the program's own.
        if (values[0].startsWith('s')) this.outbound.arrive(digest('pong', Buffer.from(values[0], 'latin1')));
        else this.answers.push(values[0]);
        break;
      case 'pinged': break;
      case 'open': peer.open = true; break;
      case 'scriptDone': peer.scriptDone = true; break;
      case 'ends':
        peer.ends = { kind: values[0], code: values[1] };
        if (this.endedAt === 0) this.endedAt = Date.now();
        break;
      case 'close': peer.close = { code: values[0], reason: values[1] }; break;
      case 'end': peer.end = true; break;
      case 'error': [peer.error] = values; break;
      case 'violation': peer.violations.push(values[0]); break;
      case 'closed':
        peer.closed = true;
        peer.scriptDone = true;
        [peer.incomplete] = values;
        break;
      default: throw new Error(`no such event: ${type}`);
    }
    this.trace(`  peer: ${type} ${values.join(' ')}`);
    this.progress();
  }
}

module.exports = { ConnectionRecord };
