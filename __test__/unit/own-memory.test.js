'use strict';

// Received bytes of 4 KiB and more have memory of their own, whatever Node version pools them up to which size: a program
// may keep them without keeping other data alive, and may transfer them to a worker thread.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { once } = require('node:events');
const websocket = require('../..');
const FastBufferList = require('../../vendor/FastBufferList');
const { allocate, copyOf, concat } = require('../../lib/internal/base/own-memory');

const SIZES = [4096, 8000, 20000, 40000, 65535, 65536, 100000, 1000000];

/** Bytes that tell where they belong. */
const bytesOf = (length) => Buffer.from(Uint8Array.from({ length }, (_, i) => i * i >> 4));

/** Transfers a Buffer and fails unless that moves its memory, and nothing but its own. */
function assertTransferable(buffer, what) {
  const expected = bytesOf(buffer.length);
  assert.strictEqual(buffer.buffer.byteLength, buffer.length, `${what}: the Buffer is a part of a larger one`);
  let moved;
  assert.doesNotThrow(() => { moved = structuredClone(buffer, { transfer: [buffer.buffer] }); }, what);
  // Old versions of Node copy silently what they cannot transfer.
  assert.strictEqual(buffer.length, 0, `${what}: the memory was copied, not transferred`);
  assert.ok(expected.equals(moved), `${what}: other bytes`);
}

/** A server, and a client connected to it which has options of its own. */
async function connect(t, serverOptions, clientOptions) {
  const limits = { maxReceivedFrameSize: 1 << 21, maxReceivedMessageSize: 1 << 21 };
  const httpServer = serverOptions.port === undefined ? http.createServer().listen(0, '127.0.0.1') : null;
  const server = new websocket.server({ ...(httpServer && { httpServer }), ...limits, ...serverOptions });
  await once(httpServer || server, 'listening');
  const client = new websocket.client({ perMessageDeflate: true, fragmentOutgoingMessages: false, ...clientOptions });
  t.after(() => {
    server.shutDown();
    httpServer?.close();
  });
  const accepted = once(server, 'request').then(([request]) => request.accept());
  client.connect(`ws://127.0.0.1:${(httpServer || server).address().port}/`);
  const [sender] = await once(client, 'connect');
  return { sender, receiver: await accepted };
}

const SERVERS = {
  'io: loop': { io: 'loop' },
  'io: stream': { io: 'stream' },
  'option port': { port: 0, host: '127.0.0.1' },
};
const SHAPES = {
  'one frame': [{}, {}],
  'fragments': [{}, { fragmentOutgoingMessages: true, fragmentationThreshold: 1500 }],
  'compressed': [{ perMessageDeflate: true }, {}],
  'compressed fragments': [{ perMessageDeflate: true }, { fragmentOutgoingMessages: true, fragmentationThreshold: 1500 }],
};

for (const [serverName, serverOptions] of Object.entries(SERVERS)) {
  for (const [shape, [more, clientOptions]] of Object.entries(SHAPES)) {
    test(`binaryData of 4 KiB and more can be transferred: ${serverName}, ${shape}`, async (t) => {
      const { sender, receiver } = await connect(t, { ...serverOptions, ...more }, clientOptions);
      for (const size of SIZES) {
        sender.sendBytes(bytesOf(size));
        const [{ binaryData }] = await once(receiver, 'message');
        assertTransferable(binaryData, `${size} bytes`);
      }
    });
  }

  test(`binaryPayload of frames of 4 KiB and more can be transferred: ${serverName}`, async (t) => {
    const { sender, receiver } = await connect(t, { ...serverOptions, assembleFragments: false }, {});
    for (const size of SIZES) {
      sender.sendBytes(bytesOf(size));
      const [{ binaryPayload }] = await once(receiver, 'frame');
      assertTransferable(binaryPayload, `${size} bytes`);
    }
  });

  test(`binaryData can be transferred when the program has a processFrame() of its own: ${serverName}`, async (t) => {
    const { sender, receiver } = await connect(t, serverOptions, { fragmentOutgoingMessages: true, fragmentationThreshold: 1500 });
    receiver.processFrame = websocket.connection.prototype.processFrame.bind(receiver);
    for (const size of SIZES) {
      sender.sendBytes(bytesOf(size));
      const [{ binaryData }] = await once(receiver, 'message');
      assertTransferable(binaryData, `${size} bytes`);
    }
  });
}

test('binaryPayload of frames that a program parses itself can be transferred', () => {
  for (const size of SIZES) {
    const sent = new websocket.frame();
    Object.assign(sent, { opcode: 2, fin: true, mask: true, binaryPayload: bytesOf(size) });
    const list = new FastBufferList();
    list.write(sent.toBuffer());
    const received = new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 1 << 21 });
    assert.ok(received.addData(list));
    assertTransferable(received.binaryPayload, `${size} bytes`);
  }
});

test('every Buffer that is made of received bytes has all of them, and from 4 KiB on memory of its own', () => {
  const source = bytesOf(5000);
  for (const make of [allocate, (length) => copyOf(source, 0, length), (length) => concat([source.subarray(0, length)])]) {
    for (const length of [0, 1, 4095, 4096, 5000]) assert.strictEqual(make(length).length, length);
    assert.strictEqual(make(4096).buffer.byteLength, 4096);
  }
  for (const [start, end] of [[0, 10], [3, 4999], [5000, 5000]]) {
    assert.ok(copyOf(source, start, end).equals(source.subarray(start, end)));
  }
  assert.ok(concat([source.subarray(0, 17), Buffer.alloc(0), source.subarray(17)]).equals(source));
});
