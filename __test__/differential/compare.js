'use strict';

// Comparison of two traces, and of their differences with the differences a scenario declares.

/** Longest common subsequence of two lists of lines, as pairs of indices. */
function commonLines(a, b) {
  const length = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i][j] = a[i] === b[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (length[i + 1][j] >= length[i][j + 1]) i++;
    else j++;
  }
  return pairs;
}

/**
 * The runs of lines in which two traces differ.
 * @returns {{ lane: string, theirs: string[], ours: string[] }[]}
 */
function changes(theirs, ours) {
  const found = [];
  for (const lane of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const a = theirs[lane] || [];
    const b = ours[lane] || [];
    let i = 0;
    let j = 0;
    for (const [x, y] of [...commonLines(a, b), [a.length, b.length]]) {
      if (x > i || y > j) found.push({ lane, theirs: a.slice(i, x), ours: b.slice(j, y) });
      i = x + 1;
      j = y + 1;
    }
  }
  return found;
}

/** Both traces side by side in the manner of `diff`: common lines plain, `-` the original, `+` ours. */
function printDiff(theirs, ours) {
  const out = [];
  for (const lane of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const a = theirs[lane] || [];
    const b = ours[lane] || [];
    out.push(`--- lane "${lane}" (- original, + under test)`);
    let i = 0;
    let j = 0;
    for (const [x, y] of [...commonLines(a, b), [a.length, b.length]]) {
      while (i < x) out.push(`- ${a[i++]}`);
      while (j < y) out.push(`+ ${b[j++]}`);
      if (x < a.length) out.push(`  ${a[x]}`);
      i = x + 1;
      j = y + 1;
    }
  }
  return out.join('\n');
}

function printChanges(list) {
  return list.map(({ lane, theirs, ours }) =>
    [`    lane "${lane}"`, ...theirs.map((line) => `    - ${line}`), ...ours.map((line) => `    + ${line}`)].join('\n')).join('\n');
}

const normal = (change) => ({ lane: change.lane || 'main', theirs: change.theirs || [], ours: change.ours || [] });

/**
 * Decides about one scenario.
 * @param {object} scenario `differs` declares deliberate changes: `{ id, why, changes: [{ lane, theirs, ours }] }`
 * @param {Object<string, string[]>} theirs trace of the original
 * @param {Object<string, string[]>} ours trace of the package under test
 * @param {boolean} [self] both are the original: nothing may differ, declared or not
 * @returns {string|null} what is wrong, or null
 */
function judge(scenario, theirs, ours, self = false) {
  const found = changes(theirs, ours);
  if (!scenario.differs || self) {
    return found.length === 0 ? null : `the traces differ\n${printDiff(theirs, ours)}`;
  }
  const { id, why } = scenario.differs;
  const declared = scenario.differs.changes.map(normal);
  if (found.length === 0) {
    return `stale: declared to differ by ${id} (${why}), but both do the same\n${printDiff(theirs, ours)}`;
  }
  if (JSON.stringify(found) === JSON.stringify(declared)) return null;
  return `differs otherwise than declared by ${id} (${why})\n  declared:\n${printChanges(declared)}\n` +
    `  found:\n${printChanges(found)}\n${printDiff(theirs, ours)}`;
}

module.exports = { changes, judge };
