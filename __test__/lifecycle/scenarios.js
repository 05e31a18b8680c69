'use strict';

// What runs in child processes: see helpers/under-test/child.js. All of them use the package under test at both ends,
// or meet a raw peer in the parent process whose `port` they are given.

const http = require('http');
const { websocket } = require('../helpers/under-test');
const { encodeFrame, OPCODE, openRawClient, rawServer } = require('../helpers/raw');

/** An echo server; calls back with `{ httpServer, server, port }`. */
function startEcho(config, callback) {
  const httpServer = http.createServer();
  const server = new websocket.server({ httpServer, autoAcceptConnections: true, ...config });
  server.on('connect', (connection) => {
    connection.on('error', () => {});
    connection.on('message', (message) => connection.send(message.utf8Data === undefined ? message.binaryData : message.utf8Data));
  });
  httpServer.listen(0, '127.0.0.1', () => callback({ httpServer, server, port: httpServer.address().port }));
}

/** Connects and calls back with the connection. */
function connect(port, callback, config) {
  const client = new websocket.client(config);
  client.on('connectFailed', (error) => { throw error; });
  client.on('connect', (connection) => {
    connection.on('error', () => {});
    callback(connection, client);
  });
  client.connect(`ws://127.0.0.1:${port}/`);
  return client;
}

/** From now on the process has nothing to do; tells how long it lived on. */
function expectExit(report) {
  const since = Date.now();
  process.on('exit', () => report({ lived: Date.now() - since }));
}

const endings = {
  'client close()': ({ client }) => client.close(),
  'server close()': ({ accepted }) => accepted.close(),
  'client drop()': ({ client }) => client.drop(),
  'server drop()': ({ accepted }) => accepted.drop(),
  'client socket.destroy()': ({ client }) => client.socket.destroy(),
  'server socket.destroy()': ({ accepted }) => accepted.socket.destroy(),
  'client socket.end()': ({ client }) => client.socket.end(),
  'server socket.end()': ({ accepted }) => accepted.socket.end(),
  'a reset by the client': ({ client }) => client.socket.resetAndDestroy(),
  'shutDown()': ({ server }) => server.shutDown(),
  'closeAllConnections()': ({ server }) => server.closeAllConnections(),
};
exports.endings = Object.keys(endings);

/** One echo, then the connection ends in the given way, and the server stops listening. */
exports.end = ({ report, how, config }) => {
  startEcho(config, ({ httpServer, server, port }) => {
    connect(port, (client) => {
      client.sendUTF('hello');
      client.on('message', (message) => {
        report({ echoed: message.utf8Data });
        endings[how]({ client, accepted: server.connections.at(-1), server });
        httpServer.close();
        expectExit(report);
      });
    }, config);
  });
};

exports.endOfW3C = ({ report }) => {
  startEcho({}, ({ httpServer, port }) => {
    const socket = new websocket.w3cwebsocket(`ws://127.0.0.1:${port}/`);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = (event) => {
      report({ echoed: event.data });
      socket.close();
      httpServer.close();
      expectExit(report);
    };
  });
};

/** Loads the package and makes objects that have no socket. */
exports.load = ({ report }) => {
  new websocket.client();
  new websocket.server({ httpServer: http.createServer(), autoAcceptConnections: true });
  new websocket.router();
  new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), { maxReceivedFrameSize: 1 });
  expectExit(report);
};

/** A client whose attempt fails, in the way the server at `port` makes it fail. */
exports.fail = ({ report, port }) => {
  const client = new websocket.client();
  client.on('connectFailed', (error) => {
    report({ failed: error.message });
    expectExit(report);
  });
  client.connect(`ws://127.0.0.1:${port}/`);
};

exports.abort = ({ report, port }) => {
  const client = new websocket.client();
  client.on('connectFailed', () => {});
  client.connect(`ws://127.0.0.1:${port}/`);
  setTimeout(() => {
    client.abort();
    expectExit(report);
  }, 30);
};

