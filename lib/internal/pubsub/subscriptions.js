'use strict';

// The engine's subscriptions: one for each topic with a subscriber on this node.
//
// Each topic has one state and at most one call of the adapter under way:
//
//   absent         the engine has no subscription, and has not been asked for one
//   subscribing    `adapter.subscribe()` is under way
//   subscribed     the engine has confirmed
//   unsubscribing  `adapter.unsubscribe()` is under way
//   unsure         a call has failed: there may be a subscription or not
//
// `wanted` says where a topic should go. What that needs is done once in a turn of the loop, for all topics together.

const { websocketError } = require('../base/errors');
const { setImmediate, clearImmediate } = require('../time/immediate');

const ABSENT = 'absent';
const SUBSCRIBING = 'subscribing';
const SUBSCRIBED = 'subscribed';
const UNSUBSCRIBING = 'unsubscribing';
const UNSURE = 'unsure';

/** Topics in one call of the adapter. */
const MAX_BATCH = 1000;

/** Milliseconds until a refused call is made again: doubled each time, up to the second. */
const FIRST_RETRY = 250;
const LAST_RETRY = 30_000;

class Subscriptions {
  #topics = new Map();
  /** Topics that a call may be needed for. */
  #due = new Set();
  #immediate = null;
  #up = false;
  #adapter;
  #linger;
  #report;

  /**
   * @param {import('../../..').IPubSubAdapter} adapter
   * @param {number} linger milliseconds
   * @param {(error: Error, topic: string, stage: string) => void} report
   */
  constructor(adapter, linger, report) {
    this.#adapter = adapter;
    this.#linger = linger;
    this.#report = report;
  }

  /** What is known of a topic: `wanted`, and in `senders` what was received. */
  entry(topic) {
    return this.#topics.get(topic);
  }

  /** @returns {Promise<void>} resolved when the engine has confirmed */
  want(topic) {
    const entry = this.#topics.get(topic) ?? this.#add(topic);
    if (!entry.wanted) {
      entry.wanted = true;
      this.#clearTimer(entry);
    }
    if (entry.state === SUBSCRIBED) return Promise.resolve();
    if (entry.confirmed === null) entry.confirmed = deferred();
    this.#schedule(entry);
    return entry.confirmed.promise;
  }

  unwant(topic) {
    const entry = this.#topics.get(topic);
    if (entry === undefined || !entry.wanted) return;
    entry.wanted = false;
    this.#clearTimer(entry);
    if (entry.state === SUBSCRIBED) this.#wait(entry, this.#linger);
    else if (entry.state !== SUBSCRIBING) this.#giveUp(entry);
  }

  /** The engine can be called, or not. */
  setUp(up) {
    this.#up = up;
    if (up) this.#callSoon();
  }

  counts() {
    let [topics, subscriptions] = [0, 0];
    for (const { topic, wanted, state } of this.#topics.values()) {
      if (topic === '') continue;
      if (wanted) topics += 1;
      if (state === SUBSCRIBED) subscriptions += 1;
    }
    return { topics, subscriptions };
  }

  close() {
    this.#up = false;
    clearImmediate(this.#immediate);
    for (const entry of this.#topics.values()) {
      this.#clearTimer(entry);
      settle(entry, subscriptionEnded(entry.topic));
    }
    this.#topics.clear();
    this.#due.clear();
  }

  #add(topic) {
    const entry = { topic, state: ABSENT, wanted: false, confirmed: null, timer: null, failures: 0, senders: null };
    this.#topics.set(topic, entry);
    return entry;
  }

