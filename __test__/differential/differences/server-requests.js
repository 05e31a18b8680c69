'use strict';

// Deliberate differences in scenarios of ../scenarios/server-requests.js; the ids are those of docs/compatibility.md.

module.exports = {
  'autoAcceptConnections with illegal characters in the subprotocol': {
    id: 'W2',
    why: 'a peer must not end the process',
    changes: [
      {
        lane: 'uncaught',
        theirs: ['uncaught <Error "Illegal character \\"\\u0000\\" in subprotocol.">'],
      },
      {
        lane: 'peer',
        theirs: ['answer "HTTP/1.1 500 Internal Server Error\\r\\nConnection: close\\r\\n\\r\\n"'],
        ours: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: The client asked for a subprotocol that is no token: a@b\\r\\n\\r\\n"',
        ],
      },
      {
        ours: [
          'server upgradeError <Error "The client asked for a subprotocol that is no token: a@b", httpCode=400> | pending 0, connections 0',
        ],
      },
    ],
  },
  'a handshake with version 0 is refused': {
    id: 'P24',
    why: 'RFC 6455 section 4.4: the answer names the versions that are understood',
    changes: [
      {
        theirs: ['server upgradeError <Error "Client must provide a value for Sec-WebSocket-Version."> | pending 0, connections 0'],
        ours: [
          'server upgradeError <Error "Unsupported websocket client version: 0Only versions 8 and 13 are supported.", httpCode=426, headers={Sec-WebSocket-Version: "13, 8"}> | pending 0, connections 0',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Client must provide a value for Sec-WebSocket-Version.\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 426 Upgrade Required\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Unsupported websocket client version: 0Only versions 8 and 13 are supported.\\r\\nSec-WebSocket-Version: 13, 8\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a version that is a list': {
    id: 'P24',
    why: 'RFC 6455 sections 4.2.1 and 11.3.5',
    changes: [
      { theirs: ['version 13'] },
      {
        lane: 'peer',
        theirs: ['answer "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\n"'],
        ours: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Client must provide a single number as Sec-WebSocket-Version.\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a handshake with two Host fields': {
    id: 'P24',
    why: 'RFC 9112 section 3.2',
    changes: [
      {
        theirs: [
          'request',
          'server connect <connection> | pending 0, connections 1',
        ],
        ours: ['server upgradeError <Error "Client must provide a single Host header."> | pending 0, connections 0'],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Client must provide a single Host header.\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a handshake by POST': {
    id: 'P7',
    why: 'RFC 6455 section 4.2.1',
    changes: [
      {
        theirs: [
          'request',
          'server connect <connection> | pending 0, connections 1',
        ],
        ours: [
          'server upgradeError <Error "The method of a WebSocket request must be GET.", httpCode=405, headers={Allow: "GET"}> | pending 0, connections 0',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 405 Method Not Allowed\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: The method of a WebSocket request must be GET.\\r\\nAllow: GET\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a handshake with a key that is not base64 of 16 bytes': {
    id: 'P7',
    why: 'RFC 6455 section 4.2.1',
    changes: [
      {
        theirs: [
          'request',
          'server connect <connection> | pending 0, connections 1',
        ],
        ours: [
          'server upgradeError <Error "Client must provide 16 bytes in base64 as Sec-WebSocket-Key."> | pending 0, connections 0',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: JQHdhQRrQ3pd0VAHx7vMGlEiL+4=\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Client must provide 16 bytes in base64 as Sec-WebSocket-Key.\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'a handshake with an unsupported version is refused with 426': {
    id: 'P16',
    why: 'both versions are supported',
    changes: [
      {
        theirs: [
          'server upgradeError <Error "Unsupported websocket client version: 9Only versions 8 and 13 are supported.", httpCode=426, headers={Sec-WebSocket-Version: "13"}> | pending 0, connections 0',
        ],
        ours: [
          'server upgradeError <Error "Unsupported websocket client version: 9Only versions 8 and 13 are supported.", httpCode=426, headers={Sec-WebSocket-Version: "13, 8"}> | pending 0, connections 0',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 426 Upgrade Required\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Unsupported websocket client version: 9Only versions 8 and 13 are supported.\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 426 Upgrade Required\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: Unsupported websocket client version: 9Only versions 8 and 13 are supported.\\r\\nSec-WebSocket-Version: 13, 8\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'reject() with a status unknown to it': {
    id: 'H4',
    why: '"undefined" is no phrase',
    changes: [
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 499 undefined\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: odd\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 499 Unknown\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: odd\\r\\n\\r\\n"',
        ],
      },
    ],
  },
};
