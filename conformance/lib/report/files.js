'use strict';

// The report as files: report.json for programs, index.html for people.

const fs = require('fs');
const path = require('path');
const { html } = require('./html');
const { GOOD } = require('../verdict');

/** What is written of a result; the log of both directions only where somebody will look for it. */
function record({ id, verdict, why, seen, ms, log, known }) {
  const interesting = verdict !== 'OK' && !(GOOD.has(verdict) && verdict === 'UNIMPLEMENTED');
  return { id, verdict, why: why || undefined, known, ms, seen: interesting ? seen : undefined, log: interesting ? log : undefined };
}

/**
 * Writes the report.
 * @param {string} directory
 * @param {{ name: string, role: string, results: object[], problem: string|null }[]} runs
 * @param {object[]} cases
 * @param {Map<number, string>} families
 * @returns {string} the HTML file
 */
function writeReport(directory, runs, cases, families) {
  const used = new Set(runs.flatMap(({ results }) => results.map(({ id }) => id)));
  const report = {
    tool: 'conformance',
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    families: Object.fromEntries(families),
    cases: cases.filter(({ id }) => used.has(id)).map(({ id, section, title }) => ({ id, section, title })),
    runs: runs.map(({ name, role, problem, results }) => ({ name, role, problem, results: results.map(record) })),
  };
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'report.json'), JSON.stringify(report, null, 1));
  const file = path.join(directory, 'index.html');
  fs.writeFileSync(file, html(report));
  return file;
}

module.exports = { writeReport };
