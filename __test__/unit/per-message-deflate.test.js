'use strict';

// The option perMessageDeflate: its values, what is offered and answered for it, what connections say about it.

const { test } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { once } = require('events');
const websocket = require('../..');
const { startServer, openClient, rawClient, rawServer } = require('../helpers/under-test/endpoints');
const { acceptHead } = require('../helpers/raw');

const DEFLATE = 'permessage-deflate';

const header = (head) => (/^sec-websocket-extensions: *(.*)\r$/im.exec(head) || [null, null])[1];

/** What a server answers to an offer. */
async function answerTo(t, offer, perMessageDeflate, config = {}) {
  const started = await startServer(t, { config: { perMessageDeflate, ...config } });
  const peer = await rawClient(started.port, { head: undefined, headers: { 'Sec-WebSocket-Extensions': offer } });
  t.after(() => peer.destroy());
  await peer.until(({ head }) => head !== null, 'an answer');
  assert.strictEqual(peer.status, 101);
  const { extensions } = await started.connection();
  return { answer: header(peer.head), extensions };
}

/** A client whose offer was answered so; rejects when the handshake has failed. */
async function answered(t, answer, perMessageDeflate) {
  const offers = [];
  const server = await rawServer((peer, head) => {
    offers.push(header(head));
    peer.write(acceptHead(peer.key, answer === null ? {} : { 'Sec-WebSocket-Extensions': answer }));
  });
  t.after(() => server.close());
  const connection = await openClient(t, server.url, { config: { perMessageDeflate } });
  return { offer: offers[0], extensions: connection.extensions };
}

test('servers and clients refuse values that the option cannot have, and name them', () => {
  for (const [value, text] of [
    ['yes', 'The option perMessageDeflate must be true, false or an object, not \'yes\'.'],
    [1, 'The option perMessageDeflate must be true, false or an object, not 1.'],
    [{ level: 10 }, 'The option perMessageDeflate.level must be a whole number from 0 to 9, not 10.'],
    [{ level: -1 }, 'The option perMessageDeflate.level must be a whole number from 0 to 9, not -1.'],
    [{ level: 'best' }, 'The option perMessageDeflate.level must be a whole number from 0 to 9, not \'best\'.'],
    [{ threshold: -1 }, 'The option perMessageDeflate.threshold must be a number of bytes, at least 0, not -1.'],
    [{ threshold: NaN }, 'The option perMessageDeflate.threshold must be a number of bytes, at least 0, not NaN.'],
    [{ serverMaxWindowBits: 7 }, 'The option perMessageDeflate.serverMaxWindowBits must be a whole number from 8 to 15, not 7.'],
    [{ clientMaxWindowBits: 16 }, 'The option perMessageDeflate.clientMaxWindowBits must be a whole number from 8 to 15, not 16.'],
    [{ clientMaxWindowBits: 9.5 }, 'The option perMessageDeflate.clientMaxWindowBits must be a whole number from 8 to 15, not 9.5.'],
    [{ sharedCompressor: 1 }, 'The option perMessageDeflate.sharedCompressor must be true or false, not 1.'],
    [{ serverNoContextTakeover: null }, 'The option perMessageDeflate.serverNoContextTakeover must be true or false, not null.'],
  ]) {
    const error = { message: text };
    assert.throws(() => new websocket.server({ httpServer: http.createServer(), perMessageDeflate: value }), error);
    assert.throws(() => new websocket.client({ perMessageDeflate: value }), error);
  }
  for (const value of [undefined, null, false, true, {}, { level: 0, threshold: undefined }, { level: '0' }]) {
    assert.ok(new websocket.client({ perMessageDeflate: value }));
  }
});

test('compression is off by default: nothing is offered, and offers are declined', async (t) => {
  const declined = await answerTo(t, DEFLATE, undefined);
  assert.deepStrictEqual(declined, { answer: null, extensions: [] });
  const { offer, extensions } = await answered(t, null, undefined);
  assert.deepStrictEqual({ offer, extensions }, { offer: null, extensions: [] });
});

test('a server answers with what was agreed, and its connection says so', async (t) => {
  assert.deepStrictEqual(await answerTo(t, `${DEFLATE}; client_max_window_bits`, true), {
    answer: DEFLATE, extensions: [{ name: DEFLATE, value: '', params: [] }],
  });
  const options = { serverNoContextTakeover: true, clientMaxWindowBits: 10 };
  assert.deepStrictEqual(await answerTo(t, `foo, ${DEFLATE}; client_max_window_bits="12"`, options), {
    answer: `${DEFLATE}; server_no_context_takeover; client_max_window_bits=10`,
    extensions: [{
      name: DEFLATE,
      value: 'server_no_context_takeover; client_max_window_bits=10',
      params: [
        { name: 'server_no_context_takeover', value: undefined }, { name: 'client_max_window_bits', value: '10' },
      ],
    }],
  });
  const shared = await answerTo(t, DEFLATE, { sharedCompressor: true });
  assert.strictEqual(shared.answer, `${DEFLATE}; server_no_context_takeover`);
});

