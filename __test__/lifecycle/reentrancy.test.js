'use strict';

// Calls into the library from inside its own events.

const { test } = require('node:test');
const assert = require('node:assert');
const { openPair, startServer, openClient, openRawClient, rawClient, rawServer, eventually, turns, record } =
  require('../helpers/under-test/endpoints');
const { OPCODE, closePayload, encodeFrame } = require('../helpers/raw');

const { TEXT, PING, PONG, CLOSE } = OPCODE;
const text = (payload) => ({ opcode: TEXT, payload });

/** [event, options of the connection, what makes it happen] */
const events = [
  ['message', {}, (pair) => pair.send(text('x'))],
  ['frame', { assembleFragments: false }, (pair) => pair.send(text('x'))],
  ['ping', {}, (pair) => pair.send({ opcode: PING, payload: 'x' })],
  ['pong', {}, (pair) => pair.send({ opcode: PONG, payload: 'x' })],
  ['pause', {}, (pair) => pair.connection.pause()],
  ['resume', {}, (pair) => {
    pair.connection.pause();
    pair.connection.resume();
  }],
  ['drain', {}, async (pair) => {
    pair.peer.socket.pause();
    while (!pair.connection.outputBufferFull) pair.connection.sendBytes(Buffer.alloc(1 << 20));
    pair.peer.socket.resume();
  }],
  ['error', {}, (pair) => pair.peer.socket.resetAndDestroy()],
  ['close', {}, (pair) => pair.send({ opcode: CLOSE, payload: closePayload(1000) })],
];

const actions = {
  'close()': (connection) => connection.close(),
  'close(4000)': (connection) => connection.close(4000, 'inside'),
  'drop()': (connection) => connection.drop(),
  'drop() without a Close frame': (connection) => connection.drop(1006, 'inside', true),
  'pause()': (connection) => connection.pause(),
  'pause() and resume()': (connection) => {
    connection.pause();
    connection.resume();
  },
  'send()': (connection) => connection.send('inside'),
  'send() of much': (connection) => connection.send(Buffer.alloc(300000)),
  'ping()': (connection) => connection.ping('inside'),
  'send() and close()': (connection) => {
    connection.send('inside');
    connection.close();
  },
  'drop() and send()': (connection) => {
    connection.drop();
    connection.send('inside', () => {});
  },
  'close() and drop()': (connection) => {
    connection.close();
    connection.drop();
  },
  'socket.write()': (connection) => connection.socket.write(encodeFrame({ opcode: TEXT, payload: 'inside', mask: false }), () => {}),
  'socket.destroy()': (connection) => connection.socket.destroy(),
  'socket.end()': (connection) => connection.socket.end(),
};

