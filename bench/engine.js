'use strict';

// What a message of another process costs the process that receives it: CPU time of a server B that is connected by Redis with
// a server A, which publishes. B has ten members in each topic, or one, or none. Beside it Socket.IO with its redis adapter.
//
//   node bench/engine.js [--rounds 5] [--messages 40000] [--rate 0] [--topics 50]
//
//   --rate R   messages a second; 0: as many as Redis takes, so that many come at once
//
// Every member checks the number of each message. The program starts redis-server itself; REDIS_SERVER names another one.

const { fork, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const { installPeers } = require('./lib/prepare');

const HOST = '127.0.0.1';
const KINDS = ['ours', 'socket.io'];
const SIZE = 64;

/**
 * Members in each topic, and what is to be reached: `goal` microseconds of the whole process for each `unit`. `ratio` is that
 * goal beside what Socket.IO needed when it was set. On a slower or busier machine the ratio tells more.
 */
const WORKLOADS = [
  { members: 10, unit: 'delivery', goal: 1.2, ratio: 0.245 },
  { members: 1, unit: 'delivery', goal: 5, ratio: 0.39 },
  // The message must not come at all; what is measured is an idle process.
  { members: 0, unit: 'message', goal: 0.1, ratio: 0.03 }
];

/** Milliseconds after which late messages would have arrived. */
const QUIET = 300;
/** Milliseconds within which the last messages have to arrive. */
const PATIENCE = 60_000;
/** Messages between two answers of Redis, when it gets as many as it takes. */
const BATCH = 256;

const delay = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const topicName = (index) => `room ${index}`;

// ---- The processes: each answers the messages of the main process, one after the other.

/** @param {Record<string, (argument: object) => unknown>} calls */
function serve(calls) {
  process.on('message', async ({ name, argument }) => {
    try {
      process.send({ result: await calls[name](argument) });
    } catch (error) {
      process.send({ error: error.message });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ result: 'ready' });
}

/** Two clients of node-redis, connected. */
async function redisClients(port) {
  const { createClient } = require('redis');
  const publisher = createClient({ url: `redis://${HOST}:${port}` });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return { publisher, subscriber };
}

/** The servers of both kinds: an http.Server with `listen()`, and `publish(topic, text)`. */
const SERVERS = {
  async ours(clients) {
    const { server: WebSocketServer } = require('..');
    const { redisPubSub } = require('../pubsub/redis');
    const httpServer = http.createServer();
    const server = new WebSocketServer({ httpServer, fragmentOutgoingMessages: false, pubsub: redisPubSub(clients) });
    server.on('request', async (request) => {
      const connection = request.accept();
      await connection.subscribe(decodeURIComponent(request.resourceURL.query.topic));
      connection.sendUTF('joined');
    });
    // Done when the engine has confirmed something.
    if (server.stats().pubsub.lostFor > 0) await once(server, 'pubsubRestored');
    return {
      httpServer,
      publish: (topic, text) => server.publish(topic, text),
      received: () => server.stats().pubsub.received
    };
  },

  'socket.io': async function({ publisher, subscriber }) {
    const { Server } = require('socket.io');
    const { createAdapter } = require('@socket.io/redis-adapter');
    const httpServer = http.createServer();
    const server = new Server(httpServer, { serveClient: false, transports: ['websocket'], adapter: createAdapter(publisher, subscriber) });
    server.on('connection', async (socket) => {
      await socket.join(socket.handshake.query.topic);
      socket.emit('joined');
    });
    return { httpServer, publish: (topic, text) => server.to(topic).emit('said', text), received: () => null };
  }
};

async function runServer(kind, redisPort) {
  const clients = await redisClients(redisPort);
  const { httpServer, publish, received } = await SERVERS[kind](clients);
  const { cpu } = require('./peers/support/control');
  httpServer.listen({ port: 0, host: HOST, backlog: 1024 });
  await once(httpServer, 'listening');
  /** The number of the last message, the same in all topics. */
  let last = 0;

  /** Publishes messages in all topics in turn, so many in each. */
  async function publishAll({ rounds, rate, topics }) {
    const messages = rounds * topics;
    const started = performance.now();
    for (let sent = 0; sent < messages;) {
      const due = rate > 0 ? Math.ceil((performance.now() - started) * rate / 1000) : sent + BATCH;
      for (; sent < Math.min(messages, due); sent++) {
        const topic = sent % topics;
        if (topic === 0) last += 1;
        publish(topicName(topic), `${topic} ${last} `.padEnd(SIZE, '.'));
      }
      if (rate > 0) await delay(1);
      else await clients.publisher.ping();
    }
    // Redis has all that was written before.
    await clients.publisher.ping();
    return last;
  }

  serve({ port: () => httpServer.address().port, usage: () => ({ ...cpu(), received: received() }), publish: publishAll });
}

/** The members: clients of ours, which speak just enough of Socket.IO's protocol. */
function runMembers(kind) {
  const { client: WebSocketClient } = require('..');
  const members = [];
  let faults = 0;
  let firstFault = null;

  function fault(text) {
    faults += 1;
    firstFault ??= text;
  }

  function check(member, text) {
    const [topic, number] = text.split(' ', 2).map(Number);
    if (text.length !== SIZE || topic !== member.topic || number !== member.last + 1) {
      fault(`a member of topic ${member.topic} received '${text.trim()}' after number ${member.last}`);
    }
    member.last = number;
  }

  const paths = {
    ours: (topic) => `/?topic=${encodeURIComponent(topicName(topic))}`,
    'socket.io': (topic) => `/socket.io/?EIO=4&transport=websocket&topic=${encodeURIComponent(topicName(topic))}`
  };

  const receivers = {
    ours(member, text, joined) {
      if (text === 'joined') joined();
      else check(member, text);
    },
    'socket.io': function(member, text, joined) {
      if (text.startsWith('42["said","')) check(member, text.slice(11, -2));
      else if (text.startsWith('42["joined"')) joined();
      else if (text.startsWith('0')) member.connection.sendUTF('40');
      else if (text === '2') member.connection.sendUTF('3');
      else if (!text.startsWith('40')) fault(`received '${text}'`);
    }
  };

  function join(port, topic) {
    return new Promise((resolve, reject) => {
      const client = new WebSocketClient();
      const member = { topic, last: 0, connection: null };
      members.push(member);
      client.on('connectFailed', reject);
      client.on('connect', (connection) => {
        member.connection = connection;
        connection.on('message', ({ utf8Data }) => receivers[kind](member, utf8Data, resolve));
        connection.on('close', () => fault(`a member of topic ${topic} was disconnected`));
      });
      client.connect(`ws://${HOST}:${port}${paths[kind](topic)}`);
    });
  }

  serve({
    async join({ port, topics, each }) {
      for (let i = 0; i < topics * each; i += 16) {
        await Promise.all(Array.from({ length: Math.min(16, topics * each - i) }, (_, k) => join(port, (i + k) % topics)));
      }
    },
    /** Done when all members have the message with this number. */
    async all({ last }) {
      const isBehind = (member) => member.last !== last;
      for (const end = Date.now() + PATIENCE; members.some(isBehind) && Date.now() < end;) await delay(20);
      const behind = members.filter(isBehind).length;
      if (behind > 0) fault(`${behind} members have not received message ${last}`);
      if (faults > 0) throw new Error(`${firstFault} (${faults} faults)`);
    }
  });
}

// ---- The main process

/** A process of this file that answers calls. */
class Child {
  constructor(...args) {
    this.child = fork(__filename, args);
  }

  async answer() {
    const signal = AbortSignal.timeout(2 * PATIENCE);
    const ended = once(this.child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${code}`);
    });
    ended.catch(() => {});
    const [{ result, error }] = await Promise.race([once(this.child, 'message', { signal }), ended]);
    if (error !== undefined) throw new Error(error);
    return result;
  }

  call(name, argument) {
    this.child.send({ name, argument });
    return this.answer();
  }

  async end() {
    if (this.child.exitCode !== null) return;
    if (this.child.connected) this.child.disconnect();
    else this.child.kill();
    await once(this.child, 'exit');
  }
}

function findRedis() {
  if (process.env.REDIS_SERVER) return process.env.REDIS_SERVER;
  const directories = [...(process.env.PATH || '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => path.join(directory, 'redis-server')).find((file) => fs.existsSync(file));
}

async function startRedis() {
  const file = findRedis();
  if (file === undefined) throw new Error('redis-server is not on the PATH. Install it, or name it with REDIS_SERVER.');
  const probe = net.createServer().listen(0, HOST);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-bench-'));
  // Without a limit for subscribers: nothing may get lost, however slow one is.
  const args = ['--port', port, '--bind', HOST, '--dir', directory, '--save', '', '--appendonly', 'no',
    '--client-output-buffer-limit', 'pubsub', '0', '0', '0'];
  const child = spawn(file, args.map(String), { stdio: 'ignore' });
  const failed = once(child, 'error').then(([error]) => { throw error; });
  failed.catch(() => {});
  for (let tries = 0; ; tries++) {
    const socket = net.connect(port, HOST);
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true, () => false), failed]);
    socket.destroy();
    if (isOpen) break;
    if (tries > 100) throw new Error(`${file} does not listen on port ${port}`);
    await delay(50);
  }
  return {
    port,
    async end() {
      child.kill();
      await once(child, 'exit');
      fs.rmSync(directory, { recursive: true, force: true });
    }
  };
}

/** @returns {Promise<{ cpu: number, main: number|null }>} microseconds per delivery, or per message when there are no members */
async function measure(kind, { members: each }, { messages, rate, topics, redisPort }) {
  const children = [];
  const start = async (...args) => {
    const child = new Child(...args);
    children.push(child);
    await child.answer();
    return child;
  };
  try {
    const sender = await start('server', kind, redisPort);
    const receiver = await start('server', kind, redisPort);
    const members = await start('members', kind);
    await members.call('join', { port: await receiver.call('port'), topics, each });
    const publish = async (rounds) => {
      const last = await sender.call('publish', { rounds, rate, topics });
      await members.call('all', { last });
      await delay(QUIET);
    };
    const rounds = Math.ceil(messages / topics);
    // Until everything is compiled.
    await publish(Math.ceil(rounds / 2));
    const before = await receiver.call('usage');
    await publish(rounds);
    const after = await receiver.call('usage');
    // Once more, to see that nothing came twice or late.
    await members.call('all', { last: Math.ceil(rounds / 2) + rounds });
    const units = rounds * topics * (each || 1);
    const received = after.received === null ? null : after.received - before.received;
    if (each === 0 && received > 0) throw new Error(`${received} messages came to a process without members`);
    return {
      cpu: (after.user + after.system - before.user - before.system) / units,
      main: after.main === null ? null : (after.main - before.main) / units
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
  }
}

const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];
const figure = (value) => (value === null ? '–' : value.toFixed(value < 1 ? 3 : 2));

const verdict = (value, goal) => `${value <= goal ? 'met' : 'NOT MET'} (≤ ${goal})`;

/** The table of medians; ratios are computed inside a round. */
function table(samples) {
  const rows = [
    '| members | CPU of a | ours | Socket.IO | ratio | JS thread, ours | JS thread, Socket.IO | goal, µs | goal, ratio |',
    '|---:|---|---:|---:|---:|---:|---:|---|---|'
  ];
  for (const [i, { members, unit, goal, ratio }] of WORKLOADS.entries()) {
    const of = (kind, metric) => samples.filter((sample) => sample.workload === i && sample.kind === kind).map((sample) => sample[metric]);
    const [ours, theirs] = KINDS.map((kind) => of(kind, 'cpu'));
    const cpu = median(ours);
    const reached = median(ours.map((value, round) => value / theirs[round]));
    const js = KINDS.map((kind) => of(kind, 'main')).map((values) => (values.includes(null) ? null : median(values)));
    const cells = [members, unit, ...[cpu, median(theirs), reached, ...js].map(figure), verdict(cpu, goal), verdict(reached, ratio)];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  return rows.join('\n');
}

const HELP = `Usage: node bench/engine.js [options]

  --rounds N     how often each is measured, default 5
  --messages N   so many in each measurement, after half as many to warm up, default 40000
  --rate N       messages a second; 0, the default, is as many as Redis takes
  --topics N     default 50
`;

async function main() {
  const number = { type: 'string' };
  const { values } = parseArgs({ options: { rounds: number, messages: number, rate: number, topics: number, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { rounds, messages, rate, topics } = Object.fromEntries(
    Object.entries({ rounds: 5, messages: 40_000, rate: 0, topics: 50, ...values }).map(([name, value]) => [name, Number(value)]));
  if (!(rounds > 0 && messages > 0 && rate >= 0 && topics > 0)) throw new Error('the options need numbers');
  installPeers();
  const redis = await startRedis();
  const samples = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [workload, description] of WORKLOADS.entries()) {
        // Another one begins in each round.
        for (const kind of round % 2 ? KINDS.slice().reverse() : KINDS) {
          const sample = await measure(kind, description, { messages, rate, topics, redisPort: redis.port });
          samples.push({ workload, kind, ...sample });
          process.stderr.write(`round ${round + 1}  ${description.members} members  ${kind.padEnd(10)} ${figure(sample.cpu)} µs, JS thread ${figure(sample.main)} µs\n`);
        }
      }
    }
  } finally {
    await redis.end();
  }
  const [cpu] = os.cpus();
  process.stdout.write(`${cpu ? cpu.model.trim() : 'unknown CPU'}, ${os.cpus().length} cores, Node ${process.versions.node}, `
    + `${rate > 0 ? `${rate} messages a second` : 'as many messages as Redis takes'}, ${topics} topics. Medians of ${rounds} rounds, µs.\n\n${table(samples)}\n`);
}

const [role, ...rest] = process.argv.slice(2);
const work = { server: runServer, members: runMembers }[role] ?? main;
Promise.resolve(work(...rest)).catch((error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exit(2);
});
