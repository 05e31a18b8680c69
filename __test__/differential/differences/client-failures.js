'use strict';

// Deliberate differences in scenarios of ../scenarios/client-failures.js; the ids are those of docs/compatibility.md.

module.exports = {
  'an error event of the client exists for those who listen': {
    id: 'D8',
    why: 'the documentation promises an error event',
    changes: [
      {
        ours: ['error <Error "socket hang up", code="ECONNRESET">'],
      },
    ],
  },
};
