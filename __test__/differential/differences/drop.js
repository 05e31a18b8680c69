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
};
