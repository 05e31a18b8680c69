'use strict';

// Random programs: subscribe, unsubscribe and publish in every order, while the engine is slow, refuses, is lost and returns.

const { test } = require('node:test');
const assert = require('node:assert');
const { MemoryBus } = require('./memory-adapter');
const { Random } = require('../stress/random');
const { node, say } = require('./nodes-on-a-bus');

const PROGRAMS = 150;
const STEPS = 120;
const TOPICS = ['a', 'b', 'c', 'd'];

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a program and returns what was wrong. */
async function run(seed) {
  const random = new Random(seed);
  const faults = [];
  const bus = new MemoryBus({ isUp: random.chance(70) });
  let isQuiet = false;
  // Topics with a call under way: a second one for the same topic would be a fault.
  const underWay = new Set();
  bus.before = async (kind, topics) => {
    if (kind === 'publish') return;
    if (!bus.isUp) faults.push(`${kind} of ${topics} while the engine is away`);
    for (const topic of topics) {
      if (underWay.has(topic)) faults.push(`two calls at a time for ${topic}`);
      if (kind === 'unsubscribe' && wanted.has(topic)) faults.push(`unsubscribe of ${topic}, which is wanted`);
      if (kind === 'subscribe' && !wanted.has(topic)) faults.push(`subscribe of ${topic}, which is not wanted`);
      underWay.add(topic);
    }
    const fails = !isQuiet && random.chance(8);
    const time = isQuiet || random.chance(40) ? 0 : random.int(8);
    // The engine may do it at once and answer late.
    if (kind === 'unsubscribe' && random.chance(50)) for (const topic of topics) bus.subscribers.delete(topic);
    if (time > 0) await delay(time);
    for (const topic of topics) underWay.delete(topic);
    if (fails) throw new Error('refused');
  };

  const wanted = new Map();
  const subject = node(bus, { topicLinger: random.pick([0, 3, 10]) }, (topic) => {
    if (!wanted.has(topic)) faults.push(`a message for ${topic}, which nobody wants`);
  });
  const publisher = node(bus);
  // Only the subject's calls are watched.
  const watched = bus.before;
  bus.before = (kind, topics) => (topics.every((topic) => TOPICS.includes(topic)) ? watched(kind, topics) : undefined);
  let number = 0;

  const steps = {
    want(topic) {
      if (wanted.has(topic)) return;
      const state = { isConfirmed: false };
      wanted.set(topic, state);
      subject.engine.wanted(topic).then(() => {
        state.isConfirmed = true;
      }, () => {});
    },
    unwant(topic) {
      if (wanted.delete(topic)) subject.engine.unwanted(topic);
    },
    async publish(topic) {
      const before = wanted.get(topic);
      const mustArrive = bus.isUp && before?.isConfirmed;
      const losses = subject.named('pubsubLost').length;
      const text = String(++number);
      try {
        await say(publisher, topic, text);
      } catch {
        return;
      }
      const arrived = subject.texts(topic).includes(text);
      const isSame = wanted.get(topic) === before && subject.named('pubsubLost').length === losses;
      if (mustArrive && isSame && !arrived) faults.push(`${text} for ${topic} has not arrived`);
    },
    async loseOrRestore() {
      if (bus.isUp) bus.stop();
      else bus.restart();
    },
    async wait() {
      await delay(random.int(6));
    }
  };
  const names = ['want', 'want', 'want', 'unwant', 'unwant', 'publish', 'publish', 'publish', 'wait', 'loseOrRestore'];
  for (let i = 0; i < STEPS; i++) {
    const done = steps[random.pick(names)](random.pick(TOPICS));
    if (random.chance(50)) await done;
  }

  // No more faults: within the time that calls are made again, the engine has what is wanted, and nothing else.
  isQuiet = true;
  if (!bus.isUp) bus.restart();
  const isRight = () => TOPICS.every((topic) => wanted.has(topic) === bus.subscribers.has(topic));
  const end = Date.now() + 20_000;
  while (!isRight() && Date.now() < end) await delay(20);
  if (!isRight()) faults.push(`wanted ${[...wanted.keys()]}, subscribed ${[...bus.subscribers.keys()]}`);
  const unconfirmed = new Set(wanted.keys());
  // A call that was under way may still fail; then it is made again.
  const confirm = (topic) => subject.engine.wanted(topic).then(() => unconfirmed.delete(topic), () => confirm(topic));
  for (const topic of wanted.keys()) confirm(topic);
  while (unconfirmed.size > 0 && Date.now() < end) await delay(20);
  if (unconfirmed.size > 0) faults.push(`${[...unconfirmed]} are not confirmed`);
  for (const topic of TOPICS) await steps.publish(topic);
  for (const topic of TOPICS) {
    const numbers = subject.texts(topic).map(Number);
    if (numbers.some((one, i) => i > 0 && one <= numbers[i - 1])) faults.push(`${topic} is out of order`);
  }
  const { missed, topics } = subject.engine.stats();
  if (missed > 0) faults.push(`${missed} gaps that were not announced`);
  if (topics !== wanted.size) faults.push(`${topics} topics are counted, and ${wanted.size} are wanted`);
  await Promise.all([subject.engine.close(), publisher.engine.close()]);
  return faults;
}

test(`${PROGRAMS} random programs`, async () => {
  const results = await Promise.all(Array.from({ length: PROGRAMS }, async (_, seed) => ({ seed, faults: await run(seed) })));
  assert.deepStrictEqual(results.filter(({ faults }) => faults.length > 0).slice(0, 3), []);
});
