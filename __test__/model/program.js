'use strict';

// What happens in a run, made from its seed alone: options, connections, what their peers do, and which operations the program of
// the server does when. The same for every transport, so that a seed that fails on one can be run on another.

const { Random } = require('../stress/random');
const { TEXT_KINDS } = require('./payloads');
const { flood, makeOperations, endingOperation, sendingOperation } = require('./program-operations');

const KINDS = [...TEXT_KINDS, 'words', 'binary', 'binary'];
const IOS = ['auto', 'loop', 'threads'];

/** The events in which a listener does something, and how often each is chosen. */
const EVENTS = [
  ['message', 50], ['start', 12], ['callback', 14], ['drain', 12], ['ping', 8], ['pong', 5], ['pause', 3], ['resume', 4],
  ['dropped', 4], ['end', 3], ['close', 4], ['error', 2], ['socketDrain', 2],
];

/** How a listener does it. */
const WAYS = [['sync', 58], ['tick', 10], ['promise', 10], ['immediate', 7], ['timer', 15]];

/** One of a list of pairs of a value and its weight. */
function weighted(random, pairs) {
  let at = random.int(pairs.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [value, weight] of pairs) {
    if (at < weight) return value;
    at -= weight;
  }
  throw new Error('weights of nothing');
}

/** Mostly small; lengths about the limits of the frame's header are frequent, large ones are rare. */
function someLength(random, light = false) {
  const kind = random.int(light ? 85 : 100);
  if (kind < 22) return random.int(6);
  if (kind < 55) return random.int(126);
  if (kind < 62) return random.pick([124, 125, 126, 127, 999, 1000, 1001, 1023, 1024, 16383, 16384, 16385]);
  if (kind < 85) return random.int(4096);
  if (kind < 91) return random.pick([65535, 65536, 65537, 16300 + random.int(200)]);
  if (kind < 98) return random.int(120 * 1024);
  return 250 * 1024 + random.int(700 * 1024);
}

function serverOptions(random) {
  const options = { closeTimeout: random.chance(8) ? 60 : 2500, keepalive: false };
  if (random.chance(45)) options.highWaterMark = random.pick([1, 500, 5000, 30000, 200000]);
  if (random.chance(40)) {
    options.maxBufferedAmount = random.pick([4000, 20000, 65536, 300000]);
    options.maxBufferedAmountPolicy = random.chance(65) ? 'drop' : 'close';
  }
  if (random.chance(45)) {
    options.perMessageDeflate = random.pick([
      true, true, { threshold: 0 }, { threshold: 0, level: 6 }, { sharedCompressor: true }, { serverNoContextTakeover: true },
      { clientNoContextTakeover: true, threshold: 100 },
    ]);
  }
  if (random.chance(20)) options.fragmentationThreshold = random.pick([300, 1000, 60000]);
  else if (random.chance(10)) options.fragmentOutgoingMessages = false;
  if (random.chance(8)) Object.assign(options, { keepalive: true, keepaliveInterval: 15 + random.int(40), keepaliveGracePeriod: 10000 });
  return options;
}

function someSteps(random, light) {
  const steps = [];
  for (let count = (light ? 1 : 2) + random.int(light ? 4 : 12); count > 0; count--) steps.push(someStep(random, light));
  return steps;
}

function someMessage(random, light) {
  const cuts = Array.from({ length: random.chance(20) ? 1 + random.int(6) : 0 }, () => random.int(1000) / 1000).sort((a, b) => a - b);
  return {
    do: 'message', kind: random.pick(KINDS), length: someLength(random, light), cuts, pings: random.chance(40), compress: !random.chance(15),
  };
}

function someStep(random, light) {
  const choice = random.int(100);
  if (choice < 35) return someMessage(random, light);
  if (choice < 52) {
    const count = random.chance(25) && !light ? 200 + random.int(1500) : 2 + random.int(40);
    return {
      do: 'burst', count, kind: random.pick(KINDS), length: count > 100 ? random.int(20) : random.int(400), compress: count < 100 && random.chance(50),
    };
  }
  if (choice < 60) {
    return {
      ...someMessage(random, light), do: 'dribble', length: random.int(random.chance(80) ? 300 : 70000), pieces: 2 + random.int(12), ms: random.int(3),
    };
  }
  if (choice < 72) return { do: 'ping', length: random.int(126) };
  if (choice < 86) return { do: 'wait', ms: random.chance(40) ? 0 : random.int(25) };
  if (choice < 93) return { do: 'stop', ms: random.int(random.chance(70) ? 60 : 250) };
  return { do: 'await', count: 1 + random.int(20) };
}

/** How a peer ends the connection. */
function peerEnd(random) {
  const kind = weighted(random, [['close', 40], ['fin', 30], ['reset', 16], ['destroy', 14]]);
  const parting = Array.from({ length: random.int(5) }, () => ({ ...someMessage(random, true), cuts: [], pings: false }));
  return { kind, code: random.pick([1000, 1001, 1005, 1011, 3000, 4321]), parting };
}

/** How the program ends a connection that is still open when all else is done. */
function finale(random) {
  if (random.chance(45)) return { by: 'peer', ...peerEnd(random) };
  const parting = Array.from({ length: random.int(4) }, () => sendingOperation(random, someLength));
  return { by: 'server', operations: [...parting, endingOperation(random)] };
}

