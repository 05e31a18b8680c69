'use strict';

// Deliberate differences in scenarios of ../scenarios/receive.js; the ids are those of docs/compatibility.md.

module.exports = {
  'the start of a fragmented message stays queued': {
    id: 'W4',
    why: 'fragments are put together as they arrive, only their bytes are kept',
    changes: [
      {
        theirs: ['in between 3 2'],
        ours: ['in between 0 0'],
      },
    ],
  },
  'assembleFragments false: a message in a single frame': {
    id: 'D2',
    why: 'the documentation promises both events',
    changes: [
      {
        ours: ['connection message {type: "utf8", utf8Data: "single"} | open connected -1 null'],
      },
      {
        ours: ['connection message {binaryData: <Buffer 6279746573>, type: "binary"} | open connected -1 null'],
      },
    ],
  },
  'assembleFragments false: unexpected continuation is left to the program': {
    id: 'P19',
    why: 'an unexpected continuation fails with its header',
    changes: [
      {
        theirs: [
          'connection frame {binaryPayload: <Buffer 78>, closeStatus: -1, fin: false, frameTooLarge: false, invalidCloseFrameLength: false, length: 1, mask: true, opcode: 0, parseState: 6, protocolError: false, rsv1: false, rsv2: false, rsv3: false} | open connected -1 null',
          'connection frame {binaryPayload: <Buffer 79>, closeStatus: -1, fin: true, frameTooLarge: false, invalidCloseFrameLength: false, length: 1, mask: true, opcode: 0, parseState: 6, protocolError: false, rsv1: false, rsv2: false, rsv3: false} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Unexpected Continuation Frame" | closed unconnected 1002 "Unexpected Continuation Frame" emitted',
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
  'assembleFragments false: a new message inside a fragmented one is left to the program': {
    id: 'P19',
    why: 'an opcode that cannot come here fails with its header',
    changes: [
      {
        theirs: [
          'connection frame {binaryPayload: <Buffer 62>, closeStatus: -1, fin: true, frameTooLarge: false, invalidCloseFrameLength: false, length: 1, mask: true, opcode: 1, parseState: 6, protocolError: false, rsv1: false, rsv2: false, rsv3: false} | open connected -1 null',
        ],
        ours: [
          'connection close 1002 "Illegal frame opcode 0x1 received in middle of fragmented message." | closed unconnected 1002 "Illegal frame opcode 0x1 received in middle of fragmented message." emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['socket open'],
        ours: [
          'CLOSE 1002 "Illegal frame opcode 0x1 received in middle of fragmented message."',
          'socket closed',
        ],
      },
    ],
  },
  'assembleFragments false: invalid UTF-8 is left to the program': {
    id: 'P20',
    why: 'text is checked as it arrives',
    changes: [
      {
        theirs: [
          'connection frame {binaryPayload: <Buffer fffe>, closeStatus: -1, fin: false, frameTooLarge: false, invalidCloseFrameLength: false, length: 2, mask: true, opcode: 1, parseState: 6, protocolError: false, rsv1: false, rsv2: false, rsv3: false} | open connected -1 null',
        ],
        ours: [
          'connection close 1007 "Invalid UTF-8 Data Received" | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
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
};
