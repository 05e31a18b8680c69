'use strict';

// What a peer needs of RFC 6455 and RFC 7692, made of nothing but node:zlib.

const zlib = require('zlib');
const { OPCODE } = require('../helpers/raw');

const WINDOW = 32768;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const FLUSH = { finishFlush: zlib.constants.Z_SYNC_FLUSH };

/** What one direction of a connection has compressed before, as a dictionary for what comes next (RFC 7692 section 7.1.1). */
class Context {
  /** @param {boolean} takeover whether messages refer to those before */
  constructor(takeover) {
    this.takeover = takeover;
    this.window = Buffer.alloc(0);
  }

  get options() {
    return this.window.length > 0 ? { ...FLUSH, dictionary: this.window } : FLUSH;
  }

  remember(data) {
    if (!this.takeover) return;
    const joined = data.length >= WINDOW ? data : Buffer.concat([this.window, data]);
    this.window = Buffer.from(joined.subarray(Math.max(0, joined.length - WINDOW)));
  }

  inflate(payload) {
    const data = zlib.inflateRawSync(Buffer.concat([payload, TAIL]), this.options);
    this.remember(data);
    return data;
  }

  deflate(data) {
    const compressed = zlib.deflateRawSync(data, this.options);
    this.remember(data);
    return compressed.subarray(0, compressed.length - TAIL.length);
  }
}

/** Length of the frame at the beginning of `bytes`, or how many bytes are needed to know it. */
function frameLength(bytes) {
  if (bytes.length < 2) return 2;
  const length = bytes[1] & 0x7f;
  if (length < 126) return 2 + length;
  if (length === 126) return bytes.length < 4 ? 4 : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? 10 : 10 + Number(bytes.readBigUInt64BE(2));
}

/** Puts the chunks that a server sends together to messages and holds them against the rules of RFC 6455 section 5. */
class WireReader {
  /**
   * @param {{ message, ping, pong, close, violation }} handlers functions
   * @param {Context|null} context of the server's messages; null without compression
   */
  constructor(handlers, context) {
    this._handlers = handlers;
    this._context = context;
    this._chunks = [];
    this._length = 0;
    this._needed = 2;
    this._fragments = null;
    this._first = null;
    this._closed = false;
  }

  /** Whether the bytes stop in the middle of a frame or a message. */
  get isIncomplete() {
    return this._length > 0 || this._fragments !== null;
  }

  push(chunk) {
    this._chunks.push(chunk);
    this._length += chunk.length;
    if (this._length < this._needed) return;
    const bytes = this._chunks.length === 1 ? chunk : Buffer.concat(this._chunks);
    let at = 0;
    for (;;) {
      const rest = bytes.subarray(at);
      this._needed = frameLength(rest);
      if (rest.length < this._needed) break;
      this._frame(rest.subarray(0, this._needed));
      at += this._needed;
    }
    this._chunks = at < bytes.length ? [bytes.subarray(at)] : [];
    this._length = bytes.length - at;
  }

  _frame(bytes) {
    const length = bytes[1] & 0x7f;
    const payload = bytes.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
    const fin = bytes[0] >= 0x80;
    const rsv = (bytes[0] >> 4) & 7;
    const opcode = bytes[0] & 15;
    const compressed = rsv === 4 && this._context !== null && (opcode === OPCODE.TEXT || opcode === OPCODE.BINARY);
    const { _handlers: handlers } = this;
    if (bytes[1] >= 0x80) handlers.violation('a masked frame');
    else if (rsv !== 0 && !compressed) handlers.violation(`reserved bits ${rsv} with opcode ${opcode}`);
    else if (this._closed) handlers.violation(`opcode ${opcode} after the Close frame`);
    else if (opcode >= OPCODE.CLOSE && (!fin || payload.length > 125)) handlers.violation(`a control frame of ${payload.length} bytes`);
    else if (opcode === OPCODE.PING) handlers.ping(payload);
    else if (opcode === OPCODE.PONG) handlers.pong(payload);
    else if (opcode === OPCODE.CLOSE) this._close(payload);
    else if ((opcode === OPCODE.CONTINUATION) !== (this._fragments !== null)) handlers.violation(`unexpected opcode ${opcode}`);
    else this._data(fin, opcode, compressed, payload);
  }

  _close(payload) {
    this._closed = true;
    this._handlers.close(payload.length >= 2 ? payload.readUInt16BE(0) : 1005, payload.subarray(2).toString());
  }

  _data(fin, opcode, compressed, payload) {
    if (this._fragments === null) {
      this._first = { type: opcode === OPCODE.TEXT ? 'text' : 'binary', compressed };
      this._fragments = [];
    }
    this._fragments.push(payload);
    if (!fin) return;
    let data = Buffer.concat(this._fragments);
    this._fragments = null;
    if (this._first.compressed) {
      try {
        data = this._context.inflate(data);
      } catch (error) {
        this._handlers.violation(`what does not inflate: ${error.message}`);
        return;
      }
    }
    this._handlers.message(this._first.type, data);
  }
}

/** What the server has agreed to: contexts for both directions, or null. */
function agreedCompression(head) {
  const line = /^sec-websocket-extensions:(.*)$/im.exec(head);
  if (line === null) return null;
  return {
    received: new Context(!line[1].includes('server_no_context_takeover')),
    sent: new Context(!line[1].includes('client_no_context_takeover')),
  };
}

module.exports = { WireReader, agreedCompression };