exports.reject = ({ report }) => {
  const httpServer = http.createServer();
  const server = new websocket.server({ httpServer });
  server.on('request', (request) => {
    request.reject(403);
    httpServer.close();
  });
  httpServer.listen(0, '127.0.0.1', () => {
    const client = new websocket.client();
    client.on('connectFailed', () => expectExit(report));
    client.connect(`ws://127.0.0.1:${httpServer.address().port}/`);
  });
};

/** Only listens. */
exports.listen = ({ report }) => startEcho({}, ({ port }) => report({ port }));

/** A client of the parent's server; with `unref`, its socket does not hold the process. */
exports.stay = ({ report, port, unref, ref }) => {
  connect(port, (connection) => {
    if (unref) connection.socket.unref();
    if (ref) connection.socket.ref();
    report({ connected: true });
    expectExit(report);
  });
};

/** A server that does not hold the process, with a connection that does not either when told so. */
exports.unreferencedServer = ({ report, unref }) => {
  startEcho({ keepalive: false }, ({ httpServer, server, port }) => {
    server.on('connect', (connection) => {
      httpServer.unref();
      if (unref) connection.socket.unref();
      report({ connected: true });
      expectExit(report);
    });
    report({ port });
  });
};

/** Runs `act` inside the event called `where`; at both ends there is something under way. */
function inside(where, act, report) {
  startEcho({ keepaliveInterval: 20 }, ({ httpServer, server, port }) => {
    const on = (emitter, event, name) => {
      if (where === name) emitter.on(event, () => act(name));
    };
    on(server, 'connect', 'server connect');
    on(server, 'close', 'server close');
    server.on('connect', (connection) => {
      on(connection, 'message', 'server message');
      on(connection, 'close', 'connection close');
      on(connection, 'pong', 'pong');
    });
    if (where.startsWith('request')) {
      server.config.autoAcceptConnections = false;
      server.on('request', (request) => {
        on(request, 'requestAccepted', 'requestAccepted');
        if (where === 'request') act(where);
        request.accept();
      });
    }
    connect(port, (client) => {
      if (where === 'client connect') act(where);
      on(client, 'message', 'client message');
      on(client, 'close', 'client close');
      client.on('ping', () => { if (where === 'ping') act(where); });
      if (where === 'send callback') client.sendUTF('x', () => act(where));
      const big = Buffer.alloc(1 << 20, 1);
      for (let i = 0; i < 4; i++) client.sendBytes(big.subarray(0, 60000));
      client.sendUTF('small');
      setTimeout(() => client.close(), 100);
    });
    setTimeout(() => {
      report({ missed: where });
      httpServer.close();
    }, 2000);
  });
}

exports.exit = ({ report, where, status }) => inside(where, () => process.exit(status), report);
exports.throw = ({ report, where }) => inside(where, (name) => { throw new Error(`thrown in ${name}`); }, report);

/** process.exit() at once while connections have data to send, to receive, or their Close under way. */
exports.exitBusy = ({ report, what }) => {
  startEcho({ fragmentOutgoingMessages: false }, async ({ server, port }) => {
    const peer = await openRawClient(port);
    const connection = server.connections[0];
    if (what === 'backlog') {
      peer.socket.pause();
      for (let i = 0; i < 64; i++) connection.sendBytes(Buffer.alloc(1 << 20));
    } else if (what === 'flood') {
      const chunk = Buffer.concat(Array.from({ length: 20000 }, () => encodeFrame({ opcode: OPCODE.BINARY, payload: 'x' })));
      peer.write(chunk);
    } else if (what === 'closing') {
      connection.close();
    }
    setTimeout(() => {
      report({ exiting: true });
      process.exit(5);
    }, 20);
  });
};

/** Sends, and then ends the process or stands still at once; `where` says in which event. */
exports.sendAndGo = ({ report, where, what }) => {
  startEcho({ keepalive: false }, ({ server, port }) => {
    const go = (connection) => {
      connection.sendUTF('one');
      connection.sendBytes(Buffer.alloc(1000, 'x'));
      connection.ping('three');
      if (what === 'exit') process.exit(0);
      if (what === 'drop') {
        connection.drop(1001, 'going');
        process.exit(0);
      }
      if (what === 'throw') throw new Error('on purpose');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      report({ over: true });
    };
    server.on('connect', (connection) => {
      connection.removeAllListeners('message');
      if (where === 'message') connection.on('message', () => go(connection));
      if (where === 'timer') setTimeout(go, 30, connection);
      if (where === 'promise') connection.on('message', () => Promise.resolve(connection).then(go));
    });
    report({ port });
  });
};

