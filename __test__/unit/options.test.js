'use strict';

// Options are checked where they are given, before anything is done, whatever they are and wherever they come from.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const { EventEmitter, once } = require('events');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');
const { inspect } = require('util');
const express = require('express');
const websocket = require('../..');
const { startHttpServer, openClient, openPair } = require('../helpers/under-test/endpoints');
const { SERVER_OPTIONS, CLIENT_OPTIONS } = require('../../lib/internal/options/tables');
const { nearestName } = require('../../lib/internal/options/nearest-name');

const { server: WebSocketServer, client: WebSocketClient, connection: WebSocketConnection, w3cwebsocket: W3CWebSocket } = websocket;
const ROOT = path.resolve(__dirname, '../..');
const CODE = 'ERR_WEBSOCKET_OPTION';

/** Sizes and times: every number among the options, and the least it may be. */
const NUMBERS = {
  maxReceivedFrameSize: 0, maxReceivedMessageSize: 0, fragmentationThreshold: 1, closeTimeout: 0, keepaliveInterval: 0,
  keepaliveGracePeriod: 0, maxFragments: 1, maxMessagesPerSecond: 1, maxBytesPerSecond: 1, maxLifetime: 0, idleTimeout: 0,
  highWaterMark: 1, maxBufferedAmount: 1, handshakeTimeout: 0,
};
const ONLY_SERVER = {
  maxConnections: 0, maxConnectionsPerAddress: 0, maxPendingRequests: 0, maxTopicsPerConnection: 1, maxTopicLength: 1,
  maxPublishQueue: 0, topicLinger: 0,
};
const ONLY_CLIENT = { maxRedirects: 0 };

/** What each class does with options. */
const OWNERS = {
  server: { numbers: { ...NUMBERS, ...ONLY_SERVER }, make: (config) => new WebSocketServer({ httpServer: http.createServer(), ...config }) },
  'mount()': { numbers: { ...NUMBERS, ...ONLY_SERVER }, make: (config) => {
    const server = new WebSocketServer();
    server.mount({ httpServer: http.createServer(), ...config });
    return server;
  } },
  client: { numbers: { ...NUMBERS, ...ONLY_CLIENT }, make: (config) => new WebSocketClient(config) },
  connection: {
    numbers: (({ handshakeTimeout, ...rest }) => rest)(NUMBERS),
    make: (config) => new WebSocketConnection(new net.Socket(), [], null, false, config),
  },
};

for (const [owner, { numbers, make }] of Object.entries(OWNERS)) {
  describe(`numbers among the options of a ${owner}`, () => {
    for (const [name, least] of Object.entries(numbers)) {
      test(`${name}: what is no number, or less than ${least}, is refused`, () => {
        for (const value of ['1MB', 'many', ' ', NaN, -1, -Infinity, {}, [], true, least - 0.5]) {
          assert.throws(() => make({ [name]: value }), (error) => {
            assert.strictEqual(error.code, CODE);
            assert.ok(error.message.includes(name) && error.message.includes(inspect(value)), error.message);
            return true;
          }, inspect(value));
        }
      });

      test(`${name}: numbers, and texts that are numbers, are taken`, () => {
        for (const value of [least, 12.5, Infinity, '20000', ' 0x4000 ', '1e6', 20000n]) {
          const { config } = make({ [name]: value });
          if (owner !== 'connection') assert.strictEqual(config[name], Number(value));
        }
      });
    }
  });
}

test('every option that is a number is among those tested here', () => {
  const isNumber = ([, [value]]) => typeof value === 'number';
  const tested = { ...NUMBERS, ...ONLY_SERVER, ...ONLY_CLIENT, webSocketVersion: 8 };
  for (const [name] of [...Object.entries(SERVER_OPTIONS), ...Object.entries(CLIENT_OPTIONS)].filter(isNumber)) {
    assert.ok(name in tested, name);
  }
});

