'use strict';

// Who is believed about the client's address.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const tls = require('tls');
const { once } = require('events');
const websocket = require('../..');
const { compileTrustProxy, clientAddress } = require('../../lib/internal/handshake/trust-proxy');
const { openRawClient, requestHead } = require('../helpers/raw');
const { createHttpServer, clientOptions } = require('../helpers/under-test/transport');

describe('trustProxy', () => {
  const cases = [
    // option, believed, not believed
    [true, ['10.0.0.1', '::1', 'unknown'], []],
    [false, [], ['10.0.0.1', '::1', '127.0.0.1']],
    [[], [], ['10.0.0.1', '::1']],
    ['10.0.0.1', ['10.0.0.1', '::ffff:10.0.0.1'], ['10.0.0.2', '10.0.0.10', '::1', '110.0.0.1']],
    ['203.0.113.7', ['::FFFF:203.0.113.7', '0:0:0:0:0:ffff:cb00:7107'], ['::ffff:cb00:7108']],
    ['unix:', ['unix:'], ['127.0.0.1', undefined, 'unix', 'unix:/tmp/x']],
    [['unix:', '10.0.0.0/8'], ['unix:', '10.0.0.1'], ['11.0.0.1', undefined]],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['9.255.255.255', '11.0.0.0', '::ffff:11.0.0.0']],
    ['192.168.1.128/25', ['192.168.1.128', '192.168.1.255'], ['192.168.1.127', '192.168.2.128']],
    ['10.0.0.1/32', ['10.0.0.1'], ['10.0.0.0', '10.0.0.2']],
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1', '2001:db8::1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
    ['2001:db8::/32', ['2001:db8::1', '2001:DB8:ffff::1'], ['2001:db9::1', '10.0.0.1']],
    ['2001:db8::1/128', ['2001:db8::1'], ['2001:db8::2']],
    ['fe80::/10', ['fe80::1', 'fe80::1%eth0'], ['fec0::1']],
    ['::ffff:10.0.0.1', ['::ffff:10.0.0.1', '10.0.0.1'], ['10.0.0.2']],
    ['::ffff:10.0.0.0/104', ['::ffff:10.1.1.1', '10.1.1.1'], ['11.1.1.1']],
    [['127.0.0.1', '10.0.0.0/8', '::1'], ['127.0.0.1', '10.9.9.9', '::1'], ['127.0.0.2', '::2']],
    ['10.0.0.0/8', [], ['', 'unknown', 'localhost', '10.0.0.1:80', '10.0.0', '[::1]', undefined, null]],
  ];
  for (const [option, believed, others] of cases) {
    test(JSON.stringify(option), () => {
      const isTrusted = compileTrustProxy(option);
      for (const address of believed) assert.strictEqual(isTrusted(address), true, `${address} is believed`);
      for (const address of others) assert.strictEqual(isTrusted(address), false, `${address} is not believed`);
    });
  }
});

describe('trustProxy is refused, with its name and the value, when it is', () => {
  const values = ['', 'localhost', 'proxy.example', '10.0.0', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/1.5',
    '10.0.0.0/x', '10.0.0.0/255.0.0.0', '::/129', '[::1]', '10.0.0.1:80', 'true', 1, null, undefined, {},
    '10.0.0.1, 10.0.0.2',
    // What Number() would take: nothing at all is 0, and would trust everybody.
    '10.0.0.0/', '10.0.0.0/ ', '10.0.0.0/ 8', '10.0.0.0/0x8', '10.0.0.0/1e1', '10.0.0.0/8/', '10.0.0.0/8/16'];
  for (const value of values) {
    for (const option of [value, ['127.0.0.1', value]]) {
      test(`${JSON.stringify(option)}`, () => {
        assert.throws(() => compileTrustProxy(option), {
          message: `The option trustProxy takes true, false, addresses, ranges such as 10.0.0.0/8 and 'unix:', not ${String(value)}.`,
        });
      });
    }
  }
});

