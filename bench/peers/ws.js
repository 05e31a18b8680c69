'use strict';

// With or without bufferutil: WS_NO_BUFFER_UTIL decides, see lib/peers.js.

const { run } = require('./support/control');
const { peer } = require('./support/ws');

if (!process.env.WS_NO_BUFFER_UTIL) require('bufferutil');

run(peer(require('ws')));
