'use strict';

// Deliberate differences in scenarios of ../scenarios/deliberate.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a reserved opcode is noticed when its two bytes are there': {
    id: 'P19',
    why: 'the header alone is enough',
    changes: [
      {
        theirs: ['so far | open connected -1 null'],
        ours: [
          'connection close 1002 "Unrecognized Opcode: 0x3" | closed unconnected 1002 "Unrecognized Opcode: 0x3" emitted',
          'so far | closed unconnected 1002 "Unrecognized Opcode: 0x3" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Unrecognized Opcode: 0x3"',
          'socket closed',
        ],
      },
    ],
  },
  'a reserved bit is noticed when its two bytes are there': {
    id: 'P19',
    why: 'the header alone is enough',
    changes: [
      {
        theirs: ['so far | open connected -1 null'],
        ours: [
          'connection close 1002 "Unsupported usage of rsv bits without negotiated extension." | closed unconnected 1002 "Unsupported usage of rsv bits without negotiated extension." emitted',
          'so far | closed unconnected 1002 "Unsupported usage of rsv bits without negotiated extension." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Unsupported usage of rsv bits without negotiated extension."',
          'socket closed',
        ],
      },
    ],
  },
  'an unexpected continuation is noticed when its two bytes are there': {
    id: 'P19',
    why: 'the header alone is enough',
    changes: [
      {
        theirs: ['so far | open connected -1 null'],
        ours: [
          'connection close 1002 "Unexpected Continuation Frame" | closed unconnected 1002 "Unexpected Continuation Frame" emitted',
          'so far | closed unconnected 1002 "Unexpected Continuation Frame" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Unexpected Continuation Frame"',
          'socket closed',
        ],
      },
    ],
  },
  'invalid UTF-8 is noticed at the first wrong byte': {
    id: 'P20',
    why: 'RFC 6455 section 8.1',
    changes: [
      {
        theirs: ['so far | open connected -1 null'],
        ours: [
          'connection close 1007 "Invalid UTF-8 Data Received" | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
          'so far | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1007 "Invalid UTF-8 Data Received"',
          'socket closed',
        ],
      },
    ],
  },
  'invalid UTF-8 is noticed in an unfinished fragment': {
    id: 'P20',
    why: 'RFC 6455 section 8.1',
    changes: [
      {
        theirs: ['so far | open connected -1 null'],
        ours: [
          'connection close 1007 "Invalid UTF-8 Data Received" | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
          'so far | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1007 "Invalid UTF-8 Data Received"',
          'socket closed',
        ],
      },
    ],
  },
  'drop() with a code that must not be sent': {
    id: 'P5',
    why: 'no Close frame is sent with it',
    changes: [
      {
        lane: 'peer',
        theirs: ['CLOSE 1006 "not for the wire"'],
      },
    ],
  },
  'drop() with a description that does not fit': {
    id: 'P6',
    why: 'what fits is sent',
    changes: [
      {
        lane: 'peer',
        theirs: ['CLOSE 1000 <200 x "d">'],
        ours: ['CLOSE 1000 <123 x "d">'],
      },
    ],
  },
  'a message that comes with the request head, accepted later': {
    id: 'P8',
    why: 'bytes after the request head are delivered',
    changes: [
      {
        ours: ['connection message {type: "utf8", utf8Data: "with the head"} | open connected -1 null'],
      },
    ],
  },
  'pings of a peer that reads nothing': {
    id: 'W6',
    why: 'only the newest ping is answered, RFC 6455 section 5.5.3 allows it',
    changes: [
      {
        theirs: [
          'socket.write PONG <bytes 30>',
          'socket.write PONG <bytes 31>',
          'socket.write PONG <bytes 32>',
          'socket.write PONG <bytes 33>',
          'socket.write PONG <bytes 34>',
          'socket.write PONG <bytes 35>',
          'socket.write PONG <bytes 36>',
          'socket.write PONG <bytes 37>',
          'socket.write PONG <bytes 38>',
          'socket.write PONG <bytes 39>',
          'socket.write PONG <bytes 3130>',
          'socket.write PONG <bytes 3131>',
          'socket.write PONG <bytes 3132>',
          'socket.write PONG <bytes 3133>',
          'socket.write PONG <bytes 3134>',
          'socket.write PONG <bytes 3135>',
          'socket.write PONG <bytes 3136>',
          'socket.write PONG <bytes 3137>',
          'socket.write PONG <bytes 3138>',
          'socket.write PONG <bytes 3139>',
        ],
      },
      {
        ours: ['socket.write PONG <bytes 3139>'],
      },
    ],
  },
  'option maxConnections': {
    id: 'W9',
    why: 'a new option',
    changes: [
      {
        theirs: ['second 101 2'],
        ours: ['second 503 1'],
      },
    ],
  },
  'a peer that answers our Close and keeps its end of the socket': {
    id: 'W11',
    why: 'descriptors are not kept for ever',
    changes: [
      {
        theirs: ['emitted false'],
        ours: [
          'connection close 1000 "Normal connection closure" | closed unconnected 1000 "Normal connection closure" emitted',
          'emitted true',
        ],
      },
    ],
  },
  'a peer that closes and keeps its end of the socket': {
    id: 'W11',
    why: 'descriptors are not kept for ever',
    changes: [
      {
        theirs: ['emitted false'],
        ours: [
          'connection close 1000 "Normal connection closure" | closed unconnected 1000 "Normal connection closure" emitted',
          'emitted true',
        ],
      },
    ],
  },
  'a peer that never answers our Close': {
    id: 'W11',
    why: 'descriptors are not kept for ever',
    changes: [
      {
        theirs: ['emitted false'],
        ours: [
          'connection close 1000 "Normal connection closure" | closed unconnected 1000 "Normal connection closure" emitted',
          'emitted true',
        ],
      },
    ],
  },
  'characters beyond Latin-1 in the reason of reject() are no line breaks': {
    id: 'W12',
    why: 'no lines of the choice of the client in the answer',
    changes: [
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: a\\r\\nX-Evil: 1\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: a??X-Evil: 1\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a cookie to be set whose name is a member of every object': {
    id: 'W3',
    why: 'they are names like any other',
    changes: [
      {
        theirs: ['accept() throws <Error "You may not specify the same cookie name twice.">'],
        ours: ['accept() returns <connection>'],
      },
      {
        lane: 'peer',
        theirs: ['answer "HTTP/1.1 500 Internal Server Error\\r\\nConnection: close\\r\\n\\r\\n"'],
        ours: [
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\nSet-Cookie: constructor=1\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'option echoCloseCode': {
    id: 'K1',
    why: 'a new option; by default the answer is 1000',
    changes: [
      {
        lane: 'peer',
        theirs: ['CLOSE 1000 ""'],
        ours: ['CLOSE 4000 ""'],
      },
    ],
  },
  'option trustProxy: false': {
    id: 'D9',
    why: 'a new option',
    changes: [
      {
        theirs: ['address "203.0.113.9" ["203.0.113.9", "127.0.0.1"]'],
        ours: ['address "127.0.0.1" ["127.0.0.1"]'],
      },
    ],
  },
  'a request made by hand has its properties without readHandshake()': {
    id: 'D1',
    why: 'the documentation reads the handshake in the constructor',
    changes: [
      {
        theirs: [
          'properties {cookies: undefined, host: undefined, key: undefined, pathname: undefined, requestedProtocols: undefined, webSocketVersion: undefined}',
        ],
        ours: [
          'properties {cookies: [{name: "a", value: "1"}], host: "h.test", key: "dGhlIHNhbXBsZSBub25jZQ==", pathname: "/path", requestedProtocols: ["chat"], webSocketVersion: 13}',
        ],
      },
    ],
  },
  'a request made by hand is accepted without readHandshake()': {
    id: 'D1',
    why: 'the documentation reads the handshake in the constructor',
    changes: [
      {
        theirs: ['thrown "TypeError"'],
        ours: [
          'socket.write "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\nSec-WebSocket-Protocol: Chat\\r\\n\\r\\n"',
          'accepted <connection>',
          'thrown null',
        ],
      },
    ],
  },
  'request.websocketVersion is the version as a string': {
    id: 'D6',
    why: 'the documentation has this name',
    changes: [
      {
        theirs: ['version undefined 13'],
        ours: ['version "13" 13'],
      },
    ],
  },
  'server event connection': {
    id: 'D4',
    why: 'the documentation has this event',
    changes: [
      {
        ours: ['connection <connection> true'],
      },
    ],
  },
  'sendFrame() of a frame made without arguments': {
    id: 'D7',
    why: 'the documentation makes frames without arguments',
    changes: [
      {
        theirs: ['thrown "TypeError"'],
      },
      {
        lane: 'peer',
        ours: ['TEXT "bare"'],
      },
    ],
  },
  'W3C: the error event carries the error': {
    id: 'C8',
    why: 'otherwise nobody can find out',
    changes: [
      {
        theirs: ['error event false "undefined" undefined'],
        ours: ['error event true "string" true'],
      },
    ],
  },
  'W3C: wasClean is false without a Close frame and after a fault, true after a Close without code': {
    id: 'P4, C2',
    why: 'an orderly close without a code',
    changes: [
      {
        theirs: ['close 1006 false'],
        ours: ['close 1005 true'],
      },
    ],
  },
  'W3C: binaryType blob delivers Blobs': {
    id: 'C4',
    why: 'WHATWG has it',
    changes: [
      {
        theirs: [
          'set "SyntaxError"',
          'data "ArrayBuffer" 3',
        ],
        ours: [
          'set null',
          'data "Blob" 3',
        ],
      },
    ],
  },
};
