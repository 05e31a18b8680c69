'use strict';

/** Milliseconds between two events `pubsubError` of the same stage. A storm of faults must not become one of events. */
const PAUSE = 1000;

/** Reports faults of the engine: the first of each stage at once, then at most one a second with the number of the others. */
class Reports {
  #emit;
  /** Stage → `{ until, others }`. */
  #stages = new Map();

  /** @param {(event: string, ...args: unknown[]) => void} emit */
  constructor(emit) {
    this.#emit = emit;
  }

  /**
   * @param {Error} error
   * @param {string} topic
   * @param {'subscribe' | 'unsubscribe' | 'receive' | 'count'} stage
   */
  report(error, topic, stage) {
    const now = performance.now();
    const last = this.#stages.get(stage);
    if (last !== undefined && now < last.until) {
      last.others += 1;
      return;
    }
    const others = last === undefined ? 0 : last.others;
    this.#stages.set(stage, { until: now + PAUSE, others: 0 });
    this.#emit('pubsubError', error, { topic, stage, others });
  }

  close() {
    this.#emit = () => {};
  }
}

module.exports = Reports;