/** Where something queued by a listener throws. */
const later = {
  'a tick': (fail) => process.nextTick(fail),
  'a microtask': (fail) => queueMicrotask(fail),
  'a rejected promise': (fail) => Promise.resolve().then(fail),
  'an immediate': (fail) => setImmediate(fail),
  'a tick of a microtask': (fail) => queueMicrotask(() => process.nextTick(fail)),
  'the callback of a send': (fail, connection) => connection.sendUTF('answer', fail),
};
exports.later = Object.keys(later);

/**
 * A peer sends five messages in one segment; the listener of one event throws on some of them, or something it queued
 * does.
 */
exports.throwAmong = ({ report, role, event, on, from }) => {
  const seen = [];
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  const payloads = ['1', '2', '3', '4', '5'];
  const opcodes = { message: OPCODE.TEXT, frame: OPCODE.TEXT, ping: OPCODE.PING, pong: OPCODE.PONG, onmessage: OPCODE.TEXT };
  const frames = (mask) => Buffer.concat(payloads.map((payload) => encodeFrame({ opcode: opcodes[event], payload, mask })));
  const take = (text, connection) => {
    seen.push(text);
    if (seen.length === payloads.length) {
      setTimeout(() => {
        report({ seen, caught });
        process.exit(0);
      }, 50);
    }
    const fail = () => { throw new Error(`on ${text}`); };
    if (!on.includes(text)) return;
    if (from) later[from](fail, connection);
    else fail();
  };
  const watch = (connection) => {
    connection.on(event, (first, second) => {
      if (event === 'message') take(first.utf8Data, connection);
      else if (event === 'frame') take(first.binaryPayload.toString());
      else take((event === 'ping' ? second : first).toString());
    });
  };
  const config = event === 'frame' ? { assembleFragments: false } : {};
  if (role === 'server') {
    startEcho({ ...config, keepalive: false }, async ({ server, port }) => {
      server.on('connect', (connection) => {
        connection.removeAllListeners('message');
        watch(connection);
      });
      (await openRawClient(port)).write(frames(true));
    });
    return;
  }
  rawServer().then(async (raw) => {
    if (event === 'onmessage') {
      new websocket.w3cwebsocket(raw.url).onmessage = (message) => take(message.data);
    } else {
      connect(raw.port, watch, config);
    }
    const peer = await raw.next();
    setTimeout(() => peer.write(frames(false)), 30);
  });
};

/** A listener of `connect` or `close` throws; the connection and the server go on. */
exports.throwAround = ({ report, where }) => {
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  startEcho({ keepalive: false }, async ({ server, port }) => {
    let first = true;
    server.on('connect', (connection) => {
      if (where === 'connect' && first) {
        first = false;
        throw new Error('in connect');
      }
      if (where === 'close') connection.on('close', () => { throw new Error('in close'); });
    });
    for (let i = 0; i < 2; i++) {
      const peer = await openRawClient(port);
      peer.send({ opcode: OPCODE.TEXT, payload: `echo ${i}` });
      report({ [`echo${i}`]: (await peer.frame()).payload.toString() });
      peer.send({ opcode: OPCODE.CLOSE });
      await peer.close();
    }
    setTimeout(() => {
      report({ caught, left: server.connections.length });
      process.exit(0);
    }, 30);
  });
};

/** Pauses at the first of five messages; when it goes on, a listener throws. */
exports.throwOnResume = ({ report, io }) => {
  const seen = [];
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  startEcho({ keepalive: false, io }, async ({ server, port }) => {
    server.on('connect', (connection) => {
      connection.once('resume', () => connection.once('resume', () => { throw new Error('in resume'); }));
      connection.on('message', ({ utf8Data }) => {
        seen.push(utf8Data);
        if (seen.length === 1) {
          connection.pause();
          setTimeout(() => connection.resume(), 30);
        }
      });
    });
    const peer = await openRawClient(port);
    peer.write(Buffer.concat(['1', '2', '3', '4', '5'].map((payload) => encodeFrame({ opcode: OPCODE.TEXT, payload, mask: true }))));
    setTimeout(() => {
      report({ seen, caught });
      process.exit(0);
    }, 300);
  });
};