for (const role of ['server', 'client']) {
  for (const [event, config, trigger] of events) {
    test(`${role}: every call from inside ${event}`, async (t) => {
      for (const [what, act] of Object.entries(actions)) {
        const pair = await openPair(t, role, config);
        let times = 0;
        pair.connection.on(event, () => {
          // Once: pause() inside the pause event would go round for ever, with the original as well.
          if (times++ === 0) act(pair.connection);
        });
        await trigger(pair);
        await eventually(() => times > 0, `${event} (${what})`);
        await turns(2);
        pair.peer.destroy();
        pair.connection.resume();
        await eventually(() => pair.seen.closes.length > 0, `the close event (${what})`);
        await turns(2);
        const log = pair.seen.log.map(([name]) => name);
        assert.strictEqual(log.filter((name) => name === 'close').length, 1, `${what}: ${log}`);
        assert.strictEqual(log[log.length - 1], 'close', `${what}: ${log}`);
        assert.strictEqual(pair.connection.connected, false);
        assert.strictEqual(pair.connection.state, 'closed');
      }
    });
  }

  test(`${role}: inside close, after drop() without a Close frame, the socket can still be written to`, async (t) => {
    const pair = await openPair(t, role);
    const called = [];
    pair.connection.on('close', () => {
      for (const payload of ['one', 'two']) {
        pair.connection.socket.write(encodeFrame({ opcode: TEXT, payload, mask: role === 'client' }), (error) => called.push(error || null));
      }
    });
    pair.connection.drop(1006, 'gone', true);
    await eventually(() => pair.peer.ended, 'the end');
    assert.deepStrictEqual(pair.peer.frames.map(({ opcode }) => opcode), [TEXT, TEXT]);
    await eventually(() => called.length === 2, 'the callbacks');
  });

  for (const [what, act] of [
    ['close()', (connection) => connection.close()],
    ['drop()', (connection) => connection.drop()],
    ['drop() without a Close frame', (connection) => connection.drop(1006, 'inside', true)],
  ]) {
    test(`${role}: ${what} inside message lets no further message of the segment through`, async (t) => {
      const pair = await openPair(t, role);
      pair.connection.once('message', () => act(pair.connection));
      pair.send(text('one'), text('two'), text('three'));
      await pair.messages();
      await turns();
      assert.deepStrictEqual(pair.seen.messages, ['one']);
    });
  }

  test(`${role}: pause() inside message holds the others of the segment back until resume()`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.once('message', () => pair.connection.pause());
    pair.send(text('one'), text('two'), text('three'));
    await pair.messages();
    await turns(10);
    assert.deepStrictEqual(pair.seen.messages, ['one']);
    pair.send(text('four'));
    await turns(10);
    assert.deepStrictEqual(pair.seen.messages, ['one']);
    pair.connection.resume();
    await pair.messages(4);
    assert.deepStrictEqual(pair.seen.messages, ['one', 'two', 'three', 'four']);
  });

  test(`${role}: pause() and resume() inside every message change nothing`, async (t) => {
    const pair = await openPair(t, role);
    pair.connection.on('message', () => {
      pair.connection.pause();
      setImmediate(() => pair.connection.resume());
    });
    const expected = Array.from({ length: 20 }, (_, index) => `${index}`);
    pair.send(...expected.map(text));
    await pair.messages(20);
    await turns();
    assert.deepStrictEqual(pair.seen.messages, expected);
  });

  test(`${role}: ticks and microtasks of a message run before the next message`, async (t) => {
    const pair = await openPair(t, role);
    const order = [];
    pair.connection.on('message', ({ utf8Data }) => {
      order.push(utf8Data);
      process.nextTick(() => order.push(`${utf8Data} tick`));
      Promise.resolve().then(() => order.push(`${utf8Data} microtask`));
    });
    pair.send(text('1'), text('2'), text('3'));
    await pair.messages(3);
    await turns();
    assert.deepStrictEqual(order, ['1', '2', '3'].flatMap((one) => [one, `${one} tick`, `${one} microtask`]));
  });

  test(`${role}: once(connection, 'message') in a loop misses none of a segment`, async (t) => {
    const { once } = require('events');
    const pair = await openPair(t, role);
    pair.send(...['1', '2', '3', '4', '5'].map(text));
    const got = [];
    for (let i = 0; i < 5; i++) got.push((await once(pair.connection, 'message', { signal: AbortSignal.timeout(2000) }))[0].utf8Data);
    assert.deepStrictEqual(got, ['1', '2', '3', '4', '5']);
  });

  test(`${role}: sending from the callback of a send goes on in order`, async (t) => {
    const pair = await openPair(t, role);
    const send = (number) => pair.connection.sendUTF(`${number}`, (error) => {
      assert.ifError(error);
      if (number < 50) send(number + 1);
    });
    send(1);
    await pair.peer.frame(50);
    assert.deepStrictEqual(pair.peer.frames.map((frame) => Number(frame.payload)), Array.from({ length: 50 }, (_, index) => index + 1));
  });

  test(`${role}: sending on each drain until outputBufferFull sends everything`, async (t) => {
    const pair = await openPair(t, role, { fragmentOutgoingMessages: false });
    const { connection } = pair;
    const count = 400;
    let sent = 0;
    const more = () => {
      while (sent < count && !connection.outputBufferFull) connection.sendBytes(Buffer.alloc(50000, sent++));
    };
    connection.on('drain', more);
    more();
    await pair.peer.until((peer) => peer.frames.length === count, 'everything');
    assert.ok(pair.peer.frames.every((frame, index) => frame.payload.length === 50000 && frame.payload[0] === (index & 255)));
  });

  test(`${role}: calls after close never throw, and callbacks get an Error`, async (t) => {
    const pair = await openPair(t, role);
    pair.peer.destroy();
    await pair.closed();
    const errors = [];
    const { connection } = pair;
    connection.send('x', (error) => errors.push(error));
    connection.sendUTF('x', (error) => errors.push(error));
    connection.sendBytes(Buffer.from('x'), (error) => errors.push(error));
    connection.ping('x');
    connection.pong(Buffer.from('x'));
    connection.close();
    connection.drop();
    connection.pause();
    connection.resume();
    await eventually(() => errors.length === 3, 'the callbacks');
    assert.ok(errors.every((error) => error instanceof Error));
    assert.strictEqual(pair.seen.closes.length, 1);
  });
}

