'use strict';

// Compares results with the deviations that are known of a target: each of them has to be found, and nothing else.

const { GOOD } = require('./verdict');

/** The ids a pattern stands for: `6.7.*`, `8.2.1-24`, `15.3.11`. */
function matcher(pattern) {
  const range = /^(.*\.)(\d+)-(\d+)$/.exec(pattern);
  if (range) {
    const [, stem, from, to] = range;
    return (id) => id.startsWith(stem) && /^\d+$/.test(id.slice(stem.length)) &&
      Number(id.slice(stem.length)) >= Number(from) && Number(id.slice(stem.length)) <= Number(to);
  }
  if (pattern.endsWith('*')) return (id) => id.startsWith(pattern.slice(0, -1));
  return (id) => id === pattern;
}

/**
 * @param {object[]} results
 * @param {{ cases: string[], verdict: string|string[], why: string }[]} [known]
 * @returns {{ unexpected: object[], missing: object[], known: object[] }} results that are worse than known, results that
 *   are better or of another verdict, and results that are as bad as known
 */
function compare(results, known = []) {
  const rules = known.map((rule) => ({ ...rule, tests: rule.cases.map(matcher), verdicts: [rule.verdict].flat() }));
  const outcome = { unexpected: [], missing: [], known: [] };
  for (const result of results) {
    const rule = rules.find(({ tests }) => tests.some((test) => test(result.id)));
    if (rule && rule.verdicts.includes(result.verdict)) {
      if (!GOOD.has(result.verdict)) outcome.known.push({ ...result, known: rule.why });
    } else if (rule) {
      outcome.missing.push({ ...result, expected: rule.verdicts.join(' or '), known: rule.why });
    } else if (!GOOD.has(result.verdict)) {
      outcome.unexpected.push(result);
    }
  }
  return outcome;
}

module.exports = { compare, matcher };
