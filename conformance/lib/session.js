'use strict';

// One connection with the peer under test: what it has sent (`trace`), how it ended, and a log of both directions for the
// report.

const { encodeFrame } = require('../../__test__/helpers/raw');
const { Reader } = require('./reader');

const LOG_LINES = 60;
const LOG_BYTES = 48;

/** Bytes as one line: printable ASCII as it is, anything else in hexadecimal. */
function printable(bytes) {
  const shown = bytes.subarray(0, LOG_BYTES);
  const ascii = shown.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = ascii ? JSON.stringify(shown.toString('latin1')) : shown.toString('hex').replace(/..(?=.)/g, '$& ');
  return bytes.length > LOG_BYTES ? `${text}… (${bytes.length} bytes)` : text;
}

/** What an entry of the trace says, in a line. */
function describe(entry) {
  if (entry.kind === 'violation') return `breaks the protocol: ${entry.text}`;
  if (entry.kind === 'close') return `close ${entry.code === null ? '(no code)' : entry.code} ${entry.reason.length ? printable(entry.reason) : ''}`.trim();
  return `${entry.kind} ${printable(entry.payload)}${entry.compressed ? ' (was compressed)' : ''}`;
}

class Session {
  /**
   * @param {import('stream').Duplex} socket
   * @param {'server'|'client'} role the role of the peer under test
   */
  constructor(socket, role) {
    this.socket = socket;
    this.role = role;
    this.head = null;
    this.trace = [];
    this.log = [];
    /** `'fin'` or `'reset'` once the peer has ended its side. */
    this.ended = null;
    /** The stream was reset while the tester was writing, so that its own end may have lost a Close frame. */
    this.cutOff = false;
    this.sentClose = false;
    this.deflater = null;
    this._waiting = new Set();
    this.reader = new Reader({
      masked: role === 'client',
      onHead: (head) => {
        this.head = head;
        this._note('<', head.split('\r\n')[0]);
      },
      onEntry: (entry) => {
        this.trace.push(entry);
        this._note('<', describe(entry));
      },
    });
    socket.on('data', (chunk) => {
      this.reader.push(chunk);
      this._wake();
    });
    socket.on('end', () => this._end('fin'));
    socket.on('error', (error) => {
      // A write that meets a reset destroys the socket, and whatever had arrived before the reset is not read.
      this.cutOff = error.syscall === 'write' || error.code === 'EPIPE';
      this._end(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.message);
    });
    socket.on('close', () => this._end('fin'));
  }

  _end(how) {
    if (this.ended !== null) return;
    this.ended = how;
    this._note('<', how === 'fin' ? 'end of the stream' : how);
    this._wake();
  }

  _note(direction, text) {
    if (this.log.length < LOG_LINES) this.log.push(`${direction} ${text}`);
    else if (this.log.length === LOG_LINES) this.log.push('…');
  }

  _wake() {
    for (const check of [...this._waiting]) check();
  }

  /** Resolves with true as soon as `condition()` holds, with false after `ms` milliseconds. */
  until(condition, ms) {
    return new Promise((resolve) => {
      let timer = null;
      const check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this._waiting.delete(check);
        resolve(true);
      };
      timer = setTimeout(() => {
        this._waiting.delete(check);
        resolve(false);
      }, ms);
      this._waiting.add(check);
      check();
    });
  }

  /** Entries of these kinds. */
  received(...kinds) {
    return this.trace.filter((entry) => kinds.includes(entry.kind));
  }

  get closeFrame() {
    return this.trace.find((entry) => entry.kind === 'close') || null;
  }

  /** The peer has begun to end the connection. */
  get over() {
    return this.ended !== null || this.closeFrame !== null;
  }

  /** A frame as it is sent to this peer: masked to servers, unless the case says otherwise. */
  encode({ mask, ...frame }) {
    const right = this.role === 'server';
    const wanted = { undefined: right, wrong: !right }[mask];
    return encodeFrame({ ...frame, mask: wanted === undefined ? mask : wanted });
  }

  /**
   * Writes bytes, in segments of `chop` bytes when it is given.
   * @param {Buffer} bytes
   * @param {number} [chop]
   * @param {string} [note] what the log calls them
   */
  async write(bytes, chop = 0, note = printable(bytes)) {
    this._note('>', chop ? `${note} in segments of ${chop}` : note);
    if (!chop) {
      this._send(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !this.over; at += chop) {
      this._send(bytes.subarray(at, at + chop));
      // Without Nagle's algorithm each write is a segment; a turn of the loop lets the peer see it.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  _send(bytes) {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Waits until the kernel has taken what was written. */
  flushed(ms) {
    return this.until(() => this.socket.writableLength === 0 || this.ended !== null, ms);
  }

  destroy() {
    this.socket.destroy();
  }
}

module.exports = { Session, describe, printable };
