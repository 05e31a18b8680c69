'use strict';

const { OPCODE, decodeFrames } = require('../helpers/raw');

/**
 * Puts chunks of a stream together to frames with the codec of the helpers, which decodes from the start each time:
 * here nothing is joined or decoded before a whole frame is there.
 */
class FrameReader {
  /** @param {(frame: object) => void} onFrame called with frames of a server, as decodeFrames() gives them */
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.chunks = [];
    this.length = 0;
    this.needed = 2;
  }

  push(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.length < this.needed) return;
    const { frames, rest } = decodeFrames(this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks));
    this.chunks = rest.length > 0 ? [rest] : [];
    this.length = rest.length;
    this.needed = frameLength(rest);
    for (const frame of frames) this.onFrame(frame);
  }
}

/** How many bytes an unmasked frame has, or at least how many are needed to know. */
function frameLength(bytes) {
  if (bytes.length < 2) return 2;
  const length = bytes[1] & 0x7f;
  if (length < 126) return 2 + length;
  if (length === 126) return bytes.length < 4 ? 4 : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? 10 : 10 + Number(bytes.readBigUInt64BE(2));
}

/** Puts frames together to messages and checks the rules of RFC 6455 section 5.4 on the way. */
class MessageReader {
  /** @param {{ message, ping, pong, close, violation }} handlers functions */
  constructor(handlers) {
    this.handlers = handlers;
    this.fragments = null;
    this.text = false;
    this.closed = false;
    this.reader = new FrameReader((frame) => this._frame(frame));
  }

  push(chunk) { this.reader.push(chunk); }

  /** Whether the stream has stopped in the middle of something. */
  get incomplete() { return this.reader.length > 0 || this.fragments !== null; }

  _frame({ fin, rsv, opcode, masked, payload, code, reason }) {
    const { handlers } = this;
    if (rsv !== 0 || masked) handlers.violation(`rsv ${rsv}, masked ${masked}`);
    else if (this.closed) handlers.violation(`opcode ${opcode} after the Close frame`);
    else if (opcode >= OPCODE.CLOSE && (!fin || payload.length > 125)) handlers.violation(`control frame of ${payload.length} bytes, fin ${fin}`);
    else if (opcode === OPCODE.PING) handlers.ping(payload);
    else if (opcode === OPCODE.PONG) handlers.pong(payload);
    else if (opcode === OPCODE.CLOSE) {
      this.closed = true;
      handlers.close(code, reason);
    } else if ((opcode === OPCODE.CONTINUATION) !== (this.fragments !== null)) handlers.violation(`unexpected opcode ${opcode}`);
    else this._data(fin, opcode, payload);
  }

  _data(fin, opcode, payload) {
    if (this.fragments === null) {
      this.text = opcode === OPCODE.TEXT;
      this.fragments = [];
    }
    this.fragments.push(payload);
    if (!fin) return;
    const data = this.fragments.length === 1 ? payload : Buffer.concat(this.fragments);
    this.fragments = null;
    this.handlers.message(this.text, data);
  }
}

module.exports = { MessageReader };
