'use strict';

// Deliberate differences in scenarios of ../scenarios/send.js; the ids are those of docs/compatibility.md.

module.exports = {
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
  'send() of a string is text': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'send("text") returns undefined',
          'send("") returns undefined',
        ],
        ours: [
          'send("text") returns true',
          'send("") returns true',
        ],
      },
    ],
  },
  'send() of a Buffer is binary': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'send(Buffer) returns undefined',
          'send(empty Buffer) returns undefined',
        ],
        ours: [
          'send(Buffer) returns true',
          'send(empty Buffer) returns true',
        ],
      },
    ],
  },
  'send() of a number, boolean, object, array and Date is their toString()': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'number returns undefined',
          'boolean returns undefined',
          'object returns undefined',
          'array returns undefined',
          'Date returns undefined',
        ],
        ours: [
          'number returns true',
          'boolean returns true',
          'object returns true',
          'array returns true',
          'Date returns true',
        ],
      },
    ],
  },
  'send() of a typed array, an ArrayBuffer and a DataView': {
    id: 'P15, B1',
    why: 'they are binary data; the calls say whether to go on',
    changes: [
      {
        theirs: [
          'Uint8Array returns undefined',
          'ArrayBuffer returns undefined',
          'DataView returns undefined',
        ],
        ours: [
          'Uint8Array returns true',
          'ArrayBuffer returns true',
          'DataView returns true',
        ],
      },
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
  'sendUTF() of text in every script': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'Latin-1 returns undefined',
          'BMP returns undefined',
          'astral returns undefined',
          'NUL returns undefined',
        ],
        ours: [
          'Latin-1 returns true',
          'BMP returns true',
          'astral returns true',
          'NUL returns true',
        ],
      },
    ],
  },
  'sendUTF() of lone surrogates sends replacement characters': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['lone returns undefined'],
        ours: ['lone returns true'],
      },
    ],
  },
  'sendUTF() of something else than a string is its toString()': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'number returns undefined',
          'Buffer returns undefined',
          'String object returns undefined',
        ],
        ours: [
          'number returns true',
          'Buffer returns true',
          'String object returns true',
        ],
      },
    ],
  },
  'messages up to the threshold are one frame, longer ones are cut': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          '9 returns undefined',
          '10 returns undefined',
          '11 returns undefined',
          '20 returns undefined',
          '21 returns undefined',
        ],
        ours: [
          '9 returns true',
          '10 returns true',
          '11 returns true',
          '20 returns true',
          '21 returns true',
        ],
      },
    ],
  },
  'text is cut by bytes, in the middle of a character': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['ü returns undefined'],
        ours: ['ü returns true'],
      },
    ],
  },
  'a fragmentation threshold of 1': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['abc returns undefined'],
        ours: ['abc returns true'],
      },
    ],
  },
  'fragmentOutgoingMessages: false never cuts': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['long returns undefined'],
        ours: ['long returns true'],
      },
    ],
  },
  'the default threshold is 16 KiB': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          '16384 returns undefined',
          '32769 returns undefined',
        ],
        ours: [
          '16384 returns true',
          '32769 returns true',
        ],
      },
    ],
  },
  'the configuration may be changed on the connection': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['before returns undefined'],
        ours: ['before returns true'],
      },
    ],
  },
  'fragmentAndSend() of a frame of the program': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['text returns undefined'],
        ours: ['text returns true'],
      },
    ],
  },
  'a client masks what it sends': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'text returns undefined',
          'bytes returns undefined',
          'empty returns undefined',
        ],
        ours: [
          'text returns true',
          'bytes returns true',
          'empty returns true',
        ],
      },
      {
        theirs: ['large returns undefined'],
        ours: ['large returns true'],
      },
    ],
  },
  'a client cuts messages as well': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: ['abc returns undefined'],
        ours: ['abc returns true'],
      },
    ],
  },
};
