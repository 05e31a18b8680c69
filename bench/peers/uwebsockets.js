'use strict';

// uWebSockets.js by its npm package. It has no Node server underneath and hands over ArrayBuffers that are valid during
// the call only; a text becomes a JS string, as with every other peer.

const { run, MAX_MESSAGE, TLS_FILES } = require('./support/control');
const uws = require('uwebsockets');

run((options, listening) => {
  const app = options.tls ? uws.SSLApp({ key_file_name: TLS_FILES.key, cert_file_name: TLS_FILES.cert }) : uws.App();

  app.ws('/*', {
    maxPayloadLength: MAX_MESSAGE,
    maxBackpressure: MAX_MESSAGE,
    idleTimeout: 0,
    compression: options.deflate ? uws.DEDICATED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR : uws.DISABLED,
    upgrade: (response, request, context) => {
      const header = (name) => request.getHeader(`sec-websocket-${name}`);
      response.upgrade({ room: request.getUrl() }, header('key'), header('protocol'), header('extensions'), context);
    },
    open: (socket) => {
      if (options.broadcast) socket.subscribe('everyone');
      if (options.topics) socket.subscribe(socket.room);
    },
    message: options.topics ? toOthers : options.broadcast ? broadcast : echo
  });

  function toOthers(socket, message, isBinary) {
    const data = Buffer.from(message);
    socket.publish(socket.room, isBinary ? data : data.toString(), isBinary, options.deflate);
  }

  function echo(socket, message, isBinary) {
    const data = Buffer.from(message);
    socket.send(isBinary ? data : data.toString(), isBinary, options.deflate);
  }

  function broadcast(_socket, message, isBinary) {
    const data = Buffer.from(message);
    app.publish('everyone', isBinary ? data : data.toString(), isBinary, options.deflate);
  }

  app.listen('127.0.0.1', 0, (token) => listening(uws.us_socket_local_port(token)));
});
