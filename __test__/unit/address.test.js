'use strict';

// Addresses in all the ways in which proxies and sockets spell them.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { withoutPort, canonicalAddress } = require('../../lib/internal/base/address');
const { AddressCounts } = require('../../lib/internal/listening/address-counts');
const { EventEmitter } = require('events');

describe('ports are no part of an address', () => {
  const cases = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:50001', '203.0.113.7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:50001', '2001:db8::7'],
    ['[::ffff:203.0.113.7]:1', '::ffff:203.0.113.7'],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0'],
    // without brackets nobody knows whether the last group is a port, unless it cannot be part of the address
    ['2001:db8::7', '2001:db8::7'],
    ['2001:db8::7:5000', '2001:db8::7:5000'],
    ['2001:db8:0:0:0:0:0:7:5000', '2001:db8:0:0:0:0:0:7'],
    ['::ffff:203.0.113.7:5000', '::ffff:203.0.113.7'],
    ['unknown', 'unknown'],
    ['proxy.example:8080', 'proxy.example'],
    ['unix:', 'unix:'],
    ['_hidden', '_hidden'],
    ['a:b:1', 'a:b:1'],
  ];
  for (const [text, expected] of cases) test(text, () => assert.strictEqual(withoutPort(text), expected));
});

describe('one address has one canonical form', () => {
  const cases = [
    ['203.0.113.7', ['203.0.113.7', '::ffff:203.0.113.7', '::FFFF:203.0.113.7', '0:0:0:0:0:ffff:203.0.113.7', '::ffff:cb00:7107',
      '0000:0000:0000:0000:0000:FFFF:CB00:7107']],
    ['2001:db8::7', ['2001:db8::7', '2001:DB8::7', '2001:db8:0:0:0:0:0:7', '2001:0db8:0000::0007', '2001:db8:0::0:7']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1']],
    ['fe80::1%eth0', ['fe80::1%eth0', 'FE80:0::1%eth0']],
    ['unknown', ['unknown', 'Unknown']],
    ['undefined', [undefined]],
  ];
  for (const [expected, spellings] of cases) {
    for (const spelling of spellings) test(String(spelling), () => assert.strictEqual(canonicalAddress(spelling), expected));
  }
});

test('however an address is spelt, its connections are counted together', () => {
  const counts = new AddressCounts();
  const sockets = ['203.0.113.7', '::ffff:203.0.113.7', '::FFFF:CB00:7107'].map((address) => {
    const socket = new EventEmitter();
    counts.add(address, socket);
    return socket;
  });
  assert.strictEqual(counts.of('203.0.113.7'), 3);
  assert.strictEqual(counts.of('203.0.113.8'), 0);
  for (const socket of sockets) socket.emit('close');
  assert.strictEqual(counts.of('::ffff:203.0.113.7'), 0);
});
