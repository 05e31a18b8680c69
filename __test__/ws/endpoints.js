'use strict';

// Servers and clients with the interface of ws, closed when the test is over.

const { on, once } = require('events');
const WebSocket = require('../../ws');

/** A server on a free port of 127.0.0.1, and its URL. */
async function startServer(t, options = {}) {
  const server = new WebSocket.Server({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => {
    for (const client of server.clients || []) client.terminate();
    server.close(resolve);
  }));
  return { server, url: `ws://127.0.0.1:${server.address().port}` };
}

/** A server, a client and the WebSocket of the server that it is connected to. */
async function openPair(t, serverOptions = {}, clientOptions = {}) {
  const { server, url } = await startServer(t, serverOptions);
  const client = new WebSocket(url, clientOptions);
  t.after(() => client.terminate());
  const [[accepted, request]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  return { server, url, client, accepted, request };
}

/** The next `count` messages: `[data, isBinary]` each. */
async function messages(websocket, count) {
  const received = [];
  for await (const message of on(websocket, 'message')) {
    received.push(message);
    if (received.length === count) break;
  }
  return received;
}


module.exports = { WebSocket, once, startServer, openPair, messages };
