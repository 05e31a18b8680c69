'use strict';

// This package, with the interface of ws.

const { run } = require('./support/control');
const { peer } = require('./support/ws');

run(peer(require('../../ws')));
