'use strict';

// What a large message costs in memory, from its first byte to its delivery.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const readline = require('readline');
const WebSocket = require('ws');

const SIZE = 64 << 20;

const SERVER = `
  const fs = require('fs');
  const http = require('http');
  const { server: WebSocketServer } = require(${JSON.stringify(require.resolve('../..'))});
  const httpServer = http.createServer();
  const server = new WebSocketServer({
    httpServer, autoAcceptConnections: true, maxReceivedFrameSize: ${2 * SIZE}, maxReceivedMessageSize: ${2 * SIZE}
  });
  const memory = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  server.on('connect', (connection) => {
    global.gc();
    // From here on the peak is counted anew.
    fs.writeFileSync('/proc/self/clear_refs', '5');
    const before = memory('VmRSS');
    connection.on('message', ({ binaryData }) => {
      console.log(JSON.stringify({ length: binaryData.length, peak: memory('VmHWM') - before, transport: connection.transport }));
    });
    connection.sendUTF('go');
  });
  httpServer.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: httpServer.address().port })));
`;

function canCount() {
  try {
    fs.accessSync('/proc/self/clear_refs', fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

describe('a message of 64 MiB', { skip: !canCount() && 'the system does not tell the peak' }, () => {
  for (const io of ['loop', 'threads']) {
    test(`needs 2.2 times its size at the most, ${io}`, { timeout: 60000 }, async (t) => {
      const child = spawn(process.execPath, ['--expose-gc', '-e', SERVER], {
        stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, WEBSOCKET_IO: io },
      });
      t.after(() => child.kill('SIGKILL'));
      const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async () => JSON.parse((await lines.next()).value);
      const { port } = await next();
      const client = new WebSocket(`ws://127.0.0.1:${port}/`);
      t.after(() => client.terminate());
      await once(client, 'message');
      client.send(Buffer.alloc(SIZE, 7));
      const { length, peak, transport } = await next();
      assert.strictEqual(length, SIZE);
      assert.strictEqual(transport, io);
      assert.ok(peak <= 2.2 * SIZE, `${(peak / SIZE).toFixed(2)} times its size`);
      t.diagnostic(`${(peak / SIZE).toFixed(2)} times its size`);
    });
  }
});
