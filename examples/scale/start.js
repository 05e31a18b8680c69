'use strict';

// `npm run example:scale`: a chat with rooms on two processes with two threads each, with an engine between them: Redis, Valkey or NATS, whichever is
// found on this machine.
//
//   PORT=8081 npm run example:scale                          other ports: this one and the next (0 picks free ones)
//   ENGINE=redis://10.0.0.1:6379 npm run example:scale       an engine that runs already; also nats://…

const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { npm } = require('../../scripts/internal/npm');
const { isInstalled } = require('./libraries');

const ENGINES = [
  { program: 'redis-server', library: 'redis', url: (port) => `redis://127.0.0.1:${port}`, args: redisArguments },
  { program: 'valkey-server', library: 'redis', url: (port) => `redis://127.0.0.1:${port}`, args: redisArguments },
  { program: 'nats-server', library: '@nats-io/transport-node', url: (port) => `nats://127.0.0.1:${port}`, args: (port) => ['-a', '127.0.0.1', '-p', String(port)] },
];

function redisArguments(port, directory) {
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'];
}

function find(program) {
  const directories = [...(process.env.PATH || '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => path.join(directory, program)).find((file) => fs.existsSync(file));
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

/** @returns {Promise<{ url: string, library: string, child?: import('child_process').ChildProcess }>} */
async function startEngine(directory) {
  const given = process.env.ENGINE;
  if (given) return { url: given, library: given.startsWith('nats:') ? '@nats-io/transport-node' : 'redis' };
  const engine = ENGINES.find(({ program }) => find(program) !== undefined);
  if (engine === undefined) {
    fail('No engine was found. Install redis-server, valkey-server or nats-server, or name one that runs: ENGINE=redis://host:6379');
  }
  const port = await freePort();
  // In a group of its own: with Ctrl+C the processes of the chat end first.
  const child = spawn(find(engine.program), engine.args(port, directory), { stdio: 'ignore', detached: true });
  console.log(`${engine.program} on port ${port}`);
  return { url: engine.url(port), library: engine.library, child };
}

async function main() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-chat-'));
  const { url, library, child: engine } = await startEngine(directory);
  if (!isInstalled(library)) {
    console.log(`Installing ${library} in ${path.relative('', __dirname)}.`);
    npm(['install', '--no-save'], { cwd: __dirname });
  }
  const first = Number(process.env.PORT || 8080);
  const processes = [0, 1].map((i) => spawn(process.execPath, [path.join(__dirname, 'process.js')], {
    stdio: 'inherit',
    env: { ...process.env, ENGINE: url, HISTORY: directory, PORT: String(first === 0 ? 0 : first + i) },
  }));

  // With Ctrl+C the processes get the signal themselves.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => processes.forEach((one) => one.kill('SIGTERM')));
  const codes = await Promise.all(processes.map((one) => new Promise((resolve) => one.on('exit', resolve))));
  engine?.kill();
  fs.rmSync(directory, { recursive: true, force: true });
  process.exitCode = Math.max(...codes.map((code) => code ?? 1));
}

main();
