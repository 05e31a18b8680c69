'use strict';

// Runs one test file in whatever runtime runs this file, with the tests' node:test replaced by mini-runner.js. Each result is
// a line on stdout, after the prefix that scripts/runtimes.js looks for; the last line says that there are no more.
//
//   bun __test__/runtimes/file.js FILE
//   deno run --allow-all __test__/runtimes/file.js FILE

const fs = require('fs');
const Module = require('module');
const path = require('path');
const { nodeTest, run } = require('./mini-runner');

const PREFIX = '\u0001result ';

const { require: load } = Module.prototype;
// Bun calls this one for `node:` names, and neither Module._load nor Module._resolveFilename.
Module.prototype.require = function require(name) {
  return name === 'node:test' ? nodeTest : load.call(this, name);
};

function report(result) {
  fs.writeSync(1, `\n${PREFIX}${JSON.stringify(result)}\n`);
  if (result.status === 'failed') process.exitCode = 1;
}

const [, , file] = process.argv;
process.argv.splice(1, 2, path.resolve(file));
require(path.resolve(file));
run(report).then(() => report({ finished: true }));
