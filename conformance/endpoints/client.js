'use strict';

// An echo client for the tester, or for Autobahn's fuzzing server: asks how many cases there are, runs them, several at a
// time, and says when it has done.
//
//   node client.js KIND URL   KIND: the name of one of the clients below

const { pool } = require('../lib/pool');

const MAX = 64 * 1024 * 1024;
/** Cases at a time; many, for the same reason as in lib/server-role.js. */
const WIDTH = 48;
/** Offered with every request: the tester chooses the first, and in some cases another. */
const PROTOCOLS = ['conformance.a', 'conformance.b'];

/** Echoes until the connection ends; resolves with the last message. */
function webSocketNode(moduleName) {
  const { client: WebSocketClient } = require(moduleName);
  return (url) => new Promise((resolve) => {
    let last = null;
    const client = new WebSocketClient({ maxReceivedFrameSize: MAX, maxReceivedMessageSize: MAX, fragmentOutgoingMessages: false, perMessageDeflate: { threshold: 0 } });
    client.on('connectFailed', () => resolve(last));
    client.on('connect', (connection) => {
      connection.on('error', () => {});
      connection.on('close', () => resolve(last));
      connection.on('message', (message) => {
        last = message.utf8Data;
        if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
        else connection.sendBytes(message.binaryData);
      });
    });
    client.connect(url, PROTOCOLS);
  });
}

function ws() {
  const { WebSocket } = require('ws');
  return (url) => new Promise((resolve) => {
    let last = null;
    const socket = new WebSocket(url, PROTOCOLS, { perMessageDeflate: { threshold: 0 }, maxPayload: MAX });
    socket.on('error', () => {});
    socket.on('close', () => resolve(last));
    socket.on('message', (data, isBinary) => {
      last = data.toString('latin1', 0, 20);
      socket.send(data, { binary: isBinary });
    });
  });
}

/** Any class with the interface of browsers. */
function browserLike(load) {
  const create = load();
  return (url) => new Promise((resolve) => {
    let last = null;
    const socket = create(url);
    socket.binaryType = 'arraybuffer';
    socket.onclose = () => resolve(last);
    // undici has no `close` event for a connection that was never open.
    socket.onerror = () => resolve(last);
    socket.onmessage = ({ data }) => {
      last = data;
      socket.send(data);
    };
  });
}

const CLIENTS = {
  websocket: () => webSocketNode('../..'),
  'websocket@1.0.35': () => webSocketNode('websocket-1.0.35'),
  w3cwebsocket: () => browserLike(() => {
    const { w3cwebsocket: W3CWebSocket } = require('../..');
    return (url) => new W3CWebSocket(url, PROTOCOLS, undefined, undefined, undefined, {
      maxReceivedFrameSize: MAX, maxReceivedMessageSize: MAX, fragmentOutgoingMessages: false, perMessageDeflate: { threshold: 0 },
    });
  }),
  ws,
  undici: () => browserLike(() => {
    const { WebSocket } = require('undici');
    return (url) => new WebSocket(url, PROTOCOLS);
  }),
};

async function main(kind, url) {
  if (!Object.hasOwn(CLIENTS, kind)) throw new Error(`there is no client ${kind}; there are ${Object.keys(CLIENTS).join(', ')}`);
  const run = CLIENTS[kind]();
  const count = Number(await run(`${url}/getCaseCount`));
  if (!Number.isInteger(count)) throw new Error('the tester has not said how many cases there are');
  await pool(Array.from({ length: count }, (_, i) => i + 1), WIDTH, (number) => run(`${url}/runCase?case=${number}&agent=${encodeURIComponent(kind)}`));
  await run(`${url}/updateReports?agent=${encodeURIComponent(kind)}`);
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
