'use strict';

// Deliberate differences in scenarios of ../scenarios/w3c.js; the ids are those of docs/compatibility.md.

module.exports = {
  'send() of a DataView': {
    id: 'P15',
    why: 'a DataView is binary data',
    changes: [
      {
        lane: 'peer',
        theirs: ['BINARY masked <bytes>'],
        ours: ['BINARY masked <bytes 0707>'],
      },
    ],
  },
  'an empty text message': {
    id: 'C1',
    why: 'it is a message',
    changes: [
      {
        ours: ['w3c message {data: "", target: true, type: "message"} | readyState 1'],
      },
    ],
  },
  'fragments are assembled although the client configuration says otherwise': {
    id: 'C7',
    why: 'the object of the caller is not modified',
    changes: [
      {
        theirs: ['config true ["assembleFragments", "closeTimeout"] 99'],
        ours: ['config false ["assembleFragments", "closeTimeout"] 99'],
      },
    ],
  },
  'the client configuration of the caller, with tlsOptions, after the constructor': {
    id: 'C7',
    why: 'the object of the caller is not modified',
    changes: [
      {
        theirs: ['config {assembleFragments: true}'],
        ours: ['config {tlsOptions: {rejectUnauthorized: false}}'],
      },
    ],
  },
  'binaryType "blob"': {
    id: 'C4',
    why: 'WHATWG has it',
    changes: [
      {
        theirs: ['blob <SyntaxError "just \\"arraybuffer\\" type allowed for \\"binaryType\\" attribute"> "arraybuffer"'],
        ours: ['blob null "blob"'],
      },
    ],
  },
  'bufferedAmount after sending much': {
    id: 'C3',
    why: 'it tells what was not handed to the system',
    changes: [
      {
        theirs: ['buffered false | readyState 1'],
        ours: ['buffered true | readyState 1'],
      },
    ],
  },
  'removing a listener while it is being called': {
    id: 'C9',
    why: 'a listener that takes itself away costs no other one an event',
    changes: [
      {
        ours: ['other'],
      },
    ],
  },
};
