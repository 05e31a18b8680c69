'use strict';

// Deliberate differences in scenarios of ../scenarios/client-connect.js; the ids are those of docs/compatibility.md.

module.exports = {
  'client options replace the defaults, tlsOptions are copied and taken out of the object of the caller': {
    id: 'C7',
    why: 'the object of the caller is not modified, by the client either',
    changes: [
      {
        theirs: ['caller ["closeTimeout", "webSocketVersion", "mine"]'],
        ours: ['caller ["closeTimeout", "webSocketVersion", "mine", "tlsOptions"]'],
      },
    ],
  },
  'connect() with user and password in the URL': {
    id: 'P13',
    why: 'user and password of a URL are for Basic authorization',
    changes: [
      {
        ours: ['header "Authorization: Basic dXNlcjpwYXNz"'],
      },
    ],
  },
  'an answer with "Connection: keep-alive, Upgrade"': {
    id: 'P9',
    why: 'Connection is a list',
    changes: [
      {
        theirs: ['client connectFailed <Error "Expected a Connection: Upgrade header from the server">'],
        ours: [
          'client connect <connection>',
          'connection {closeTimeout: 5000, extensions: [], masking: true, protocol: undefined, version: 13}',
          'client {_req: null, firstDataChunk: null, origin: undefined, protocol: undefined, protocols: [], secure: false}',
          'same socket true 101 true',
        ],
      },
      {
        lane: 'peer',
        ours: ['CLOSE masked 1000 "Normal connection closure"'],
      },
    ],
  },
  'an answer with a subprotocol nobody asked for': {
    id: 'P10',
    why: 'RFC 6455 section 4.1: the client fails the connection',
    changes: [
      {
        theirs: [
          'client connect <connection>',
          'connection {closeTimeout: 5000, extensions: [], masking: true, protocol: undefined, version: 13}',
          'client {_req: null, firstDataChunk: null, origin: undefined, protocol: undefined, protocols: [], secure: false}',
          'same socket true 101 true',
        ],
        ours: ['client connectFailed <Error "Server did not respond with a requested protocol.">'],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE masked 1000 "Normal connection closure"'],
      },
    ],
  },
  'an answer with an extension nobody asked for': {
    id: 'P10',
    why: 'RFC 6455 section 4.1: the client fails the connection',
    changes: [
      {
        theirs: [
          'client connect <connection>',
          'connection {closeTimeout: 5000, extensions: [], masking: true, protocol: undefined, version: 13}',
          'client {_req: null, firstDataChunk: null, origin: undefined, protocol: undefined, protocols: [], secure: false}',
          'same socket true 101 true',
        ],
        ours: ['client connectFailed <Error "Server responded with an extension that was not requested: surprise">'],
      },
      {
        lane: 'peer',
        theirs: ['CLOSE masked 1000 "Normal connection closure"'],
      },
    ],
  },
  'default ports are left out of the Host header and filled into the URL': {
    id: 'P12',
    why: 'an IPv6 address is in brackets',
    changes: [
      {
        theirs: ['ws://[::1]:8080/ "8080" "::1" "::1:8080" "/"'],
        ours: ['ws://[::1]:8080/ "8080" "::1" "[::1]:8080" "/"'],
      },
    ],
  },
};
