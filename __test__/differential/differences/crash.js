'use strict';

// Deliberate differences in scenarios of ../scenarios/crash.js; the ids are those of docs/compatibility.md.

module.exports = {
  'the peer resets the connection while its request is pending': {
    id: 'W1',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "read ECONNRESET", code="ECONNRESET", syscall="read">'],
      },
    ],
  },
  'the peer resets the connection while its request is pending, which is then accepted': {
    id: 'W1',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "read ECONNRESET", code="ECONNRESET", syscall="read">'],
      },
    ],
  },
  'the peer resets the connection right after accept()': {
    id: 'W1',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "write ECONNRESET", code="ECONNRESET", syscall="write">'],
      },
    ],
  },
  'the peer resets the connection right before reject()': {
    id: 'W1',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "write ECONNRESET", code="ECONNRESET", syscall="write">'],
      },
    ],
  },
  'the peer resets the connection after a bad handshake': {
    id: 'W1',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "write ECONNRESET", code="ECONNRESET", syscall="write">'],
      },
    ],
  },
  'named imports of an ES module': {
    id: 'M1',
    why: 'every member can be imported by name',
    changes: [
      {
        theirs: ['named ["server"]'],
        ours: [
          'named ["server", "client", "router", "frame", "request", "connection", "w3cwebsocket", "deprecation", "version"]',
        ],
      },
    ],
  },
};
