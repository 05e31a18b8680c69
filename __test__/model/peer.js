'use strict';

// A peer: a socket that follows the script of the program and tells everything it sends and gets. It lives in a thread of its
// own (peer-thread.js), so that it goes on while the thread of the server is busy.

const net = require('net');
const { setTimeout: sleep, setImmediate: turn } = require('timers/promises');
const { OPCODE, encodeFrame, closePayload, requestHead } = require('../helpers/raw');
const { WireReader, agreedCompression } = require('./wire');
const { makePayload, isText, digest } = require('./payloads');

const MASK = Buffer.from([0x11, 0x9c, 0x00, 0xe7]);
const EXTENSION = { takeover: 'permessage-deflate', none: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover' };

function masked(frame) {
  return encodeFrame({ mask: MASK, ...frame });
}

class Peer {
  /**
   * @param {object} plan of program.js
   * @param {number} port
   * @param {string} path
   * @param {(type: string, ...values: any[]) => void} report tells the thread of the server
   */
  constructor(plan, port, path, report) {
    this.plan = plan;
    this.report = report;
    this._count = 0;
    this._dataFrames = 0;
    this._reader = null;
    this._compression = null;
    this._sentClose = false;
    this._gotClose = false;
    this._gotEnd = false;
    this._ended = false;
    this._dribbling = false;
    this._held = [];
    this._slow = plan.read === 'slow';
    this._head = Buffer.alloc(0);
    this.closed = false;
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket = socket;
    this._opened = new Promise((resolve) => { this._open = resolve; });
    socket.on('data', (chunk) => this._receive(chunk));
    socket.on('end', () => this._end());
    socket.on('error', (error) => report('error', error.code));
    socket.on('close', () => {
      this.closed = true;
      this._open(false);
      report('closed', this._reader !== null && this._reader.isIncomplete);
    });
    this._greet(path);
  }

  _greet(path) {
    const { deflate, early } = this.plan;
    const headers = deflate === null ? {} : { 'Sec-WebSocket-Extensions': EXTENSION[deflate] };
    const parts = [Buffer.from(requestHead({ path, headers }))];
    // Compression is not agreed on yet, so these frames have none.
    for (const step of early) parts.push(step.do === 'ping' ? this._ping(step) : this._message(step));
    this.socket.write(Buffer.concat(parts));
  }

  // ------------------------------------------------------------------------------------------- receiving

  _receive(chunk) {
    if (this._reader !== null) {
      this._reader.push(chunk);
    } else {
      this._head = Buffer.concat([this._head, chunk]);
      const end = this._head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = this._head.toString('latin1', 0, end);
      if (!head.startsWith('HTTP/1.1 101')) this.report('violation', `the handshake was refused: ${head.split('\r\n', 1)[0]}`);
      this._compression = agreedCompression(head);
      this._reader = this._newReader();
      this._open(true);
      this.report('open');
      if (this.plan.read === 'late') this._stopReading(this.plan.readAfter);
      this._reader.push(this._head.subarray(end + 4));
    }
    if (this._slow && !this.closed) this._stopReading(1 + chunk.length % 4);
  }

  _newReader() {
    return new WireReader({
      message: (type, data) => {
        this._dataFrames++;
        this.report('got', digest(type, data));
      },
      ping: (payload) => {
        this.report('got', digest('ping', payload));
        if (this._sentClose || this._ended) return;
        this._write(masked({ opcode: OPCODE.PONG, payload }), digest('pong', payload));
      },
      pong: (payload) => this.report('pong', payload.toString('latin1')),
      close: (code, reason) => this._close(code, reason),
      violation: (text) => this.report('violation', text),
    }, this._compression === null ? null : this._compression.received);
  }

  _close(code, reason) {
    this._gotClose = true;
    this.report('close', code, reason);
    if (this._sentClose || this._ended || this.plan.answersClose === false) return;
    const answer = () => {
      if (this._sentClose || this._ended || this.closed) return;
      this._sentClose = true;
      this._write(masked({ opcode: OPCODE.CLOSE, payload: closePayload(code === 1005 ? 1000 : code) }), null);
    };
    if (this.plan.closeDelay > 0) setTimeout(answer, this.plan.closeDelay);
    else answer();
  }

  /** The server has closed its direction: so does the peer, after what it still has to send. */
  _end() {
    this._gotEnd = true;
    this.report('end');
    const end = () => {
      // The message that is being written is written to its end.
      if (this._dribbling) setTimeout(end, 2);
      else if (!this._ended && !this.closed) {
        this._ended = true;
        this.socket.end();
      }
    };
    setTimeout(end, this._gotClose ? this.plan.closeDelay : this.plan.afterEnd);
  }

  _stopReading(ms) {
    this.socket.pause();
    setTimeout(() => this.socket.resume(), ms);
  }

  /** From now on everything is read at once. */
  readAll() {
    this._slow = false;
    this.socket.resume();
  }

  // --------------------------------------------------------------------------------------------- sending

  /** Whether data may still be sent. */
  get _maySend() {
    return !this._sentClose && !this._gotClose && !this._ended && !this.closed;
  }

  /** Writes whole frames; `note` is what the server will be asked about them. */
  _write(bytes, note) {
    if (this._dribbling) {
      this._held.push([bytes, note]);
      return;
    }
    if (note !== null) this.report('sent', note);
    if (!this.closed && !this._ended) this.socket.write(bytes);
  }

  _name() {
    return `p${this.plan.number.toString(36)}.${(this._count++).toString(36)}`;
  }

  /** The frames of a message, which is noted as sent. */
  _message({ kind, length, cuts = [], pings = false, compress = true }) {
    const data = makePayload(this._name(), kind, length);
    const type = isText(kind) ? 'text' : 'binary';
    let opcode = isText(kind) ? OPCODE.TEXT : OPCODE.BINARY;
    const compressed = compress && this._compression !== null && this._reader !== null;
    const wire = compressed ? this._compression.sent.deflate(data) : data;
    const ends = [...cuts.map((part) => Math.floor(part * wire.length)), wire.length];
    const frames = [];
    const notes = [];
    let start = 0;
    ends.forEach((end, i) => {
      const rsv = compressed && i === 0 ? 4 : 0;
      frames.push(masked({ opcode, rsv, fin: i === ends.length - 1, payload: wire.subarray(start, end) }));
      opcode = OPCODE.CONTINUATION;
      start = end;
      // Control frames may come in the middle of a message, and are told before it.
      if (pings && i < ends.length - 1) frames.push(this._ping({ length: 20 }));
    });
    notes.push(digest(type, data));
    for (const note of notes) this.report('sent', note);
    return Buffer.concat(frames);
  }

  /** A Ping, which is noted as sent. */
  _ping({ length }) {
    const payload = makePayload(this._name(), 'ascii', Math.max(length, 8));
    this.report('sent', digest('ping', payload));
    this.report('pinged', payload.toString('latin1'));
    return masked({ opcode: OPCODE.PING, payload });
  }

  /** Writes bytes in pieces, with turns of the event loop in between; other frames wait. */
  async _dribble(bytes, pieces, ms) {
    this._dribbling = true;
    const size = Math.max(1, Math.ceil(bytes.length / pieces));
    for (let at = 0; at < bytes.length && !this.closed; at += size) {
      this.socket.write(bytes.subarray(at, at + size));
      await (ms > 0 ? sleep(ms) : turn());
    }
    this._dribbling = false;
    for (const [held, note] of this._held.splice(0)) this._write(held, note);
  }

  // ------------------------------------------------------------------------------------------- the script

  async run() {
    if (!await this._opened) {
      this.report('scriptDone');
      return;
    }
    for (const step of this.plan.script) {
      if (!this._maySend) break;
      await this._step(step);
    }
    this.report('scriptDone');
    if (this.plan.end !== null) this.end(this.plan.end);
  }

  async _step(step) {
    switch (step.do) {
      case 'message':
        this._write(this._message(step), null);
        break;
      case 'burst': {
        const frames = [];
        for (let i = 0; i < step.count; i++) {
          frames.push(this._message({ kind: step.kind, length: (i * 7) % (step.length + 1), compress: step.compress }));
        }
        this._write(Buffer.concat(frames), null);
        break;
      }
      case 'chorus':
        for (let left = step.times; left > 0 && this._maySend; left--) {
          this._write(this._message(step), null);
          await sleep(step.every);
        }
        break;
      case 'dribble':
        await this._dribble(this._message(step), step.pieces, step.ms);
        break;
      case 'ping':
        this._write(this._ping(step), null);
        break;
      case 'wait':
        await (step.ms > 0 ? sleep(step.ms) : turn());
        break;
      case 'stop':
        this._stopReading(step.ms);
        break;
      case 'await':
        for (const until = Date.now() + 100; this._dataFrames < step.count && Date.now() < until && !this.closed;) await sleep(2);
        break;
      default:
        throw new Error(`no such step: ${step.do}`);
    }
  }

  /** Ends the connection; the last messages go out in the same write. */
  end({ kind, code, parting }) {
    if (this._sentClose || this._ended || this.closed || this._gotEnd) return;
    const last = [];
    if (this._maySend && (kind === 'close' || kind === 'fin')) for (const step of parting) last.push(this._message(step));
    this.report('ends', kind, code);
    if (kind === 'close') {
      this._sentClose = true;
      last.push(masked({ opcode: OPCODE.CLOSE, payload: code === 1005 ? Buffer.alloc(0) : closePayload(code) }));
    }
    if (last.length > 0) this.socket.write(Buffer.concat(last));
    if (kind === 'close') return;
    this._ended = true;
    if (kind === 'fin') this.socket.end();
    else if (kind === 'reset') this.socket.resetAndDestroy();
    else this.socket.destroy();
  }
}

module.exports = { Peer };
