'use strict';

// wss: a server on https.Server and a client that trusts its certificate, which it has signed itself.
// They exchange one message and both end.
//
//   node examples/tls.js               on a free port
//   PORT=8443 node examples/tls.js     on this one

const fs = require('fs');
const https = require('https');
const path = require('path');
const { server: WebSocketServer, client: WebSocketClient } = require('../'); // in your own project: require('websocket')
const { listen } = require('./listen');

// For tests only: everybody can read this key. README.md in this folder tells how to make your own.
const certificate = fs.readFileSync(path.join(__dirname, 'certs', 'cert.pem'));
const key = fs.readFileSync(path.join(__dirname, 'certs', 'key.pem'));

const server = https.createServer({ cert: certificate, key });
const wsServer = new WebSocketServer({ httpServer: server });

wsServer.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  console.log(`Server: connection over ${connection.socket.getProtocol()}`);
  connection.on('message', (message) => connection.sendUTF(`You wrote: ${message.utf8Data}`));
});

listen(server, { port: 0 }, () => {
  const url = `wss://localhost:${server.address().port}/`;
  console.log(`Server: listening on ${url}`);
  talk(url);
});

function talk(url) {
  const client = new WebSocketClient({
    // The certificate is its own authority. With one from a public authority nothing has to be set here; never turn the
    // check off (rejectUnauthorized: false) instead, for then anybody in between could be the server.
    tlsOptions: { ca: certificate },
  });

  client.on('connectFailed', (error) => {
    console.error(`Client: could not connect: ${error.message}`);
    process.exitCode = 1;
    server.close();
  });

  client.on('connect', (connection) => {
    console.log(`Client: connected to ${connection.socket.getPeerCertificate().subject.CN}`);
    connection.on('message', (message) => {
      console.log(`Client: received "${message.utf8Data}"`);
      connection.close();
    });
    connection.on('close', (code) => {
      console.log(`Client: closed with ${code}`);
      wsServer.shutDown();
      server.close();
    });
    connection.sendUTF('Hello over TLS');
  });

  // The name in the certificate is localhost; the server listens on the IPv4 address of it.
  client.connect(url, null, null, null, { family: 4 });
}
