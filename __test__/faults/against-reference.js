'use strict';

// Shows that the tests of this folder can fail: each of them must fail on websocket@1.0.35.
//
//   node __test__/faults/against-reference.js [--verbose] [FILE...]
//
// Prints the tests the original passes (there must be none) and, with --verbose, how each of the others failed.

const fs = require('fs');
const path = require('path');
const { run } = require('node:test');

process.env.WEBSOCKET_UNDER_TEST = 'websocket-1.0.35';
const verbose = process.argv.includes('--verbose');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const files = named.length > 0
  ? named.map((file) => path.resolve(file))
  : fs.readdirSync(__dirname).filter((file) => file.endsWith('.test.js')).map((file) => path.join(__dirname, file));

const passed = [];
let failed = 0;
const isTest = ({ name, details }) => details.type !== 'suite' && !files.some((file) => file.endsWith(name));

run({ files, concurrency: 1 })
  .on('test:pass', (event) => {
    if (isTest(event) && event.skip === undefined) passed.push(event.name);
  })
  .on('test:fail', (event) => {
    if (!isTest(event)) return;
    failed++;
    if (!verbose) return;
    const cause = event.details.error.cause || event.details.error;
    const text = String((cause && cause.message) || cause).split('\n').filter(Boolean).slice(0, 3).join(' | ');
    process.stdout.write(`${event.name}\n    ${text.slice(0, 300)}\n`);
  })
  .on('end', () => {
    for (const name of passed) process.stdout.write(`PASSES ON 1.0.35: ${name}\n`);
    process.stdout.write(`${failed} tests fail on websocket@1.0.35, ${passed.length} pass\n`);
    process.exitCode = passed.length > 0 || failed === 0 ? 1 : 0;
  })
  .resume();
