'use strict';

// Scenarios that make no sense, or differ, when the server listens itself (WEBSOCKET_TEST_LISTENER=native) or a worker drives
// (WEBSOCKET_IO=threads), and why.

/** They use the http.Server. */
const NEED_HTTP_SERVER = [
  'http.Server.close() waits for connections, and calls back when the last has gone',
  'getConnections() of the http server counts connections',
  'the peer resets the connection after a bad handshake',
  'existing connections live on after unmount, new requests are not answered by it',
  'an http server with a WebSocketServer still serves plain requests',
  'shutDown() unmounts and closes everything',
];

const listener = new Map([
  ...NEED_HTTP_SERVER.map((name) => [name, 'it uses the http.Server']),
  ['resourceURL of unusual resources', 'the addon answers a target that is not ASCII in words of its own'],
  ['a handshake without Host is refused with 400', 'it is HTTP/1.0, which the addon refuses before anybody is told'],
]);

/** What a worker has not taken yet waits, so that sending much says false. */
const threads = new Map([
  ['fragmentOutgoingMessages: false never cuts', 'the return values are those of a full buffer'],
  ['the default threshold is 16 KiB', 'the return values are those of a full buffer'],
]);

/** The reason not to run a scenario in this environment; undefined if there is none. */
function exempt(name) {
  if (process.env.WEBSOCKET_TEST_LISTENER === 'native' && listener.has(name)) return listener.get(name);
  return process.env.WEBSOCKET_IO === 'threads' ? threads.get(name) : undefined;
}

module.exports = { exempt };
