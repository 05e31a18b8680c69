'use strict';

// Drives a client against the echo server of bench/load: opens connections, keeps messages in flight, compares every
// reply, and prints what it took.

const { createHistogram, performance } = require('perf_hooks');
const { parseArgs } = require('util');
const { cpu } = require('../../peers/support/control');

/** So many different messages: a prime, as in bench/load. */
const MESSAGES = 61;

/**
 * @typedef {object} Handlers
 * @property {(send: (text: string) => void, close: () => void) => void} open
 * @property {(text: string) => void} message
 * @property {(error?: Error) => void} end the connection was closed or failed
 */

/** Reads the options of the workload from the command line. */
function readOptions() {
  const text = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: {
      port: text('0'), io: text('auto'), connections: text('1'), 'in-flight': text('1'), size: text('64'),
      duration: text('2'), warmup: text('0.5'), messages: text('0')
    }
  });
  const { io, ...numbers } = values;
  return { io, ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])) };
}

/**
 * Runs a client.
 * @param {(url: string, handlers: Handlers, options: object) => void} connect opens one connection
 */
function drive(connect) {
  const options = readOptions();
  const url = `ws://127.0.0.1:${options.port}/`;
  const messages = Array.from({ length: MESSAGES }, (_, index) => `message ${index} `.padEnd(options.size, 'lorem ipsum '));
  const flows = [];
  let phase;
  let closing = false;

  for (let index = 0; index < options.connections; index += 1) {
    const flow = { index, sent: 0, received: 0, stamps: [] };
    connect(url, {
      open(send, close) {
        Object.assign(flow, { send, close });
        flows.push(flow);
        if (flows.length === options.connections) begin();
      },
      message: (text) => receive(flow, text),
      end(error) {
        if (!closing) fail(error ? error.message : 'the connection was closed');
      }
    }, options);
  }

  const expected = (flow, number) => messages[(number + flow.index * 7) % MESSAGES];

  function send(flow) {
    phase.quota -= 1;
    phase.outstanding += 1;
    flow.stamps.push(performance.now());
    const text = expected(flow, flow.sent);
    flow.sent += 1;
    flow.send(text);
  }

  function receive(flow, text) {
    if (flow.received === flow.sent) fail('a reply too many');
    if (text !== expected(flow, flow.received)) fail('a reply differs from what was sent');
    flow.received += 1;
    const now = performance.now();
    phase.latency.record(Math.max(1, Math.round((now - flow.stamps.shift()) * 1e6)));
    phase.outstanding -= 1;
    phase.messages += 1;
    if (phase.quota > 0 && now < phase.deadline) send(flow);
    else if (phase.outstanding === 0) phase.done(now);
  }

  /** Keeps messages in flight until the time or the messages are used up, and until the last reply is there. */
  async function runPhase(seconds, quota) {
    const start = performance.now();
    phase = {
      quota, deadline: start + seconds * 1000, outstanding: 0, messages: 0, latency: createHistogram(), done: null
    };
    const done = new Promise((resolve) => { phase.done = resolve; });
    for (const flow of flows) {
      for (let depth = 0; depth < options['in-flight'] && phase.quota > 0; depth += 1) send(flow);
    }
    phase.seconds = (await done - start) / 1000;
    return phase;
  }

  async function begin() {
    print({ event: 'open' });
    if (options.warmup > 0) await runPhase(options.warmup, Infinity);
    const before = cpu();
    const timed = options.messages === 0;
    const result = await runPhase(timed ? options.duration : Infinity, timed ? Infinity : options.messages);
    const after = cpu();
    const micros = (percentile) => result.latency.percentile(percentile) / 1000;
    print({
      event: 'result',
      messages: result.messages,
      seconds: result.seconds,
      rate: result.messages / result.seconds,
      latency: { p50: micros(50), p90: micros(90), p99: micros(99), p999: micros(99.9), max: result.latency.max / 1000 },
      cpu: {
        user: after.user - before.user,
        system: after.system - before.system,
        main: after.main === null ? null : after.main - before.main
      }
    });
    closing = true;
    for (const flow of flows) flow.close();
    // Clients wait for the closing handshake in different ways; nothing of that is measured.
    setTimeout(() => process.exit(0), 100);
  }
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Ends the run: a client that loses or changes a message must not be compared. */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** For clients with the interface of the browsers' WebSocket. */
function driveStandard(WebSocket) {
  drive((url, { open, message, end }) => {
    const socket = new WebSocket(url);
    socket.onopen = () => open((text) => socket.send(text), () => socket.close());
    socket.onmessage = (event) => message(event.data);
    socket.onclose = () => end();
    socket.onerror = (event) => end(event.error || new Error('the connection failed'));
  });
}

/** For packages with the API of WebSocket-Node. */
function driveWebSocketNode(library) {
  drive((url, { open, message, end }, options) => {
    const client = new library.client({ io: options.io });
    client.on('connectFailed', end);
    client.on('connect', (connection) => {
      connection.on('message', ({ utf8Data }) => message(utf8Data));
      connection.on('close', () => end());
      open((text) => connection.sendUTF(text), () => connection.close());
    });
    client.connect(url);
  });
}

module.exports = { drive, driveStandard, driveWebSocketNode };
