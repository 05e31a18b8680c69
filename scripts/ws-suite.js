'use strict';

// Runs the test suite of ws, from a checkout outside this directory, with `websocket/ws` in the place of its library. Tests that
// cannot pass are listed in docs/ws.md, each with the reason. The run fails when another one does, and when one of these passes.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const { copyCheckout } = require('./internal/checkout');
const { compareWithList } = require('./internal/listed-failures');
const { npm } = require('./internal/npm');
const { runSuites, mochaFiles } = require('./internal/upstream-runners');

const ROOT = path.resolve(__dirname, '..');
const DOCS = path.join(ROOT, 'docs', 'ws.md');

/** The files of the suite that are about the interface. The others test parts of ws that nobody outside of it uses. */
const FILES = [
  'create-websocket-stream', 'event-target', 'websocket-server', 'websocket',
].map((name) => `test/${name}.test.js`);

/** Modules of ws that tests load, and what stands for each here. */
const REPLACEMENTS = {
  'index.js': (facade) => `require(${facade})`,
  'lib/websocket.js': (facade) => `require(${facade})`,
  'lib/websocket-server.js': (facade) => `require(${facade}).WebSocketServer`,
  'lib/stream.js': (facade) => `require(${facade}).createWebSocketStream`,
  'lib/sender.js': (facade) => `require(${facade}).Sender`,
  'lib/receiver.js': (facade) => `require(${facade}).Receiver`,
  'lib/permessage-deflate.js': (facade) => `require(${facade}).PerMessageDeflate`,
  'lib/extension.js': (facade) => `require(${facade}).extension`,
  'lib/subprotocol.js': (facade) => `require(${facade}).subprotocol`,
  'lib/event-target.js': () => `require(${JSON.stringify(path.join(ROOT, 'lib/ws/event-target.js'))})`,
};

function replaceLibrary(copy) {
  const facade = JSON.stringify(path.join(ROOT, 'ws.js'));
  for (const [file, source] of Object.entries(REPLACEMENTS)) {
    fs.writeFileSync(path.join(copy, file), `module.exports = ${source(facade)};\n`);
  }
  // Symbols that tests look for; the other constants are data of the tests.
  const constants = path.join(copy, 'lib', 'constants.js');
  fs.appendFileSync(constants, `module.exports.kListener = ${REPLACEMENTS['lib/event-target.js']()}.kListener;\n` +
    'module.exports.kStatusCode = \'closeCode\';\n' +
    `module.exports.EMPTY_BUFFER = require(${JSON.stringify(path.join(ROOT, 'lib/ws/constants.js'))}).NO_BYTES;\n`);
}

/** The tests that docs/ws.md lists: their names, by file. */
function listedFailures() {
  const text = fs.readFileSync(DOCS, 'utf8');
  const rows = [...text.matchAll(/^\| `([\w-]+\.test\.js)` \| (?:`` (.+?) ``|`([^`]+)`) \| .+ \|$/gm)];
  return new Set(rows.map(([, file, quoted, name]) => `test/${file} > ${quoted || name}`));
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      grep: { type: 'string' }, original: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1) {
    console.log('usage: npm run test:ws -- DIR [--grep TEXT] [--original] [--keep]');
    console.log('DIR is a checkout of https://github.com/websockets/ws, at a tag of version 8.');
    process.exitCode = 2;
    return;
  }
  const directory = path.resolve(positionals[0]);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-ws-suite-'));
  try {
    fs.writeFileSync(path.join(root, 'package.json'), '{ "private": true }\n');
    npm(['install', '--ignore-scripts', '--no-package-lock', '--prefer-offline', 'mocha@10'], { cwd: root });
    const copy = path.join(root, 'ws');
    copyCheckout(directory, copy);
    if (!values.original) replaceLibrary(copy);
    const options = ['--exit', '--throw-deprecation', ...(values.grep ? ['--fgrep', values.grep] : [])];
    const suite = mochaFiles(FILES.filter((file) => fs.existsSync(path.join(copy, file))), options);
    const { results, problems } = await runSuites([suite], { copy, modules: path.join(root, 'node_modules'), before: async () => {} });
    const listed = values.original ? new Set() : listedFailures();
    if (!compareWithList(results, problems, listed, { isPart: Boolean(values.grep) })) process.exitCode = 1;
  } finally {
    if (values.keep) console.log(`kept: ${root}`);
    else fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

main().catch((error) => {
  console.error(`test:ws: ${error.message}`);
  process.exitCode = 1;
});
