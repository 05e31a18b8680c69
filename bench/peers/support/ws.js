'use strict';

// The peer for packages with the API of ws.

const { httpServer, MAX_MESSAGE } = require('./control');

/**
 * @param {{ WebSocketServer: Function }} library
 * @returns {(options: object, listening: (port: number) => void) => void}
 */
function peer({ WebSocketServer }) {
  return (options, listening) => {
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
  };
}

module.exports = { peer };
