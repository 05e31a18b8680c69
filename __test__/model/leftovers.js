'use strict';

// What a run leaves behind in the process.

const fs = require('fs');
const path = require('path');

/** How many connections the addon has; the one thing here that is no public API. */
function nativeCounter(packageDirectory) {
  let binding;
  try {
    binding = require(path.join(packageDirectory, 'lib', 'internal', 'addon', 'binding'));
  } catch {
    // Another package.
    return () => 0;
  }
  return () => (typeof binding.nativeCount === 'function' ? binding.nativeCount() : 0);
}

/** The kinds of the descriptors of this process and how many there are of each; null where nobody knows. */
function descriptors() {
  let names;
  try {
    names = fs.readdirSync('/proc/self/fd');
  } catch {
    return null;
  }
  const kinds = { sockets: 0, others: 0 };
  for (const name of names) {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) kinds.sockets++;
      else kinds.others++;
    } catch {
      // The one that has read the directory.
    }
  }
  return kinds;
}

/** Things that keep the event loop of this thread alive: how many there are of each kind. */
function resources() {
  const counts = {};
  if (typeof process.getActiveResourcesInfo !== 'function') return counts;
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] || 0) + 1;
  return counts;
}

class Leftovers {
  constructor(packageDirectory) {
    this._nativeCount = nativeCounter(packageDirectory);
    this._native = this._nativeCount();
    this._descriptors = descriptors();
    this._resources = resources();
  }

  /** What is there now that was not there before: a list of `{ kind, text }`. */
  find() {
    const faults = [];
    const native = this._nativeCount();
    if (native > this._native) faults.push({ kind: 'left-native', text: `the addon has ${native - this._native} connections more than before` });
    const now = descriptors();
    if (now !== null && now.sockets > this._descriptors.sockets) {
      faults.push({ kind: 'left-descriptors', text: `${now.sockets - this._descriptors.sockets} sockets are open that were not before` });
    }
    // Threads and event loops that are made once have some.
    if (now !== null && now.others > this._descriptors.others + 12) {
      faults.push({ kind: 'left-descriptors', text: `${now.others - this._descriptors.others} other descriptors are open that were not before` });
    }
    for (const [name, count] of Object.entries(resources())) {
      const before = this._resources[name] || 0;
      // Immediates and the like are over with the next turn.
      if (count > before && !['Immediate', 'TickObject', 'MessagePort'].includes(name)) {
        faults.push({ kind: 'left-handles', text: `${count - before} more of ${name} keep the process alive` });
      }
    }
    return faults;
  }
}

module.exports = { Leftovers };
