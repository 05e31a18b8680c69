'use strict';

// Deliberate differences in scenarios of ../scenarios/send.js; the ids are those of docs/compatibility.md.

module.exports = {
  'send() of a typed array, an ArrayBuffer and a DataView': {
    id: 'P15',
    why: 'they are binary data',
    changes: [
      {
        lane: 'peer',
        theirs: [
          'TEXT "1,2,3"',
          'TEXT "[object ArrayBuffer]"',
          'TEXT "[object DataView]"',
        ],
        ours: [
          'BINARY <bytes 010203>',
          'BINARY <bytes 0405>',
          'BINARY <bytes 06>',
        ],
      },
    ],
  },
  'sendBytes() of a Uint8Array': {
    id: 'P15',
    why: 'it is binary data',
    changes: [
      {
        theirs: ['thrown <Error "You must pass a Node Buffer object to WebSocketConnection.prototype.sendBytes()">'],
        ours: ['thrown null'],
      },
      {
        lane: 'peer',
        ours: ['BINARY <bytes 010203>'],
      },
    ],
  },
  'ping() with 125, 126 and 1000 bytes': {
    id: 'P14',
    why: 'a control frame has room for 125 bytes',
    changes: [
      {
        lane: 'peer',
        theirs: [
          'PING <bytes 124 x 01>',
          'PING <bytes 124 x 78>',
        ],
        ours: [
          'PING <bytes 125 x 01>',
          'PING <bytes 125 x 78>',
        ],
      },
    ],
  },
  'pong() with more than 125 bytes': {
    id: 'P14',
    why: 'a control frame has room for 125 bytes',
    changes: [
      {
        lane: 'peer',
        theirs: ['PONG <bytes 124 x 02>'],
        ours: ['PONG <bytes 125 x 02>'],
      },
    ],
  },
  'sending after close(): nothing is sent, the callback hears of it, nothing is thrown': {
    id: 'O1',
    why: 'a call that comes too late is no fault of the connection',
    changes: [
      {
        theirs: [
          'connection error <Error "write after end", code="ERR_STREAM_WRITE_AFTER_END"> | closed unconnected 1006 "Socket Error: undefined ERR_STREAM_WRITE_AFTER_END" waiting full',
        ],
      },
      {
        theirs: [
          'connection close 1006 "Socket Error: undefined ERR_STREAM_WRITE_AFTER_END" | closed unconnected 1006 "Socket Error: undefined ERR_STREAM_WRITE_AFTER_END" emitted full',
        ],
        ours: [
          'connection close 1000 "Normal connection closure" | closed unconnected 1000 "Normal connection closure" emitted receivedEnd',
        ],
      },
    ],
  },
};
