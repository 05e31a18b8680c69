'use strict';

const fs = require('fs');
const { run, TLS_FILES } = require('./support/control');
const { peer } = require('./support/websocket-node');

run(peer(require('../..'), (options) => ({
  io: options.io,
  ...(options.native && { port: 0, host: '127.0.0.1' }),
  ...(options.native && options.tls && { tls: { key: fs.readFileSync(TLS_FILES.key), cert: fs.readFileSync(TLS_FILES.cert) } }),
  ...(options.deflate && { perMessageDeflate: { threshold: 0 } })
})));