  /** Nobody waits for this topic any more, and it is not subscribed. */
  #giveUp(entry) {
    settle(entry, subscriptionEnded(entry.topic));
    if (entry.state === ABSENT) this.#topics.delete(entry.topic);
    else this.#schedule(entry);
  }

  #schedule(entry) {
    if (entry.timer !== null) return;
    this.#due.add(entry);
    this.#callSoon();
  }

  #wait(entry, milliseconds) {
    entry.timer = setTimeout(() => {
      entry.timer = null;
      this.#schedule(entry);
    }, milliseconds);
    entry.timer.unref();
  }

  #clearTimer(entry) {
    clearTimeout(entry.timer);
    entry.timer = null;
  }

  #callSoon() {
    if (!this.#up || this.#immediate !== null || this.#due.size === 0) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = null;
      if (this.#up) this.#callAdapter();
    });
  }

  #callAdapter() {
    const [joining, leaving] = [[], []];
    for (const entry of this.#due) {
      const { state } = entry;
      if (state === SUBSCRIBING || state === UNSUBSCRIBING) continue;
      if (entry.wanted && state !== SUBSCRIBED) joining.push(entry);
      else if (!entry.wanted && state !== ABSENT) leaving.push(entry);
    }
    this.#due.clear();
    for (const batch of batches(leaving)) this.#unsubscribe(batch);
    for (const batch of batches(joining)) this.#subscribe(batch);
  }

  async #subscribe(entries) {
    for (const entry of entries) entry.state = SUBSCRIBING;
    try {
      await this.#adapter.subscribe(entries.map(({ topic }) => topic));
    } catch (error) {
      for (const entry of entries) this.#failed(entry, error, 'subscribe');
      return;
    }
    for (const entry of entries) {
      if (!this.#isKnown(entry)) continue;
      entry.state = SUBSCRIBED;
      entry.failures = 0;
      settle(entry);
      if (!entry.wanted) this.#wait(entry, this.#linger);
    }
  }

  async #unsubscribe(entries) {
    for (const entry of entries) entry.state = UNSUBSCRIBING;
    try {
      await this.#adapter.unsubscribe(entries.map(({ topic }) => topic));
    } catch (error) {
      for (const entry of entries) this.#failed(entry, error, 'unsubscribe');
      return;
    }
    for (const entry of entries) {
      if (!this.#isKnown(entry)) continue;
      entry.state = ABSENT;
      entry.failures = 0;
      entry.senders = null;
      if (entry.wanted) this.#schedule(entry);
      else this.#topics.delete(entry.topic);
    }
  }

  /** While the engine is away, calls fail for no other reason: they are made again when it is back. */
  #failed(entry, error, stage) {
    if (!this.#isKnown(entry)) return;
    entry.state = UNSURE;
    entry.senders = null;
    if (this.#up) {
      this.#report(error, entry.topic, stage);
      if (entry.wanted) settle(entry, refused(entry.topic, error));
      this.#wait(entry, Math.min(FIRST_RETRY * 2 ** entry.failures, LAST_RETRY));
      entry.failures += 1;
    } else {
      this.#schedule(entry);
    }
    if (!entry.wanted) settle(entry, subscriptionEnded(entry.topic));
  }

  /** False after `close()`. */
  #isKnown(entry) {
    return this.#topics.get(entry.topic) === entry;
  }
}

/** One refused topic makes the whole call fail, so those that have failed go alone. */
function batches(entries) {
  const result = entries.filter(({ failures }) => failures > 0).map((entry) => [entry]);
  const others = entries.filter(({ failures }) => failures === 0);
  for (let i = 0; i < others.length; i += MAX_BATCH) result.push(others.slice(i, i + MAX_BATCH));
  return result;
}

function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => {
    Object.assign(result, { resolve, reject });
  });
  // Whoever does not look at the Promise has asked for nothing.
  result.promise.catch(() => {});
  return result;
}

function settle(entry, error) {
  const { confirmed } = entry;
  if (confirmed === null) return;
  entry.confirmed = null;
  if (error === undefined) confirmed.resolve();
  else confirmed.reject(error);
}

function subscriptionEnded(topic) {
  return websocketError('ERR_WEBSOCKET_CLOSED', `The subscription to ${JSON.stringify(topic)} has ended before the engine confirmed it.`);
}

function refused(topic, cause) {
  return websocketError('ERR_WEBSOCKET_PUBSUB', `The engine has refused the subscription to ${JSON.stringify(topic)}: ${cause?.message}`,
    { cause });
}

module.exports = Subscriptions;
