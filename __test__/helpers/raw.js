'use strict';

// A WebSocket peer made of nothing but a socket and an independent frame codec, so that tests can send what
// no well-behaved library would send and see exactly which bytes come back.

const net = require('net');
const crypto = require('crypto');
const { once } = require('events');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

/**
 * Encodes one frame (RFC 6455 section 5.2) exactly as asked for, legal or not.
 * @param {object} frame
 * @param {number} frame.opcode
 * @param {Buffer|string} [frame.payload]
 * @param {boolean} [frame.fin=true]
 * @param {number} [frame.rsv=0] the three reserved bits as a number from 0 to 7, RSV1 is 4
 * @param {Buffer|boolean} [frame.mask=true] a key of 4 bytes, true for a random key, false for none
 * @param {7|16|64} [frame.lengthBits] forces a (possibly non-minimal) length encoding
 * @param {bigint|number} [frame.declaredLength] announces another length than the payload has
 */
function encodeFrame({ opcode, payload = Buffer.alloc(0), fin = true, rsv = 0, mask = true, lengthBits, declaredLength }) {
  const data = Buffer.from(payload);
  const length = BigInt(declaredLength === undefined ? data.length : declaredLength);
  const bits = lengthBits || (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const maskBit = mask ? 0x80 : 0;
  if (bits === 7) {
    head.push(maskBit | Number(length));
  } else if (bits === 16) {
    head.push(maskBit | 126, Number(length >> 8n) & 0xff, Number(length & 0xffn));
  } else {
    head.push(maskBit | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((length >> shift) & 0xffn));
  }
  if (!mask) return Buffer.concat([Buffer.from(head), data]);
  const key = mask === true ? crypto.randomBytes(4) : mask;
  const masked = Buffer.from(data);
  for (let i = 0; i < masked.length; i++) masked[i] ^= key[i & 3];
  return Buffer.concat([Buffer.from(head), key, masked]);
}

/** The payload of a Close frame: status code and reason (RFC 6455 section 5.5.1). */
function closePayload(code, reason = '') {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code, 0);
  return payload;
}

/** Takes whole frames off the front of a buffer: `{ frames, rest }`. Payloads are unmasked. */
function decodeFrames(buffer) {
  const frames = [];
  let pos = 0;
  for (;;) {
    if (buffer.length - pos < 2) break;
    const first = buffer[pos];
    const second = buffer[pos + 1];
    let at = pos + 2;
    let length = second & 0x7f;
    if (length === 126) {
      if (buffer.length < at + 2) break;
      length = buffer.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      if (buffer.length < at + 8) break;
      length = Number(buffer.readBigUInt64BE(at));
      at += 8;
    }
    const masked = (second & 0x80) !== 0;
    let key = null;
    if (masked) {
      if (buffer.length < at + 4) break;
      key = buffer.subarray(at, at + 4);
      at += 4;
    }
    if (buffer.length < at + length) break;
    const payload = Buffer.from(buffer.subarray(at, at + length));
    if (key) for (let i = 0; i < payload.length; i++) payload[i] ^= key[i & 3];
    const frame = { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 15, masked, payload };
    if (frame.opcode === OPCODE.CLOSE) {
      frame.code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      frame.reason = payload.subarray(2).toString();
    }
    frames.push(frame);
    pos = at + length;
  }
  return { frames, rest: buffer.subarray(pos) };
}

/** Collects what a socket receives: head of the HTTP message, frames after it, and how the stream ended. */
class RawPeer {
  constructor(socket) {
    this.socket = socket;
    this.head = null;
    this.frames = [];
    this.ended = false;
    this.closed = false;
    this.error = null;
    this._rest = Buffer.alloc(0);
    this._waiters = new Set();
    socket.on('data', (chunk) => this._receive(chunk));
    socket.on('end', () => { this.ended = true; this._wake(); });
    socket.on('error', (error) => { this.error = error; });
    socket.on('close', () => { this.closed = true; this.ended = true; this._wake(); });
  }

  _receive(chunk) {
    this._rest = Buffer.concat([this._rest, chunk]);
    if (this.head === null) {
      const end = this._rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.head = this._rest.subarray(0, end + 4).toString('latin1');
      this._rest = this._rest.subarray(end + 4);
    }
    const { frames, rest } = decodeFrames(this._rest);
    this.frames.push(...frames);
    this._rest = rest;
    this._wake();
  }

  _wake() {
    for (const waiter of [...this._waiters]) waiter();
  }

