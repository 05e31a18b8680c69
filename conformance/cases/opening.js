'use strict';

// The words the tables of opening handshakes are written in.

/** The handshake must succeed; what is sent then must be echoed. */
const opens = { opened: 'OK', refused: 'FAILED', dropped: 'FAILED' };

/**
 * The handshake must fail. A server says so with one of these statuses; any other of 4xx or 5xx, or no answer, is
 * NON-STRICT.
 * @param {...number} statuses none: any
 */
const refuses = (...statuses) => ({ opened: 'FAILED', refused: 'OK', statuses, dropped: 'NON-STRICT' });

/** As refuses(), for what is a SHOULD, or a duty of the sender only. */
const shouldRefuse = (...statuses) => ({ ...refuses(...statuses), opened: 'NON-STRICT' });

/** Both is right. */
const opensOrRefuses = { opened: 'INFORMATIONAL', refused: 'INFORMATIONAL', dropped: 'INFORMATIONAL' };

/** Both is right, but there must be an answer. */
const answers = { opened: 'OK', refused: 'OK', statuses: [], dropped: 'NON-STRICT' };

/** Letter case variants of a word. */
const cases = (word) => [...new Set([word.toLowerCase(), word.toUpperCase(),
  Array.from(word, (c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join('')])];

/** A change of the fields of a head: `name` gets these values; none removes it. */
const set = (name, ...values) => (fields) => {
  const at = fields.findIndex(([key]) => key === name);
  const rest = fields.filter(([key]) => key !== name);
  rest.splice(at === -1 ? rest.length : at, 0, ...values.map((value) => [name, value]));
  return rest;
};

/** A change of the value of a field. */
const map = (name, change) => (fields) => fields.map(([key, value]) => [key, key === name ? change(value) : value]);

/** Adds a field at the end, or at the beginning. */
const add = (name, value) => (fields) => [...fields, [name, value]];
const addFirst = (name, value) => (fields) => [[name, value], ...fields];

/** Every rotation of the fields, and their reverse. */
const orders = (count) => [
  ...Array.from({ length: count - 1 }, (_, i) => [`beginning with the ${i + 2}. field`, (fields) => [...fields.slice(i + 1), ...fields.slice(0, i + 1)]]),
  ['in reverse', (fields) => [...fields].reverse()],
];

/** How the line of a field may be written (RFC 9112 section 5): [what, (name, value) => line, legal]. */
const WRITINGS = [
  ['no space after the colon', (name, value) => `${name}:${value}`, true],
  ['a tab after the colon', (name, value) => `${name}:\t${value}`, true],
  ['many spaces and tabs after the colon', (name, value) => `${name}: \t  \t${value}`, true],
  ['spaces after the value', (name, value) => `${name}: ${value}   `, true],
  ['tabs after the value', (name, value) => `${name}: ${value}\t\t`, true],
  ['the name in lower case', (name, value) => `${name.toLowerCase()}: ${value}`, true],
  ['the name in upper case', (name, value) => `${name.toUpperCase()}: ${value}`, true],
  ['the name in mixed case', (name, value) => `${Array.from(name, (c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join('')}: ${value}`, true],
  ['a space before the colon', (name, value) => `${name} : ${value}`, false],
  ['a NUL in the value', (name, value) => `${name}: ${value}\0`, false],
  ['a bare CR in the value', (name, value) => `${name}: ${value}\rX: y`, false],
  ['no colon', (name, value) => `${name} ${value}`, false],
];

module.exports = { opens, refuses, shouldRefuse, opensOrRefuses, answers, cases, set, map, add, addFirst, orders, WRITINGS };
