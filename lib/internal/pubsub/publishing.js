'use strict';

// Messages on their way to the engine: those it has not confirmed, and those that wait for it to come back.

const { websocketError } = require('../base/errors');
const { encode, HEADER } = require('./envelope');

/** Bytes that the adapter holds and the engine has not confirmed. One message always fits. */
const MAX_UNCONFIRMED = 16 * 1024 * 1024;

/** Topics whose last number is remembered, so that a receiver can see that something is missing. */
const MAX_REMEMBERED = 10_000;

class Publishing {
  /** Without those of the nodes to each other. */
  published = 0;
  #adapter;
  #node;
  #maxQueue;
  #up = false;
  #reason;
  #sequence = 0;
  #lastOfTopic = new Map();
  /** Messages that wait for the engine: `{ topic, envelope, resolve, reject }`. */
  #queue = [];
  #queued = 0;
  #unconfirmed = new Set();
  #unconfirmedBytes = 0;

  constructor(adapter, node, maxQueue) {
    this.#adapter = adapter;
    this.#node = node;
    this.#maxQueue = maxQueue;
  }

  get queuedBytes() {
    return this.#queued;
  }

  /**
   * @param {string} topic
   * @param {{ payload: Buffer, isBinary: boolean, publisher: string, own: boolean }} message
   * @returns {{ sequence: number, done: Promise<void> }} the number is 0 if nothing will be sent
   */
  publish(topic, { payload, isBinary, publisher, own }) {
    const size = HEADER + Buffer.byteLength(publisher) + payload.length;
    const goes = this.#up && this.#queue.length === 0 && this.#hasRoom(size);
    if (!goes && this.#queued + size > this.#maxQueue) {
      const done = Promise.reject(this.#up ? tooMuch(topic) : lost(topic, this.#reason));
      return { sequence: 0, done };
    }
    const sequence = ++this.#sequence;
    const envelope = encode({ node: this.#node, sequence, distance: this.#distance(topic, sequence), isBinary, own, publisher, payload });
    const done = new Promise((resolve, reject) => {
      const message = { topic, envelope, resolve, reject };
      if (goes) {
        this.#send(message);
      } else {
        this.#queue.push(message);
        this.#queued += size;
      }
    });
    return { sequence, done };
  }

  /** A number for a message that only this node gets. */
  nextSequence() {
    return ++this.#sequence;
  }

  setUp(up, reason) {
    this.#up = up;
    this.#reason = reason;
    if (up) {
      this.#sendQueued();
      return;
    }
    // Nobody knows whether the engine has got these. The publisher is told, so the receivers need not look for them.
    this.#lastOfTopic.clear();
    for (const { topic, reject } of this.#unconfirmed) reject(lost(topic, reason));
  }

  close() {
    this.#up = false;
    for (const { topic, reject } of [...this.#unconfirmed, ...this.#queue]) reject(lost(topic, this.#reason));
    this.#queue = [];
    this.#queued = 0;
  }

  /** Resolves when nothing waits, or cannot go on waiting. */
  async flushed() {
    if (this.#up) await Promise.allSettled([...this.#unconfirmed].map(({ settled }) => settled));
  }

  #hasRoom(size) {
    return this.#unconfirmedBytes === 0 || this.#unconfirmedBytes + size <= MAX_UNCONFIRMED;
  }

  #distance(topic, sequence) {
    const last = this.#lastOfTopic.get(topic);
    if (last === undefined && this.#lastOfTopic.size >= MAX_REMEMBERED) this.#lastOfTopic.clear();
    this.#lastOfTopic.set(topic, sequence);
    return last === undefined ? 0 : sequence - last;
  }

  #send(message) {
    this.#unconfirmed.add(message);
    this.#unconfirmedBytes += message.envelope.length;
    message.settled = this.#callAdapter(message);
  }

  async #callAdapter(message) {
    const { topic, envelope, resolve, reject } = message;
    try {
      await this.#adapter.publish(topic, envelope);
      if (topic !== '') this.published += 1;
      resolve();
    } catch (error) {
      this.#lastOfTopic.delete(topic);
      reject(this.#up ? refused(topic, error) : lost(topic, error));
    }
    this.#unconfirmed.delete(message);
    this.#unconfirmedBytes -= envelope.length;
    this.#sendQueued();
  }

  #sendQueued() {
    let sent = 0;
    while (this.#up && sent < this.#queue.length && this.#hasRoom(this.#queue[sent].envelope.length)) {
      this.#queued -= this.#queue[sent].envelope.length;
      this.#send(this.#queue[sent]);
      sent += 1;
    }
    if (sent > 0) this.#queue.splice(0, sent);
  }
}

function lost(topic, cause) {
  const why = cause === undefined ? 'it is not connected yet' : cause.message;
  return websocketError('ERR_WEBSOCKET_PUBSUB_LOST',
    `The message for ${JSON.stringify(topic)} may not have reached other nodes; the engine is away: ${why} ` +
    '(a larger maxPublishQueue keeps messages until it is back)', { cause });
}

function refused(topic, cause) {
  return websocketError('ERR_WEBSOCKET_PUBSUB', `The engine has not taken the message for ${JSON.stringify(topic)}: ${cause?.message}`, { cause });
}

function tooMuch(topic) {
  return websocketError('ERR_WEBSOCKET_BUFFER_FULL',
    `The message for ${JSON.stringify(topic)} was sent to no other node: the engine has not confirmed ` +
    `${MAX_UNCONFIRMED} bytes (a larger maxPublishQueue keeps more)`);
}

module.exports = Publishing;