describe('the address of the client', () => {
  const proxies = compileTrustProxy(['127.0.0.1', '10.0.0.0/8']);
  const cases = [
    ['is that of the peer when nothing was forwarded', ['127.0.0.1'], proxies, '127.0.0.1'],
    ['is the one a proxy names', ['1.1.1.1', '127.0.0.1'], proxies, '1.1.1.1'],
    ['is the one the first of several proxies names', ['1.1.1.1', '10.0.0.2', '127.0.0.1'], proxies, '1.1.1.1'],
    ['is none that the client has made up', ['6.6.6.6', '1.1.1.1', '10.0.0.2', '127.0.0.1'], proxies, '1.1.1.1'],
    ['is none that hides behind the address of a proxy', ['6.6.6.6', '10.0.0.9', '1.1.1.1', '127.0.0.1'], proxies, '1.1.1.1'],
    ['is that of a peer that is no proxy', ['6.6.6.6', '2.2.2.2'], proxies, '2.2.2.2'],
    ['is the first one when all are proxies', ['10.0.0.1', '10.0.0.2', '127.0.0.1'], proxies, '10.0.0.1'],
    ['is the first one when everybody is believed', ['6.6.6.6', '1.1.1.1', '2.2.2.2'], compileTrustProxy(true), '6.6.6.6'],
    ['is that of the peer when nobody is believed', ['6.6.6.6', '1.1.1.1', '2.2.2.2'], compileTrustProxy(false), '2.2.2.2'],
    ['may be no address at all', ['unknown', '127.0.0.1'], proxies, 'unknown'],
  ];
  for (const [name, addresses, isTrusted, expected] of cases) {
    test(name, () => assert.strictEqual(clientAddress(addresses, isTrusted), expected));
  }
});

describe('a server behind proxies', () => {
  const cases = [
    [['127.0.0.1'], '6.6.6.6, 1.1.1.1', '1.1.1.1', ['6.6.6.6', '1.1.1.1', '127.0.0.1']],
    [['127.0.0.1', '10.0.0.0/8'], '6.6.6.6, 1.1.1.1, 10.0.0.2', '1.1.1.1', ['6.6.6.6', '1.1.1.1', '10.0.0.2', '127.0.0.1']],
    ['10.0.0.0/8', '6.6.6.6', '127.0.0.1', ['127.0.0.1']],
    [false, '6.6.6.6', '127.0.0.1', ['127.0.0.1']],
    [undefined, '6.6.6.6, 1.1.1.1', '6.6.6.6', ['6.6.6.6', '1.1.1.1', '127.0.0.1']],
    // with ports, as Azure Application Gateway and IIS write them
    [undefined, '6.6.6.6:4711', '6.6.6.6', ['6.6.6.6', '127.0.0.1']],
    [undefined, '[2001:db8::7]:4711', '2001:db8::7', ['2001:db8::7', '127.0.0.1']],
    [undefined, '[2001:db8::7]', '2001:db8::7', ['2001:db8::7', '127.0.0.1']],
    [['127.0.0.1', '10.0.0.0/8'], '6.6.6.6:1, 1.1.1.1:2, 10.0.0.2:3', '1.1.1.1', ['6.6.6.6', '1.1.1.1', '10.0.0.2', '127.0.0.1']],
    [['127.0.0.1', '10.0.0.0/8'], '1.1.1.1, ::FFFF:10.0.0.2', '1.1.1.1', ['1.1.1.1', '::FFFF:10.0.0.2', '127.0.0.1']],
    // a proxy behind a proxy at a Unix socket
    [['127.0.0.1', 'unix:'], '6.6.6.6, 1.1.1.1, unix:', '1.1.1.1', ['6.6.6.6', '1.1.1.1', 'unix:', '127.0.0.1']],
    [['127.0.0.1', 'unix:'], 'unix:, 1.1.1.1', '1.1.1.1', ['unix:', '1.1.1.1', '127.0.0.1']],
    [true, ' , ', '127.0.0.1', ['127.0.0.1']],
  ];
  for (const [trustProxy, forwardedFor, address, addresses] of cases) {
    test(`with trustProxy: ${JSON.stringify(trustProxy)} takes a client with "${forwardedFor}" for ${address}`, async (t) => {
      const httpServer = http.createServer().listen(0, '127.0.0.1');
      await once(httpServer, 'listening');
      const config = { httpServer };
      if (trustProxy !== undefined) config.trustProxy = trustProxy;
      const server = new websocket.server(config);
      t.after(() => {
        server.shutDown();
        httpServer.close();
      });
      const seen = once(server, 'request').then(([request]) => {
        assert.strictEqual(request.remoteAddress, address);
        assert.deepStrictEqual(request.remoteAddresses, addresses);
        const connection = request.accept(null, null);
        assert.strictEqual(connection.remoteAddress, address);
        assert.deepStrictEqual(connection.remoteAddresses, addresses);
      });
      const opened = openRawClient(httpServer.address().port, { headers: { 'X-Forwarded-For': forwardedFor } });
      opened.catch(() => {});
      await seen;
      (await opened).destroy();
    });
  }

  test('is not created with a trustProxy that means nothing', () => {
    assert.throws(() => new websocket.server({ httpServer: http.createServer(), trustProxy: 'proxy.example' }), /option trustProxy/);
  });
});

