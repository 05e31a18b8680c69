'use strict';

// What DEBUG=websocket:* prints while a program runs: docs/diagnostics.md promises a line for each event, with the peer's address.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { execFile } = require('child_process');
const { promisify } = require('util');

const PACKAGE = JSON.stringify(require.resolve('../..'));

/** A server and a client in a process of their own; `body` has `wsServer`, `client` and `url`, and ends with `httpServer.close()`. */
const program = (body, options) => `
  const { server: WebSocketServer, client: WebSocketClient } = require(${PACKAGE});
  const httpServer = require('http').createServer();
  const wsServer = new WebSocketServer({ httpServer, io: process.env.IO, ...${JSON.stringify(options)} });
  const client = new WebSocketClient({ io: process.env.IO });
  httpServer.listen(0, '127.0.0.1', () => {
    const url = 'ws://127.0.0.1:' + httpServer.address().port + '/';
    ${body}
  });`;

/** The lines that a program prints to stderr, without the time in front. */
async function linesOf(body, { DEBUG = 'websocket:*', IO = 'auto', ...options } = {}) {
  const { stderr } = await promisify(execFile)(process.execPath, ['-e', program(body, options)],
    { env: { ...process.env, DEBUG, IO, DEBUG_COLORS: 'no' } });
  return stderr.split('\n').filter(Boolean).map((line) => line.replace(/^\S+ /, ''));
}

/** Those of one connection: 'server' or 'client'. Their numbers and ports differ from run to run. */
function story(lines, role) {
  const [, id] = lines.map((line) => line.match(/^websocket:connection (#\d+) .* open \((\w+)/)).find((match) => match?.[2] === role);
  return lines.filter((line) => line.includes(`${id} `))
    .map((line) => {
      assert.match(line, /^websocket:connection #\d+ 127\.0\.0\.1:\d+ /, 'number, address and port stand in front');
      return line.replace(/^(?:\S+ ){3}/, '');
    })
    .filter((line) => !/^(resumed|paused)$|drain/.test(line));
}

const ECHO_AND_CLOSE = `
  wsServer.on('request', (request) => {
    const connection = request.accept();
    connection.on('message', (message) => connection.sendUTF('got ' + message.utf8Data));
  });
  client.on('connect', (connection) => {
    connection.sendUTF('grüße');
    connection.on('message', () => connection.close(1000, 'bye'));
    connection.on('close', () => httpServer.close());
  });
  client.connect(url);`;

describe('DEBUG=websocket:*', () => {
  for (const IO of ['auto', 'stream']) {
    test(`io '${IO}': each end prints one line for each event, up to the close`, async () => {
      const lines = await linesOf(ECHO_AND_CLOSE, { IO });
      const transport = IO === 'stream' ? 'stream' : '(?:loop|stream)';
      const [serverOpen, ...server] = story(lines, 'server');
      assert.match(serverOpen, new RegExp(`^open \\(server, transport ${transport}\\)$`));
      assert.deepStrictEqual(server.filter((line) => !line.startsWith('the peer')), [
        'message received: text, 7 bytes', 'message sent: text, 11 bytes',
        'Close frame received: 1000 bye', 'Close frame sent: 1000', 'closed: 1000 bye']);
      const [clientOpen, ...peer] = story(lines, 'client');
      assert.match(clientOpen, new RegExp(`^open \\(client, transport ${transport}\\)$`));
      assert.deepStrictEqual(peer.filter((line) => !line.startsWith('the peer')), [
        'message sent: text, 7 bytes', 'message received: text, 11 bytes',
        'Close frame sent: 1000 bye', 'Close frame received: 1000', 'closed: 1000 bye']);
    });
  }

  test('a lost connection, a broadcast, pings and keepalive have their lines', async () => {
    const lines = await linesOf(`
      wsServer.on('request', (request) => {
        const connection = request.accept();
        wsServer.broadcastUTF('to all');
        wsServer.broadcastBytes(Buffer.alloc(3));
        connection.on('close', () => httpServer.close());
      });
      client.on('connect', (connection) => {
        connection.on('ping', () => setImmediate(() => connection.socket.resetAndDestroy?.() ?? connection.socket.destroy()));
      });
      client.connect(url);`, { keepaliveInterval: 50 });
    const server = story(lines, 'server');
    for (const expected of ['message sent: text, 6 bytes', 'message sent: binary, 3 bytes',
      'nothing received for 50 ms (keepaliveInterval)', 'Ping sent']) {
      assert.ok(server.includes(expected), `${expected} is not among ${server}`);
    }
    assert.match(server.at(-1), /^closed: 1006 /);
    assert.ok(story(lines, 'client').includes('Ping received'));
  });

  test('a refused request is a line with the address and the reason', async () => {
    const lines = await linesOf("client.on('connectFailed', () => httpServer.close()); client.connect(url, null, 'https://b.example');",
      { allowedOrigins: 'https://a.example' });
    assert.deepStrictEqual(lines,
      ['websocket:server 127.0.0.1 refused: The origin https://b.example is not allowed (allowedOrigins).']);
  });

  test('behind a proxy, the address is the client\'s', async () => {
    const lines = await linesOf(`
      wsServer.on('request', (request) => request.accept().on('close', () => httpServer.close()));
      client.on('connect', (connection) => connection.close());
      client.connect(url, null, null, { 'X-Forwarded-For': '203.0.113.7' });`);
    assert.ok(lines.includes('websocket:connection #1 203.0.113.7 closed: 1000 Normal connection closure'), lines.join('\n'));
  });

  test('nothing is printed for another namespace, or without DEBUG', async () => {
    assert.deepStrictEqual(await linesOf(ECHO_AND_CLOSE, { DEBUG: 'websocket:server' }), []);
    assert.deepStrictEqual(await linesOf(ECHO_AND_CLOSE, { DEBUG: '' }), []);
  });
});
