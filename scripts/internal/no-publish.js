'use strict';

// npm runs this before it publishes the checkout itself, which has no binaries for other platforms.

console.error('websocket: publish the directories that scripts/npm-packages.js makes, not the checkout (.github/workflows/release.yml).');
process.exitCode = 1;