test('a server takes the first of several offers that it can, in one header or in several', async (t) => {
  const bad = `${DEFLATE}; server_max_window_bits=16`;
  const good = `${DEFLATE}; server_max_window_bits=11`;
  for (const offers of [`${bad}, ${good}, ${DEFLATE}`, [bad, good, DEFLATE]]) {
    assert.strictEqual((await answerTo(t, offers, true)).answer, good);
  }
});

test('a bad offer is declined and the connection goes on without compression', async (t) => {
  for (const offer of [`${DEFLATE}; unknown`, `${DEFLATE}; server_max_window_bits`, `${DEFLATE}; client_no_context_takeover=1`, ';;=,"']) {
    assert.deepStrictEqual(await answerTo(t, offer, true), { answer: null, extensions: [] });
  }
});

test('offers are read with parseExtensions: false as well', async (t) => {
  assert.strictEqual((await answerTo(t, DEFLATE, true, { parseExtensions: false })).answer, DEFLATE);
});

test('a client offers what it wants, and its connection says what was agreed', async (t) => {
  const plain = await answered(t, DEFLATE, true);
  assert.strictEqual(plain.offer, `${DEFLATE}; client_max_window_bits`);
  assert.deepStrictEqual(plain.extensions, [{ name: DEFLATE, value: '', params: [] }]);
  const asking = await answered(t, `${DEFLATE};server_max_window_bits="10";server_no_context_takeover`, {
    serverNoContextTakeover: true, serverMaxWindowBits: 11, clientMaxWindowBits: 9, sharedCompressor: true,
  });
  assert.strictEqual(asking.offer, `${DEFLATE}; server_no_context_takeover; client_no_context_takeover; ` +
    'server_max_window_bits=11; client_max_window_bits=9');
  assert.strictEqual(asking.extensions[0].value, 'server_no_context_takeover; server_max_window_bits=10');
  assert.deepStrictEqual((await answered(t, null, true)).extensions, []);
});

test('a client refuses answers that do not fit its offer', async (t) => {
  const bad = (what) => ({ message: `Server responded with an invalid permessage-deflate answer: ${what}.` });
  for (const [answer, error] of [
    ['foo', { message: 'Server responded with an extension that was not requested: foo' }],
    [`${DEFLATE}, foo`, { message: 'Server responded with an extension that was not requested: foo' }],
    [`${DEFLATE}, ${DEFLATE}`, bad('the extension occurs twice')],
    [`${DEFLATE}; foo=1`, bad('unknown parameter foo')],
    [`${DEFLATE}; server_max_window_bits=9; server_max_window_bits=9`, bad('parameter server_max_window_bits occurs twice')],
    [`${DEFLATE}; server_max_window_bits=16`, bad('parameter server_max_window_bits has a wrong value')],
    [`${DEFLATE}; client_max_window_bits`, bad('parameter client_max_window_bits is not within what was offered')],
    [`${DEFLATE}; client_max_window_bits=13`, bad('parameter client_max_window_bits is not within what was offered')],
  ]) {
    await assert.rejects(answered(t, answer, { clientMaxWindowBits: 12 }), error, answer);
  }
  await assert.rejects(answered(t, DEFLATE, { serverNoContextTakeover: true }),
    bad('parameter server_no_context_takeover was requested and is missing'));
  await assert.rejects(answered(t, `${DEFLATE}; server_max_window_bits=12`, { serverMaxWindowBits: 11 }),
    bad('parameter server_max_window_bits is not within what was offered'));
});

test('w3cwebsocket.extensions is a string as in browsers when there are any', async (t) => {
  const { url } = await startServer(t, { config: { perMessageDeflate: { serverNoContextTakeover: true } } });
  const open = async (clientConfig) => {
    const socket = new websocket.w3cwebsocket(url, undefined, undefined, undefined, undefined, clientConfig);
    assert.strictEqual(socket.extensions, '');
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    t.after(() => socket.close());
    return socket.extensions;
  };
  assert.strictEqual(await open({ perMessageDeflate: true }), `${DEFLATE}; server_no_context_takeover`);
  assert.deepStrictEqual(await open(undefined), []);
});

test('a request made by hand negotiates with the options it is given', async (t) => {
  const httpServer = http.createServer();
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  t.after(() => httpServer.close());
  const upgrade = once(httpServer, 'upgrade');
  const peer = await rawClient(httpServer.address().port, { headers: { 'Sec-WebSocket-Extensions': DEFLATE } });
  t.after(() => peer.destroy());
  const [request, socket, head] = await upgrade;
  const config = { closeTimeout: 100, perMessageDeflate: { serverMaxWindowBits: 9 } };
  new websocket.request(socket, request, config, head).accept();
  await peer.until((it) => it.head !== null, 'an answer');
  assert.strictEqual(header(peer.head), `${DEFLATE}; server_max_window_bits=9`);
});
