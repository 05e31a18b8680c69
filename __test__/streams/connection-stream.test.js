'use strict';

// connection.stream(), over each transport.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const { once, getEventListeners } = require('events');
const { Duplex, Readable, Transform, Writable } = require('stream');
const { finished, pipeline } = require('stream/promises');
const { OPCODE, closePayload, writeUntilStopped } = require('../helpers/raw');
const { eventually, openClient, openPair, startServer, turns } = require('../helpers/under-test/endpoints');
const { WAYS, optionsOf, open } = require('../queue/ways');

const { TEXT, BINARY, CLOSE, PING } = OPCODE;

const text = (payload) => ({ opcode: TEXT, payload });
const binary = (payload) => ({ opcode: BINARY, payload: Buffer.from(payload) });
const close = (code) => ({ opcode: CLOSE, payload: code === undefined ? Buffer.alloc(0) : closePayload(code) });

/** All chunks of a stream, until its end. */
async function chunksOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const payloads = (peer, opcode) => peer.frames.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload.toString());
const codeOf = ({ payload }) => (payload.length < 2 ? 1005 : payload.readUInt16BE(0));

for (const way of WAYS) {
  describe(`stream, ${way.name}`, () => {
    test('in byte mode, text and binary messages are read as Buffers, and each write is a binary message', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream();
      assert.ok(stream instanceof Duplex);
      pair.send(text('größe'), binary('two'), close(1000));
      stream.write('first');
      stream.write(Buffer.from('second'));
      const chunks = await chunksOf(stream);
      assert.ok(chunks.every(Buffer.isBuffer));
      assert.strictEqual(Buffer.concat(chunks).toString(), 'größetwo');
      await pair.received(CLOSE);
      assert.deepStrictEqual(payloads(pair.peer, BINARY), ['first', 'second']);
      assert.deepStrictEqual(payloads(pair.peer, TEXT), []);
    });

    test('in object mode, texts are strings in both directions, and empty messages count', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream({ objectMode: true });
      pair.send(text('one'), binary('two'), text(''), binary(''), close(1000));
      stream.write('first');
      stream.write(new Uint8Array([0x32]));
      stream.write('');
      assert.deepStrictEqual(await chunksOf(stream), ['one', Buffer.from('two'), '', Buffer.alloc(0)]);
      await pair.received(CLOSE);
      assert.deepStrictEqual(payloads(pair.peer, TEXT), ['first', '']);
      assert.deepStrictEqual(payloads(pair.peer, BINARY), ['2']);
    });

    test('while nobody reads, the peer is stopped; then everything comes', async (t) => {
      const pair = await open(t, way);
      const { connection, peer, encode } = pair;
      const stream = connection.stream({ highWaterMark: 100000 });
      const payload = crypto.randomBytes(50000);
      const sent = await writeUntilStopped(peer, encode({ opcode: BINARY, payload }), 2000);
      assert.ok(sent < 2000, 'the peer is stopped');
      assert.strictEqual(connection.inputPaused, true);
      // Two messages reach the mark; what was read already waits in the connection.
      assert.strictEqual(stream.readableLength, 100000);
      peer.write(encode(close(1000)));
      let bytes = 0;
      for await (const chunk of stream) {
        assert.ok(stream.readableLength <= 100000);
        bytes += chunk.length;
      }
      assert.strictEqual(bytes, sent * 50000);
      assert.strictEqual(pair.seen.closes.length, 1);
    });

    test('while the peer does not read, write() says so, and no more than the marks is kept', async (t) => {
      const pair = await open(t, way, { highWaterMark: 65536 });
      const { connection, peer } = pair;
      const stream = connection.stream({ highWaterMark: 100000 });
      peer.socket.pause();
      const chunk = Buffer.alloc(20000, 'x');
      let written = 0;
      const called = [];
      for (let calm = 0; calm < 20;) {
        if (stream.writableNeedDrain) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          calm++;
        } else {
          stream.write(chunk, (error) => called.push(error));
          written++;
          calm = 0;
          await turns(1);
        }
        assert.ok(written < 5000, 'write() says that it is enough');
      }
      assert.ok(stream.writableLength <= 120000, `${stream.writableLength} bytes wait in the stream`);
      assert.ok(connection.bufferedAmount <= 65536 + 30000, `${connection.bufferedAmount} bytes wait in the connection`);
      assert.ok(called.length < written, 'the last ones have not left');
      peer.socket.resume();
      await once(stream, 'drain');
      stream.end();
      await finished(stream, { readable: false });
      assert.strictEqual(called.length, written);
      assert.ok(called.every((error) => !error));
      await pair.received(CLOSE);
      assert.strictEqual(payloads(peer, BINARY).join('').length, written * 20000);
    });

    test('end() closes with 1000 behind what was written, and what the peer sends before its own Close still comes', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream({ objectMode: true });
      stream.write('question');
      stream.end('the last one');
      assert.strictEqual(codeOf(await pair.received(CLOSE)), 1000);
      assert.deepStrictEqual(payloads(pair.peer, TEXT), ['question', 'the last one']);
      pair.send(text('answer'), { opcode: PING, payload: Buffer.from('?') }, text('and more'), close(1000));
      assert.deepStrictEqual(await chunksOf(stream), ['answer', 'and more']);
      await eventually(() => stream.closed, 'the stream to close');
      assert.deepStrictEqual((await pair.closed()).code, 1000);
      assert.deepStrictEqual(pair.seen.messages, [], 'for listeners of the connection, nothing follows its end');
    });

    for (const code of [1000, undefined]) {
      test(`a Close of the peer with ${code === undefined ? 'no code' : code} is the end of both directions`, async (t) => {
        const pair = await open(t, way);
        const stream = pair.connection.stream();
        const ends = [];
        stream.on('end', () => ends.push('end'));
        stream.on('finish', () => ends.push('finish'));
        stream.resume();
        pair.send(text('x'), close(code));
        await once(stream, 'close');
        assert.deepStrictEqual(ends, ['end', 'finish']);
        assert.strictEqual(stream.errored, null);
      });
    }

    test('a Close of the peer with another code destroys the stream with an error that has it', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream();
      pair.send({ opcode: CLOSE, payload: closePayload(1011, 'disk full') });
      await assert.rejects(chunksOf(stream), { code: 'ERR_WEBSOCKET_STREAM_CLOSED', closeCode: 1011, closeReason: 'disk full' });
      assert.ok(stream.destroyed);
    });

    test('a connection that breaks off destroys the stream, although all bytes so far have come', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream();
      pair.send(text('half a file'));
      const ended = chunksOf(stream);
      await pair.messages();
      pair.peer.socket.end();
      await assert.rejects(ended, { code: 'ERR_WEBSOCKET_STREAM_CLOSED', closeCode: 1006 });
    });

    test('destroy() ends the connection at once', async (t) => {
      const pair = await open(t, way);
      pair.connection.stream().destroy();
      assert.strictEqual(codeOf(await pair.received(CLOSE)), 1001);
      assert.strictEqual((await pair.closed()).code, 1001);
      await pair.peer.close();
    });

    test('destroy(error) tells the peer of a failure, and not which', async (t) => {
      const pair = await open(t, way);
      const stream = pair.connection.stream();
      stream.destroy(new Error('the password was wrong'));
      await assert.rejects(finished(stream), { message: 'the password was wrong' });
      const frame = await pair.received(CLOSE);
      assert.strictEqual(codeOf(frame), 1011);
      assert.ok(!frame.payload.toString().includes('password'));
    });

    test('an aborted signal destroys the stream', async (t) => {
      const pair = await open(t, way);
      const controller = new AbortController();
      const stream = pair.connection.stream({ signal: controller.signal });
      const ended = chunksOf(stream);
      controller.abort();
      await assert.rejects(ended, { name: 'AbortError', code: 'ABORT_ERR' });
      assert.strictEqual(codeOf(await pair.received(CLOSE)), 1001);
    });

    test('break in a for await loop ends the connection', async (t) => {
      const pair = await open(t, way);
      pair.send(text('one'), text('two'));
      const chunks = [];
      for await (const chunk of pair.connection.stream({ objectMode: true })) {
        if (chunks.push(chunk) === 1) break;
      }
      assert.deepStrictEqual(chunks, ['one']);
      assert.strictEqual((await pair.closed()).code, 1001);
    });

    test('pipeline() through an echo, at the pace of the slower side, loses nothing', async (t) => {
      const started = await startServer(t, {
        config: { ...optionsOf({ ...way, listener: false }), maxReceivedFrameSize: 1 << 20 },
        onConnect(connection) {
          const stream = connection.stream();
          pipeline(stream, stream).catch(() => {});
        },
      });
      const client = await openClient(t, started.url, { config: optionsOf({ io: way.io }) });
      const stream = client.stream();
      const sent = crypto.createHash('sha256');
      const received = crypto.createHash('sha256');
      const chunks = Array.from({ length: 100 }, (_, i) => crypto.randomBytes(1000 + i * 600));
      for (const chunk of chunks) sent.update(chunk);
      let bytes = chunks.reduce((sum, { length }) => sum + length, 0);
      const read = (async () => {
        for await (const chunk of stream) {
          received.update(chunk);
          bytes -= chunk.length;
          await turns(1);
          if (bytes === 0) break;
        }
      })();
      await pipeline(Readable.from(chunks), new Writable({
        write(chunk, encoding, cb) { stream.write(chunk, cb); },
      }));
      await read;
      assert.strictEqual(received.digest('hex'), sent.digest('hex'));
    });
  });
}

