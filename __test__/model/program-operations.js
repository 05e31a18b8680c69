'use strict';

// Which operations the program of a server does, with all they need to know.

const KINDS = ['ascii', 'words', 'latin', 'unicode', 'binary', 'binary'];

function send(random, someLength, light) {
  return {
    do: 'send', kind: random.pick(KINDS), length: someLength(random, light), callback: random.chance(50), compress: !random.chance(15),
    general: random.chance(30),
  };
}

/** Much at once: more than the system takes while the peer does not read. */
function flood(random, count) {
  return { do: 'flood', kind: random.pick(['ascii', 'binary']), length: 40000 + random.int(90000), count, callback: random.chance(50) };
}

/** Makers of operations and how often each is chosen; light programs have none that are marked `heavy`. */
const MAKERS = [
  { weight: 24, make: (random, { someLength, light }) => send(random, someLength, light) },
  {
    weight: 10,
    make: (random) => ({ do: 'burst', count: 2 + random.int(60), kind: random.pick(KINDS), length: random.int(random.chance(80) ? 300 : 5000), callback: random.chance(40) }),
  },
  {
    weight: 11, heavy: true,
    make: (random) => ({ do: 'fill', kind: random.pick(KINDS), length: 500 + random.int(8000), most: 100, callback: random.chance(30) }),
  },
  {
    weight: 2, heavy: true,
    make: (random) => flood(random, 10 + random.int(60)),
  },
  {
    weight: 13,
    make: (random) => ({
      do: 'write', kind: random.pick(KINDS), length: 16 + random.int(random.chance(80) ? 500 : 40000), callback: random.chance(60), pieces: random.chance(25) ? 2 : 1,
    }),
  },
  { weight: 4, make: (random, { someLength, light }) => ({ do: 'frame', kind: random.pick(KINDS), length: someLength(random, light), callback: random.chance(50) }) },
  { weight: 5, make: (random) => ({ do: 'ping', length: random.int(126) }) },
  { weight: 2, make: (random) => ({ do: 'pong', length: random.int(126) }) },
  { weight: 7, make: (random) => ({ do: 'pause', via: random.pick(['timer', 'timer', 'tick', 'sync']), ms: random.int(40), again: random.chance(20) }) },
  { weight: 2, make: () => ({ do: 'resume' }) },
  { weight: 5, make: (random) => ({ do: 'giveBack', how: random.pick(['data', 'data', 'spy']) }) },
  { weight: 4, make: (random, { someLength }) => ({ do: 'broadcast', kind: random.pick(KINDS), length: someLength(random, true) }) },
  { weight: 7, make: (random) => ({ do: 'block', ms: 1 + random.int(15) }) },
  { weight: 5, make: (random) => ({ do: 'look', at: random.pick(['bufferedAmount', 'stats', 'writableLength', 'counters', 'port']) }) },
  { weight: 3, make: (_random, { throws }) => (throws ? { do: 'throw' } : { do: 'look', at: 'bufferedAmount' }) },
];

function pickMaker(random, light) {
  const makers = light ? MAKERS.filter((maker) => !maker.heavy) : MAKERS;
  let at = random.int(makers.reduce((sum, { weight }) => sum + weight, 0));
  return makers.find(({ weight }) => (at -= weight) < 0);
}

/** Some operations; `others` are the numbers of the connections that they may be about instead of the one of the event. */
function makeOperations(random, context) {
  const operations = [];
  for (let count = 1 + random.int(3); count > 0; count--) {
    const operation = pickMaker(random, context.light).make(random, context);
    if (context.others.length > 0 && operation.do !== 'throw' && random.chance(12)) operation.to = random.pick(context.others);
    operations.push(operation);
    // Nothing after it would be done.
    if (operation.do === 'throw') break;
  }
  return operations;
}

/** An operation that sends a message. */
function sendingOperation(random, someLength) {
  return random.chance(70) ? send(random, someLength, false)
    : { do: 'write', kind: random.pick(KINDS), length: 16 + random.int(3000), callback: true, pieces: 1 };
}

/** An operation that ends the connection. */
function endingOperation(random) {
  const choice = random.int(100);
  if (choice < 42) return { do: 'close', code: random.pick([1000, 1001, 1011, 3001, 4999]) };
  if (choice < 62) return { do: 'drop', code: random.pick([1000, 1002, 1008, 4000, 1006]), skip: random.chance(20) };
  if (choice < 78) return { do: 'destroy' };
  return { do: 'end' };
}

module.exports = { flood, makeOperations, endingOperation, sendingOperation };
