'use strict';

// Deliberate differences in scenarios of ../scenarios/w3c-close.js; the ids are those of docs/compatibility.md.

module.exports = {
  'close(3000, reason)': {
    id: 'C2',
    why: 'the closing handshake was completed',
    changes: [
      {
        theirs: [
          'w3c close {code: 3000, reason: "of the application", target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: [
          'w3c close {code: 3000, reason: "of the application", target: true, type: "close", wasClean: true} | readyState 3',
        ],
      },
    ],
  },
  'close(4999)': {
    id: 'C2',
    why: 'the closing handshake was completed',
    changes: [
      {
        theirs: ['w3c close {code: 4999, reason: "", target: true, type: "close", wasClean: false} | readyState 3'],
        ours: ['w3c close {code: 4999, reason: "", target: true, type: "close", wasClean: true} | readyState 3'],
      },
    ],
  },
  'close(1001), a code that is not for scripts': {
    id: 'C5',
    why: 'scripts may use 1000 and 3000 to 4999',
    changes: [
      {
        theirs: [
          'close() returns undefined | readyState 2',
          'w3c close {code: 1001, reason: "Remote peer is going away", target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: [
          'close() throws <DOMException "The close code must be 1000 or from 3000 to 4999, not 1001.", code=15> | readyState 1',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'CLOSE masked 1001 "Remote peer is going away"',
          'socket closed',
        ],
        ours: ['socket open'],
      },
    ],
  },
  'close(2999)': {
    id: 'C5',
    why: 'scripts may use 1000 and 3000 to 4999, and nothing changes before the check',
    changes: [
      {
        theirs: ['close() throws <Error "Close code 2999 is not valid."> | readyState 2'],
        ours: [
          'close() throws <DOMException "The close code must be 1000 or from 3000 to 4999, not 2999.", code=15> | readyState 1',
        ],
      },
    ],
  },
  'close(1005)': {
    id: 'C5',
    why: 'scripts may use 1000 and 3000 to 4999, and nothing changes before the check',
    changes: [
      {
        theirs: ['close() throws <Error "Close code 1005 is not valid."> | readyState 2'],
        ours: [
          'close() throws <DOMException "The close code must be 1000 or from 3000 to 4999, not 1005.", code=15> | readyState 1',
        ],
      },
    ],
  },
  'close(0)': {
    id: 'C5',
    why: '0 is a code, and not one for scripts',
    changes: [
      {
        theirs: [
          'close() returns undefined | readyState 2',
          'w3c close {code: 1000, reason: "Normal connection closure", target: true, type: "close", wasClean: true} | readyState 3',
        ],
        ours: [
          'close() throws <DOMException "The close code must be 1000 or from 3000 to 4999, not 0.", code=15> | readyState 1',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'CLOSE masked 1000 "Normal connection closure"',
          'socket closed',
        ],
        ours: ['socket open'],
      },
    ],
  },
  'close(undefined, reason)': {
    id: 'C5',
    why: 'a reason counts without a code as well',
    changes: [
      {
        theirs: [
          'w3c close {code: 1000, reason: "Normal connection closure", target: true, type: "close", wasClean: true} | readyState 3',
        ],
        ours: [
          'w3c close {code: 1000, reason: "only a reason", target: true, type: "close", wasClean: true} | readyState 3',
        ],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE masked 1000 "Normal connection closure"'],
        ours: ['CLOSE masked 1000 "only a reason"'],
      },
    ],
  },
  'close(4000, reason of 124 bytes)': {
    id: 'C5',
    why: 'a control frame has at most 125 bytes',
    changes: [
      {
        theirs: [
          'close() returns undefined | readyState 2',
          'w3c close {code: 4000, reason: <124 x "r">, target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: [
          'close() throws <DOMException "The close reason must not be longer than 123 bytes.", code=12> | readyState 1',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'CLOSE masked 4000 <124 x "r">',
          'socket closed',
        ],
        ours: ['socket open'],
      },
    ],
  },
  'close("4000")': {
    id: 'C5',
    why: 'the code is converted to a number, as WHATWG says',
    changes: [
      {
        theirs: [
          'w3c close {code: 1000, reason: "Normal connection closure", target: true, type: "close", wasClean: true} | readyState 3',
        ],
        ours: ['w3c close {code: 4000, reason: "", target: true, type: "close", wasClean: true} | readyState 3'],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE masked 1000 "Normal connection closure"'],
        ours: ['CLOSE masked 4000 ""'],
      },
    ],
  },
  'close() twice, and in the close listener': {
    id: 'C2',
    why: 'the closing handshake was completed',
    changes: [
      {
        theirs: [
          'w3c close {code: 4000, reason: "first", target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: ['w3c close {code: 4000, reason: "first", target: true, type: "close", wasClean: true} | readyState 3'],
      },
    ],
  },
  'the server closes with 1001': {
    id: 'C2',
    why: 'the closing handshake was completed',
    changes: [
      {
        theirs: [
          'w3c close {code: 1001, reason: "going", target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: ['w3c close {code: 1001, reason: "going", target: true, type: "close", wasClean: true} | readyState 3'],
      },
    ],
  },
  'the server closes with 4000 and no reason': {
    id: 'C2',
    why: 'the closing handshake was completed',
    changes: [
      {
        theirs: ['w3c close {code: 4000, reason: "", target: true, type: "close", wasClean: false} | readyState 3'],
        ours: ['w3c close {code: 4000, reason: "", target: true, type: "close", wasClean: true} | readyState 3'],
      },
    ],
  },
  'the server closes without code': {
    id: 'P4, C2',
    why: 'an orderly close without a code',
    changes: [
      {
        theirs: [
          'w3c close {code: 1006, reason: "Connection dropped by remote peer.", target: true, type: "close", wasClean: false} | readyState 3',
        ],
        ours: [
          'w3c close {code: 1005, reason: "Reason not provided", target: true, type: "close", wasClean: true} | readyState 3',
        ],
      },
    ],
  },
  'close() while connecting: events and state': {
    id: 'C6',
    why: 'the events come later, not inside the call',
    changes: [
      {
        ours: [
          'close() returns undefined | readyState 2',
          'after the call',
        ],
      },
      {
        theirs: [
          'close() returns undefined | readyState 3',
          'after the call',
        ],
      },
    ],
  },
  'close() while connecting: what the server sees': {
    id: 'C6',
    why: 'the attempt is given up',
    changes: [
      {
        theirs: [
          'Close 4000 "early"',
          'frames 1',
        ],
        ours: ['frames 0'],
      },
    ],
  },
};