for (const [what, act, messages] of [
  ['drop()', (connection) => connection.drop(), 0],
  ['drop() without a Close frame', (connection) => connection.drop(1006, 'by another', true), 0],
  ['close()', (connection) => connection.close(), 0],
  ['socket.destroy()', (connection) => connection.socket.destroy(), null],
  ['pause()', (connection) => connection.pause(), 0],
]) {
  test(`server: ${what} of another connection, whose messages have come with one's own`, async (t) => {
    const started = await startServer(t, { config: { keepalive: false } });
    const peers = [await openRawClient(started.port), await openRawClient(started.port)];
    const pair = await Promise.all([started.connection(1), started.connection(2)]);
    const seen = pair.map(record);
    let acted = null;
    pair.forEach((connection, index) => connection.on('message', () => {
      if (acted !== null) return;
      acted = index;
      act(pair[1 - index]);
    }));
    for (const peer of peers) peer.write(Buffer.concat(['1', '2', '3'].map((payload) => encodeFrame(text(payload)))));
    await eventually(() => acted !== null && seen[acted].messages.length === 3, 'the messages of the one that acts');
    await turns(10);
    const other = seen[1 - acted];
    if (messages !== null) assert.strictEqual(other.messages.length, messages);
    const log = other.log.map(([name]) => name);
    if (log.includes('close')) assert.strictEqual(log.indexOf('close'), log.length - 1);
    if (what === 'pause()') {
      pair[1 - acted].resume();
      await eventually(() => other.messages.length === 3, 'the messages after resume()');
    }
  });
}

for (const [what, act] of Object.entries(actions)) {
  test(`server: ${what} inside connect`, async (t) => {
    let seen;
    const started = await startServer(t, {
      config: { keepalive: false },
      onConnect: (connection) => {
        seen = record(connection);
        act(connection);
      },
    });
    const peer = await rawClient(started.port);
    await peer.until(() => peer.head !== null || peer.closed, 'the response');
    peer.destroy();
    started.connections[0].resume();
    await eventually(() => seen.closes.length === 1, 'the close event');
    await eventually(() => started.server.connections.length === 0, 'the server to forget the connection');
    assert.strictEqual(started.closes.length, 1);
  });

  test(`server: ${what} right after accept(), inside request`, async (t) => {
    let seen;
    const started = await startServer(t, {
      config: { keepalive: false },
      onRequest: (request) => {
        const connection = request.accept();
        seen = record(connection);
        act(connection);
      },
    });
    const peer = await rawClient(started.port);
    await peer.until(() => peer.head !== null || peer.closed, 'the response');
    peer.destroy();
    started.connections[0].resume();
    await eventually(() => seen.closes.length === 1, 'the close event');
    await eventually(() => started.server.connections.length === 0, 'the server to forget the connection');
  });

  test(`client: ${what} inside connect`, async (t) => {
    const raw = await rawServer();
    t.after(() => raw.close());
    let seen;
    const connection = await openClient(t, raw.url, {
      onConnect: (opened) => {
        seen = record(opened);
        act(opened);
      },
    });
    (await raw.next()).destroy();
    connection.resume();
    await eventually(() => seen.closes.length === 1, 'the close event');
    await turns(2);
    assert.strictEqual(seen.closes.length, 1);
  });
}

