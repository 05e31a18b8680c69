'use strict';

// Deliberate differences in scenarios of ../scenarios/server-mount.js; the ids are those of docs/compatibility.md.

module.exports = {
  'unmounting what was never mounted throws': {
    id: 'S2',
    why: 'there is nothing to undo',
    changes: [{ theirs: ['unmount() throws true "TypeError"'], ours: ['unmount() throws false null'] }],
  },
};
