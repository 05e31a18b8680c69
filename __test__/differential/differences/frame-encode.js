'use strict';

// Deliberate differences in scenarios of ../scenarios/frame-encode.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a frame without arguments': {
    id: 'D7',
    why: 'the documentation makes frames without arguments',
    changes: [
      {
        theirs: ['thrown "TypeError"'],
        ours: [
          'frame {closeStatus: -1, frameTooLarge: false, invalidCloseFrameLength: false, parseState: 1, protocolError: false}',
          'thrown null',
        ],
      },
    ],
  },
};
