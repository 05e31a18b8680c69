'use strict';

const { run } = require('./support/control');
const { peer } = require('./support/websocket-node');

run(peer(require('../..'), (options) => ({
  io: options.io,
  ...(options.native && { port: 0, host: '127.0.0.1' }),
  ...(options.deflate && { perMessageDeflate: { threshold: 0 } })
})));
