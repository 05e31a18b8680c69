'use strict';

// The same as echo-client.js with the WebSocket class that browsers have, so this code runs in a page as well.
//
//   node examples/w3c-client.js [URL]      default ws://127.0.0.1:8080/, see echo-server.js

const { w3cwebsocket: WebSocket } = require('../'); // in your own project: require('websocket')

const url = process.argv[2] || `ws://127.0.0.1:${process.env.PORT || 8080}/`;
const socket = new WebSocket(url);
let echoes = 0;

socket.onopen = () => {
  console.log(`Connected to ${socket.url}`);
  socket.send('Hello, echo server');
  socket.send(new Uint8Array([0xca, 0xfe, 0xba, 0xbe]));
};

socket.onmessage = ({ data }) => {
  if (typeof data === 'string') console.log(`Text came back: ${data}`);
  else console.log(`Binary came back: ${new Uint8Array(data).join(' ')}`);
  if (++echoes === 2) socket.close(1000, 'Done');
};

// As in a browser, a failed connection is an error event without details, and then a close event with code 1006.
socket.onerror = () => {
  console.error(`Could not connect to ${url}`);
  process.exitCode = 1;
};

socket.onclose = ({ code, wasClean }) => {
  console.log(`Closed: ${code}, ${wasClean ? 'clean' : 'not clean'}`);
};