/** What listeners do: `{ on, nth, via, ms, operations }`; each once, at the nth event. */
function reactionsOf(random, plan, messages, others, light) {
  const reactions = [];
  for (let count = (light ? 0 : 1) + random.int(light ? 3 : 9); count > 0; count--) {
    const on = weighted(random, EVENTS);
    let nth = random.int(random.chance(70) ? 3 : 8);
    if (on === 'message') nth = random.int(Math.max(1, Math.min(messages, random.chance(75) ? 20 : 2000)));
    if (['start', 'end', 'close', 'error'].includes(on)) nth = 0;
    const via = weighted(random, WAYS);
    const operations = makeOperations(random, { others, someLength, light, throws: via === 'sync' && on !== 'start' && on !== 'callback' });
    reactions.push({ on, nth, via, ms: random.int(30), operations });
  }
  // Whatever the listeners of events do, something also happens from outside of them.
  for (let count = random.int(light ? 2 : 4); count > 0; count--) {
    reactions.push({ on: 'start', nth: 0, via: 'timer', ms: random.int(160), operations: makeOperations(random, { others, someLength, light }) });
  }
  if (plan.fate === 'server') random.pick(reactions.length > 0 ? reactions : [startReaction(reactions, random)]).operations.push(endingOperation(random));
  return reactions;
}

function startReaction(reactions, random) {
  const reaction = { on: 'start', nth: 0, via: 'timer', ms: random.int(100), operations: [] };
  reactions.push(reaction);
  return reaction;
}

function messagesOf(step) {
  if (step.do === 'burst') return step.count;
  if (step.do === 'chorus') return step.times;
  return ['message', 'dribble'].includes(step.do) ? 1 : 0;
}

function makeConnection(random, number, count, options, light) {
  const script = someSteps(random, light);
  if (light) script.splice(random.int(2), 0, { do: 'chorus', times: 110, every: 4, kind: random.pick(KINDS), length: random.int(60) });
  const messages = script.reduce((sum, step) => sum + messagesOf(step), 0);
  const fate = weighted(random, [['open', 50], ['server', 25], ['peer', 25]]);
  const plan = {
    number,
    fate,
    io: random.pick(IOS),
    deflate: options.perMessageDeflate !== undefined && random.chance(80) ? random.pick(['takeover', 'takeover', 'none']) : null,
    connectAfter: random.chance(60) ? 0 : random.int(60),
    accept: random.chance(70) ? { via: 'sync' } : { via: random.pick(['tick', 'timer']), ms: random.int(20) },
    early: random.chance(35) ? Array.from({ length: 1 + random.int(8) }, () => (random.chance(15)
      ? { do: 'ping', length: random.int(100) } : someMessage(random, true))) : [],
    read: weighted(random, [['fast', 55], ['slow', 18], ['late', light ? 3 : 27]]),
    readAfter: 100 + random.int(250),
    answersClose: !random.chance(12),
    closeDelay: random.chance(80) ? 0 : random.int(20),
    afterEnd: random.chance(70) ? 0 : random.int(40),
    cancelsPings: random.chance(15) ? 1 + random.int(3) : 0,
    script,
    end: fate === 'peer' ? peerEnd(random) : null,
  };
  const others = Array.from({ length: count }, (_, other) => other).filter((other) => other !== number);
  plan.reactions = reactionsOf(random, plan, messages, others, light);
  if (plan.read === 'late' && !light && random.chance(75)) {
    plan.reactions.push({ on: 'start', nth: 0, via: 'timer', ms: random.int(60), operations: [flood(random, 130)] });
  }
  plan.finale = finale(random);
  return plan;
}

/**
 * The program of a seed. Every tenth has many connections that do little, most of it at the same time, while the program of the
 * server is busy: what has `auto` change the driver.
 */
function makeProgram(seed) {
  const random = new Random(seed, 0x6d0de1);
  const light = seed % 10 === 9;
  const options = serverOptions(random);
  const count = light ? 50 + random.int(14) : random.pick([1, 1, 1, 1, 2, 2, 3, 5]);
  const connections = Array.from({ length: count }, (_, number) => makeConnection(random, number, count, options, light));
  return { seed, options, connections, busy: light ? { ms: 8, times: 60 } : null };
}

/** The program as text, an operation or step a line. */
function describeProgram({ seed, options, connections, busy }) {
  const lines = [`program of seed ${seed}: options ${JSON.stringify(options)}`];
  if (busy !== null) lines.push(`  busy: ${JSON.stringify(busy)}`);
  for (const { number, script, reactions, finale: last, early, end, ...rest } of connections) {
    lines.push(`  connection ${number}: ${JSON.stringify(rest)}`);
    for (const step of early) lines.push(`    peer, with its request: ${JSON.stringify(step)}`);
    for (const step of script) lines.push(`    peer: ${JSON.stringify(step)}`);
    if (end !== null) lines.push(`    peer ends: ${JSON.stringify(end)}`);
    for (const { on, nth, via, ms, operations } of reactions) {
      lines.push(`    on ${on} ${nth}, ${via}${via === 'timer' ? ` ${ms} ms` : ''}: ${operations.map((one) => JSON.stringify(one)).join(' ')}`);
    }
    lines.push(`    finale: ${JSON.stringify(last)}`);
  }
  return lines.join('\n');
}

module.exports = { makeProgram, describeProgram };
