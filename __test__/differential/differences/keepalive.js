'use strict';

// Deliberate differences in scenarios of ../scenarios/keepalive.js; the ids are those of docs/compatibility.md.

/** The socket is not touched before the options are known to be right. */
const untouched = { theirs: ['socket.setNoDelay true', 'socket.setTimeout 0'] };

module.exports = {
  'keepalive on a client without an interval throws': {
    id: 'V2',
    why: 'the mistake is reported where it was made, and does not end the process later',
    changes: [
      {
        theirs: ['new client() returns undefined'],
        ours: ['new client() throws <Error "keepaliveInterval must be specified and numeric if keepalive is true.">'],
      },
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "keepaliveInterval must be specified and numeric if keepalive is true.">'],
      },
    ],
  },
  'a connection with keepalive and without its options throws': {
    id: 'V2',
    why: 'options are checked before anything is done',
    changes: [untouched, untouched, untouched],
  },
};
