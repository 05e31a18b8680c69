'use strict';

const { run, httpServer, MAX_MESSAGE } = require('./support/control');
const FayeWebSocket = require('faye-websocket');

run((options, listening) => {
  const everyone = new Set();

  httpServer(options, listening).on('upgrade', (request, socket, head) => {
    const connection = new FayeWebSocket(request, socket, head, [], { maxLength: MAX_MESSAGE });
    everyone.add(connection);
    connection.on('message', options.broadcast ? broadcast : echo);
    connection.on('close', () => everyone.delete(connection));
  });

  function echo(event) {
    this.send(event.data);
  }

  function broadcast(event) {
    for (const connection of everyone) connection.send(event.data);
  }
});
