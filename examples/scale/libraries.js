'use strict';

// Where the client libraries are: in this folder, where `npm run example:scale` installs them. In your own project they are
// dependencies, and require('redis') finds them.

/** The directories that are searched, also the one that the tests with real engines use. */
const PLACES = [__dirname, `${__dirname}/../../__test__/engines`];
if (process.env.WEBSOCKET_ENGINES_MODULES) PLACES.push(`${process.env.WEBSOCKET_ENGINES_MODULES}/..`);

/** @returns {string} the path of a library; throws if it is not installed */
function library(name) {
  return require.resolve(name, { paths: PLACES });
}

function isInstalled(name) {
  try {
    library(name);
    return true;
  } catch {
    return false;
  }
}

module.exports = { library, isInstalled };
