'use strict';

// What fails on Deno 2.9.6, and why. Kept as scripts/runtimes.js wants it.

const CLIENT = 'client beside the original > ';
const PROCESS = 'resets, processes and deliberate changes beside the original > ';
const EXCEPTIONS = 'exceptions of the program > ';
const LISTENS = 'a server that listens itself, natively > ';

module.exports = {
  failing: [
    {
      reason: 'what is thrown in an event that a socket of Deno emits natively, such as `close` or `upgrade`, is printed but reaches no ' +
        'uncaughtException, and does not end the process with status 1',
      tests: {
        'lifecycle/exceptions.test.js': [
          `${EXCEPTIONS}a server whose connect listener throws keeps the connection and accepts the next`,
          `${EXCEPTIONS}a server forgets connections whose close listener throws`,
        ],
        'lifecycle/process.test.js': ['request', 'requestAccepted', 'server connect', 'connection close', 'server close', 'client close'].map((where) =>
          `the life of a process > an exception inside ${where} ends the process with status 1 and its text`),
        'lifecycle/w3c-handlers.test.js': ['handlers of the W3C class > what is thrown inside close reaches uncaughtException, and close still comes'],
        'differential/server.test.js': ['server beside the original > autoAcceptConnections with illegal characters in the subprotocol'],
      },
    },
    {
      reason: 'Deno has no TLS cipher suites with a pre-shared key, which the tests use in place of certificates',
      tests: {
        'faults/framing.test.js': [
          'P1: an unmasked frame from a client over TLS fails the connection with 1002',
          'P2: a masked frame from a server over TLS fails the connection with 1002',
        ],
      },
    },
    {
      reason: 'Deno\'s HTTP client emits an error of its parser after a response with status 101 that is no upgrade, which websocket 1.0.35 reports as a second connectFailed',
      tests: {
        'differential/client.test.js': [`${CLIENT}an answer without Connection`, `${CLIENT}an answer with another Connection`, `${CLIENT}protocol is checked before Connection`],
      },
    },
    {
      reason: 'Deno names other errors where websocket 1.0.35 writes to a socket that is gone: EPIPE, not ECONNRESET',
      tests: {
        'differential/process.test.js': ['accept()', 'reject()', 'a bad handshake'].map((what) =>
          `${PROCESS}the peer resets the connection ${what === 'reject()' ? 'right before' : what === 'accept()' ? 'right after' : 'after'} ${what}`),
        'differential/connection.test.js': [
          'connection beside the original > sending after close(): nothing is sent, the callback hears of it, nothing is thrown',
        ],
      },
    },
    {
      reason: 'Deno has no __proto__ accessor on objects, and finds every member of websocket 1.0.35 by name: there is no difference to find',
      tests: {
        'differential/process.test.js': [`${PROCESS}named imports of an ES module`],
        'differential/request.test.js': [
          'request beside the original > names that are members of every object are ordinary protocol names',
          'request beside the original > accept("__proto__") when the client asked for it',
        ],
      },
    },
    {
      reason: 'Deno reads 2 MiB of tiny frames before timers run, and when it collects what came of them, is up to it: the bound on the memory in ' +
        'use holds, that on the resident memory not always',
      sometimes: true,
      tests: { 'faults/memory.test.js': ['W5: a flood of tiny frames faster than the program handles it is not read into memory'] },
    },
    {
      reason: 'Deno reads 2 MiB of tiny messages before anybody else has his turn, which on a busy machine takes longer than the test waits',
      sometimes: true,
      tests: {
        'hostile/siege.test.js': ['a server mounted on an HTTP server, under siege', 'a server that listens itself, under siege']
          .flatMap((name) => [name, `${name} > tiny messages faster than they can be handled`]),
      },
    },
    {
      reason: 'the scenarios wait a while and then look; on a busy machine the peer, in the same process, has not read yet',
      sometimes: true,
      tests: {
        'differential/process.test.js': [
          'a reserved opcode is noticed when its two bytes are there',
          'a reserved bit is noticed when its two bytes are there',
          'an unexpected continuation is noticed when its two bytes are there',
          'invalid UTF-8 is noticed at the first wrong byte',
          'invalid UTF-8 is noticed in an unfinished fragment',
        ].map((name) => PROCESS + name),
      },
    },
    {
      reason: 'napi_fatal_exception() ends a Deno process whatever listens to uncaughtException; the addon calls it for taken-over sockets only, which there are none of',
      tests: { 'hostile/odd-arguments.test.js': ['odd arguments > what the addon exports takes anything without ending the process'] },
    },
    {
      reason: 'Deno\'s net.BlockList knows no address with a zone, so that such a proxy is not believed',
      tests: { 'unit/trust-proxy.test.js': ['trustProxy > "fe80::/10"'] },
    },
    {
      reason: 'sockets are not taken over on Deno: the transport is `stream`, and Deno\'s HTTP server answers what is late',
      tests: {
        'unit/queueing-transport.test.js': ['the JavaScript thread goes on meanwhile, and everything arrives in its order: loop'],
        'unit/listener.test.js': [
          `${LISTENS}does not make a whole net.Socket before somebody needs it`,
          `${LISTENS}a request that does not arrive within handshakeTimeout is answered with 408`,
        ],
        'unit/native-transport.test.js': [
          'a plain socket of a server is taken over with io: loop and stays a net.Socket',
          ...['a data listener is added', 'write is replaced', 'it is piped somewhere'].map((what) =>
            `a socket is given back to Node when ${what}, in the middle of a message as well`),
          'destroy() of a taken-over socket lets go of its descriptor',
        ],
      },
    },
  ],
};
