'use strict';

// Messages from the engine: read, told apart from echoes and repetitions, and handed on in portions, so that no storm
// keeps the event loop.

const { websocketError } = require('../base/errors');
const { setImmediate } = require('../time/immediate');
const { decode } = require('./envelope');

/** What one turn of the loop delivers; the rest waits for the next turns. */
const TURN_MESSAGES = 512;
const TURN_BYTES = 4 * 1024 * 1024;

/** What may wait. More is dropped, counted and reported. */
const MAX_WAITING = 65_536;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Nodes whose last message is remembered for a topic. */
const MAX_SENDERS = 1024;

class Receiving {
  received = 0;
  echoes = 0;
  malformed = 0;
  dropped = 0;
  repeated = 0;
  missed = 0;

  #node;
  #hand;
  #entryOf;
  #report;
  /** Between `pubsubLost` and `pubsubRestored`. What is missing then, or before the next message, has been announced. */
  #isLost = false;
  /** Counted up at the beginning and at the end of every loss. */
  #windows = 0;
  #waiting = [];
  #next = 0;
  #waitingBytes = 0;
  #turnMessages = 0;
  #turnBytes = 0;
  #turnEnds = false;
  #closed = false;

  /**
   * @param {object} options
   * @param {string} options.node id of this node
   * @param {(topic: string) => object | undefined} options.entryOf `{ wanted, senders }` of a topic that is or will be subscribed
   * @param {(topic: string, message: object) => void} options.hand
   * @param {(error: Error, topic: string, stage: string) => void} options.report
   */
  constructor({ node, entryOf, hand, report }) {
    this.#node = node;
    this.#entryOf = entryOf;
    this.#hand = hand;
    this.#report = report;
  }

  /** Called by the adapter for each message. */
  receive(topic, envelope) {
    if (this.#closed) return;
    if (topic !== '') this.received += 1;
    const length = envelope?.length ?? 0;
    if (this.#next === this.#waiting.length && this.#hasTime()) {
      this.#take(topic, envelope, length);
      return;
    }
    if (this.#waiting.length - this.#next >= MAX_WAITING || this.#waitingBytes + length > MAX_WAITING_BYTES) {
      this.dropped += 1;
      this.#report(storm(topic), topic, 'receive');
      return;
    }
    this.#waiting.push({ topic, envelope, length });
    this.#waitingBytes += length;
  }

  /** A loss of the engine begins or ends. */
  setLost(isLost) {
    this.#isLost = isLost;
    this.#windows += 1;
  }

  /** This node has delivered number `sequence` by itself: what the engine brings late would be out of order. */
  deliveredHere(topic, sequence) {
    const entry = this.#entryOf(topic);
    if (entry !== undefined) this.#remember(entry, this.#node, sequence);
  }

  close() {
    this.#closed = true;
    this.#waiting = [];
    this.#next = 0;
  }

  #hasTime() {
    return this.#turnMessages < TURN_MESSAGES && this.#turnBytes < TURN_BYTES;
  }

  #take(topic, envelope, length) {
    this.#turnMessages += 1;
    this.#turnBytes += length;
    if (!this.#turnEnds) {
      this.#turnEnds = true;
      setImmediate(() => this.#nextTurn());
    }
    this.#process(topic, envelope);
  }

  #nextTurn() {
    this.#turnMessages = 0;
    this.#turnBytes = 0;
    this.#turnEnds = false;
    while (this.#next < this.#waiting.length && this.#hasTime()) {
      const { topic, envelope, length } = this.#waiting[this.#next];
      this.#waiting[this.#next++] = undefined;
      this.#waitingBytes -= length;
      this.#take(topic, envelope, length);
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    } else if (this.#next >= MAX_WAITING) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
  }

  #process(topic, envelope) {
    let message;
    try {
      message = decode(envelope);
    } catch (error) {
      this.malformed += 1;
      this.#report(error, topic, 'receive');
      return;
    }
    const isEcho = message.node === this.#node;
    if (isEcho && !message.own) {
      if (topic !== '') this.echoes += 1;
      return;
    }
    const entry = this.#entryOf(topic);
    if (entry === undefined || !this.#isNew(entry, topic, message)) return;
    // The engine's subscription goes on for a while after the last subscriber has left.
    if (entry.wanted) this.#hand(topic, message);
  }

  /** False for what was delivered before, or would be out of order. Counts what is missing. */
  #isNew(entry, topic, { node, sequence, distance }) {
    const last = entry.senders === null ? undefined : entry.senders.get(node);
    if (last === undefined) {
      this.#remember(entry, node, sequence);
      return true;
    }
    if (sequence <= last.sequence) {
      this.repeated += 1;
      return false;
    }
    const isAnnounced = this.#isLost || last.windows !== this.#windows;
    if (distance > 0 && sequence - distance > last.sequence && !isAnnounced) {
      this.missed += 1;
      this.#report(gap(topic, node), topic, 'receive');
    }
    last.sequence = sequence;
    last.windows = this.#windows;
    return true;
  }

  #remember(entry, node, sequence) {
    if (entry.senders === null || (entry.senders.size >= MAX_SENDERS && !entry.senders.has(node))) entry.senders = new Map();
    entry.senders.set(node, { sequence, windows: this.#windows });
  }
}

function storm(topic) {
  return websocketError('ERR_WEBSOCKET_PUBSUB_DROPPED',
    `Messages for ${JSON.stringify(topic)} were dropped: the engine brings more than this process can deliver`);
}

function gap(topic, node) {
  return websocketError('ERR_WEBSOCKET_PUBSUB_GAP',
    `The engine has lost messages of node ${node} for ${JSON.stringify(topic)} without a sign of it`);
}

module.exports = Receiving;
