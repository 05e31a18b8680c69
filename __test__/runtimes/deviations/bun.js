'use strict';

// What fails on Bun 1.4.5, and why. Kept as scripts/runtimes.js wants it.

const PROCESS = 'resets, processes and deliberate changes beside the original > ';
const LIFE = 'the life of a process > ';
const LISTENS = 'a server that listens itself, ';

module.exports = {
  failing: [
    {
      reason: 'the sockets of Bun\'s HTTP server report no error when the peer resets the connection',
      tests: {
        'conformance/closing.test.js': ['RFC 6455 7.1.5: server: a reset TCP connection is reported as error and as 1006'],
        'lifecycle/reentrancy.test.js': ['server: every call from inside error'],
        'differential/process.test.js': [
          'the peer resets the connection while its request is pending',
          'the peer resets the connection while its request is pending, which is then accepted',
          'the peer resets the connection right after accept()',
          'the peer resets the connection right before reject()',
          'the peer resets the connection after a bad handshake',
        ].map((name) => PROCESS + name),
      },
    },
    {
      reason: 'the sockets of Bun\'s HTTP server emit drain a second time',
      tests: {
        'unit/backpressure.test.js': [
          'sending, server > they return false when the peer does not read; drain comes once, when all has been handed to the system',
        ],
      },
    },
    {
      reason: 'the sockets of Bun\'s HTTP server do not keep the process alive',
      tests: { 'lifecycle/process.test.js': [`${LIFE}an accepted connection keeps the process alive when the server does not`] },
    },
    {
      reason: 'the sockets of Bun\'s HTTP server are of a class of their own, derived from net.Socket',
      tests: {
        'unit/listener.test.js': ['loop', 'stream'].map((io) => `${LISTENS}io: ${io} > connection.socket is a net.Socket that can do what one can`),
        'unit/native-transport.test.js': ['io: stream leaves the socket to Node'],
      },
    },
    {
      reason: 'Bun reports uncaught exceptions in another form: `error:`, with lines of the source',
      tests: {
        'lifecycle/process.test.js': [
          'request', 'requestAccepted', 'server connect', 'server message', 'pong', 'connection close', 'server close', 'client connect',
          'client message', 'ping', 'send callback', 'client close',
        ].map((where) => `${LIFE}an exception inside ${where} ends the process with status 1 and its text`),
      },
    },
    {
      reason: 'Bun prints what a rejected promise throws to stderr although there is a listener of uncaughtException, which hears of it as well',
      tests: {
        'lifecycle/exceptions.test.js': ['server', 'client'].map((role) =>
          `exceptions of the program > ${role}: what a rejected promise throws between messages reaches uncaughtException, and all that follows still comes`),
      },
    },
    {
      reason: 'Bun has no TLS cipher suites with a pre-shared key, which the tests use in place of certificates',
      tests: {
        'faults/framing.test.js': [
          'P1: an unmasked frame from a client over TLS fails the connection with 1002',
          'P2: a masked frame from a server over TLS fails the connection with 1002',
        ],
      },
    },
    {
      reason: 'the workers of a cluster do not share a port on Bun, and do not end when they are disconnected',
      tests: { 'lifecycle/resources.test.js': ['the workers of a cluster share a port'] },
    },
    {
      reason: 'Bun\'s error for a port that is in use does not have the port',
      tests: {
        'unit/listener.test.js': ['loop', 'stream'].map((io) => `${LISTENS}io: ${io} > a port that is in use is an error event with the code of the system`),
      },
    },
    {
      reason: 'without name servers the code of Bun\'s dns.lookup() is EAGAIN, not EAI_AGAIN',
      sometimes: true,
      tests: { 'unit/listener.test.js': ['a name that cannot be resolved is an error event'] },
    },
    {
      reason: 'Bun\'s url.parse() gives a query whose prototype is not that of Node\'s',
      tests: { 'unit/legacy-url.test.js': ['the shape > of a URL with everything'] },
    },
    {
      reason: 'Bun finds every member of websocket 1.0.35 by name, and has other texts for what the engine throws or emits there',
      tests: {
        'differential/process.test.js': [`${PROCESS}named imports of an ES module`],
        'differential/request.test.js': [
          'request beside the original > a cookie with a malformed escape',
          'request beside the original > accept("__proto__") when the client asked for it',
        ],
        'differential/router.test.js': ['router beside the original > unmount(path) without a protocol takes away the route mounted without one'],
        'differential/connection.test.js': [
          'connection beside the original > sending after close(): nothing is sent, the callback hears of it, nothing is thrown',
        ],
      },
    },
    {
      reason: 'Bun emits the end of a stream before what setImmediate() has queued is run, where websocket 1.0.35 parses: it loses the Close frame',
      tests: { 'differential/modules.test.js': ['module surface and order of events beside the original > messages, then a Close, then the end, in one segment'] },
      sometimes: true,
    },
    {
      reason: 'sockets are not taken over on Bun: the transport is `stream`, and Node\'s HTTP server, or rather Bun\'s, answers what is late',
      tests: {
        'unit/queueing-transport.test.js': ['the JavaScript thread goes on meanwhile, and everything arrives in its order: loop'],
        'unit/listener.test.js': [
          `${LISTENS}natively > does not make a whole net.Socket before somebody needs it`,
          `${LISTENS}natively > a request that does not arrive within handshakeTimeout is answered with 408`,
        ],
        'unit/native-transport.test.js': [
          'a plain socket of a server is taken over with io: loop and stays a net.Socket',
          ...['a data listener is added', 'write is replaced', 'it is piped somewhere'].map((what) =>
            `a socket is given back to Node when ${what}, in the middle of a message as well`),
          'destroy() of a taken-over socket lets go of its descriptor',
        ],
      },
    },
    {
      reason: 'Bun may run what a finished job of the thread pool has to say before what setImmediate() has queued earlier',
      sometimes: true,
      tests: { 'unit/queueing-transport.test.js': ['the JavaScript thread goes on meanwhile, and everything arrives in its order: stream'] },
    },
  ],
};
