'use strict';

// The peer for packages with the API of WebSocket-Node: ours and the one it replaces.

const { httpServer, MAX_MESSAGE } = require('./control');

/** Limits that let every workload through; one message is one frame, as with all other peers. */
const LIMITS = {
  maxReceivedFrameSize: MAX_MESSAGE,
  maxReceivedMessageSize: MAX_MESSAGE,
  fragmentOutgoingMessages: false
};

/**
 * @param {{ server: Function }} library `server` is the class WebSocketServer
 * @param {object} [extra] options that only one of the packages has
 * @returns {(options: object, listening: (port: number) => void, status: object) => void}
 */
function peer(library, extra = () => ({})) {
  return (options, listening, status) => {
    const WebSocketServer = library.server;
    const config = { ...LIMITS, autoAcceptConnections: !options.topics, ...extra(options) };
    if (!options.native) config.httpServer = httpServer(options, listening);
    const server = new WebSocketServer(config);
    if (options.native) server.on('listening', () => listening(server.address().port));

    if (options.topics) {
      server.on('request', (request) => {
        const connection = request.accept();
        connection.subscribe(request.resource);
        connection.on('message', (message) => connection.publish(request.resource, message.utf8Data || message.binaryData));
      });
    }

    server.on('connect', (connection) => {
      if (options.publish) connection.subscribe('everyone');
      if (!options.topics) connection.on('message', options.publish ? publish : options.broadcast ? broadcast : echo);
      connection.on('error', () => {});
      // What drives it now, after an 'auto' may have changed its mind.
      Object.defineProperty(status, 'transport', { get: () => connection.transport, enumerable: true, configurable: true });
    });

    const callback = options.callbacks ? () => {} : undefined;

    function echo(message) {
      if (message.type === 'utf8') this.sendUTF(message.utf8Data, callback);
      else this.sendBytes(message.binaryData, callback);
    }

    function publish(message) {
      server.publish('everyone', message.type === 'utf8' ? message.utf8Data : message.binaryData);
    }

    function broadcast(message) {
      if (message.type === 'utf8') server.broadcastUTF(message.utf8Data);
      else server.broadcastBytes(message.binaryData);
    }
  };
}

module.exports = { peer };
