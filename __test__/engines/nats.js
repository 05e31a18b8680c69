'use strict';

// NATS, one server and three, while they are killed, stopped and cut off. `npm run test:engines`.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { testAdapter } = require('../../pubsub/test');
const clients = require('./clients');
const { Checker } = require('./checker');
const { CALM, awayAndBack, faults, faultsOfOneServer, missing, oneServer, underTraffic } = require('./faults');
const servers = require('./servers');

const { delay } = servers;

describe('NATS', { skip: missing('nats') }, () => {
  const context = oneServer(() => servers.nats());
  faultsOfOneServer(context, () => Promise.all([clients.nats(context.proxy.port), clients.nats(context.server.port), clients.nats(context.server.port)]));

  test('away at the start', async () => {
    await context.server.kill();
    const back = delay(700).then(() => context.server.start());
    await underTraffic(await Promise.all([clients.nats(context.server.port), clients.nats(context.server.port)]), () => back);
  });

  testAdapter('NATS', () => clients.nats(context.server.port, CALM), awayAndBack(context));
});

describe('NATS with permissions', { skip: missing('nats') }, () => {
  const context = oneServer(() => servers.nats(null, `authorization { users: [
    { user: "chat", password: "secret", permissions: { subscribe: { deny: ["websocket.private"] } } }
  ] }`));

  test('a topic that is not allowed is refused, and the others are subscribed', async () => {
    const made = await clients.nats(context.server.port, { ...CALM, user: 'chat', pass: 'secret' });
    const checker = new Checker(['news']);
    const { engine } = checker.add('n', made.adapter);
    engine.start();
    const results = await Promise.allSettled(['news', 'private', 'sports'].map((topic) => engine.wanted(topic)));
    assert.strictEqual(results[1].reason.code, 'ERR_WEBSOCKET_PUBSUB');
    await Promise.all([engine.wanted('news'), engine.wanted('sports')]);
    assert.strictEqual(engine.stats().subscriptions, 2);
    await checker.close();
    await made.close();
  });
});

describe('NATS cluster', { skip: missing('nats') }, () => {
  let all;
  /** Each node has another server first. */
  const nodes = () => Promise.all([0, 1, 2].map((i) => clients.nats([0, 1, 2].map((j) => all[(i + j) % 3].port))));
  before(async () => {
    all = await servers.natsCluster();
  });
  after(async () => {
    for (const server of all ?? []) await server.remove();
  });

  for (const name of ['kill -9', 'SIGSTOP']) {
    test(`${name} of one of three`, async () => underTraffic(await nodes(), (checker) => faults[name]({ server: all[1] }, checker), { lossExpected: true }));
  }
});
