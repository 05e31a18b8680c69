'use strict';

// NATS, one server and three, while they are killed, stopped and cut off. `npm run test:engines`.

const { after, before, describe, test } = require('node:test');
const { testAdapter } = require('../../pubsub/test');
const clients = require('./clients');
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
