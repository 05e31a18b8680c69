'use strict';

// The one place that decides which package the tests run against: this repository, or, with the environment
// variable WEBSOCKET_UNDER_TEST, another one (a package name, or a path relative to the folder `helpers`).
// `WEBSOCKET_UNDER_TEST=websocket-1.0.35 node --test __test__/faults/` shows what the original does.
//
// A folder with an index.js, because the test runner would take a file called `under-test.js` for a test.

const path = require('path');

const name = process.env.WEBSOCKET_UNDER_TEST || '../..';
const isPath = name.startsWith('.') || path.isAbsolute(name);
const root = isPath
  ? path.resolve(__dirname, '..', name)
  : path.dirname(require.resolve(`${name}/package.json`));

const isReference = !isPath && /1\.0\.35/.test(name);

module.exports = {
  /** What WEBSOCKET_UNDER_TEST named. */
  name,
  /** Folder of the package under test. */
  root,
  /** True when the tests run against the original package instead of this one. */
  isReference,
  /**
   * Milliseconds a test waits for what should come at once. Against the original most tests of faults fail by waiting in
   * vain: not for long, then.
   */
  PATIENCE: isReference ? 500 : 10000,
  /** The public surface of the package under test. */
  websocket: require(root),
  /**
   * A deep require from the package under test.
   * @param {string} file such as `lib/WebSocketRequest`
   */
  deep: (file) => require(path.join(root, file)),
};
