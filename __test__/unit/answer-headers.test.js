'use strict';

// Headers that accept() adds to the answer of the opening handshake.

const { test } = require('node:test');
const assert = require('node:assert');
const websocket = require('../..');
const { startServer, rawClient } = require('../helpers/under-test/endpoints');

/** What a client receives when its request is accepted with these options, and what accept() has thrown. */
async function accepted(t, options) {
  let thrown = null;
  const started = await startServer(t, {
    onRequest: (request) => {
      try {
        request.accept(null, null, null, options);
      } catch (error) {
        thrown = error;
      }
    },
  });
  const peer = await rawClient(started.port);
  t.after(() => peer.destroy());
  await peer.until(() => peer.head !== null, 'an answer');
  return { peer, thrown };
}

test('headers are sent, a list as several lines', async (t) => {
  const { peer } = await accepted(t, { headers: { 'X-One': 1, 'x-list': ['a', 'b'], 'X-Latin': 'grün', 'X-Empty': '' } });
  assert.strictEqual(peer.status, 101);
  for (const line of ['X-One: 1', 'x-list: a', 'x-list: b', 'X-Latin: grün', 'X-Empty: ']) {
    assert.ok(peer.head.includes(`\r\n${line}\r\n`), `${line} in ${peer.head}`);
  }
});

for (const options of [undefined, null, {}, { headers: null }, { headers: undefined }, { headers: {} },
  { headers: { 'X-Null': null, 'X-Undefined': undefined, 'X-List': [null] } }]) {
  test(`${JSON.stringify(options)} adds nothing`, async (t) => {
    const { peer } = await accepted(t, options);
    assert.strictEqual(peer.status, 101);
    assert.strictEqual(peer.head.split('\r\n').length, 6);
  });
}

for (const [what, headers, message] of [
  ['a line break in a value', { 'X-A': 'b\r\nSet-Cookie: c=d' },
    'The header "X-A" cannot be sent: its value contains a character that is not allowed there.'],
  ['a line feed in one of several values', { 'X-A': ['b', '\nc'] },
    'The header "X-A" cannot be sent: its value contains a character that is not allowed there.'],
  ['a character whose low byte is a line feed', { 'X-A': 'b\u010ac' },
    'The header "X-A" cannot be sent: its value contains a character that is not allowed there.'],
  ['a zero', { 'X-A': '\0' }, 'The header "X-A" cannot be sent: its value contains a character that is not allowed there.'],
  ['a name with a colon', { 'X-A:': 'b' }, 'The name of the header "X-A:" is not a token.'],
  ['a name with a line break', { 'X-A\r\nX-B': 'b' }, 'The name of the header "X-A\\r\\nX-B" is not a token.'],
  ['an empty name', { '': 'b' }, 'The name of the header "" is not a token.'],
  ['a header of the handshake', { 'SEC-WebSocket-Accept': 'b' },
    'The header "SEC-WebSocket-Accept" belongs to the handshake and cannot be set.'],
  ['a subprotocol', { 'Sec-WebSocket-Protocol': 'b' },
    'The header "Sec-WebSocket-Protocol" belongs to the handshake and cannot be set.'],
  ['a list in place of an object', ['X-A', 'b'], 'Value supplied for "headers" must be an object of names and values.'],
]) {
  test(`${what} is an error, and the client is answered with 500`, async (t) => {
    const { peer, thrown } = await accepted(t, { headers });
    assert.strictEqual(thrown.message, message);
    assert.strictEqual(peer.status, 500);
    assert.ok(!/X-A|Set-Cookie/i.test(peer.head));
  });
}

test('a router passes them on', async (t) => {
  const started = await startServer(t, { onRequest: () => {} });
  const router = new websocket.router({ server: started.server });
  router.mount('*', '*', (request) => request.accept(request.origin, null, { headers: { 'X-Routed': 'yes' } }));
  const peer = await rawClient(started.port);
  t.after(() => peer.destroy());
  await peer.until(() => peer.status === 101, 'an answer');
  assert.match(peer.head, /X-Routed: yes/);
});
