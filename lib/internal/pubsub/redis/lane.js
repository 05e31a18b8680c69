'use strict';

const { lostError } = require('../adapter');
const Heartbeat = require('../heartbeat');

/** Channels in one command. */
const MAX_CHANNELS = 1000;

/** Milliseconds until refused subscriptions are tried again. */
const RETRY = 500;

/**
 * The way to one Redis server and back: a connection that publishes and one that subscribes. It is up when all
 * subscriptions are confirmed and a heartbeat has made the whole way.
 */
class Lane {
  isUp = false;
  #publisher;
  #subscriber;
  #heartbeatChannel;
  #handlers;
  #heartbeat;
  #channels = new Set();
  /** Counted up with each connection of the subscriber. */
  #generation = 0;
  #isConfirmed = false;
  /** The publisher has not confirmed the last heartbeat. */
  #isPublishing = false;
  #retry = null;
  #isClosed = false;

  /**
   * @param {object} options
   * @param {object} options.publisher a connection
   * @param {object} options.subscriber another one
   * @param {string} options.heartbeatChannel
   * @param {number} [options.slot] of that channel, in a cluster
   * @param {number} options.heartbeat milliseconds
   * @param {(channel: string, bytes: Buffer) => void} options.message
   * @param {(lane: Lane) => void} options.up
   * @param {(error: Error | undefined, lane: Lane) => void} options.down
   * @param {() => void} options.moved the server says that another one has the channels now
   */
  constructor({ publisher, subscriber, heartbeatChannel, slot, heartbeat, message, up, down, moved }) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#heartbeatChannel = heartbeatChannel;
    this.slot = slot;
    this.#handlers = { message, up, down, moved };
    this.#heartbeat = new Heartbeat(heartbeat, {
      send: (number) => this.#sendBeat(number),
      missed: () => this.#missed(heartbeat)
    });
  }

  get publisher() {
    return this.#publisher;
  }

  open() {
    this.#heartbeat.start();
    this.#publisher.open({
      ready: () => this.#heartbeat.beat(),
      down: (error) => this.#down(error),
      message() {},
      moved() {}
    });
    this.#subscriber.open({
      ready: () => this.#confirm(),
      down: (error) => {
        this.#generation += 1;
        this.#isConfirmed = false;
        this.#down(error);
      },
      message: (channel, bytes) => this.#message(channel, bytes),
      moved: () => this.#handlers.moved()
    });
  }

  async subscribe(channels) {
    for (const part of parts(channels)) {
      await this.#subscriber.subscribe(part);
      for (const channel of part) this.#channels.add(channel);
    }
  }

  async unsubscribe(channels) {
    for (const channel of channels) this.#channels.delete(channel);
    for (const part of parts(channels)) await this.#subscriber.unsubscribe(part);
  }

  /** Never waits for a connection: what is sent much later than it was published is worth nothing. */
  async publish(channel, bytes) {
    if (!this.#publisher.isReady) throw lostError('the publisher is not connected');
    await this.#publisher.publish(channel, bytes);
  }

  /**
   * @param {object} options
   * @param {boolean} options.end whether the clients are our own
   */
  async close({ end }) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isUp = false;
    this.#heartbeat.stop();
    clearTimeout(this.#retry);
    if (!end && this.#subscriber.isReady) {
      for (const part of parts([this.#heartbeatChannel, ...this.#channels])) await this.#subscriber.unsubscribe(part).catch(() => {});
    }
    this.#subscriber.close({ end });
    this.#publisher.close({ end });
  }

  /** Subscribes again to everything, whether the client has done so or not, because its answer says that it is done. */
  async #confirm() {
    const generation = ++this.#generation;
    this.#isConfirmed = false;
    try {
      for (const part of parts([this.#heartbeatChannel, ...this.#channels])) await this.#subscriber.subscribe(part);
    } catch (error) {
      if (generation !== this.#generation || this.#isClosed) return;
      this.#down(error);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        if (generation === this.#generation && this.#subscriber.isReady) this.#confirm();
      }, RETRY);
      return;
    }
    if (generation !== this.#generation) return;
    this.#isConfirmed = true;
    this.#heartbeat.beat();
  }

  #sendBeat(number) {
    if (!this.#isConfirmed || !this.#publisher.isReady || this.#isClosed) return false;
    this.#isPublishing = true;
    this.#publisher.publish(this.#heartbeatChannel, Buffer.from(String(number))).then(() => {
      this.#isPublishing = false;
    }, (error) => {
      this.#isPublishing = false;
      if (this.#isClosed) return;
      this.#down(error);
      if (/^MOVED /.test(error?.message)) this.#handlers.moved();
    });
    return true;
  }

  #message(channel, bytes) {
    if (channel !== this.#heartbeatChannel) {
      this.#handlers.message(channel, bytes);
    } else if (this.#heartbeat.cameBack(Number(bytes.toString())) && !this.isUp && this.#isConfirmed && !this.#isClosed) {
      this.isUp = true;
      this.#handlers.up(this);
    }
  }

  #missed(interval) {
    const silent = this.#isPublishing ? this.#publisher : this.#subscriber;
    this.#down(lostError(`no heartbeat came back within ${interval} ms`));
    silent.reconnect();
  }

  #down(error) {
    if (this.#isClosed) return;
    this.isUp = false;
    this.#handlers.down(error, this);
  }
}

function parts(channels) {
  if (channels.length <= MAX_CHANNELS) return [channels];
  const result = [];
  for (let i = 0; i < channels.length; i += MAX_CHANNELS) result.push(channels.slice(i, i + MAX_CHANNELS));
  return result;
}

module.exports = Lane;
