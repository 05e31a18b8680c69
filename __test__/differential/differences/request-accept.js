'use strict';

// Deliberate differences in scenarios of ../scenarios/request-accept.js; the ids are those of docs/compatibility.md.

module.exports = {
  'accept() of a protocol in another case than the request has it': {
    id: 'P11',
    why: 'letter case does not matter',
    changes: [
      {
        theirs: [
          'request requestRejected <request>',
          'accept() throws <Error "Specified protocol was not requested by the client.">',
          'after true 0 0',
          'answer "HTTP/1.1 500 Internal Server Error\\r\\nConnection: close\\r\\n\\r\\n"',
        ],
        ours: [
          'server connect <connection> | pending 0, connections 1',
          'request requestAccepted <connection>',
          'accept() returns <connection>',
          'connection.protocol "CHAT"',
          'after true 0 1',
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\nSec-WebSocket-Protocol: Chat\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'accept() cleans the cookie objects of the caller': {
    id: 'H2',
    why: 'the objects of the caller are not modified',
    changes: [
      {
        theirs: ['cookies [{name: "ab", value: "cd"}]'],
        ours: ['cookies [{name: "a;b", value: "c;d"}]'],
      },
    ],
  },
  'accept() of a protocol with illegal characters': {
    id: 'H3',
    why: 'the message names the character',
    changes: [
      {
        theirs: ['accept() throws <Error "Illegal character \\"\\u0000\\" in subprotocol.">'],
        ours: ['accept() throws <Error "Illegal character \\" \\" in subprotocol.">'],
      },
    ],
  },
  'accept() of a protocol with a line break': {
    id: 'H3',
    why: 'the message names the character',
    changes: [
      {
        theirs: ['accept() throws <Error "Illegal character \\"\\u0000\\" in subprotocol.">'],
        ours: ['accept() throws <Error "Illegal character \\"\\r\\" in subprotocol.">'],
      },
    ],
  },
};
