'use strict';

// Finds and starts wstest, the command of the Autobahn test suite.

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const HOW_TO_GET_IT = `The Autobahn test suite (wstest) was not found. It needs CPython 2.7:

  pip install 'virtualenv<20.22'                       # the last line that makes 2.7 environments
  virtualenv -p python2.7 autobahn/py27
  autobahn/py27/bin/pip install autobahntestsuite
  WSTEST=$PWD/autobahn/py27/bin/wstest npm run test:autobahn

It is looked for in WSTEST (the command itself), on the PATH, and in AUTOBAHN_HOME/py27/bin.`;

/** wstest listens on every interface; run this way, by its own interpreter, it keeps to the loopback one. */
const LOOPBACK = `
from autobahntestsuite import choosereactor
from twisted.internet import reactor
listen = reactor.listenTCP
def listen_loopback(port, factory, backlog=50, interface=''):
    return listen(port, factory, backlog=backlog, interface='127.0.0.1')
reactor.listenTCP = listen_loopback
from autobahntestsuite import wstest
wstest.run()
`;

const isExecutable = (file) => {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The path of wstest; throws an Error that explains how to get it. */
function findWstest() {
  const { WSTEST, AUTOBAHN_HOME, PATH = '' } = process.env;
  if (WSTEST) {
    if (isExecutable(WSTEST)) return path.resolve(WSTEST);
    throw new Error(`WSTEST is set to ${WSTEST}, which is not an executable file.\n${HOW_TO_GET_IT}`);
  }
  const candidates = PATH.split(path.delimiter).filter(Boolean).map((directory) => path.join(directory, 'wstest'));
  if (AUTOBAHN_HOME) candidates.unshift(path.join(AUTOBAHN_HOME, 'py27', 'bin', 'wstest'));
  const found = candidates.find(isExecutable);
  if (!found) throw new Error(HOW_TO_GET_IT);
  return path.resolve(found);
}

/** The command line that starts wstest: its interpreter with the loopback patch where the file names one. */
function commandLine(wstest) {
  const shebang = /^#!\s*(\/\S*python\S*)\s*$/m.exec(fs.readFileSync(wstest, 'latin1').slice(0, 300));
  if (shebang && isExecutable(shebang[1])) {
    const usable = spawnSync(shebang[1], ['-c', 'import autobahntestsuite'], { stdio: 'ignore' });
    if (usable.status === 0) return [shebang[1], '-c', LOOPBACK];
  }
  return [wstest];
}

/**
 * Starts wstest with its output going to a file.
 * @param {string} wstest
 * @param {'fuzzingclient'|'fuzzingserver'} mode
 * @param {string} spec the specification file
 * @param {string} log file for its output
 * @param {string[]} [more] further arguments
 * @returns {import('child_process').ChildProcess}
 */
function startWstest(wstest, mode, spec, log, more = []) {
  const [file, ...first] = commandLine(wstest);
  const output = fs.openSync(log, 'w');
  // -u 0: without the web server for browsers, which would take port 8080
  const args = [...first, '-m', mode, '-s', spec, '-u', '0', ...more];
  const child = spawn(file, args, { stdio: ['ignore', output, output], env: { ...process.env, PYTHONUNBUFFERED: '1' } });
  fs.closeSync(output);
  // Its exit code says it as well, and that is what everybody waits for.
  child.on('error', () => {});
  return child;
}

module.exports = { findWstest, startWstest };
