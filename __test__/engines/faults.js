'use strict';

// What is done to real servers while nodes publish through them, and what must hold then.
//
//   WEBSOCKET_ENGINES_LONG=1   all faults for all clients, several minutes; without it the most telling ones, within one

const { after, before, test } = require('node:test');
const assert = require('node:assert');
const clients = require('./clients');
const { Checker } = require('./checker');
const { programs, delay, until, Proxy } = require('./servers');

const isLong = process.env.WEBSOCKET_ENGINES_LONG === '1';
const TOPICS = ['news', 'a room', 'ü.*>', '{tag}1', 'chat:7'];

/** Where no silence has to be noticed. */
const CALM = { heartbeat: 5000 };

const missing = (name) => (programs[name] === null ? `no ${name} server on this machine` : false);
const inLong = { skip: isLong ? false : 'only in the long run (WEBSOCKET_ENGINES_LONG=1)' };

// Whatever a failed test has left open.
after(() => setTimeout(() => process.exit(), 5000).unref());

/** Nodes over the given clients, with traffic while `fault` happens. */
async function underTraffic(made, fault, { options = {}, lossExpected, ...settling } = {}) {
  const checker = new Checker(TOPICS);
  made.forEach(({ adapter }, i) => checker.add(`n${i}`, adapter, options));
  try {
    await checker.start();
    checker.beginTraffic();
    await delay(300);
    await fault(checker);
    await delay(300);
    await checker.settle(settling);
    checker.verdict();
    const losses = checker.nodes.map((node) => node.losses);
    if (lossExpected === true) assert.ok(losses.some((count) => count > 0), 'no loss was announced');
    if (lossExpected === false) assert.deepStrictEqual(losses, losses.map(() => 0), 'a loss was announced');
  } finally {
    await checker.close();
    for (const one of made) await one.close();
  }
}

function block(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function killed({ server }) {
  await server.kill();
  await delay(300);
  await server.start();
}

async function stopped({ server }, { nodes }) {
  server.stop();
  await until(() => nodes.some((node) => node.isLost), 'that the loss is announced').finally(() => server.goOn());
}

async function swallowed({ proxy }, { nodes: [node] }) {
  proxy.swallow();
  await until(() => node.losses > 0, 'that the loss is announced');
}

/** What can happen to one server, whatever it is. */
const faults = { 'kill -9': killed, SIGSTOP: stopped, 'a proxy that swallows bytes': swallowed };

/** @param {() => object[] | Promise<object[]>} make the clients of three nodes; the first goes through the proxy */
function faultsOfOneServer(context, make, names = Object.keys(faults)) {
  for (const name of names) {
    test(name, async () => underTraffic(await make(), (checker) => faults[name](context, checker), { lossExpected: true }));
  }
  if (names.length < 3) return;
  test('a blocked event loop is no loss', async () => {
    await underTraffic(await make(), async () => {
      block(2 * clients.HEARTBEAT);
      await delay(100);
      block(clients.HEARTBEAT);
    }, { lossExpected: false });
  });
}

/** Not for NATS: there only the messages of each node keep their order. */
function oneOrderForAll(make) {
  test('one order for all, with topicOrder engine', async () => {
    await underTraffic(await make(), async ({ nodes }) => {
      await delay(500);
      const [first, ...others] = nodes;
      for (const [topic, order] of first.order) {
        for (const { order: other } of others) {
          const length = Math.min(order.length, other.get(topic).length) - 10;
          // The first messages came before the subscriptions of all were confirmed.
          const begin = other.get(topic).indexOf(order[20]);
          assert.deepStrictEqual(other.get(topic).slice(begin, begin + length - 50), order.slice(20, 20 + length - 50));
        }
      }
    }, { options: { topicOrder: 'engine' }, ownToo: true });
  });
}

/** A server, a proxy before it, for the tests of a suite. */
function oneServer(make) {
  const context = { server: null, proxy: null };
  before(async () => {
    context.server = await make();
    await context.server.start();
    context.proxy = new Proxy(context.server.port);
    await context.proxy.start();
  });
  after(async () => {
    context.proxy?.close();
    await context.server?.remove();
  });
  return context;
}

/** For the conformance test. */
const awayAndBack = (context) => ({ stop: () => context.server.kill(), restart: () => context.server.start() });

module.exports = { CALM, TOPICS, inLong, isLong, missing, underTraffic, block, faults, faultsOfOneServer, oneOrderForAll, oneServer, awayAndBack };
