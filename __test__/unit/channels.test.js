'use strict';

// What is published on diagnostics_channel.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const diagnosticsChannel = require('diagnostics_channel');
const http = require('http');
const websocket = require('../..');
const { OPCODE, rawServer } = require('../helpers/raw');
const { eventually, next, openClient, openPair, rawClient, startServer, turns } = require('../helpers/under-test/endpoints');

const { TEXT } = OPCODE;

/** Collects what is published on a channel during a test. */
function subscribe(t, name, listener = () => {}) {
  const published = [];
  const onMessage = (message) => {
    published.push(message);
    listener(message);
  };
  diagnosticsChannel.channel(`websocket:${name}`).subscribe(onMessage);
  t.after(() => diagnosticsChannel.channel(`websocket:${name}`).unsubscribe(onMessage));
  return published;
}

const ofConnection = (published, connection) => published.filter((one) => one.connection === connection);

/** A server, and the handshakes that are published of it. */
async function startWatched(t, options) {
  const [starts, ends] = ['start', 'end'].map((name) => subscribe(t, `server:handshake:${name}`));
  const started = await startServer(t, { httpServer: http.createServer(), ...options });
  const own = (list) => list.filter(({ server }) => server === started.server);
  return { ...started, starts: () => own(starts), ends: () => own(ends) };
}

describe('connections', () => {
  test('are published when they open, receive and close', async (t) => {
    const [opened, messages, closed] = ['open', 'message', 'close'].map((name) => subscribe(t, `connection:${name}`));
    const pair = await openPair(t, 'server');
    const { connection } = pair;
    await eventually(() => opened.some((one) => one.connection === connection), 'the opening');
    pair.send({ opcode: TEXT, payload: 'one' });
    await pair.messages();
    assert.strictEqual(messages[0].connection, connection);
    assert.deepStrictEqual(messages[0].message, { type: 'utf8', utf8Data: 'one' });
    connection.drop(4000, 'enough');
    await turns();
    // Those of other tests may end meanwhile.
    assert.deepStrictEqual(ofConnection(closed, connection).map(({ code, description }) => [code, description]), [[4000, 'enough']]);
  });

  test('messages are published when frames are handed out one by one', async (t) => {
    const messages = subscribe(t, 'connection:message');
    const pair = await openPair(t, 'server', { assembleFragments: false });
    pair.send({ opcode: TEXT, payload: 'one' });
    await pair.messages();
    assert.strictEqual(messages.length, 1);
  });

  test('messages sent are published, whichever way they take, and those after close() are not', async (t) => {
    const sent = subscribe(t, 'connection:send');
    const pair = await openPair(t, 'server');
    const { connection, server } = pair;
    connection.send('text');
    connection.sendBytes(Buffer.from('bytes'));
    server.broadcast('to all');
    server.broadcast(Buffer.from('to all'));
    connection.fragmentAndSend(Object.assign(new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), connection.config),
      { opcode: TEXT, binaryPayload: Buffer.from('frame') }));
    connection.close();
    connection.sendUTF('late');
    assert.deepStrictEqual(sent.map((one) => one.connection === connection && one.message), [
      { type: 'utf8', utf8Data: 'text' },
      { type: 'binary', binaryData: Buffer.from('bytes') },
      { type: 'utf8', utf8Data: 'to all' },
      { type: 'binary', binaryData: Buffer.from('to all') },
      { type: 'utf8', utf8Data: 'frame' },
    ]);
  });

  test('errors of their sockets are published, although nobody listens for them', async (t) => {
    const errors = subscribe(t, 'connection:error');
    const pair = await openPair(t, 'server');
    pair.connection.removeAllListeners('error');
    pair.peer.socket.resetAndDestroy();
    await pair.closed();
    assert.deepStrictEqual(ofConnection(errors, pair.connection).map(({ error }) => error.code), ['ECONNRESET']);
  });
});

