'use strict';

// Deliberate differences in scenarios of ../scenarios/order.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a message that comes with the request head, accepted at once': {
    id: 'P8',
    why: 'bytes after the request head are delivered',
    changes: [
      {
        ours: ['connection message {type: "utf8", utf8Data: "with the head"} | open connected -1 null'],
      },
    ],
  },
};
