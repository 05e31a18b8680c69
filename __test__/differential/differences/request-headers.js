'use strict';

// Deliberate differences in scenarios of ../scenarios/request-headers.js; the ids are those of docs/compatibility.md.

module.exports = {
  'a cookie with a malformed escape': {
    id: 'P17',
    why: 'the value stays as it came',
    changes: [
      {
        theirs: [
          '{"Cookie":"a=%zz"} upgradeError <URIError "URI malformed">',
          '{"Cookie":"ok=1; a=%E0%A4%A; b=2"} upgradeError <URIError "URI malformed">',
        ],
        ours: [
          '{"Cookie":"a=%zz"} [{name: "a", value: "%zz"}]',
          '{"Cookie":"ok=1; a=%E0%A4%A; b=2"} [{name: "ok", value: "1"}, {name: "a", value: "%E0%A4%A"}, {name: "b", value: "2"}]',
        ],
      },
      {
        lane: 'peer',
        theirs: [
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: URI malformed\\r\\n\\r\\n"',
          'answer "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nX-WebSocket-Reject-Reason: URI malformed\\r\\n\\r\\n"',
        ],
        ours: [
          'answer "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\n"',
          'answer "HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'names that are members of every object are ordinary protocol names': {
    id: 'W3',
    why: 'they are names like any other',
    changes: [
      {
        theirs: ['__proto__ false {}'],
        ours: ['__proto__ true "__proto__"'],
      },
    ],
  },
  'accept("__proto__") when the client asked for it': {
    id: 'W3',
    why: 'they are names like any other',
    changes: [
      {
        theirs: [
          'accept() throws <TypeError "protocolFullCase.replace is not a function">',
          'answer null',
        ],
        ours: [
          'server connect <connection> | pending 0, connections 1',
          'accept() returns <connection>',
          'answer "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\nSec-WebSocket-Protocol: __proto__\\r\\n\\r\\n"',
        ],
      },
    ],
  },
  'subprotocols are split at commas, lower-cased and mapped to the spelling of the client': {
    id: 'H1',
    why: 'white space around elements and empty elements mean nothing',
    changes: [
      {
        theirs: ['{"Sec-WebSocket-Protocol":"one ,two"} ["one ", "two"] {one : "one ", two: "two"}'],
        ours: ['{"Sec-WebSocket-Protocol":"one ,two"} ["one", "two"] {one: "one", two: "two"}'],
      },
      {
        theirs: [
          '{"Sec-WebSocket-Protocol":"a,,b"} ["a", "", "b"] {: "", a: "a", b: "b"}',
          '{"Sec-WebSocket-Protocol":"a, "} ["a", ""] {: "", a: "a"}',
          '{"Sec-WebSocket-Protocol":","} ["", ""] {: ""}',
        ],
        ours: [
          '{"Sec-WebSocket-Protocol":"a,,b"} ["a", "b"] {a: "a", b: "b"}',
          '{"Sec-WebSocket-Protocol":"a, "} ["a"] {a: "a"}',
          '{"Sec-WebSocket-Protocol":","} [] {}',
        ],
      },
    ],
  },
  'X-Forwarded-For gives the addresses, the immediate peer last': {
    id: 'H1',
    why: 'white space around elements means nothing',
    changes: [
      {
        theirs: ['{"X-Forwarded-For":" spaces , x "} "spaces " ["spaces ", "x", "127.0.0.1"]'],
        ours: ['{"X-Forwarded-For":" spaces , x "} "spaces" ["spaces", "x", "127.0.0.1"]'],
      },
    ],
  },
  'extensions are parsed into names and parameters': {
    id: 'H1',
    why: 'the value is all that follows the first =',
    changes: [
      {
        theirs: ['{"Sec-WebSocket-Extensions":"foo;a=1=2"} [{name: "foo", params: [{name: "a", value: "1"}]}]'],
        ours: ['{"Sec-WebSocket-Extensions":"foo;a=1=2"} [{name: "foo", params: [{name: "a", value: "1=2"}]}]'],
      },
    ],
  },
  'parseExtensions() called directly': {
    id: 'H1',
    why: 'white space around elements and empty elements mean nothing',
    changes: [
      {
        theirs: [
          'parseExtensions(" a") returns [{name: " a", params: []}]',
          'parseExtensions("a ;b") returns [{name: "a ", params: [{name: "b", value: undefined}]}]',
          'parseExtensions(",") returns [{name: "", params: []}, {name: "", params: []}]',
        ],
        ours: [
          'parseExtensions(" a") returns [{name: "a", params: []}]',
          'parseExtensions("a ;b") returns [{name: "a", params: [{name: "b", value: undefined}]}]',
          'parseExtensions(",") returns []',
        ],
      },
    ],
  },
};
