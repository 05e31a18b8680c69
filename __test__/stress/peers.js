'use strict';

// The process of the peers, started by run.js. It opens and ends connections, so that their number swings, and reports
// to its parent: totals, or the first fault.

const { setTimeout: sleep } = require('timers/promises');
const { nativeCount } = require('../../lib/internal/addon/binding');
const { Random } = require('./random');
const { Expectations } = require('./expectations');
const { rawSession } = require('./raw-session');
const { clientSession } = require('./client-session');

const { port, io, seconds, connections, seed, pace, steady } = JSON.parse(process.argv[2]);

/** Connections opened in a millisecond, in the steady mode. */
const STEADY_RATE = 0.4;

const totals = { sessions: 0, clients: 0, messages: 0, bytes: 0, pings: 0, pongs: 0, broadcasts: 0, endings: {} };
/** Sessions that have ended and that the parent has not been told of: `[number, ending, code or undefined]`. */
let ended = [];
const active = new Map();
let target = 1;
let failed = false;

/** What the server is to report for a session that goes on: `number -> [ending, code]`. */
const expected = new Map();

const world = {
  port,
  io,
  pace,
  /** Whether a session should come to its end. */
  wantsLess: () => active.size > target,
  /** Functions called together every few milliseconds: each sends something, so that many are ready at once. */
  chorus: new Set(),
  ending(name) { totals.endings[name] = (totals.endings[name] || 0) + 1; },
  expectServerClose(number, code, ending) { expected.set(number, [ending, code]); }
};

function fault(what) {
  if (failed) return;
  failed = true;
  process.send({ fault: what }, () => process.exit(1));
}

async function startSession(number) {
  const random = new Random(seed, 0x5, number);
  const ours = random.chance(15);
  const expectations = new Expectations(`${ours ? 'client' : 'raw peer'} ${number}`, seed, fault);
  active.set(number, expectations);
  totals.sessions++;
  if (ours) totals.clients++;
  try {
    await (ours ? clientSession : rawSession)(world, number, random, expectations);
  } catch (error) {
    expectations.fault(error.stack);
  }
  active.delete(number);
  expectations.finished = true;
  ended.push([number, ...(expected.get(number) || ['any ending'])]);
  expected.delete(number);
  for (const [name, value] of Object.entries(expectations.totals)) totals[name] += value;
}

/** Tells the parent which sessions have ended and what this process holds. */
function tell() {
  const { rss } = process.memoryUsage();
  process.send({ ended, totals, active: active.size, rss });
  ended = [];
}

async function main() {
  setInterval(() => { for (const sing of world.chorus) sing(); }, 8 * pace);
  const telling = setInterval(tell, 1000);
  const random = new Random(seed, 0x7);
  const deadline = Date.now() + seconds * 1000;
  let number = 0;
  let high = true;
  let batch = steady ? 1 : 20;
  while (Date.now() < deadline) {
    target = high ? Math.ceil(connections * (1 + random.int(2)) / 2) : random.pick([1, 1, 2, Math.ceil(connections / 10)]);
    if (steady) target = connections;
    high = !high;
    const change = Date.now() + 700 + random.int(600);
    while (Date.now() < Math.min(change, deadline)) {
      // Not all in one tick: a connection is opened while others are at work.
      for (let i = 0; i < batch && active.size < target; i++) startSession(number++);
      const before = Date.now();
      await sleep(5);
      // By the clock, or a busy machine would never have as many as it should; but no more than a server's queue takes.
      if (steady) batch = Math.min(64, Math.ceil((Date.now() - before) * STEADY_RATE));
    }
  }
  target = 0;
  const last = Date.now() + 40000;
  while (active.size > 0 && Date.now() < last) await sleep(10);
  for (const expectations of active.values()) expectations.fault('the session did not end');
  for (let i = 0; i < 300 && typeof nativeCount === 'function' && nativeCount() > 0; i++) await sleep(10);
  if (typeof nativeCount === 'function' && nativeCount() > 0) fault(`the addon still has ${nativeCount()} sockets of clients`);
  clearInterval(telling);
  tell();
  if (!failed) process.send({ totals, over: true }, () => process.exit(0));
}

process.on('uncaughtException', (error) => fault(`peers: ${error.stack}`));
process.on('disconnect', () => process.exit(1));
main().catch((error) => fault(`peers: ${error.stack}`));
