'use strict';

const { broadcastPayload } = require('./random');

/** How long nothing may happen while something is expected. */
const PATIENCE = 20000;

/** What one peer is to receive: its echoes in order, every broadcast, and the answer to its latest Ping. */
class Expectations {
  /**
   * @param {string} name of the peer, for faults
   * @param {number} seed of the run
   * @param {(fault: string) => void} fault called with what went wrong
   */
  constructor(name, seed, fault) {
    this.name = name;
    this.seed = seed;
    this.report = fault;
    this.echoes = [];
    this.next = 0;
    this.outstandingBytes = 0;
    this.pingsSent = 0;
    this.pings = new Map();
    this.lastPong = 0;
    this.lastBroadcast = null;
    this.finished = false;
    this.totals = { messages: 0, bytes: 0, pings: 0, pongs: 0, broadcasts: 0 };
    this._wake = null;
  }

  fault(what) {
    this.finished = true;
    this.report(`${this.name}: ${what}; ${this.describe()}`);
    this.wake();
  }

  describe() {
    return `${this.next} echoes verified, ${this.echoes.length - this.next} outstanding ` +
      `(${this.outstandingBytes} bytes), ping ${this.pingsSent}, last pong ${this.lastPong}`;
  }

  expectEcho(message) {
    this.echoes.push(message);
    this.outstandingBytes += message.data.length;
  }

  /** A new payload for a Ping, whose Pong is expected from now on. */
  ping(random) {
    const count = ++this.pingsSent;
    const payload = Buffer.alloc(4 + random.int(122), count & 0xff);
    payload.writeUInt32BE(count, 0);
    this.pings.set(count, payload);
    this.totals.pings++;
    return payload;
  }

  /** Pongs may be skipped for later ones (RFC 6455 section 5.5.3), but not come late or altered. */
  pong(payload) {
    if (this.finished) return;
    const count = payload.length >= 4 ? payload.readUInt32BE(0) : -1;
    if (count > 0 && count <= this.lastPong) {
      this.fault(`the pong ${count} came after the pong ${this.lastPong}`);
      return;
    }
    const expected = this.pings.get(count);
    if (expected === undefined || !expected.equals(payload)) {
      this.fault(`a pong nobody asked for: ${payload.toString('hex')}`);
      return;
    }
    for (let i = this.lastPong + 1; i <= count; i++) this.pings.delete(i);
    this.lastPong = count;
    this.totals.pongs++;
    this.wake();
  }

  message(text, data) {
    if (this.finished) return;
    if (data.length > 0 && data[0] === 0x62) {
      this._broadcast(text, data);
      return;
    }
    const expected = this.echoes[this.next];
    if (expected === undefined) {
      this.fault(`${data.length} bytes that were never sent`);
      return;
    }
    if (expected.text !== text || !expected.data.equals(data)) {
      this.fault(`echo ${this.next} differs: expected ${describeMessage(expected)}, got ${describeMessage({ text, data })}, ` +
        `${firstDifference(expected.data, data)}`);
      return;
    }
    this.echoes[this.next++] = null;
    this.outstandingBytes -= data.length;
    this.totals.messages++;
    this.totals.bytes += data.length;
    this.wake();
  }

  _broadcast(text, data) {
    const count = Number(data.toString('latin1', 1, 10));
    const expected = broadcastPayload(this.seed, count);
    if (expected.text !== text || !expected.data.equals(data)) {
      this.fault(`broadcast ${count} differs: expected ${describeMessage(expected)}, got ${describeMessage({ text, data })}`);
    } else if (this.lastBroadcast !== null && count !== this.lastBroadcast + 1) {
      this.fault(`broadcast ${count} came after ${this.lastBroadcast}`);
    }
    this.lastBroadcast = count;
    this.totals.broadcasts++;
  }

  get complete() { return this.next === this.echoes.length && this.lastPong === this.pingsSent; }

  wake() {
    const wake = this._wake;
    this._wake = null;
    if (wake !== null) wake();
  }

  /** Resolves when `condition()` holds or a fault was found; it is looked at whenever something was received. */
  async until(condition, what) {
    while (!this.finished && !condition()) {
      const inTime = await new Promise((resolve) => {
        const timer = setTimeout(resolve, PATIENCE, false);
        this._wake = () => { clearTimeout(timer); resolve(true); };
      });
      if (!inTime && !condition()) this.fault(`waited ${PATIENCE} ms in vain for ${what}`);
    }
  }
}

function describeMessage({ text, data }) {
  return `${text ? 'text' : 'binary'} of ${data.length} bytes (${data.subarray(0, 16).toString('hex')}…)`;
}

function firstDifference(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return `first difference at byte ${i}`;
  return `equal in their first ${length} bytes`;
}

module.exports = { Expectations };
