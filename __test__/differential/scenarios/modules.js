'use strict';

// The surface of the module: exports, deep requires, statics, utils, Deprecation, version, browser, FastBufferList.

const { EventEmitter } = require('events');

const DEEP = ['lib/websocket', 'lib/WebSocketServer', 'lib/WebSocketClient', 'lib/WebSocketConnection', 'lib/WebSocketRequest', 'lib/WebSocketFrame',
  'lib/WebSocketRouter', 'lib/WebSocketRouterRequest', 'lib/W3CWebSocket', 'lib/Deprecation', 'lib/utils', 'lib/version', 'lib/browser',
  'vendor/FastBufferList'];

const CLASSES = { server: 'lib/WebSocketServer', client: 'lib/WebSocketClient', router: 'lib/WebSocketRouter', frame: 'lib/WebSocketFrame',
  request: 'lib/WebSocketRequest', connection: 'lib/WebSocketConnection', w3cwebsocket: 'lib/W3CWebSocket', deprecation: 'lib/Deprecation', version: 'lib/version' };

/** A FastBufferList with these chunks. */
const listOf = (List, ...chunks) => {
  const list = new List();
  for (const chunk of chunks) list.write(Buffer.from(chunk));
  return list;
};

module.exports = [
  {
    name: 'the module exports exactly its nine members, as plain properties',
    async run({ lib, trace }) {
      trace('members', Object.keys(lib));
      for (const key of Object.keys(lib)) {
        const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(lib, key);
        trace(key, { writable, enumerable, configurable }, typeof value);
      }
    },
  },
  {
    name: 'deep requires give the objects of the public exports, with and without .js',
    async run({ lib, deep, trace }) {
      for (const name of DEEP) trace(name, typeof deep(name), deep(name) === deep(`${name}.js`));
      for (const [key, name] of Object.entries(CLASSES)) trace(key, deep(name) === lib[key]);
      trace('lib/websocket', deep('lib/websocket') === lib);
      const manifest = deep('package.json');
      trace('package.json', typeof manifest.version, manifest.version === lib.version, manifest.browser, manifest.license);
      trace('version', typeof lib.version, /^\d+\.\d+\.\d+/.test(lib.version));
    },
  },
  {
    name: 'names and prototypes of the classes',
    async run({ lib, deep, trace }) {
      for (const key of ['server', 'client', 'router', 'request', 'connection']) {
        trace(key, lib[key].name, lib[key].prototype instanceof EventEmitter, lib[key].prototype.constructor === lib[key]);
      }
      trace('frame', lib.frame.name);
      trace('w3cwebsocket', lib.w3cwebsocket.name);
      trace('router request', deep('lib/WebSocketRouterRequest').name, deep('lib/WebSocketRouterRequest').prototype instanceof EventEmitter);
    },
  },
  {
    name: 'the methods of each class are there',
    async run({ lib, deep, trace }) {
      const classes = { ...lib, routerRequest: deep('lib/WebSocketRouterRequest') };
      const expected = {
        server: ['mount', 'unmount', 'closeAllConnections', 'broadcast', 'broadcastUTF', 'broadcastBytes', 'shutDown', 'handleUpgrade', 'handleRequestAccepted', 'handleConnectionClose', 'handleRequestResolved'],
        client: ['connect', 'validateHandshake', 'failHandshake', 'succeedHandshake', 'abort'],
        router: ['attachServer', 'detachServer', 'mount', 'unmount', 'findHandlerIndex', 'pathToRegExp', 'handleRequest'],
        routerRequest: ['accept', 'reject'],
        request: ['readHandshake', 'parseExtensions', 'parseCookies', 'accept', 'reject'],
        frame: ['addData', 'throwAwayPayload', 'toBuffer', 'toString'],
        connection: ['_addSocketEventListeners', 'setKeepaliveTimer', 'clearKeepaliveTimer', 'handleKeepaliveTimer', 'setGracePeriodTimer', 'clearGracePeriodTimer',
          'handleGracePeriodTimer', 'handleSocketData', 'processReceivedData', 'handleSocketError', 'handleSocketEnd', 'handleSocketClose', 'handleSocketDrain',
          'handleSocketPause', 'handleSocketResume', 'pause', 'resume', 'close', 'drop', 'setCloseTimer', 'clearCloseTimer', 'handleCloseTimer', 'processFrame',
          'send', 'sendUTF', 'sendBytes', 'ping', 'pong', 'fragmentAndSend', 'sendCloseFrame', 'sendFrame'],
        w3cwebsocket: ['send', 'close'],
      };
      for (const [key, names] of Object.entries(expected)) trace(key, names.filter((name) => typeof classes[key].prototype[name] !== 'function'));
    },
  },
  {
    name: 'the close codes and their descriptions',
    async run({ lib, trace }) {
      for (const key of ['NORMAL', 'GOING_AWAY', 'PROTOCOL_ERROR', 'UNPROCESSABLE_INPUT', 'RESERVED', 'NOT_PROVIDED', 'ABNORMAL', 'INVALID_DATA',
        'POLICY_VIOLATION', 'MESSAGE_TOO_BIG', 'EXTENSION_REQUIRED', 'INTERNAL_SERVER_ERROR', 'TLS_HANDSHAKE_FAILED']) {
        trace(key, lib.connection[`CLOSE_REASON_${key}`]);
      }
      trace('descriptions', lib.connection.CLOSE_DESCRIPTIONS);
    },
  },
  {
    name: 'CLOSE_REASON_MESSAGE_TOO_LARGE, as the documentation calls it',
    async run({ lib, trace }) { trace('MESSAGE_TOO_LARGE', lib.connection.CLOSE_REASON_MESSAGE_TOO_LARGE); },
  },
  {
    name: 'close descriptions may be added by the program',
    async run({ lib, mockConnection, trace, onCleanup }) {
      lib.connection.CLOSE_DESCRIPTIONS[4321] = 'My own';
      onCleanup(() => { delete lib.connection.CLOSE_DESCRIPTIONS[4321]; });
      const { connection } = mockConnection();
      connection.close(4321);
      connection.drop(4321);
      trace('description', connection.closeDescription);
      delete lib.connection.CLOSE_DESCRIPTIONS[4321];
    },
  },
  {
    name: 'states of the W3C class as constants',
    async run({ lib, trace }) {
      for (const key of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) trace(key, lib.w3cwebsocket[key], lib.w3cwebsocket.prototype[key]);
    },
  },
  {
    name: 'Deprecation warns once for each name, unless disabled',
    async run({ lib, trace, onCleanup }) {
      const { deprecation } = lib;
      const { warn } = console;
      onCleanup(() => { console.warn = warn; });
      trace('fresh', deprecation.disableWarnings, deprecation.deprecationWarningMap);
      console.warn = (...args) => trace('console.warn', ...args);
      deprecation.deprecationWarningMap.old = 'old is old';
      trace('returns', deprecation.warn('old'));
      deprecation.warn('old');
      deprecation.warn('unknown');
      deprecation.deprecationWarningMap.other = 'other is old';
      deprecation.disableWarnings = true;
      deprecation.warn('other');
      deprecation.disableWarnings = false;
      deprecation.warn('other');
      trace('map', deprecation.deprecationWarningMap);
      console.warn = warn;
      delete deprecation.deprecationWarningMap.old;
      delete deprecation.deprecationWarningMap.other;
    },
  },
  {
    name: 'utils: extend, noop, listener count, buffers',
    async run({ deep, trace }) {
      const utils = deep('lib/utils');
      trace('exports', Object.keys(utils).sort());
      const target = { a: 1, b: 2 };
      trace('extend', utils.extend(target, Object.assign(Object.create({ inherited: 1 }), { b: 3, c: 4 })), target);
      utils.extend(target, undefined);
      utils.extend(target, null);
      trace('extend with nothing', target);
      trace('noop', utils.noop());
      const emitter = new EventEmitter().on('x', () => {}).on('x', () => {});
      trace('listener count', utils.eventEmitterListenerCount(emitter, 'x'), utils.eventEmitterListenerCount(emitter, 'y'));
      trace('alloc', Buffer.isBuffer(utils.bufferAllocUnsafe(7)), utils.bufferAllocUnsafe(7).length);
      trace('from', utils.bufferFromString('grüße', 'utf8'), utils.bufferFromString('00ff', 'hex'));
    },
  },
  {
    name: 'utils: BufferingLogger without DEBUG',
    async run({ deep, trace }) {
      const log = deep('lib/utils').BufferingLogger('websocket:differential', 5);
      trace('logger', typeof log, typeof log.printOutput, Boolean(log.enabled));
      trace('returns', log('nothing %s', 'here'), log.printOutput());
    },
  },
  {
    name: 'browser: the class of the browser, or null',
    async run({ pkg, trace }) {
      const { withFreshCopy } = require('../packages');
      const saved = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
      try {
        for (const present of [true, false]) {
          await withFreshCopy(pkg, (load) => {
            class Native { constructor(...args) { this.args = args; } }
            Object.assign(Native, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
            Object.defineProperty(globalThis, 'WebSocket', { value: present ? Native : undefined, configurable: true, writable: true });
            const browser = load('lib/browser');
            trace('exports', Object.keys(browser).sort(), typeof browser.version);
            if (!present) { trace('absent', browser.w3cwebsocket); return; }
            const W3C = browser.w3cwebsocket;
            trace('one', new W3C('ws://x') instanceof Native, new W3C('ws://x').args, new W3C('ws://x', 'p').args, new W3C('ws://x', ['p'], 'origin').args);
            trace('states', W3C.CONNECTING, W3C.OPEN, W3C.CLOSING, W3C.CLOSED);
          });
        }
      } finally {
        if (saved) Object.defineProperty(globalThis, 'WebSocket', saved);
        else delete globalThis.WebSocket;
      }
    },
  },
  {
    name: 'FastBufferList: write, length, take, advance',
    async run({ deep, trace }) {
      const List = deep('vendor/FastBufferList');
      trace('exports', List.BufferList === List, new List() instanceof EventEmitter, List() instanceof List);
      const list = new List();
      trace('empty', list.length, list.take(), list.join(), list.toString());
      trace('write', list.write(Buffer.from('abc')), list.write(Buffer.from('defg')), list.length);
      trace('take', list.take(2), list.take(5), list.take(), list.length);
      trace('advance', list.advance(2) === list, list.length, list.take().toString());
      list.advance(1);
      trace('at the border', list.length, list.take(2).toString());
      list.advance(4);
      trace('emptied', list.length, list.take());
    },
  },
  {
    name: 'FastBufferList: advance past the end makes the length negative',
    async run({ deep, trace }) {
      const list = listOf(deep('vendor/FastBufferList'), 'abc');
      list.advance(5);
      trace('past', list.length);
      list.write(Buffer.from('defgh'));
      trace('after', list.length);
    },
  },
  {
    name: 'FastBufferList: join and joinInto',
    async run({ deep, trace, call }) {
      const list = listOf(deep('vendor/FastBufferList'), 'abc', 'def', 'ghi');
      trace('join', list.join().toString(), list.join(2).toString(), list.join(2, 7).toString(), list.join(3, 6).toString());
      const target = Buffer.alloc(10, 0x2e);
      trace('joinInto', list.joinInto(target, 2, 1, 7) === target, target.toString());
      trace('all', list.joinInto(Buffer.alloc(9), 0).toString());
      call('too small', () => list.joinInto(Buffer.alloc(2), 0, 0, 5));
      list.advance(4);
      trace('after advance', list.join(1, 3).toString(), list.joinInto(Buffer.alloc(2), 0, 0, 2).toString());
    },
  },
  {
    name: 'FastBufferList: forEach, push, end, encoding, toString',
    async run({ deep, trace }) {
      const List = deep('vendor/FastBufferList');
      const list = listOf(List, 'abc', 'def', 'ghi');
      list.advance(1);
      const seen = [];
      trace('forEach', list.forEach((chunk) => { seen.push(chunk.toString()); }) === list, seen);
      const some = [];
      list.forEach((chunk) => { some.push(chunk.toString()); return some.length === 2; });
      trace('cut short', some);
      trace('push', list.push(Buffer.from('x'), [Buffer.from('y')]) === list, list.length);
      list.end(Buffer.from('z'));
      list.end('not a buffer');
      trace('end', list.length, list.toString());
      trace('encoding', new List({ encoding: 'utf8' }).push(Buffer.from('grüße')).take(), list.take('hex'), list.take(3, 'utf8'));
    },
  },
  {
    name: 'FastBufferList: write and advance are events',
    async run({ deep, trace }) {
      const List = deep('vendor/FastBufferList');
      const list = new List();
      list.on('write', (chunk) => trace('write', chunk));
      list.on('advance', (count) => trace('advance', count));
      list.write(Buffer.from('ab'));
      list.advance(1);
    },
  },
];
