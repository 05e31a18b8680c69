'use strict';

// Going on in the next turn of the event loop. That is no matter of time: when a test puts fake timers in the place of the real
// ones, sockets still come and go, and what the package leaves for the next turn still has to happen.

const { setImmediate, clearImmediate } = globalThis;

module.exports = { setImmediate, clearImmediate };