  /** Resolves as soon as `condition(peer)` holds; rejects after `ms` milliseconds with what was seen instead. */
  until(condition, what = 'condition', ms = 10000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this._waiters.delete(check);
        resolve(this);
      };
      const timer = setTimeout(() => {
        this._waiters.delete(check);
        reject(new Error(`timed out waiting for ${what}; head ${JSON.stringify(this.head)}, ` +
          `frames ${JSON.stringify(this.frames)}, ended ${this.ended}, error ${this.error}`));
      }, ms);
      this._waiters.add(check);
      check();
    });
  }

  /** Status code of the HTTP response received, or null. */
  get status() {
    const match = /^HTTP\/1\.1 (\d{3})/.exec(this.head || '');
    return match ? Number(match[1]) : null;
  }

  write(data) { this.socket.write(data); }
  send(frame) { this.socket.write(encodeFrame(frame)); }
  frame(count = 1) { return this.until(() => this.frames.length >= count, `${count} frame(s)`).then(() => this.frames[count - 1]); }
  close() { return this.until(() => this.closed, 'the socket to close'); }
  destroy() { this.socket.destroy(); }
}

/** The request head of a correct opening handshake; `headers` replaces, adds, or (with null) removes lines. */
function requestHead({ path = '/', method = 'GET', version = 'HTTP/1.1', headers = {} } = {}) {
  const all = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = [`${method} ${path} ${version}`];
  for (const [name, value] of Object.entries(all)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return lines.join('\r\n') + '\r\n\r\n';
}

/** Connects to a server under test, sends `head` (default: a correct handshake) and returns the peer. */
async function rawClient(port, { head, host = '127.0.0.1', ...request } = {}) {
  const socket = net.connect({ port, host });
  const peer = new RawPeer(socket);
  await once(socket, 'connect');
  peer.write(head === undefined ? requestHead(request) : head);
  return peer;
}

/** As rawClient, and waits for the 101 answer. */
async function openRawClient(port, options) {
  const peer = await rawClient(port, options);
  try {
    await peer.until(() => peer.head !== null || peer.closed, 'a response head');
    if (peer.status !== 101) throw new Error(`handshake refused: ${peer.head}`);
  } catch (error) {
    peer.destroy();
    throw error;
  }
  return peer;
}

/** Value for Sec-WebSocket-Accept (RFC 6455 section 4.2.2). */
function acceptKey(key) {
  return crypto.createHash('sha1').update(key + GUID).digest('base64');
}

/** The head of the answer that accepts a handshake. */
function acceptHead(key, headers = {}) {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return lines.join('\r\n') + '\r\n\r\n';
}

/**
 * A TCP server for tests of clients. `onRequest(peer, head)` answers the handshake; without it a correct 101 is sent.
 * `connections` collects the peers, `next()` resolves with the next one whose request head has arrived.
 */
async function rawServer(onRequest, listenOptions = { port: 0, host: '127.0.0.1' }) {
  const peers = [];
  const waiting = [];
  const server = net.createServer((socket) => {
    const peer = new RawPeer(socket);
    peer.until(() => peer.head !== null || peer.closed, 'a request head').then(() => {
      if (peer.head === null) return;
      const key = /^sec-websocket-key: *(.*)\r$/im.exec(peer.head);
      peer.key = key && key[1];
      if (onRequest) {
        onRequest(peer, peer.head);
      } else {
        peer.write(acceptHead(peer.key));
      }
      peers.push(peer);
      if (waiting.length > 0) waiting.shift()(peer);
    }, () => {});
  });
  server.listen(listenOptions);
  await once(server, 'listening');
  let handed = 0;
  return {
    server,
    peers,
    port: server.address().port,
    url: `ws://127.0.0.1:${server.address().port}/`,
    next() {
      handed++;
      if (peers.length >= handed) return Promise.resolve(peers[handed - 1]);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      for (const peer of peers) peer.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Has a raw peer write the same bytes as long as its socket takes them.
 * @param {RawPeer} peer
 * @param {Buffer} bytes
 * @param {number} most
 * @returns {Promise<number>} how often they were written when nothing had been taken for 100 ms; `most` if that never was so
 */
async function writeUntilStopped(peer, bytes, most) {
  let written = 0;
  for (let calm = 0; calm < 10 && written < most;) {
    if (peer.socket.writableLength < 1 << 20) {
      peer.write(bytes);
      written++;
      calm = 0;
    } else {
      await new Promise((resolve) => setTimeout(resolve, 10));
      calm++;
    }
  }
  return written;
}

module.exports = {
  OPCODE, encodeFrame, decodeFrames, closePayload, RawPeer, requestHead, rawClient, openRawClient, acceptKey, acceptHead, rawServer,
  writeUntilStopped,
};