describe('a server at a Unix socket', { skip: process.platform === 'win32' ? 'there are none' : false }, () => {
  for (const secure of [false, true]) {
    for (const [trustProxy, address] of [['unix:', '1.1.1.1'], [['unix:', '10.0.0.0/8'], '1.1.1.1'], ['127.0.0.1', undefined], [true, '1.1.1.1']]) {
      test(`with trustProxy: ${JSON.stringify(trustProxy)}${secure ? ', over TLS,' : ''} takes a client of the proxy for ${address}`, async (t) => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-'));
        const httpServer = createHttpServer(undefined, secure).listen(path.join(folder, 'socket'));
        await once(httpServer, 'listening');
        const server = new websocket.server({ httpServer, trustProxy });
        t.after(() => {
          httpServer.close();
          fs.rmSync(folder, { recursive: true });
        });
        const plain = net.connect(httpServer.address());
        const socket = secure ? tls.connect({ socket: plain, ...clientOptions }) : plain;
        socket.on('error', () => {});
        t.after(() => socket.destroy());
        const requested = once(server, 'request');
        socket.write(requestHead({ headers: { 'X-Forwarded-For': '1.1.1.1' } }));
        const [request] = await requested;
        assert.strictEqual(request.remoteAddress, address);
        assert.deepStrictEqual(request.remoteAddresses, address === undefined ? [undefined] : [address, undefined]);
        request.reject();
      });
    }
  }

  test('maxConnectionsPerAddress is for the addresses that the proxy names', async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-'));
    const httpServer = http.createServer().listen(path.join(folder, 'socket'));
    await once(httpServer, 'listening');
    const server = new websocket.server({ httpServer, trustProxy: 'unix:', maxConnectionsPerAddress: 1, autoAcceptConnections: true });
    const sockets = [];
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.shutDown();
      httpServer.close();
      fs.rmSync(folder, { recursive: true });
    });
    const statuses = [];
    for (const forwarded of ['1.1.1.1:1', '1.1.1.1:2', '::ffff:1.1.1.1', '[::FFFF:101:101]:3', '1.1.1.2:1']) {
      const socket = net.connect(httpServer.address());
      sockets.push(socket);
      socket.write(requestHead({ headers: { 'X-Forwarded-For': forwarded } }));
      const [answer] = await once(socket, 'data');
      statuses.push(Number(String(answer).slice(9, 12)));
    }
    assert.deepStrictEqual(statuses, [101, 429, 429, 429, 101]);
  });
});
