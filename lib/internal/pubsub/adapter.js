'use strict';

/**
 * What adapters have in common: one way of being up or not, told to the engine's context, and a start that has ended
 * when it is up for the first time.
 */
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

module.exports = { Presence };
