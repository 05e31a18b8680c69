'use strict';

// Deliberate differences in scenarios of ../scenarios/protocol-errors.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a declared length over 32 bits': {
    id: 'P18',
    why: 'too long is too big, whatever the number',
    changes: [
      {
        theirs: [
          'connection close 1002 "Unsupported 64-bit length frame received" | closed unconnected 1002 "Unsupported 64-bit length frame received" emitted',
        ],
        ours: [
          'connection close 1009 "Frame size of 4294967296 bytes exceeds maximum accepted frame size" | closed unconnected 1009 "Frame size of 4294967296 bytes exceeds maximum accepted frame size" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE 1002 "Unsupported 64-bit length frame received"'],
        ours: ['CLOSE 1009 "Frame size of 4294967296 bytes exceeds maximum accepted frame size"'],
      },
    ],
  },
  'a single-frame message over maxReceivedMessageSize': {
    id: 'P18',
    why: 'one limit for all messages',
    changes: [
      {
        theirs: [
          'connection message {binaryData: <Buffer 101 x 00>, type: "binary"} | open connected -1 null',
          'connection message {type: "utf8", utf8Data: "end"} | open connected -1 null',
        ],
        ours: [
          'connection close 1009 "Maximum message size exceeded." | closed unconnected 1009 "Maximum message size exceeded." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1009 "Maximum message size exceeded."',
          'socket closed',
        ],
      },
    ],
  },
  'a first fragment over maxReceivedMessageSize': {
    id: 'P18',
    why: 'one limit for all messages, however they are cut',
    changes: [
      {
        theirs: [
          'connection close 1002 "Illegal frame opcode 0x1 received in middle of fragmented message." | closed unconnected 1002 "Illegal frame opcode 0x1 received in middle of fragmented message." emitted',
        ],
        ours: [
          'connection close 1009 "Maximum message size exceeded." | closed unconnected 1009 "Maximum message size exceeded." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'PONG <bytes>',
          'CLOSE 1002 "Illegal frame opcode 0x1 received in middle of fragmented message."',
        ],
        ours: ['CLOSE 1009 "Maximum message size exceeded."'],
      },
    ],
  },
  'an unmasked frame from a client': {
    id: 'P1',
    why: 'RFC 6455 section 5.1',
    changes: [
      {
        theirs: [
          'connection message {type: "utf8", utf8Data: "unmasked"} | open connected -1 null',
          'connection message {type: "utf8", utf8Data: "end"} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Frames sent by a client must be masked." | closed unconnected 1002 "Frames sent by a client must be masked." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Frames sent by a client must be masked."',
          'socket closed',
        ],
      },
    ],
  },
  'a masked frame from a server': {
    id: 'P2',
    why: 'RFC 6455 section 5.1',
    changes: [
      {
        theirs: [
          'connection message {type: "utf8", utf8Data: "masked"} | open connected -1 null',
          'connection message {type: "utf8", utf8Data: "end"} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Frames sent by a server must not be masked." | closed unconnected 1002 "Frames sent by a server must not be masked." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE masked 1002 "Frames sent by a server must not be masked."',
          'socket closed',
        ],
      },
    ],
  },
  'a 16-bit length that fits in 7': {
    id: 'P3',
    why: 'RFC 6455 section 5.2',
    changes: [
      {
        theirs: [
          'connection message {type: "utf8", utf8Data: "abc"} | open connected -1 null',
          'connection message {type: "utf8", utf8Data: "end"} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Frame length is not encoded in the fewest possible bytes." | closed unconnected 1002 "Frame length is not encoded in the fewest possible bytes." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Frame length is not encoded in the fewest possible bytes."',
          'socket closed',
        ],
      },
    ],
  },
  'a 64-bit length that fits in 16': {
    id: 'P3',
    why: 'RFC 6455 section 5.2',
    changes: [
      {
        theirs: [
          'connection message {type: "utf8", utf8Data: <200 x "a">} | open connected -1 null',
          'connection message {type: "utf8", utf8Data: "end"} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Frame length is not encoded in the fewest possible bytes." | closed unconnected 1002 "Frame length is not encoded in the fewest possible bytes." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Frame length is not encoded in the fewest possible bytes."',
          'socket closed',
        ],
      },
    ],
  },
  'frame mode: a reserved opcode': {
    id: 'P19',
    why: 'the header alone is enough, no frame comes of it',
    changes: [
      {
        theirs: [
          'connection frame {binaryPayload: <Buffer 78>, closeStatus: -1, fin: true, frameTooLarge: false, invalidCloseFrameLength: false, length: 1, mask: true, opcode: 3, parseState: 6, protocolError: false, rsv1: false, rsv2: false, rsv3: false} | open connected -1 null',
        ],
      },
    ],
  },
};