describe('stream', () => {
  const [way] = WAYS;

  test('pipeline() into a stream is done when the Close frame has left, although the peer goes on for a while', async (t) => {
    const pair = await open(t, way);
    const lines = new Transform({ objectMode: true, transform(line, encoding, cb) { cb(null, line.toUpperCase()); } });
    await pipeline(Readable.from(['a', 'b']), lines, pair.connection.stream({ objectMode: true }));
    await pair.received(CLOSE);
    assert.deepStrictEqual(payloads(pair.peer, TEXT), ['A', 'B']);
  });

  test('who has ended and never read gets no error when the peer leaves without a Close frame; who reads gets one', async (t) => {
    for (const reads of [false, true]) {
      const pair = await open(t, way);
      const stream = pair.connection.stream();
      const errors = [];
      stream.on('error', ({ code }) => errors.push(code));
      if (reads) stream.resume();
      stream.end('all');
      await pair.received(CLOSE);
      pair.peer.socket.end();
      await eventually(() => stream.closed, 'the stream to close');
      assert.deepStrictEqual(errors, reads ? ['ERR_WEBSOCKET_STREAM_CLOSED'] : []);
    }
  });

  test('a source that fails in a pipeline fails the connection', async (t) => {
    const pair = await open(t, way);
    const failing = new Readable({ read() { this.destroy(new Error('no disk')); } });
    await assert.rejects(pipeline(failing, pair.connection.stream()), { message: 'no disk' });
    assert.strictEqual(codeOf(await pair.received(CLOSE)), 1011);
  });

  test('a stream of which nobody reads closes with its connection', async (t) => {
    const pair = await open(t, way);
    const stream = pair.connection.stream();
    pair.send(close(1000));
    await once(stream, 'close');
    assert.strictEqual(stream.writableFinished, true);
  });

  test('a write after the connection has closed is an error of the stream', async (t) => {
    const pair = await open(t, way);
    const stream = pair.connection.stream();
    pair.connection.close();
    const called = new Promise((resolve) => { stream.write('late', resolve); });
    await assert.rejects(finished(stream), { code: 'ERR_WEBSOCKET_CLOSED' });
    assert.strictEqual((await called).code, 'ERR_WEBSOCKET_CLOSED');
  });

  test('a message that maxBufferedAmount refuses is an error of the stream, not a gap', async (t) => {
    const pair = await open(t, way, { maxBufferedAmount: 100000, maxBufferedAmountPolicy: 'drop' });
    const stream = pair.connection.stream();
    pair.peer.socket.pause();
    const sent = () => pair.connection.stats().messagesSent;
    await eventually(() => {
      const before = sent();
      pair.connection.sendBytes(Buffer.alloc(50000));
      if (sent() > before) return false;
      // At once: the system may take more a little later.
      stream.write(Buffer.alloc(50000));
      return true;
    }, 'a message that is refused');
    await assert.rejects(finished(stream), { code: 'ERR_WEBSOCKET_BUFFER_FULL' });
  });

  test('what cannot be a message is refused', async (t) => {
    const pair = await open(t, way);
    const stream = pair.connection.stream({ objectMode: true });
    stream.write({ toString: () => 'x' });
    await assert.rejects(finished(stream), { name: 'TypeError', code: 'ERR_WEBSOCKET_DATA' });
  });

  test('a stream on a connection that has closed has ended as well', async (t) => {
    for (const [frame, outcome] of [[close(1000), null], [close(1011), 'ERR_WEBSOCKET_STREAM_CLOSED']]) {
      const pair = await open(t, way);
      pair.send(frame);
      await pair.closed();
      const stream = pair.connection.stream();
      const read = chunksOf(stream);
      if (outcome === null) assert.deepStrictEqual(await read, []);
      else await assert.rejects(read, { code: outcome });
    }
  });

  test('options that mean nothing are refused, before anything has changed', async (t) => {
    const pair = await open(t, way);
    const { connection } = pair;
    const listeners = connection.listenerCount('message');
    for (const options of [null, 5, 'objectMode', { highWaterMark: -1 }, { highWaterMark: '16' }, { readableHighWaterMark: 1.5 },
      { writableHighWaterMark: NaN }, { signal: {} }, { signal: 'now' }]) {
      assert.throws(() => connection.stream(options), { code: 'ERR_WEBSOCKET_OPTION' }, String(options));
    }
    assert.strictEqual(connection.listenerCount('message'), listeners);
    const frames = await openPair(t, 'server', { assembleFragments: false });
    assert.throws(() => frames.connection.stream(), { code: 'ERR_WEBSOCKET_OPTION', message: /assembleFragments/ });
  });

  test('a signal that was aborted before destroys the stream at once', async (t) => {
    const pair = await open(t, way);
    const stream = pair.connection.stream({ signal: AbortSignal.abort() });
    await assert.rejects(finished(stream), { name: 'AbortError' });
    assert.strictEqual((await pair.closed()).code, 1001);
  });

  test('leaves no listener behind, neither on the connection nor on the signal', async (t) => {
    const pair = await open(t, way);
    const { connection } = pair;
    const { signal } = new AbortController();
    const counts = () => ['message', 'error', 'drain'].map((event) => connection.listenerCount(event));
    const before = counts();
    const closes = connection.listeners('close');
    const stream = connection.stream({ signal });
    pair.send(close(1000));
    await once(stream.resume(), 'close');
    assert.deepStrictEqual(counts(), before);
    assert.deepStrictEqual(connection.listeners('close').filter((listener) => !closes.includes(listener)), []);
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
  });

  test('two directions with marks and modes of their own', async (t) => {
    const pair = await open(t, way);
    const stream = pair.connection.stream({
      readableObjectMode: true, readableHighWaterMark: 2, writableHighWaterMark: 1000,
    });
    assert.deepStrictEqual([stream.readableHighWaterMark, stream.writableHighWaterMark], [2, 1000]);
    assert.deepStrictEqual([stream.readableObjectMode, stream.writableObjectMode], [true, false]);
    pair.send(text('a'), text('b'), text('c'));
    await eventually(() => pair.connection.inputPaused, 'a pause');
    assert.strictEqual(stream.readableLength, 2);
    stream.destroy();
  });

  test('a program that has paused the connection itself decides when it goes on', async (t) => {
    const pair = await open(t, way);
    const { connection } = pair;
    const stream = connection.stream({ objectMode: true });
    stream.on('error', () => {});
    connection.pause();
    pair.send(text('a'));
    stream.resume();
    await turns(20);
    assert.strictEqual(connection.inputPaused, true);
    assert.deepStrictEqual(pair.seen.messages, []);
    connection.resume();
    await pair.messages();
  });

  test('over permessage-deflate and TLS', async (t) => {
    const deflated = await openPair(t, 'server', { perMessageDeflate: true }, false, 'permessage-deflate');
    const stream = deflated.connection.stream();
    stream.end('x'.repeat(100000));
    await deflated.received(CLOSE);
    assert.ok(deflated.peer.frames[0].rsv === 4 || deflated.peer.frames[0].payload.length < 100000);
    const secure = await openPair(t, 'client', {}, true);
    const secureStream = secure.connection.stream();
    secure.send(text('a'), close(1000));
    assert.strictEqual(Buffer.concat(await chunksOf(secureStream)).toString(), 'a');
  });
});