test('server: messages sent inside connect arrive after the response, in order', async (t) => {
  const started = await startServer(t, {
    onConnect: (connection) => {
      connection.sendUTF('one');
      connection.sendBytes(Buffer.from('two'));
      connection.ping('three');
    },
  });
  const peer = await openRawClient(started.port);
  await peer.frame(3);
  assert.deepStrictEqual(peer.frames.map((frame) => frame.payload.toString()), ['one', 'two', 'three']);
});

test('server: accept() and reject() once more, inside request and later, throw and change nothing', async (t) => {
  const errors = [];
  const again = (request) => {
    for (const method of ['accept', 'reject']) {
      try {
        request[method]();
      } catch (error) {
        errors.push(error.message);
      }
    }
  };
  const started = await startServer(t, {
    onRequest: (request) => {
      request.on('requestAccepted', () => again(request));
      request.accept();
      again(request);
      setImmediate(again, request);
    },
  });
  const peer = await openRawClient(started.port);
  peer.send({ opcode: PING, payload: 'fine' });
  assert.strictEqual((await peer.frame()).payload.toString(), 'fine');
  await turns();
  assert.deepStrictEqual([...new Set(errors)], ['WebSocketRequest may only be accepted or rejected one time.']);
  assert.strictEqual(errors.length, 6);
});

for (const [where, listen] of [
  ['connect', (server, act) => server.on('connect', () => act())],
  ['message', (server, act) => server.on('connect', (connection) => connection.on('message', () => act()))],
  ['the close of a connection', (server, act) => server.on('connect', (connection) => connection.once('close', () => act()))],
  ['close', (server, act) => server.once('close', () => act())],
]) {
  for (const method of ['shutDown', 'closeAllConnections', 'unmount']) {
    test(`server: ${method}() inside ${where}`, async (t) => {
      const started = await startServer(t, { config: { keepalive: false } });
      let calls = 0;
      const others = where === 'connect' ? [] : [await openRawClient(started.port), await openRawClient(started.port)];
      listen(started.server, () => {
        if (calls++ === 0) started.server[method]();
      });
      const peer = await openRawClient(started.port);
      peer.send(text('x'));
      if (where.includes('close')) peer.send({ opcode: CLOSE });
      await eventually(() => calls > 0, 'the event');
      if (method !== 'unmount') {
        for (const other of [peer, ...others]) await other.until(() => other.frames.some((frame) => frame.opcode === CLOSE), 'the Close');
      } else {
        for (const other of [peer, ...others]) other.socket.end();
      }
      await eventually(() => started.server.connections.length === 0, 'no connection');
      assert.strictEqual(started.closes.length, 1 + others.length);
      assert.strictEqual(started.httpServer.listenerCount('upgrade'), method === 'closeAllConnections' ? 1 : 0);
    });
  }
}

test('server: shutDown() inside request refuses the request with 503', async (t) => {
  const started = await startServer(t, { onRequest: () => started.server.shutDown() });
  const peer = await rawClient(started.port);
  await peer.close();
  assert.strictEqual(peer.status, 503);
  assert.deepStrictEqual(started.server.pendingRequests, []);
});

test('server: broadcast() inside message reaches everybody, once, in order', async (t) => {
  const started = await startServer(t, {
    onConnect: (connection) => connection.on('message', (message) => started.server.broadcast(message.utf8Data)),
  });
  const peers = [await openRawClient(started.port), await openRawClient(started.port), await openRawClient(started.port)];
  peers[0].send(text('1'));
  peers[0].send(text('2'));
  for (const peer of peers) {
    await peer.frame(2);
    assert.deepStrictEqual(peer.frames.map((frame) => frame.payload.toString()), ['1', '2']);
  }
});
