'use strict';

const { run } = require('./support/control');
const { peer } = require('./support/websocket-node');

run(peer(require('websocket-1.0.35')));
