'use strict';

// The checker of the tests with real engines finds what it looks for.

const { test } = require('node:test');
const assert = require('node:assert');
const { Checker } = require('../engines/checker');
const { MemoryBus } = require('./memory-adapter');

/** Two nodes on a bus that has `fault`, and what the checker says. */
async function verdictOn(fault) {
  const bus = new MemoryBus();
  const checker = new Checker(['x']);
  const nodes = ['a', 'b'].map((name) => checker.add(name, bus.adapter()));
  try {
    await checker.start();
    for (let i = 0; i < 5; i++) await checker.publish(nodes[0], 'x');
    await fault(checker, bus, nodes);
    for (let i = 0; i < 5; i++) await checker.publish(nodes[0], 'x');
    await checker.settle();
    checker.verdict();
    return 'well';
  } catch (error) {
    return error.message;
  } finally {
    await checker.close();
  }
}

/** Publishes a message that the bus loses. */
async function lose(checker, bus, [node]) {
  const { deliver } = bus;
  bus.deliver = () => {};
  await checker.publish(node, 'x');
  bus.deliver = deliver;
}

test('an engine without faults is well', async () => {
  assert.strictEqual(await verdictOn(() => {}), 'well');
});

test('a message that is missing is found', async () => {
  assert.match(await verdictOn(lose), /b did not receive a x 6\nb counts 1 gaps/);
});

test('a message that is missing in an announced loss is no fault', async () => {
  assert.strictEqual(await verdictOn(async (checker, bus, nodes) => {
    const [, receiver] = bus.nodes;
    receiver.context.lost();
    await lose(checker, bus, nodes);
    receiver.context.restored();
  }), 'well');
});

test('a message that its publisher knows to be lost is no fault', async () => {
  assert.strictEqual(await verdictOn(async (checker, bus, [node]) => {
    bus.before = () => {
      throw new Error('refused');
    };
    await checker.publish(node, 'x');
    bus.before = () => undefined;
  }), 'well');
});

test('a message that comes twice or late is found', async () => {
  const repeated = (checker, bus, [, receiver]) => receiver.receive('x', Buffer.from('a 5 '));
  assert.match(await verdictOn(repeated), /b received a x 5 after 5/);
  const late = (checker, bus, [, receiver]) => receiver.receive('x', Buffer.from('a 2 '));
  assert.match(await verdictOn(late), /b received a x 2 after 5/);
});