/** The same, and messages come while the connection is paused, and afterwards. */
exports.throwOnResumeAmong = ({ report, io }) => {
  const seen = [];
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  startEcho({ keepalive: false, io }, async ({ server, port }) => {
    const peer = await openRawClient(port);
    const send = (payload) => peer.write(encodeFrame({ opcode: OPCODE.TEXT, payload, mask: true }));
    const [connection] = server.connections;
    connection.on('message', ({ utf8Data }) => seen.push(utf8Data));
    connection.pause();
    for (const event of ['resume', 'pause']) connection.on(event, () => { throw new Error(`in ${event}`); });
    send('1');
    setTimeout(() => {
      connection.resume();
      setTimeout(() => send('2'), 30);
      setTimeout(() => {
        connection.pause();
      }, 60);
      setTimeout(() => send('3'), 90);
      setTimeout(() => connection.resume(), 120);
    }, 30);
    setTimeout(() => {
      report({ seen, caught });
      process.exit(0);
    }, 400);
  });
};

/** A callback, and listeners of `drain`, throw while much waits for the peer. */
exports.throwWhenWritten = ({ report, io, highWaterMark }) => {
  const called = [];
  const caught = new Set();
  process.on('uncaughtException', (error) => caught.add(error.message));
  startEcho({ keepalive: false, io, fragmentOutgoingMessages: false, ...(highWaterMark && { highWaterMark }) }, async ({ server, port }) => {
    const peer = await openRawClient(port);
    const [connection] = server.connections;
    connection.on('drain', () => { throw new Error('in drain'); });
    peer.socket.pause();
    for (let i = 0; i < 200; i++) {
      connection.sendUTF('x'.repeat(100000), () => {
        called.push(i);
        if (i % 3 === 1) throw new Error('in a callback');
      });
    }
    setTimeout(() => peer.socket.resume(), 30);
    const end = Date.now() + 10000;
    setInterval(() => {
      if ((called.length < 200 || !caught.has('in drain')) && Date.now() < end) return;
      connection.socket.end();
      connection.socket.once('close', () => {
        report({ called, caught: [...caught].sort() });
        process.exit(0);
      });
    }, 20);
  });
};

/** A listener of `close` throws when the peer ends. */
exports.throwOnClose = ({ report, io }) => {
  let socketCloses = 0;
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  startEcho({ keepalive: false, io }, async ({ server, port }) => {
    server.on('connect', (connection) => {
      connection.socket.on('close', () => socketCloses++);
      connection.on('close', () => { throw new Error('in close'); });
    });
    (await openRawClient(port)).socket.end();
    setTimeout(() => {
      report({ socketCloses, caught });
      process.exit(0);
    }, 300);
  });
};

/** Listeners of the socket throw when the peer ends. */
exports.throwOnEnd = ({ report, io }) => {
  const closes = [];
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  startEcho({ keepalive: false, io }, async ({ server, port }) => {
    server.on('connect', (connection) => {
      for (const event of ['end', 'close']) connection.socket.on(event, () => { throw new Error(`in ${event}`); });
      connection.on('close', (code) => closes.push(code));
    });
    (await openRawClient(port)).socket.end();
    setTimeout(() => {
      report({ closes, caught, left: server.connections.length });
      process.exit(0);
    }, 300);
  });
};

