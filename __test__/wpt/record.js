'use strict';

// docs/wpt.md: what the last recorded run has come to.

/** How many tests of a file passed and failed, over its variants. */
function totals(results) {
  const files = new Map();
  for (const { file, tests } of results) {
    const row = files.get(file) || { passed: 0, failed: 0, reasons: new Set() };
    for (const { status, known } of tests) {
      if (status === 'PASS') row.passed++;
      else {
        row.failed++;
        row.reasons.add(known || '**unexpected**');
      }
    }
    files.set(file, row);
  }
  return files;
}

const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

/** The document. */
function markdown(results, skipped) {
  const files = totals(results);
  const rows = [...files.values()];
  const reasons = [...new Set(rows.flatMap((row) => [...row.reasons]))].sort();
  const number = new Map(reasons.map((reason, i) => [reason, i + 1]));
  const count = (reason) => sum(rows.filter((row) => row.reasons.has(reason)), 'failed');
  const folders = new Map();
  for (const { file, why } of skipped) {
    if (why !== 'no tests') folders.set(why, [...(folders.get(why) || []), file]);
  }
  return `# Web platform tests

The results of [web-platform-tests](https://github.com/web-platform-tests/wpt) (\`websockets/\`) for \`w3cwebsocket\`, on Node
${process.version}, over \`ws:\` and \`wss:\`. \`npm run test:wpt -- DIR --record\` writes this page; the tests
themselves are not a part of this repository. \`__test__/wpt/\` has a runner, a harness and a server for them.

**${sum(rows, 'passed')} of ${sum(rows, 'passed') + sum(rows, 'failed')} tests in ${files.size} files pass.** The table shows why the others fail.
\`__test__/wpt/known-failures.js\` lists them by name. If another test fails, or one of them passes, the run fails.

| | reason | tests |
|---|---|---|
${reasons.map((reason) => `| ${number.get(reason)} | ${reason} | ${count(reason)} |`).join('\n')}

## By file

| file | passed | failed | reason |
|---|---|---|---|
${[...files].map(([file, row]) => `| ${file} | ${row.passed} | ${row.failed || '–'} | ${[...row.reasons].map((reason) => number.get(reason)).join(', ')} |`).join('\n')}

## Not run

| why | files |
|---|---|
${[...folders].map(([why, some]) => `| ${why} | ${some.length} |`).join('\n')}
| HTTP/2 (the variants \`wpt_flags=h2\` of other files) | – |
`;
}

module.exports = { markdown };