test('undefined is the default', () => {
  const names = ['fragmentationThreshold', 'closeTimeout', 'keepaliveInterval', 'keepaliveGracePeriod', 'maxConnections',
    'maxPendingRequests', 'handshakeTimeout', 'highWaterMark', 'io', 'trustProxy', 'path', 'host', 'allowedOrigins', 'verifyOrigin'];
  const httpServer = http.createServer();
  const defaults = new WebSocketServer({ httpServer }).config;
  const given = new WebSocketServer({ httpServer, ...Object.fromEntries(names.map((name) => [name, undefined])) }).config;
  for (const name of names) assert.strictEqual(given[name], defaults[name], name);
});

test('undefined is no limit for what is received, and false for what is on or off, as in 1.0.35', async (t) => {
  const { connection, send, messages } = await openPair(t, 'server',
    { maxReceivedFrameSize: undefined, maxReceivedMessageSize: undefined, keepalive: undefined });
  assert.strictEqual(connection.config.keepalive, undefined);
  send({ opcode: 1, payload: 'x'.repeat(3000000) });
  assert.strictEqual((await messages())[0].length, 3000000);
});

test('a limit given as text is a limit', async (t) => {
  const pair = await openPair(t, 'server', { maxReceivedFrameSize: '100' });
  pair.send({ opcode: 1, payload: 'x'.repeat(101) });
  assert.strictEqual((await pair.closed()).code, 1009);
});

test('inherited options count and are checked', () => {
  class Options {
    get closeTimeout() { return 77; }
  }
  Object.defineProperty(Options.prototype, 'closeTimeout', { enumerable: true });
  const make = (base) => Object.create(base);
  assert.strictEqual(new WebSocketClient(new Options()).config.closeTimeout, 77);
  assert.throws(() => new WebSocketClient(make({ closeTimeout: '1s' })), { code: CODE });
  assert.throws(() => new WebSocketServer(make({ httpServer: http.createServer(), maxConnections: -1 })), { code: CODE });
  assert.throws(() => new W3CWebSocket('ws://127.0.0.1:9/', [], null, null, null, make({ closeTimeout: '1s' })), { code: CODE });
  assert.throws(() => new WebSocketConnection(new net.Socket(), [], null, false, make({ closeTimeout: '1s' })), { code: CODE });
});

describe('keepalive', () => {
  const interval = /^keepaliveInterval must be specified and numeric/;
  const grace = /^keepaliveGracePeriod {2}must be specified and numeric/;

  test('a client with keepalive and without its times is refused by the constructor', () => {
    assert.throws(() => new WebSocketClient({ keepalive: true }), { code: CODE, message: interval });
    assert.throws(() => new WebSocketClient({ keepalive: true, keepaliveInterval: null }), { code: CODE, message: interval });
    const config = { keepalive: true, keepaliveInterval: 1000, dropConnectionOnKeepaliveTimeout: true };
    assert.throws(() => new WebSocketClient(config), { code: CODE, message: grace });
    assert.throws(() => new W3CWebSocket('ws://127.0.0.1:9/', [], null, null, null, { keepalive: true }), { message: interval });
  });

  test('a server without them, likewise', () => {
    const httpServer = http.createServer();
    assert.throws(() => new WebSocketServer({ httpServer, keepaliveInterval: null }), { code: CODE, message: interval });
    assert.throws(() => new WebSocketServer({ httpServer, keepaliveGracePeriod: null }), { code: CODE, message: grace });
    assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
  });

  test('a connection made by hand is refused before its socket is touched', () => {
    const socket = new EventEmitter();
    const make = (config) => () => new WebSocketConnection(socket, [], null, false, { keepalive: true, ...config });
    for (const keepaliveInterval of [undefined, null, '100', 'soon']) {
      assert.throws(make({ keepaliveInterval }), { code: CODE, message: interval });
    }
    assert.throws(make({ keepaliveInterval: 5, dropConnectionOnKeepaliveTimeout: true, keepaliveGracePeriod: 'soon' }), { message: grace });
    assert.throws(make({ keepaliveInterval: -1 }), { code: CODE, message: /of at least 0, not -1/ });
  });

  test('times that are not needed may be missing', () => {
    for (const config of [{ keepalive: false, keepaliveInterval: null }, { keepalive: true, useNativeKeepalive: true },
      { keepalive: true, keepaliveInterval: 5 }]) {
      assert.ok(new WebSocketClient(config));
    }
  });
});

