'use strict';

// With or without bufferutil: WS_NO_BUFFER_UTIL decides, see lib/peers.js.

const { run, httpServer, MAX_MESSAGE } = require('./support/control');
const { WebSocketServer } = require('ws');

if (!process.env.WS_NO_BUFFER_UTIL) require('bufferutil');

run((options, listening) => {
  const server = new WebSocketServer({
    server: httpServer(options, listening),
    maxPayload: MAX_MESSAGE,
    // Context takeover and the level of zlib are its defaults.
    perMessageDeflate: options.deflate && { threshold: 0 }
  });

  server.on('connection', (socket) => {
    socket.on('message', options.broadcast ? broadcast : echo);
    socket.on('error', () => {});
  });

  const callback = options.callbacks ? () => {} : undefined;

  function echo(data, isBinary) {
    this.send(isBinary ? data : data.toString(), callback);
  }

  function broadcast(data, isBinary) {
    const message = isBinary ? data : data.toString();
    for (const client of server.clients) client.send(message);
  }
});
