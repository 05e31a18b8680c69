'use strict';

// Deliberate differences in scenarios of ../scenarios/modules.js; the ids are those of docs/compatibility.md.

module.exports = {
  'CLOSE_REASON_MESSAGE_TOO_LARGE, as the documentation calls it': {
    id: 'D3',
    why: 'the documentation has this name',
    changes: [
      {
        theirs: ['MESSAGE_TOO_LARGE undefined'],
        ours: ['MESSAGE_TOO_LARGE 1009'],
      },
    ],
  },
};
