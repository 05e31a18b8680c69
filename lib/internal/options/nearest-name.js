'use strict';

// The name that somebody may have meant who has written another.

/** How many letters have to be inserted, left out, replaced or swapped with their neighbour to make `b` of `a`. */
function distance(a, b) {
  let beforePrevious = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], beforePrevious[j - 2] + 1);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length];
}

/** Whether `long` is `short` with more letters put in: maxReceivedFrameSize is maxFrameSize in this sense. */
function contains(long, short) {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length;
}

/**
 * The one of `names` that is most like `name`.
 * @param {string} name
 * @param {string[]} names
 * @returns {string|null} null when none is
 */
function nearestName(name, names) {
  const wanted = name.toLowerCase();
  // What is much longer than any name is none that was misspelt.
  if (wanted.length > 64) return null;
  let nearest = null;
  let least = Infinity;
  for (const candidate of names) {
    const other = candidate.toLowerCase();
    const letters = distance(wanted, other);
    const isLike = letters <= Math.max(1, Math.floor(other.length / 4)) ||
      (wanted.length * 2 >= other.length && contains(other, wanted));
    if (isLike && letters < least) {
      nearest = candidate;
      least = letters;
    }
  }
  return nearest;
}

module.exports = { nearestName };
