'use strict';

// Reads what the peer under test sends: the head of its HTTP message, then frames. Takes any chunks, copies each byte
// once, and notes everything in a frame that RFC 6455 forbids, so that no case has to look for it.

const { isUtf8 } = require('buffer');
const { OPCODE } = require('../../__test__/helpers/raw');

const KINDS = new Map([[OPCODE.TEXT, 'text'], [OPCODE.BINARY, 'binary'], [OPCODE.PING, 'ping'], [OPCODE.PONG, 'pong'], [OPCODE.CLOSE, 'close']]);
const MAX_HEAD = 1 << 20;

/** Whether a status code may be in a Close frame (RFC 6455 section 7.4, and the codes registered since). */
function isCloseCode(code) {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** Bytes that have arrived, taken off the front in the sizes the grammar needs. */
class ByteQueue {
  constructor() {
    this.chunks = [];
    this.length = 0;
  }

  push(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The first `count` bytes, which stay in the queue; null while there are fewer. */
  peek(count) {
    if (this.length < count) return null;
    if (this.chunks[0].length < count) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0].subarray(0, count);
  }

  /** Removes the first `count` bytes and returns them; null while there are fewer. */
  take(count) {
    if (this.length < count) return null;
    const parts = [];
    let missing = count;
    while (missing > 0) {
      const [first] = this.chunks;
      if (first.length <= missing) {
        parts.push(this.chunks.shift());
        missing -= first.length;
      } else {
        parts.push(first.subarray(0, missing));
        this.chunks[0] = first.subarray(missing);
        missing = 0;
      }
    }
    this.length -= count;
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }
}

class Reader {
  /**
   * @param {object} options
   * @param {boolean} options.masked whether the frames of this peer have to be masked (clients)
   * @param {(head: string) => void} options.onHead
   * @param {(entry: object) => void} options.onEntry a message, a control frame, or `{ kind: 'violation', text }`
   */
  constructor({ masked, onHead, onEntry }) {
    this.masked = masked;
    this.onHead = onHead;
    this.onEntry = onEntry;
    /** Undoes permessage-deflate once it has been agreed to: `(bytes) => bytes`. */
    this.inflate = null;
    this._bytes = new ByteQueue();
    this._head = null;
    this._message = null;
    this._closed = false;
    this._lost = false;
  }

  push(chunk) {
    this._bytes.push(chunk);
    if (this._head === null && !this._readHead()) return;
    while (!this._lost && this._readFrame());
  }

  /** The bytes that have arrived and make no whole head or frame. */
  get rest() {
    return this._bytes.length;
  }

  _violation(text) {
    this.onEntry({ kind: 'violation', text });
  }

  _readHead() {
    const all = this._bytes.peek(this._bytes.length);
    const end = all.indexOf('\r\n\r\n');
    if (end === -1) {
      if (all.length > MAX_HEAD) this._lost = true;
      return false;
    }
    this._head = this._bytes.take(end + 4).toString('latin1');
    this.onHead(this._head);
    return true;
  }

  _readFrame() {
    const start = this._bytes.peek(2);
    if (start === null) return false;
    const code = start[1] & 0x7f;
    const extended = { 126: 2, 127: 8 }[code] || 0;
    const masked = (start[1] & 0x80) !== 0;
    const headLength = 2 + extended + (masked ? 4 : 0);
    const head = this._bytes.peek(headLength);
    if (head === null) return false;
    let length = BigInt(code);
    if (extended === 2) length = BigInt(head.readUInt16BE(2));
    if (extended === 8) length = head.readBigUInt64BE(2);
    if (length > 1n << 30n) {
      this._violation(`announces ${length} bytes of payload`);
      this._lost = true;
      return false;
    }
    if (this._bytes.length < headLength + Number(length)) return false;
    if ((extended === 2 && length < 126n) || (extended === 8 && length < 65536n)) {
      this._violation(`a length of ${length} in ${extended} bytes (5.2)`);
    }
    const key = masked ? Buffer.from(head.subarray(headLength - 4)) : null;
    this._bytes.take(headLength);
    let payload = this._bytes.take(Number(length));
    if (key) {
      payload = Buffer.from(payload);
      for (let i = 0; i < payload.length; i++) payload[i] ^= key[i & 3];
    }
    if (masked !== this.masked) this._violation(masked ? 'a masked frame of a server (5.1)' : 'an unmasked frame of a client (5.1)');
    this._frame({ fin: (start[0] & 0x80) !== 0, rsv: (start[0] >> 4) & 7, opcode: start[0] & 15, payload });
    return true;
  }

  _frame(frame) {
    const { fin, rsv, opcode, payload } = frame;
    if (this._closed) this._violation('a frame after the Close frame (5.5.1)');
    const control = opcode >= 8;
    if (control ? !KINDS.has(opcode) : opcode > OPCODE.BINARY) {
      this._violation(`the reserved opcode ${opcode} (5.2)`);
      return;
    }
    const firstOfMessage = opcode === OPCODE.TEXT || opcode === OPCODE.BINARY;
    const compressed = this.inflate !== null && firstOfMessage && (rsv & 4) !== 0;
    if ((rsv & (compressed ? 3 : 7)) !== 0) this._violation(`the reserved bits ${rsv} (5.2)`);
    if (control) this._control(frame);
    else this._data(firstOfMessage, opcode, compressed, fin, payload);
  }

  _control({ fin, opcode, payload }) {
    if (!fin) this._violation('a fragmented control frame (5.4)');
    if (payload.length > 125) this._violation(`a control frame of ${payload.length} bytes (5.5)`);
    const entry = { kind: KINDS.get(opcode), payload };
    if (opcode === OPCODE.CLOSE) {
      this._closed = true;
      entry.code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      entry.reason = payload.subarray(2);
      if (payload.length === 1) this._violation('a Close frame of one byte (5.5.1)');
      if (entry.code !== null && !isCloseCode(entry.code)) this._violation(`the close code ${entry.code} (7.4)`);
      if (!isUtf8(entry.reason)) this._violation('a close reason that is not UTF-8 (5.5.1)');
    }
    this.onEntry(entry);
  }

  _data(first, opcode, compressed, fin, payload) {
    if (first) {
      if (this._message) this._violation('a new message within a fragmented one (5.4)');
      this._message = { kind: KINDS.get(opcode), compressed, parts: [] };
    } else if (!this._message) {
      this._violation('a continuation of nothing (5.4)');
      return;
    }
    this._message.parts.push(payload);
    if (!fin) return;
    const { kind, compressed: deflated, parts } = this._message;
    this._message = null;
    let data = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    if (deflated) {
      try {
        data = this.inflate(data);
      } catch (error) {
        this._violation(`compressed data that cannot be inflated: ${error.message} (RFC 7692 7.2.2)`);
        return;
      }
    }
    if (kind === 'text' && !isUtf8(data)) this._violation('a text message that is not UTF-8 (8.1)');
    this.onEntry({ kind, payload: data, fragments: parts.length, compressed: deflated });
  }
}

module.exports = { Reader, isCloseCode };
