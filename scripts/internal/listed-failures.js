'use strict';

// What a suite of another project says, against the list of tests in the documentation that cannot pass.

/**
 * Prints what failed and the counts.
 * @param {Map<string, object>} results tests by id, as `runSuites()` returns them
 * @param {string[]} problems what went wrong outside tests
 * @param {Set<string>} listed ids of the tests that are expected to fail
 * @param {object} [options]
 * @param {string} [options.document] where the list is
 * @param {boolean} [options.isPart] whether only a part of the suite ran
 * @param {Set<string>} [options.unsteady] ids of the tests that may fail or pass
 * @returns {boolean} whether all is as it should be: no other test failed, no listed one passed
 */
function compareWithList(results, problems, listed, { document = 'docs/ws.md', isPart = false, unsteady = new Set() } = {}) {
  const counts = { pass: 0, fail: 0, listed: 0, skip: 0 };
  const wrong = [...problems];
  for (const [key, { status, detail }] of results) {
    // A test that fails twice is there twice.
    const id = key.replace(/ #\d+$/, '');
    const expected = listed.has(id) || unsteady.has(id);
    counts[status === 'fail' && expected ? 'listed' : status]++;
    if (status === 'fail') console.log(`${expected ? 'listed' : 'FAILED'} ${id}`);
    if (status === 'fail' && !expected) {
      console.log(detail.trimEnd().replace(/^/gm, '         '));
      wrong.push(id);
    }
    if (status === 'pass' && listed.has(id)) wrong.push(`passes, and ${document} lists it: ${id}`);
  }
  if (!isPart) {
    for (const id of [...listed, ...unsteady]) if (!results.has(id)) wrong.push(`is not there, and ${document} lists it: ${id}`);
  }
  console.log(`\n${counts.pass} passed, ${counts.listed} listed, ${counts.fail} failed, ${counts.skip} skipped`);
  for (const problem of wrong) console.log(`  ${problem}`);
  return wrong.length === 0 && counts.pass > 0;
}

module.exports = { compareWithList };
