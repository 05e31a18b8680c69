'use strict';

// Deliberate differences in scenarios of ../scenarios/close.js; the ids are those of docs/compatibility.md.

module.exports = {
  'close(1000, reason of 124 bytes)': {
    id: 'P6',
    why: 'a control frame has at most 125 bytes',
    changes: [
      {
        theirs: [
          'thrown false | ending unconnected 1000 <124 x "r"> waiting',
          'connection close 1000 <124 x "r"> | closed unconnected 1000 <124 x "r"> emitted receivedEnd',
        ],
        ours: ['thrown true | open connected -1 null'],
      },
      {
        lane: 'peer',
        theirs: [
          'CLOSE 1000 <124 x "r">',
          'socket closed',
        ],
        ours: ['socket open'],
      },
    ],
  },
  'close(1015), a code that must not be sent': {
    id: 'P5',
    why: '1015 must not be on the wire',
    changes: [
      {
        theirs: [
          'close(1015) returns undefined',
          'state | ending unconnected 1015 "TLS Handshake Failed" waiting',
          'connection close 1015 "TLS Handshake Failed" | closed unconnected 1015 "TLS Handshake Failed" emitted receivedEnd',
        ],
        ours: [
          'close(1015) throws <Error "Close code 1015 is not valid.">',
          'state | open connected -1 null',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'CLOSE 1015 "TLS Handshake Failed"',
          'socket closed',
        ],
        ours: ['socket open'],
      },
    ],
  },
  'the peer closes with a reason of one byte': {
    id: 'P23',
    why: 'a reason of one byte is a reason',
    changes: [
      {
        theirs: [
          'connection close 4000 undefined | closed unconnected 4000 undefined emitted receivedEnd',
          'later | closed unconnected 4000 undefined emitted receivedEnd',
        ],
        ours: [
          'connection close 4000 "x" | closed unconnected 4000 "x" emitted receivedEnd',
          'later | closed unconnected 4000 "x" emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with an overlong UTF-8 reason of one byte more': {
    id: 'P23',
    why: 'a reason of one byte is checked for UTF-8',
    changes: [
      {
        theirs: [
          'connection close 1000 "Normal connection closure" | closed unconnected 1000 "Normal connection closure" emitted receivedEnd',
          'later | closed unconnected 1000 "Normal connection closure" emitted receivedEnd',
        ],
        ours: [
          'connection close 1007 "Invalid UTF-8 Data Received" | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
          'later | closed unconnected 1007 "Invalid UTF-8 Data Received" emitted',
        ],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE 1000 ""'],
        ours: ['CLOSE 1007 "Invalid UTF-8 Data Received"'],
      },
    ],
  },
  'the peer closes without code': {
    id: 'P4',
    why: 'RFC 6455 section 7.1.5',
    changes: [
      {
        theirs: [
          'connection close 1006 "Connection dropped by remote peer." | closed unconnected 1006 "Connection dropped by remote peer." emitted receivedEnd',
          'later | closed unconnected 1006 "Connection dropped by remote peer." emitted receivedEnd',
        ],
        ours: [
          'connection close 1005 "Reason not provided" | closed unconnected 1005 "Reason not provided" emitted receivedEnd',
          'later | closed unconnected 1005 "Reason not provided" emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 1005': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 1005 "Reason not provided" | closed unconnected 1005 "Reason not provided" emitted receivedEnd',
          'later | closed unconnected 1005 "Reason not provided" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 1005 received from the peer." | closed unconnected 1002 "Invalid close code 1005 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 1005 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 1004': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 1004 "reserved" | closed unconnected 1004 "reserved" emitted receivedEnd',
          'later | closed unconnected 1004 "reserved" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 1004 received from the peer." | closed unconnected 1002 "Invalid close code 1004 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 1004 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 1006': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 1006 "Abnormal closure, no further detail available" | closed unconnected 1006 "Abnormal closure, no further detail available" emitted receivedEnd',
          'later | closed unconnected 1006 "Abnormal closure, no further detail available" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 1006 received from the peer." | closed unconnected 1002 "Invalid close code 1006 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 1006 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 1015': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 1015 "TLS Handshake Failed" | closed unconnected 1015 "TLS Handshake Failed" emitted receivedEnd',
          'later | closed unconnected 1015 "TLS Handshake Failed" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 1015 received from the peer." | closed unconnected 1002 "Invalid close code 1015 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 1015 received from the peer." emitted receivedEnd',
        ],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE 1000 ""'],
        ours: ['CLOSE 1002 ""'],
      },
    ],
  },
  'the peer closes with 1016': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 1016 undefined | closed unconnected 1016 undefined emitted receivedEnd',
          'later | closed unconnected 1016 undefined emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 1016 received from the peer." | closed unconnected 1002 "Invalid close code 1016 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 1016 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 2999': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 2999 undefined | closed unconnected 2999 undefined emitted receivedEnd',
          'later | closed unconnected 2999 undefined emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 2999 received from the peer." | closed unconnected 1002 "Invalid close code 2999 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 2999 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 0': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 0 undefined | closed unconnected 0 undefined emitted receivedEnd',
          'later | closed unconnected 0 undefined emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 0 received from the peer." | closed unconnected 1002 "Invalid close code 0 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 0 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 999': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 999 "low" | closed unconnected 999 "low" emitted receivedEnd',
          'later | closed unconnected 999 "low" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 999 received from the peer." | closed unconnected 1002 "Invalid close code 999 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 999 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 5000': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 5000 undefined | closed unconnected 5000 undefined emitted receivedEnd',
          'later | closed unconnected 5000 undefined emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 5000 received from the peer." | closed unconnected 1002 "Invalid close code 5000 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 5000 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
  'the peer closes with 65535': {
    id: 'P5',
    why: 'a code that must not be on the wire is a protocol error',
    changes: [
      {
        theirs: [
          'connection close 65535 "high" | closed unconnected 65535 "high" emitted receivedEnd',
          'later | closed unconnected 65535 "high" emitted receivedEnd',
        ],
        ours: [
          'connection close 1002 "Invalid close code 65535 received from the peer." | closed unconnected 1002 "Invalid close code 65535 received from the peer." emitted receivedEnd',
          'later | closed unconnected 1002 "Invalid close code 65535 received from the peer." emitted receivedEnd',
        ],
      },
    ],
  },
};
