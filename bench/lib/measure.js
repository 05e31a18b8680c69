'use strict';

// One sample: one peer, one workload, fresh processes. Figures are per message (delivery, connection).

const { LineProcess } = require('./line-process');
const { PEERS, command } = require('./peers');

/** Connections that are opened and closed before memory is measured, so that code and heap have grown to their size. */
const IDLE_WARMUP = 100;

/** The exit code of the load generator when a server does not offer what is to be measured. */
const REFUSED = 3;

/** The peer cannot take part: not installed, or without what the workload needs. */
class Unavailable extends Error {
  /** @param {string} message @param {boolean} [everywhere] in no workload at all */
  constructor(message, everywhere = false) {
    super(message);
    this.everywhere = everywhere;
  }
}

/** The peer lost, changed or invented a reply, or broke down. */
class Fault extends Error {}

/** Options as a command line: `{ size: 64, burst: true }` becomes `--size 64 --burst`. */
function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === false || value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}

/** Starts a server and returns it with its port. */
async function startServer(name, context, args) {
  const server = new LineProcess(command(name, 'server', args, context.loader), context.pin ? 0 : null);
  try {
    const { port } = await server.next();
    return { server, port };
  } catch (error) {
    await server.end();
    throw new Unavailable(error.message, args.length === 0);
  }
}

/** How long a phase lasts, as options for loader and clients. */
function extent({ duration, warmup, messages }) {
  return { duration, warmup, messages: messages || undefined };
}

/** Runs a load against a server; `atReady` and `atResult` are called while the load generator waits. */
async function load(context, port, mode, options, atReady, atResult) {
  const args = [mode, ...flags({ port, ...options })];
  const loader = new LineProcess({ file: context.loader, args }, context.pin ? 1 : null);
  const patience = 60 + context.duration + context.warmup;
  try {
    await loader.next(patience);
    await atReady();
    loader.tell();
    if (atResult) {
      const result = await loader.next(patience);
      await atResult(result);
      loader.tell();
    }
    const code = await loader.exit;
    if (code !== 0) throw new Error(loader.complaint());
  } catch (error) {
    const Kind = await loader.end() === REFUSED ? Unavailable : Fault;
    throw new Kind(error.message);
  } finally {
    await loader.end();
  }
}

/**
 * Has a load run against a server in a process of its own. `before` and `after` are called around it, while the load generator
 * waits.
 * @returns {Promise<object>} the result of the load generator, and how a server of ours did its I/O
 */
async function underLoad(name, workload, context, { before, after }) {
  const { deflate, tls } = workload.load;
  const options = { broadcast: workload.mode === 'broadcast', callbacks: workload.callbacks, deflate, tls };
  const { server, port } = await startServer(name, context, flags(options));
  const raw = PEERS[name].server.abilities.includes('raw');
  let result;
  try {
    await load(context, port, workload.mode, { ...workload.load, ...extent(context), raw, sync: true }, () => before(server), async (line) => {
      result = line;
      await after(server, result);
    });
    return { ...result, ...await transportOf(name, server) };
  } catch (error) {
    throw explain(error, server);
  } finally {
    await server.end();
  }
}

/** CPU, rate and latency of a server. */
async function measureServer(name, workload, context) {
  let before;
  let sample;
  const { transport } = await underLoad(name, workload, context, {
    before: async (server) => { before = await server.ask('cpu'); },
    after: async (server, result) => {
      sample = perUnit(result, difference(await server.ask('cpu'), before));
      sample.loadShare = result.loadCpu / result.seconds;
    }
  });
  return { ...sample, ...(transport && { transport }) };
}

/** Memory of a connection that does nothing. */
async function measureIdle(name, workload, context) {
  const { server, port } = await startServer(name, context, []);
  const raw = PEERS[name].server.abilities.includes('raw');
  const connections = context.connections || workload.load.connections;
  let before;
  let after;
  try {
    await load(context, port, 'idle', { raw, connections: Math.min(IDLE_WARMUP, connections) }, () => {});
    before = await server.ask('memory');
    await load(context, port, 'idle', { raw, connections }, async () => { after = await server.ask('memory'); });
    const heap = after.heap === null ? null : (after.heap - before.heap) / connections;
    return { rss: (after.rss - before.rss) / connections, heap, ...await transportOf(name, server) };
  } catch (error) {
    throw explain(error, server);
  } finally {
    await server.end();
  }
}

/** CPU, rate and latency of a client against the Rust server. */
async function measureClient(name, workload, context) {
  const { server, port } = await startServer('floor', context, []);
  const args = flags({ port, ...workload.load, ...extent(context) });
  const client = new LineProcess(command(name, 'client', args, context.loader), context.pin ? 1 : null);
  let open = false;
  try {
    await client.next();
    open = true;
    const result = await client.next(60 + context.duration + context.warmup);
    const code = await client.exit;
    if (code !== 0) throw new Error(client.complaint());
    return perUnit(result, result.cpu);
  } catch (error) {
    // Until its connections are open it may lack a module or an option; from then on it has to do its work.
    throw open ? new Fault(error.message) : new Unavailable(error.message, true);
  } finally {
    await Promise.all([client.end(), server.end()]);
  }
}

/** A fault of a server that died is told in the server's words. */
function explain(error, server) {
  if (!(error instanceof Fault) || !server.errors) return error;
  return new Fault(`${error.message}; the server says: ${server.complaint()}`);
}

/**
 * How a server of ours does its I/O, for the record. One that was asked for one way and quietly took another must not be
 * compared under that name.
 */
async function transportOf(name, server) {
  if (!name.startsWith('ours')) return {};
  const wanted = PEERS[name].server.transport;
  const { transport = 'stream' } = await server.ask('status');
  if (wanted && transport !== wanted) throw new Unavailable(`asked for the transport '${wanted}', it uses '${transport}'`, true);
  return { transport };
}

function difference(after, before) {
  return Object.fromEntries(Object.keys(after).map((key) => [key, after[key] === null ? null : after[key] - before[key]]));
}

/** A result per message: CPU in microseconds, latency in microseconds, rate per second. */
function perUnit({ messages, rate, latency }, { user, system, main }) {
  return {
    cpu: (user + system) / messages,
    user: user / messages,
    system: system / messages,
    main: main === null ? null : main / messages,
    rate,
    p50: latency.p50,
    p99: latency.p99,
    messages
  };
}

/**
 * Takes one sample.
 * @param {string} name the peer
 * @param {object} workload one of WORKLOADS
 * @param {{ loader: string, duration: number, warmup: number, messages?: number, connections?: number, pin: boolean }} context
 * @throws {Unavailable} the peer cannot take part
 * @throws {Fault} it did not do what it should
 */
function measure(name, workload, context) {
  if (workload.mode === 'client') return measureClient(name, workload, context);
  if (workload.mode === 'idle') return measureIdle(name, workload, context);
  return measureServer(name, workload, context);
}

module.exports = { measure, underLoad, Unavailable, Fault };
