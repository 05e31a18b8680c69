'use strict';

// Warnings about options that nobody knows. They may be meant for the program's own use, so they are no errors.

const { nearestName } = require('./nearest-name');

/** Names that were warned of: a process hears of each once. */
const warned = new Set();

/** Whoever takes the names of options from elsewhere shall not fill the memory with them. */
const MOST_WARNINGS = 100;

function warnOnce(name, message) {
  if (warned.has(name) || warned.size >= MOST_WARNINGS) return;
  warned.add(name);
  process.emitWarning(message, { code: 'WEBSOCKET_UNKNOWN_OPTION' });
}

/**
 * Warns of an option with an unknown name.
 * @param {string} owner who has no such option
 * @param {string} name
 * @param {string[]} names those that there are
 */
function warnOfUnknown(owner, name, names) {
  if (warned.has(name)) return;
  const nearest = nearestName(name, names);
  warnOnce(name, `${owner} has no option ${name}.${nearest === null ? '' : ` Did you mean ${nearest}?`}`);
}

module.exports = { warnOnce, warnOfUnknown };