describe('handshakes of servers', () => {
  test('begin with the request, and end with the connection: it is the same object', async (t) => {
    let request;
    const started = await startWatched(t, { onRequest: (arrived) => { request = arrived; } });
    const connecting = openClient(t, started.url);
    await eventually(() => request !== undefined, 'the request');
    assert.strictEqual(started.starts().length, 1);
    assert.deepStrictEqual(started.ends(), []);
    const [handshake] = started.starts();
    assert.deepStrictEqual(handshake, { server: started.server, request });
    const connection = request.accept();
    assert.strictEqual(started.ends()[0], handshake);
    assert.strictEqual(handshake.connection, connection);
    await connecting;
    await turns();
    assert.strictEqual(started.ends().length, 1);
  });

  test('end with the status when the program rejects them', async (t) => {
    const started = await startWatched(t, { onRequest: (request) => request.reject(401, 'no') });
    await assert.rejects(openClient(t, started.url));
    const [{ statusCode, connection, error }] = started.ends();
    assert.deepStrictEqual([statusCode, connection, error], [401, undefined, undefined]);
  });

  test('end with the status and the error when the server refuses them', async (t) => {
    const started = await startWatched(t, { config: { maxConnections: 0 } });
    await assert.rejects(openClient(t, started.url));
    const [{ statusCode, error }] = started.ends();
    assert.strictEqual(statusCode, 503);
    assert.strictEqual(error, started.upgradeErrors[0]);
    assert.strictEqual(started.starts().length, 1);
  });

  test('for another path are published, too', async (t) => {
    const started = await startWatched(t, { config: { path: '/chat' } });
    await assert.rejects(openClient(t, `${started.url}other`));
    assert.deepStrictEqual(started.ends().map(({ statusCode }) => statusCode), [404]);
  });

  test('end without an outcome when the client leaves', async (t) => {
    const started = await startWatched(t, { onRequest: () => {} });
    const peer = await rawClient(started.port);
    await eventually(() => started.starts().length === 1, 'the request');
    peer.socket.resetAndDestroy();
    await eventually(() => started.ends().length === 1, 'the end');
    const [{ connection, statusCode, error }] = started.ends();
    assert.deepStrictEqual([connection, statusCode, error], [undefined, undefined, undefined]);
  });

  test('that another server answers end without an outcome', async (t) => {
    const started = await startWatched(t, { onRequest: () => {} });
    const other = new websocket.server({ httpServer: started.httpServer, autoAcceptConnections: true });
    t.after(() => other.unmount());
    await openClient(t, started.url);
    await eventually(() => started.ends().length === 1, 'the end');
    const [{ connection, statusCode }] = started.ends();
    assert.deepStrictEqual([connection, statusCode], [undefined, undefined]);
  });
});

describe('handshakes of clients', () => {
  test('begin with the URL without credentials, take more headers, and end with the connection', async (t) => {
    const starts = subscribe(t, 'client:handshake:start', ({ headers }) => headers.push(['traceparent', '00-1-2-01']));
    const ends = subscribe(t, 'client:handshake:end');
    let headers;
    const started = await startServer(t, {
      httpServer: http.createServer(),
      onRequest(request) {
        ({ headers } = request.httpRequest);
        request.accept();
      },
    });
    const connection = await openClient(t, `${started.url.replace('//', '//user:secret@')}chat?room=1`, { headers: { 'X-Own': '1' } });
    assert.strictEqual(starts[0].url, `${started.url}chat?room=1`);
    assert.strictEqual(starts[0].client instanceof websocket.client, true);
    assert.deepStrictEqual([headers.traceparent, headers['x-own']], ['00-1-2-01', '1']);
    assert.strictEqual(ends.length, 1);
    assert.strictEqual(ends[0], starts[0]);
    assert.strictEqual(ends[0].connection, connection);
  });

  test('end with the error when they fail, as does the channel for that', async (t) => {
    const ends = subscribe(t, 'client:handshake:end');
    const failed = subscribe(t, 'client:connectFailed');
    const refused = subscribe(t, 'server:upgradeError');
    const started = await startServer(t, { config: { maxConnections: 0 }, httpServer: http.createServer() });
    const client = new websocket.client();
    client.connect(started.url);
    const [error] = await next(client, 'connectFailed');
    assert.deepStrictEqual(failed, [{ client, error }]);
    assert.strictEqual(ends[0].error, error);
    assert.strictEqual(refused[0].server, started.server);
    assert.strictEqual(refused[0].request.resource, '/');
    assert.strictEqual(refused[0].error.httpCode, 503);
  });

  test('end with the status when the program takes the answer itself', async (t) => {
    const ends = subscribe(t, 'client:handshake:end');
    const raw = await rawServer((peer) => peer.write('HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n'));
    t.after(() => raw.close());
    const client = new websocket.client();
    client.connect(raw.url);
    await next(client, 'httpResponse');
    assert.deepStrictEqual(ends.map(({ statusCode }) => statusCode), [402]);
  });

  test('end with the error that connect() throws', (t) => {
    const ends = subscribe(t, 'client:handshake:end');
    const client = new websocket.client();
    assert.throws(() => client.connect('ws://127.0.0.1:1/', undefined, undefined, { 'X-Bad': 'a\nb' }));
    assert.strictEqual(ends[0].error.code, 'ERR_INVALID_CHAR');
  });
});
