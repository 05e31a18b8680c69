'use strict';

// What scripts/rehearse-publish.js runs in each project: a message goes round, and the program says what it got.

const http = require('http');
const websocket = require('websocket');

const same = ['rehearsal-consumer', 'rehearsal-strict-consumer'].every((name) => require(name) === websocket);
const httpServer = http.createServer();
new websocket.server({ httpServer, autoAcceptConnections: true }).on('connect', (connection) => {
  connection.on('message', (message) => connection.sendUTF(message.utf8Data));
});
httpServer.listen(0, '127.0.0.1', () => {
  const client = new websocket.client();
  client.on('connect', (connection) => {
    connection.on('message', (message) => {
      const [addon = 'nowhere'] = process.report.getReport().sharedObjects.filter((file) => /websocket[^/\\]*\.node$/.test(file));
      console.log(JSON.stringify({ version: websocket.version, same, echo: message.utf8Data, addon }));
      connection.close();
      httpServer.close();
    });
    connection.sendUTF('hello');
  });
  client.connect(`ws://127.0.0.1:${httpServer.address().port}/`);
});
