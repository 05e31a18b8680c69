'use strict';

// A server and its clients in whatever runtime runs this file: text, bytes, compression, a broadcast, refusal and closing.
// Ends with 0 and a line on stdout, or with 1.
//
//   bun __test__/runtimes/echo.cjs
//   deno run --allow-all __test__/runtimes/echo.cjs

const assert = require('assert');
const { once } = require('events');
const websocket = require('../..');

const limit = setTimeout(() => {
  console.error('not finished after 20 s');
  process.exit(1);
}, 20000);

async function connect(url, config, protocol) {
  const client = new websocket.client(config);
  const outcome = new Promise((resolve, reject) => {
    client.on('connect', resolve);
    client.on('connectFailed', reject);
  });
  client.connect(url, protocol);
  return outcome;
}

async function main() {
  const server = new websocket.server({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
  server.on('request', (request) => {
    if (request.resource === '/no') {
      request.reject(403, 'not here');
      return;
    }
    const connection = request.accept(request.requestedProtocols[0], request.origin);
    connection.on('message', (message) => {
      if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
      else connection.sendBytes(message.binaryData);
    });
  });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${server.address().port}/`;

  for (const config of [{}, { perMessageDeflate: true }]) {
    const connection = await connect(url, config, 'echo');
    assert.strictEqual(connection.protocol, 'echo');
    assert.strictEqual(connection.extensions.length, config.perMessageDeflate ? 1 : 0);
    for (const text of ['', 'hello', 'wörld 漢字 \u{1f600}', 'long '.repeat(50000)]) {
      connection.sendUTF(text);
      assert.strictEqual((await once(connection, 'message'))[0].utf8Data, text);
    }
    const bytes = Buffer.alloc(100000, 'bytes');
    connection.sendBytes(bytes);
    assert.ok((await once(connection, 'message'))[0].binaryData.equals(bytes));
    server.broadcastUTF('to all');
    assert.strictEqual((await once(connection, 'message'))[0].utf8Data, 'to all');
    connection.close(4000, 'done');
    assert.deepStrictEqual(await once(connection, 'close'), [4000, 'done']);
  }

  await assert.rejects(connect(`${url}no`, {}), /403/);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(limit);
  console.log('ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
