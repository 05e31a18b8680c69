'use strict';

// Deliberate differences in scenarios of ../scenarios/mock.js; the ids are those of docs/compatibility.md.

module.exports = {
  'fragments fill frameQueue and the message empties it': {
    id: 'W4',
    why: 'fragments are put together as they arrive, only their bytes are kept',
    changes: [
      {
        theirs: [
          'queue 1 1',
          'queue 2 3',
        ],
        ours: [
          'queue 0 0',
          'queue 0 0',
        ],
      },
    ],
  },
  'close(), then the answer of the peer, then the end of the socket': {
    id: 'C2',
    why: 'the answer to a Close is taken notice of, so that the closing handshake can be called complete',
    changes: [
      {
        theirs: ['answered | ending unconnected 1000 "bye" waiting'],
        ours: [
          'socket.end',
          'answered | closed unconnected 1000 "bye"',
        ],
      },
    ],
  },
};