describe('httpServer', () => {
  const koa = Object.assign(new EventEmitter(), { use() {}, listen() {}, callback() {} });
  const nest = { getHttpServer() {}, use() {} };
  for (const [what, httpServer, advice] of [
    ['a port', 8080, /use the option port/],
    ['a port as text', '8080', /use the option port/],
    ['true', true, /use the option port/],
    ['an Express application', express(), /what its listen\(\) returns/],
    ['a request listener', () => {}, /what its listen\(\) returns/],
    ['a Koa application', koa, /http\.createServer\(app\.callback\(\)\)/],
    ['a Nest application', nest, /getHttpServer\(\)/],
    ['a Fastify instance', { server: http.createServer() }, /Its property server/],
    ['an empty object', {}, /http\.createServer\(\)/],
    ['a TCP server', net.createServer(), /no event upgrade/],
    ['the class', http.Server, /what its listen\(\) returns/],
  ]) {
    test(`${what} is none`, () => {
      const good = http.createServer();
      for (const value of [httpServer, [good, httpServer]]) {
        const server = new WebSocketServer();
        assert.throws(() => server.mount({ httpServer: value }), { code: CODE, message: advice });
        assert.strictEqual(server.config, undefined);
      }
      assert.strictEqual(good.listenerCount('upgrade'), 0);
    });
  }

  test('a server in place of the options is pointed out', () => {
    assert.throws(() => new WebSocketServer(http.createServer()), { code: CODE, message: /as \{ httpServer \}/ });
  });

  test('servers of Node, subclasses, and whatever emits upgrade are taken', () => {
    class Own extends http.Server {}
    for (const httpServer of [http.createServer(), https.createServer(), new Own(), new EventEmitter(), []]) {
      assert.ok(new WebSocketServer({ httpServer }));
    }
  });
});

test('what is no function is no verifyOrigin', () => {
  assert.throws(() => new WebSocketServer({ httpServer: http.createServer(), verifyOrigin: 'https://a.example' }), { code: CODE });
});

test('tlsOptions are an object', () => {
  for (const tlsOptions of ['ca.pem', 5, true]) assert.throws(() => new WebSocketClient({ tlsOptions }), { code: CODE });
  for (const tlsOptions of [undefined, null, {}]) assert.deepStrictEqual(new WebSocketClient({ tlsOptions }).config.tlsOptions, {});
});

test('options of connect() are checked before anything is sent', () => {
  const client = new WebSocketClient();
  for (const options of [{ handshakeTimeout: '5s' }, { maxRedirects: -1 }, { signal: 'x' }]) {
    assert.throws(() => client.connect('ws://127.0.0.1:9/', [], null, null, options), { code: CODE });
  }
  assert.strictEqual(client._req, null);
});

test('a failed mount() leaves the server as it was', async (t) => {
  const { httpServer, port } = await startHttpServer(t);
  const other = http.createServer();
  const server = new WebSocketServer({ httpServer, path: '/', closeTimeout: 55 });
  server.on('request', (request) => request.accept());
  const before = server.config;
  for (const config of [{ httpServer: other, closeTimeout: 'x' }, { httpServer: other, path: 'no-slash' }, {}, { httpServer: 5 },
    { httpServer: other, noServer: true }, { port: 70000 }, { httpServer: other, keepaliveInterval: null }]) {
    assert.throws(() => server.mount(config), { code: CODE });
  }
  assert.strictEqual(server.config, before);
  assert.strictEqual(other.listenerCount('upgrade'), 0);
  assert.strictEqual(server.address(), null);
  const connection = await openClient(t, `ws://127.0.0.1:${port}/`);
  connection.close();
  await once(connection, 'close');
  server.unmount();
  assert.strictEqual(httpServer.listenerCount('upgrade'), 0);
});

