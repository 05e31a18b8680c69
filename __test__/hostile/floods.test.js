'use strict';

// Forty peers at once who send as much as they can. While it lasts, the timers of the process are on time, HTTP is answered, and
// memory is bounded, whoever moves the bytes. What ws does under the same load is printed for comparison.
//
// WEBSOCKET_TEST_FLOOD_SECONDS says how long each flood lasts (default 1).

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const { isReference } = require('../helpers/under-test');
const { startScenario } = require('../helpers/under-test/child');

const floods = require.resolve('./floods.js');
const SECONDS = Number(process.env.WEBSOCKET_TEST_FLOOD_SECONDS) || 1;
const MiB = 1 << 20;

/** Milliseconds that the median timer may be late, and a request for HTTP take. */
const LATE = 50;
const HTTP_LATE = 1000;
/** Memory that a flood may cost. Above the second number the server is ended, for the sake of this machine. */
const MORE = 300 * MiB;
const TOO_MUCH = 2048 * MiB;
/** How long a server is waited for when the flood is over. */
const BACK = 5000;

const LIBRARIES = [
  ['ws', 'ws', {}],
  ['auto', 'websocket', { io: 'auto' }],
  ['loop', 'websocket', { io: 'loop' }],
  ['threads', 'websocket', { io: 'threads' }],
  ['stream', 'websocket', { io: 'stream' }],
  ['native listener', 'websocket', { io: 'auto', port: 0, host: '127.0.0.1' }],
  ['native listener, threads', 'websocket', { io: 'threads', port: 0, host: '127.0.0.1' }],
];

/** [name, kind of attackers, settings]: what the program listens to, milliseconds that it needs for each, number of peers. */
const FLOODS = [
  ['tiny frames', 'tiny frames', {}],
  ['fragments without end', 'tiny fragments', {}],
  ['pings', 'pings', {}],
  ['pings that the program listens to', 'pings', { event: 'ping' }],
  ['uploads of 1 MiB in one frame', 'uploads in one frame', {}],
  ['uploads of 1 MiB in fragments, 5 ms of work for each', 'uploads in fragments', { busy: 5 }],
  ['messages of 1 MiB that are 1 KiB on the wire, from 60 peers, 5 ms of work for each', 'compressed bombs',
    { count: 60, busy: 5 }],
  ['peers that connect in a loop', 'connections', {}],
];

/** Resident memory of a process; 0 when it has gone. */
function residentOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  } catch {
    return 0;
  }
}

/** Asks over HTTP every 50 ms; `stop()` returns the milliseconds of each answer, unanswered requests with the time they wait. */
function askAll(port) {
  const asked = [];
  const timer = setInterval(() => {
    const one = { begun: performance.now(), ms: null };
    asked.push(one);
    const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      response.on('end', () => { one.ms = performance.now() - one.begun; });
    });
    one.request = request;
    request.on('error', () => {});
  }, 50);
  return () => {
    clearInterval(timer);
    const now = performance.now();
    const answered = asked.filter(({ ms }) => ms !== null).length;
    const times = asked.map(({ ms, begun }) => (ms === null ? now - begun : ms)).sort((a, b) => a - b);
    for (const { request } of asked) request.destroy();
    return { asked: asked.length, answered, median: Math.round(times[times.length >> 1]) };
  };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Floods a server and returns what could be seen of it. */
async function flood(t, library, kind, { event = 'message', busy = 0, count = 40 }) {
  const server = startScenario(t, floods, 'flooded', { args: { library: library[1], options: library[2], event, busy } });
  const { port, httpPort } = await server.report('port');
  const attackers = startScenario(t, floods, 'attackers', { args: { port, count, kind } });
  await attackers.report('ready');
  server.tell('begin');
  await server.report('begun');
  const before = residentOf(server.child.pid);
  let most = before;
  let ended = false;
  const watch = setInterval(() => {
    most = Math.max(most, residentOf(server.child.pid));
    if (most - before < TOO_MUCH) return;
    ended = true;
    attackers.child.kill('SIGKILL');
    server.child.kill('SIGKILL');
  }, 20);
  const stopAsking = askAll(httpPort);
  attackers.tell('go');
  await sleep(SECONDS * 1000);
  const answers = stopAsking();
  attackers.child.kill('SIGKILL');
  // Asked as soon as the flood is over: what is late then is a part of it.
  server.tell('figures');
  const over = performance.now();
  const figures = await server.report('figures', BACK).then(({ figures: all }) => all, () => null);
  const back = Math.round(performance.now() - over);
  clearInterval(watch);
  const { code, signal } = server.ended || {};
  server.child.kill('SIGKILL');
  return { figures, back, answers, more: most - before, ended, died: server.ended && !ended ? `${code} ${signal}` : null, stderr: server.stderr };
}

const row = (name, { figures, answers, more, ended, back }) => [
  name.padEnd(26),
  figures ? `timers late ${String(figures.median).padStart(5)} ms, at worst ${String(figures.worst).padStart(5)}` : `no answer within ${BACK / 1000} s after the flood`,
  `back in ${String(back).padStart(5)} ms`,
  `HTTP ${answers.answered}/${answers.asked}, ${String(answers.median).padStart(5)} ms`,
  `${ended ? 'ended at ' : ''}${Math.round(more / MiB)} MiB more`,
  figures ? `${Math.round((figures.messages || figures.connections) / (SECONDS + back / 1000))} ${figures.messages ? 'events' : 'connections'}/s` : '',
].join(' | ');

// With WEBSOCKET_IO the other tests run over one transport; here all of them are named.
const skip = isReference || process.env.WEBSOCKET_IO || process.platform !== 'linux' || process.versions.bun !== undefined || typeof globalThis.Deno !== 'undefined'
  ? 'measured once, on Linux with Node' : false;

for (const [name, kind, settings] of FLOODS) {
  describe(`a flood: ${name}`, { skip }, () => {
    for (const library of LIBRARIES) {
      const isOurs = library[1] !== 'ws';
      const what = isOurs ? `${library[0]}: timers are on time, HTTP is answered, memory is bounded` : 'ws, for comparison';
      test(what, { timeout: (SECONDS + 60) * 1000 }, async (t) => {
        const result = await flood(t, library, kind, settings);
        t.diagnostic(`${name}: ${row(library[0], result)}`);
        if (!isOurs) return;
        assert.deepStrictEqual([result.died, result.stderr], [null, '']);
        const { figures, answers, more, ended } = result;
        const wrong = [
          (ended || more > MORE) && `${Math.round(more / MiB)} MiB more`,
          !figures && !ended && `no answer within ${BACK / 1000} s after the flood`,
          figures && figures.median >= LATE && `timers ${figures.median} ms late`,
          (answers.median > HTTP_LATE || answers.answered === 0) && `HTTP ${answers.median} ms, ${answers.answered} of ${answers.asked} answered`,
          figures && kind !== 'tiny fragments' && (kind !== 'pings' || settings.event) && figures.connections + figures.messages === 0 && 'nothing was received',
        ].filter(Boolean);
        assert.deepStrictEqual(wrong, []);
      });
    }
  });
}
