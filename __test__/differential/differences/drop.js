'use strict';

// Deliberate differences in scenarios of ../scenarios/drop.js; the ids are those of docs/compatibility.md.

module.exports = {
  'an exception in a close listener comes out of drop()': {
    id: 'O2',
    why: 'nobody else would destroy the socket',
    changes: [
      {
        theirs: ['thrown <Error "from the listener"> false'],
        ours: ['thrown <Error "from the listener"> true'],
      },
    ],
  },
  'messages sent before drop() are on the wire': {
    id: 'B1',
    why: 'the calls say whether to go on',
    changes: [
      {
        theirs: [
          'sendUTF returns undefined',
          'sendBytes returns undefined',
        ],
        ours: [
          'sendUTF returns true',
          'sendBytes returns true',
        ],
      },
    ],
  },
};
