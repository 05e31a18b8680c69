'use strict';

// Connects to an echo server, sends a text and a binary message, waits for both to come back and closes.
//
//   node examples/echo-client.js [URL]      default ws://127.0.0.1:8080/, see echo-server.js

const { client: WebSocketClient } = require('../'); // in your own project: require('websocket')

const url = process.argv[2] || `ws://127.0.0.1:${process.env.PORT || 8080}/`;
const client = new WebSocketClient();

client.on('connectFailed', (error) => {
  console.error(`Could not connect to ${url}: ${error.message}`);
  process.exitCode = 1;
});

client.on('connect', (connection) => {
  console.log(`Connected to ${url}`);
  let echoes = 0;

  connection.on('message', (message) => {
    if (message.type === 'utf8') console.log(`Text came back: ${message.utf8Data}`);
    else console.log(`Binary came back: ${message.binaryData.toString('hex')}`);
    if (++echoes === 2) connection.close();
  });
  connection.on('error', (error) => console.error(`Connection error: ${error.message}`));
  connection.on('close', (code, description) => {
    console.log(`Closed: ${code} ${description}`);
    if (echoes < 2) process.exitCode = 1;
  });

  connection.sendUTF('Hello, echo server');
  connection.sendBytes(Buffer.from([0xca, 0xfe, 0xba, 0xbe]));
});

client.connect(url);
