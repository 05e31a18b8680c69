'use strict';

// What has to work inside Jest and Vitest while they fake time. Copied into a project of its own, where `websocket` is the
// packed package; the files beside this one are how the two runners call it.

const http = require('http');
const { server: WebSocketServer, client: WebSocketClient, w3cwebsocket: W3CWebSocket } = require('websocket');

/** Resolves with the arguments of the next event. */
const next = (emitter, event) => new Promise((resolve) => {
  emitter.once(event, (...args) => resolve(args));
});

/** Waits for real input and output, while timers stand still. */
const roundTrip = (httpServer) => new Promise((resolve, reject) => {
  const request = http.get({ port: httpServer.address().port, host: '127.0.0.1', agent: false }, (response) => {
    response.resume().on('end', resolve);
  });
  request.on('error', reject);
});

async function listen(config) {
  const httpServer = http.createServer((request, response) => response.end());
  const server = new WebSocketServer({ httpServer, autoAcceptConnections: true, ...config });
  await new Promise((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  return { httpServer, server, url: `ws://127.0.0.1:${httpServer.address().port}/` };
}

async function pair(config) {
  const listening = await listen(config);
  const client = new WebSocketClient(config);
  const both = Promise.all([next(listening.server, 'connect'), next(client, 'connect')]);
  client.connect(listening.url);
  const [[accepted], [connection]] = await both;
  return { ...listening, accepted, connection };
}

/**
 * @param {object} runner
 * @param {Function} runner.test
 * @param {Function} runner.expect
 * @param {() => void} runner.fake from now on timers are fake
 * @param {(ms: number) => void} runner.advance
 * @param {() => void} runner.real
 */
module.exports = ({ test, expect, fake, advance, real }) => {
  for (const when of ['before', 'after']) {
    test(`messages go to and fro while time stands still, since ${when} the connection`, async () => {
      if (when === 'before') fake();
      const { httpServer, accepted, connection } = await pair();
      if (when === 'after') fake();
      accepted.on('message', (message) => accepted.sendUTF(message.utf8Data));
      for (const text of ['one', 'two', 'three']) {
        const back = next(connection, 'message');
        connection.sendUTF(text);
        expect((await back)[0].utf8Data).toBe(text);
      }
      const closed = Promise.all([next(accepted, 'close'), next(connection, 'close')]);
      connection.close(4000, 'over');
      expect((await closed).map(([code, description]) => [code, description])).toEqual([[4000, 'over'], [4000, 'over']]);
      real();
      httpServer.close();
    });
  }

  test('a ping is sent when the keepalive interval has been advanced', async () => {
    fake();
    const { httpServer, accepted, connection } = await pair({ keepalive: true, keepaliveInterval: 20000 });
    let pings = 0;
    connection.on('ping', () => pings++);
    advance(19999);
    const echo = next(connection, 'message');
    accepted.sendUTF('a ping would have come before this');
    await echo;
    expect(pings).toBe(0);
    const ping = next(connection, 'ping');
    advance(20000);
    await ping;
    const closed = next(connection, 'close');
    connection.drop();
    await closed;
    real();
    httpServer.close();
  });

  test('a peer that does not answer a Close is dropped when closeTimeout has been advanced', async () => {
    fake();
    const { httpServer, accepted, connection } = await pair({ keepalive: false, closeTimeout: 5000 });
    // It sees nothing of the Close.
    accepted.pause();
    const closed = next(connection, 'close');
    connection.close();
    await roundTrip(httpServer);
    advance(5000);
    await roundTrip(httpServer);
    advance(5000);
    await closed;
    accepted.drop();
    real();
    httpServer.close();
  });

  test('the W3C class works while time stands still', async () => {
    fake();
    const { httpServer, server, url } = await listen();
    server.on('connect', (connection) => connection.on('message', (message) => connection.sendUTF(message.utf8Data)));
    const socket = new W3CWebSocket(url);
    await new Promise((resolve) => { socket.onopen = resolve; });
    const message = new Promise((resolve) => { socket.onmessage = resolve; });
    socket.send('hello');
    expect((await message).data).toBe('hello');
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    socket.close();
    expect((await closed).wasClean).toBe(true);
    real();
    httpServer.close();
  });
};
