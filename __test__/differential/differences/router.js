'use strict';

// Deliberate differences in scenarios of ../scenarios/router.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a RegExp with the g flag': {
    id: 'R1',
    why: 'lastIndex is not carried over',
    changes: [
      {
        ours: ['handler global <routerRequest> null "/g"'],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 404 Not Found\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: No handler is available for the given request.\\r\\n\\r\\n"',
        ],
      },
      {
        lane: 'peer',
        ours: ['answer "HTTP/1.1 410 Gone\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: global\\r\\n\\r\\n"'],
      },
    ],
  },
  'a RegExp with the y flag': {
    id: 'R1',
    why: 'lastIndex is not carried over',
    changes: [
      {
        ours: ['handler sticky <routerRequest> null "/y"'],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 404 Not Found\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: No handler is available for the given request.\\r\\n\\r\\n"',
        ],
        ours: ['answer "HTTP/1.1 410 Gone\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: sticky\\r\\n\\r\\n"'],
      },
    ],
  },
  'unmount(path) without a protocol takes away the route mounted without one': {
    id: 'R2',
    why: 'mount() allows it',
    changes: [
      {
        theirs: [
          'unmount throws <TypeError "Cannot read properties of undefined (reading \'toLocaleLowerCase\')">',
          'handlers 1',
        ],
        ours: [
          'unmount returns undefined',
          'handlers 0',
        ],
      },
    ],
  },
};
