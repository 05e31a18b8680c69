'use strict';

/**
 * Runs a task for each item, so many at a time.
 * @template T
 * @param {T[]} items
 * @param {number} width
 * @param {(item: T) => Promise<void>} task which must not reject
 */
async function pool(items, width, task) {
  let next = 0;
  const work = async () => {
    while (next < items.length) await task(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
}

module.exports = { pool };
