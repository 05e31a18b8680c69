'use strict';

// Programs that use the classes in ways that they are not made for get an Error that says so, where they do it.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const util = require('util');
const vm = require('vm');
const { EventEmitter } = require('events');
const websocket = require('../..');
const { openPair } = require('../helpers/under-test/endpoints');

const { client: WebSocketClient, connection: WebSocketConnection, w3cwebsocket: W3CWebSocket } = websocket;

/** An object that looks like a socket. */
function mockSocket() {
  const methods = ['write', 'end', 'destroy', 'pause', 'resume', 'setNoDelay', 'setTimeout', 'setKeepAlive'];
  return Object.assign(new EventEmitter(), Object.fromEntries(methods.map((name) => [name, () => true])));
}

describe('w3cwebsocket', () => {
  test('without new throws, and changes nothing', () => {
    const before = Object.keys(websocket);
    assert.throws(() => websocket.w3cwebsocket('ws://127.0.0.1:1/'), { name: 'TypeError', code: 'ERR_WEBSOCKET_ARGUMENT', message: /new/ });
    assert.throws(() => (0, websocket.w3cwebsocket)('ws://127.0.0.1:1/'), { code: 'ERR_WEBSOCKET_ARGUMENT' });
    assert.deepStrictEqual(Object.keys(websocket), before);
  });

  test('can be the base of a class in the style of ES5', (t, done) => {
    function Own(url) {
      W3CWebSocket.call(this, url);
    }
    util.inherits(Own, W3CWebSocket);
    const own = new Own('ws://127.0.0.1:1/');
    own.onerror = () => done();
  });

  test('sends String objects of another realm as text', () => {
    const sent = [];
    const socket = Object.create(W3CWebSocket.prototype);
    Object.assign(socket, { _readyState: 1, _bufferedAmount: 0, _connection: { sendUTF: (text) => sent.push(text) } });
    socket.send(vm.runInNewContext("new String('boxed')"));
    assert.deepStrictEqual(sent, ['boxed']);
  });
});

test('a subprotocol that is missing is not offered as "undefined"', () => {
  const client = new WebSocketClient();
  for (const protocols of [[undefined], ['a', null]]) {
    assert.throws(() => client.connect('ws://127.0.0.1:1/', protocols), { code: 'ERR_WEBSOCKET_SUBPROTOCOL', message: /undefined|null/ });
  }
});

test('a socket with an encoding gives text: the Error says that it must not', async (t) => {
  const socket = mockSocket();
  const connection = new WebSocketConnection(socket, [], null, true, { maxReceivedFrameSize: 1000, maxReceivedMessageSize: 1000 });
  connection._addSocketEventListeners();
  for (const data of ['text', [0x81, 0], null]) {
    assert.throws(() => socket.emit('data', data), { name: 'TypeError', code: 'ERR_WEBSOCKET_DATA', message: /setEncoding/ });
  }
  const pair = await openPair(t, 'server');
  assert.throws(() => pair.connection.handleSocketData('text'), { code: 'ERR_WEBSOCKET_DATA' });
});