test('a server that was never mounted can be closed', async () => {
  new WebSocketServer().close();
  await new Promise((resolve) => { new WebSocketServer().close(resolve); });
});

describe('names that nobody knows', () => {
  /** The warnings of a program that has `websocket`, `httpServer` and `net`. */
  function warningsOf(code, flags = []) {
    const program = `const websocket = require(${JSON.stringify(ROOT)});
      const httpServer = require('http').createServer();
      const warnings = [];
      process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));
      ${code}
      setImmediate(() => process.stdout.write(JSON.stringify(warnings)));`;
    const env = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };
    return JSON.parse(execFileSync(process.execPath, ['--no-warnings', ...flags, '-e', program], { encoding: 'utf8', env }));
  }

  test('one warning names the option that was probably meant', () => {
    assert.deepStrictEqual(warningsOf(`
      for (let i = 0; i < 3; i++) new websocket.server({ httpServer, maxRecievedFrameSize: 5 });
      new websocket.client({ maxRecievedFrameSize: 5 });`), [{
      name: 'Warning',
      code: 'WEBSOCKET_UNKNOWN_OPTION',
      message: 'WebSocketServer has no option maxRecievedFrameSize. Did you mean maxReceivedFrameSize?',
    }]);
  });

  test('each name has one, and an option of the other class is called that', () => {
    assert.deepStrictEqual(warningsOf(`
      new websocket.server({ httpServer, followRedirects: true });
      new websocket.client({ autoAcceptConections: true, mine: 1 });
      new websocket.connection(new (require('net').Socket)(), [], null, false, { closeTimout: 1 });
      new websocket.client({ perMessageDeflate: { levl: 1 } });`).map(({ message }) => message), [
      'WebSocketServer has no option followRedirects. It is one of WebSocketClient.',
      'WebSocketClient has no option autoAcceptConections.',
      'WebSocketClient has no option mine.',
      'WebSocketConnection has no option closeTimout. Did you mean closeTimeout?',
      'perMessageDeflate has no option levl. Did you mean level?',
    ]);
  });

  test('it is never an error, not with --throw-deprecation either', () => {
    const code = 'new websocket.client({ kepalive: true }); new websocket.client("ws://example.com");';
    assert.deepStrictEqual(warningsOf(code, ['--throw-deprecation', '--pending-deprecation']).map(({ message }) => message), [
      'WebSocketClient has no option kepalive. Did you mean keepalive?',
      'The options of a WebSocketClient are an object; \'ws://example.com\' has no effect.',
    ]);
  });

  test('there is none for methods of a configuration class, for private and for unset names', () => {
    assert.deepStrictEqual(warningsOf(`
      function Config() { this._secret = 1; this.later = undefined; }
      Config.prototype.load = function () {};
      new websocket.client(new Config());
      new websocket.client({ closeTimeout: 1, tlsOptions: {}, webSocketVersion: 13 });
      new websocket.server(Object.assign(new Config(), { httpServer }));`), []);
  });

  test('a program that makes up names without end hears of a hundred', () => {
    assert.strictEqual(warningsOf('for (let i = 0; i < 300; i++) new websocket.client({ ["name" + i]: 1 });').length, 100);
  });

  for (const [name, meant] of [['maxRecievedFrameSize', 'maxReceivedFrameSize'], ['MaxReceivedFrameSize', 'maxReceivedFrameSize'],
    ['maxMessageSize', 'maxReceivedMessageSize'], ['keepAlive', 'keepalive'], ['keep_alive', 'keepalive'], ['httpserver', 'httpServer'],
    ['autoAcceptConection', 'autoAcceptConnections'], ['fragmentationTreshold', 'fragmentationThreshold'], ['paht', 'path'],
    ['x', null], ['', null], ['clientTracking', null], ['x'.repeat(5000), null]]) {
    test(`${name.slice(0, 30) || '(empty)'} is ${meant === null ? 'like none' : `taken for ${meant}`}`, () => {
      assert.strictEqual(nearestName(name, Object.keys(SERVER_OPTIONS)), meant);
    });
  }
});
