'use strict';

// What adapters have in common.

const { errorsWithCode, optionError } = require('../base/errors');

/** Why the engine is away. */
const lostError = errorsWithCode('ERR_WEBSOCKET_PUBSUB_LOST');

const DEFAULT_HEARTBEAT = 5000;
const MIN_HEARTBEAT = 50;
const MAX_HEARTBEAT = 3_600_000;

function usedTwice() {
  return lostError('the adapter belongs to another server already; make one for each server');
}

/** @returns {number} the option `heartbeat` of an adapter, checked */
function heartbeatOf({ heartbeat = DEFAULT_HEARTBEAT }, name) {
  if (Number.isInteger(heartbeat) && heartbeat >= MIN_HEARTBEAT && heartbeat <= MAX_HEARTBEAT) return heartbeat;
  throw optionError(`The option heartbeat of ${name} must be a whole number from ${MIN_HEARTBEAT} to ${MAX_HEARTBEAT} (milliseconds).`);
}

/**
 * Rejects when the Promise takes too long.
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @param {string} who has to answer
 * @returns {Promise<T>}
 */
async function within(milliseconds, promise, who) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(lostError(`${who} has not answered within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** One way of being up or not, told to the engine's context, and a start that has ended when it is up for the first time. */
class Presence {
  isUp = false;
  #context;
  #hasBeenUp;
  #resolve;

  /** @param {{ lost(error?: Error): void, restored(): void }} context */
  constructor(context) {
    this.#context = context;
    this.#hasBeenUp = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Resolved when it is up for the first time. */
  get hasBeenUp() {
    return this.#hasBeenUp;
  }

  /**
   * @param {boolean} isUp
   * @param {Error} [reason]
   */
  set(isUp, reason) {
    // Without a reason it is only not up yet.
    if (!isUp && (this.isUp || reason !== undefined)) this.#context.lost(reason);
    if (isUp && !this.isUp) {
      this.#context.restored();
      this.#resolve();
    }
    this.isUp = isUp;
  }
}

module.exports = { Presence, lostError, heartbeatOf, usedTwice, within };