/** Opens and ends connections, then tells how many of the objects the garbage collector leaves. */
exports.collect = ({ report, how, count }) => {
  startEcho({}, ({ server, port }) => {
    const refs = [];
    const keep = (what, object) => refs.push({ what, ref: new WeakRef(object) });
    server.on('connect', (connection) => keep('server connection', connection));
    let open = 0;
    const one = () => {
      let request = connect(port, (client) => {
        keep('client connection', client);
        client.on('message', () => endings[how]({ client, accepted: server.connections.at(-1), server }));
        client.on('close', () => (++open < count ? setImmediate(one) : setTimeout(look, 20, 0)));
        client.sendUTF('hello');
      });
      keep('client', request);
      request = null;
    };
    const look = (round) => {
      global.gc();
      const alive = refs.filter(({ ref }) => ref.deref() !== undefined).map(({ what }) => what);
      // The last connection may still be held by the stack of the loop or by a timer of Node's own http.
      if (alive.length <= 3 || round > 40) {
        report({ made: refs.length, alive });
        process.exit(0);
      }
      setTimeout(look, 20, round + 1);
    };
    one();
  });
};

/** Twenty threads that each serve and connect; half of them are terminated in the middle of their traffic. */
exports.threads = async ({ report, count, together }) => {
  const { Worker } = require('worker_threads');
  startEcho({ keepalive: false }, async ({ httpServer, server, port }) => {
    const results = { finished: 0, terminated: 0, echoes: 0 };
    const run = (index) => new Promise((resolve, reject) => {
      const worker = new Worker(require.resolve('./thread.js'), { workerData: { port, stay: index % 2 === 1 } });
      worker.on('message', (echoes) => {
        results.echoes += echoes;
        if (index % 2 === 1) worker.terminate().then(() => results.terminated++);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (index % 2 === 0 && code !== 0) reject(new Error(`thread ${index} ended with ${code}`));
        if (index % 2 === 0) results.finished++;
        resolve();
      });
    });
    for (let i = 0; i < count; i += together) {
      await Promise.all(Array.from({ length: together }, (_, index) => run(i + index)));
    }
    // The main thread's own connections still work.
    connect(port, (connection) => {
      connection.sendUTF('still here');
      connection.on('message', (message) => {
        connection.close();
        const wait = () => {
          if (server.connections.length > 0) return setTimeout(wait, 5);
          report({ ...results, main: message.utf8Data });
          httpServer.close();
          return expectExit(report);
        };
        wait();
      });
    });
  });
};

/** A cluster of two workers that share a port; the primary connects several times and asks who answered. */
exports.cluster = async ({ report, connections }) => {
  const cluster = require('cluster');
  if (!cluster.isPrimary) {
    const httpServer = http.createServer();
    const server = new websocket.server({ httpServer, autoAcceptConnections: true });
    server.on('connect', (connection) => connection.on('message', () => connection.sendUTF(String(cluster.worker.id))));
    process.on('message', () => {
      server.shutDown();
      cluster.worker.disconnect();
    });
    httpServer.listen(0, '127.0.0.1');
    return;
  }
  const ports = [];
  const exits = [];
  cluster.on('listening', (worker, { port }) => {
    ports.push(port);
    if (ports.length < 2) return;
    const answers = [];
    const opened = [];
    for (let i = 0; i < connections; i++) {
      connect(port, (connection) => {
        opened.push(connection);
        connection.sendUTF('who?');
        connection.on('message', (message) => {
          answers.push(message.utf8Data);
          if (answers.length < connections) return;
          let closed = 0;
          for (const one of opened) {
            one.on('close', () => {
              if (++closed === connections) report({ closed });
            });
          }
          report({ answers, ports });
          for (const one of Object.values(cluster.workers)) one.send('shut down');
        });
      });
    }
  });
  cluster.on('exit', (worker, code, signal) => {
    exits.push([code, signal]);
    if (exits.length === 2) report({ exits });
  });
  cluster.fork();
  cluster.fork();
};

/** A connection the program has paused must not read a flood into memory. */
exports.paused = ({ report }) => {
  startEcho({ keepalive: false }, ({ server, port }) => {
    server.on('connect', (connection) => {
      connection.removeAllListeners('message');
      global.gc();
      const before = process.memoryUsage();
      let messages = 0;
      connection.on('message', () => {
        if (++messages === 1) connection.pause();
      });
      setTimeout(() => {
        global.gc();
        const now = process.memoryUsage();
        report({
          grown: now.heapUsed + now.external - before.heapUsed - before.external, grownRss: now.rss - before.rss, messages,
        });
      }, 500);
    });
    report({ port });
  });
};

