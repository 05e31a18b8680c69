'use strict';

// Checks of options that are numbers.

/**
 * Refuses limits that mean nothing.
 * @param {object} config
 * @param {string[]} names options that are numbers from 0
 * @param {string[]} [positive] options that are numbers from 1
 * @throws {Error} that names the option
 */
function checkNumbers(config, names, positive = []) {
  for (const name of [...names, ...positive]) {
    const least = positive.includes(name) ? 1 : 0;
    const value = config[name];
    if (typeof value !== 'number' || !(value >= least)) {
      throw new Error(`The option ${name} must be a number of at least ${least}, not ${String(value)}.`);
    }
  }
}

/** Whether an option that is a time is on; 0 and Infinity are none. */
function isTime(ms) {
  return ms > 0 && ms < Infinity;
}

module.exports = { checkNumbers, isTime };
