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

let echoes = 0;
const connections = [];

function open(port) {
  const client = new websocket.client();
  client.on('connectFailed', (error) => { throw error; });
  client.on('connect', (connection) => {
    connections.push(connection);
    connection.on('error', () => {});
    connection.on('message', (message) => {
      if (++echoes === 20) {
        parentPort.postMessage(echoes);
        if (!workerData.stay) {
          for (const one of connections) one.close();
          httpServer.close();
          return;
        }
      }
      if (connection.connected) connection.send(message.utf8Data === undefined ? message.binaryData : message.utf8Data);
    });
    connection.send(Buffer.alloc(1000, 'x'));
  });
  client.connect(`ws://127.0.0.1:${port}/`);
}

httpServer.listen(0, '127.0.0.1', () => {
  open(workerData.port);
  open(httpServer.address().port);
});
