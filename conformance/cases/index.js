'use strict';

/** All cases, in the order of their families. The README says what a case consists of. */
const cases = [
  ...require('./framing'),
  ...require('./control'),
  ...require('./fragmentation'),
  ...require('./utf8'),
  ...require('./closing'),
  ...require('./limits'),
  ...require('./compression'),
  ...require('./deflate-data'),
  ...require('./opening-server'),
  ...require('./opening-client'),
];

const FAMILIES = new Map([
  [1, 'Framing'], [2, 'Pings and pongs'], [3, 'Reserved bits'], [4, 'Opcodes'], [5, 'Fragmentation'], [6, 'UTF-8'], [7, 'Closing'],
  [8, 'Masking and lengths'], [9, 'Limits and performance'], [10, 'Many messages'], [12, 'Compression: payloads'],
  [13, 'Compression: parameters'], [14, 'Compression: data, bits, negotiation'], [15, 'Opening handshake of servers'],
  [16, 'Opening handshake of clients'],
]);

const numbers = (id) => id.split('.').map(Number);

/** Sorts as numbers: 1.2 before 1.10. */
function byId(a, b) {
  const [left, right] = [numbers(a.id), numbers(b.id)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if ((left[i] ?? -1) !== (right[i] ?? -1)) return (left[i] ?? -1) - (right[i] ?? -1);
  }
  return 0;
}

cases.sort(byId);

/** Whether an id fits one of the patterns: `1.*`, `9.3.*`, `7.2.4`. */
function matches(id, patterns) {
  return patterns.some((pattern) => (pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern));
}

/**
 * The cases for a role.
 * @param {'server'|'client'} role of the peer under test
 * @param {{ include?: string[], exclude?: string[] }} [patterns]
 */
function select(role, { include = ['*'], exclude = [] } = {}) {
  return cases.filter(({ id, roles = ['server', 'client'] }) => roles.includes(role) && matches(id, include) && !matches(id, exclude));
}

module.exports = { cases, FAMILIES, select, matches, byId };
