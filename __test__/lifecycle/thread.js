'use strict';

// A worker thread of the scenario `threads`: echoes with the main thread's server and with a server of its own, tells how
// many echoes it got, and then closes everything, or goes on until it is terminated.

const http = require('http');
const { parentPort, workerData } = require('worker_threads');
const { websocket } = require('../helpers/under-test');

const httpServer = http.createServer();
const server = new websocket.server({ httpServer, autoAcceptConnections: true, keepalive: false });
server.on('connect', (connection) => {
  connection.on('error', () => {});
  connection.on('message', (message) => connection.sendBytes(message.binaryData));
});

const ECHOES = 10;
const connections = [];
let finished = 0;

/** Both connections have had their echoes. */
function finish() {
  parentPort.postMessage(2 * ECHOES);
  // Those that stay go on until they are terminated.
  if (workerData.stay) return;
  for (const connection of connections) connection.close();
  httpServer.close();
}

function open(port) {
  const client = new websocket.client();
  client.on('connectFailed', (error) => { throw error; });
  client.on('connect', (connection) => {
    connections.push(connection);
    connection.on('error', () => {});
    let echoes = 0;
    connection.on('message', (message) => {
      if (++echoes < ECHOES || workerData.stay) connection.send(message.binaryData);
      if (echoes === ECHOES && ++finished === 2) finish();
    });
    connection.send(Buffer.alloc(1000, 'x'));
  });
  client.connect(`ws://127.0.0.1:${port}/`);
}

httpServer.listen(0, '127.0.0.1', () => {
  open(workerData.port);
  open(httpServer.address().port);
});
