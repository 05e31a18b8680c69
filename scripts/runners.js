'use strict';

// Runs the tests of __test__/runners with Jest and with Vitest, in a project outside this one into which the packed package
// and the two runners are installed.
//
//   npm run test:runners -- [DIRECTORY]
//
//   DIRECTORY  where the project is made, and kept (default: a temporary one)

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { npm } = require('./internal/npm');

const ROOT = path.join(__dirname, '..');
const TESTS = path.join(ROOT, '__test__', 'runners');
/** The newest that run on every Node the package supports. */
const RUNNERS = ['jest@29', 'vitest@3'];

/** Makes the project, with the package as a tarball and not as a link. */
function prepare(directory) {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ private: true }));
  const tarball = npm(['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: ROOT }).trim().split('\n').pop();
  npm(['install', '--ignore-scripts', '--prefer-offline', ...RUNNERS, path.join(directory, tarball)], { cwd: directory });
  for (const file of fs.readdirSync(TESTS)) fs.copyFileSync(path.join(TESTS, file), path.join(directory, file));
}

function run(directory, file, args) {
  console.log(`\n${path.basename(file, path.extname(file))}`);
  const env = { ...process.env };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_PATH']) delete env[name];
  const script = path.join(directory, 'node_modules', file);
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: directory, stdio: 'inherit', env, timeout: 120000 });
  return status === 0;
}

function main() {
  const given = process.argv[2];
  const directory = given ? path.resolve(given) : fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-runners-'));
  try {
    prepare(directory);
    const jest = run(directory, 'jest/bin/jest.js', ['--verbose']);
    const vitest = run(directory, 'vitest/vitest.mjs', ['run', '--reporter=verbose']);
    if (!jest || !vitest) process.exitCode = 1;
  } finally {
    if (!given) fs.rmSync(directory, { recursive: true, force: true });
  }
}

main();
