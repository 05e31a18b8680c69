'use strict';

// Runs the Autobahn test suite against this package's server and client.
//
//   npm run test:autobahn -- [--role server|client|both] [--transport auto,stream] [--cases '1.*,2.*'] [--exclude '9.*']
//                            [--module NAME]
//
//   --role       which side of this package is tested (default: both)
//   --transport  who moves the bytes: values of the option `io`; `listener` for a server that listens itself; `tls` for one that
//                does with TLS, and a client over TLS; separated by commas, or `all` (default: auto)
//   --cases      case patterns, separated by commas (default: everything, of compression one size for each of the settings:
//                the whole of sections 12 and 13 takes half an hour; --cases '*' is everything)
//   --exclude    case patterns to leave out
//   --module     test what require(NAME) gives instead of this package
//
// Reports are written to reports/autobahn/TRANSPORT/{server,client}. The exit code is 0 when every selected case is OK or
// INFORMATIONAL, in its behaviour and in its closing; NON-STRICT counts as a failure.

const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { parseArgs } = require('util');
const { findWstest, startWstest } = require('./internal/wstest');

const ROOT = path.join(__dirname, '..');
const PEERS = path.join(ROOT, '__test__', 'autobahn');
const REPORTS = path.join(ROOT, 'reports', 'autobahn');
/** For 127.0.0.1. */
const [KEY, CERTIFICATE] = ['server-key.pem', 'server.pem'].map((name) => path.join(ROOT, 'src', 'tls', 'test_data', name));
/** Longest time one role may take: all of sections 12 and 13 on a slow machine that has other things to do. */
const TIMEOUT = 5400000;
const GOOD = new Set(['OK', 'INFORMATIONAL']);
const COLUMNS = ['OK', 'INFORMATIONAL', 'NON-STRICT', 'UNIMPLEMENTED', 'FAILED', 'MISSING'];

const TRANSPORTS = ['auto', 'loop', 'threads', 'stream', 'listener', 'tls'];
/** Sections 1 to 10, and of each group of 12 and 13 a case. */
const SOME_CASES = [
  ...[1, 2, 3, 4, 5, 6, 7, 9, 10].map((section) => `${section}.*`),
  ...[1, 2, 3, 4, 5].map((group) => `12.${group}.4`), ...[1, 2, 3, 4, 5, 6, 7].map((group) => `13.${group}.4`)
];

const list = (text) => text.split(',').map((pattern) => pattern.trim()).filter(Boolean);

/** Resolves with the exit code of a process, or rejects when it takes too long. */
function ended(child, what) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${what} had not ended after ${TIMEOUT / 60000} minutes`));
    }, TIMEOUT);
    const finish = (code, signal) => {
      clearTimeout(timer);
      resolve(code === null ? signal : code);
    };
    if (child.exitCode !== null || child.signalCode !== null) finish(child.exitCode, child.signalCode);
    else child.once('exit', finish);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${what} could not be started: ${error.message}`));
    });
  });
}

/** Ends a process that is still running and waits for its end. */
async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}

/** A port of the loopback interface that was free a moment ago. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until something listens on a port, as long as `child` lives. */
async function listening(port, child, log) {
  const deadline = Date.now() + 60000;
  while (Date.now() < deadline && child.exitCode === null) {
    const socket = net.connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`wstest does not listen; its output:\n${fs.readFileSync(log, 'utf8').slice(-2000)}`);
}

/** The cases wstest selected, from its output so far (it prints them as a Python list); null before it has. */
function selectedCases(directory) {
  const line = /^Cases = \[(.*)\]\s*$/m.exec(fs.readFileSync(path.join(directory, 'wstest.log'), 'latin1'));
  return line && [...line[1].matchAll(/'([^']+)'/g)].map((match) => match[1]);
}

/** Waits until wstest has selected its cases: without any it would run for ever. */
async function casesSelected(directory, child) {
  const running = () => child.exitCode === null && child.signalCode === null;
  for (;;) {
    const last = !running();
    const cases = selectedCases(directory);
    if (cases && cases.length > 0) return;
    if (cases) throw new Error('no case is selected');
    if (last) {
      const output = fs.readFileSync(path.join(directory, 'wstest.log'), 'utf8');
      throw new Error(`wstest did not say which cases it runs; its output:\n${output.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Writes the specification wstest reads, into an emptied report directory. */
function writeSpec(directory, spec) {
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'spec.json');
  const common = { outdir: directory, options: { failByDrop: false }, 'exclude-agent-cases': {} };
  fs.writeFileSync(file, JSON.stringify({ ...common, ...spec }, null, 2));
  return file;
}

/** Tests our server: wstest is the client. */
async function testServer(wstest, directory, options) {
  const args = [path.join(PEERS, 'server.js'), ...options.module];
  const server = spawn(process.execPath, args, { cwd: ROOT, env: options.env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const first = await Promise.race([once(server.stdout, 'data'), once(server, 'exit').then(() => null)]);
    if (!first) throw new Error('the echo server did not start');
    const port = Number(String(first[0]));
    const servers = [{ agent: 'server', url: `${options.scheme}://127.0.0.1:${port}` }];
    const spec = writeSpec(directory, { servers, cases: options.cases, 'exclude-cases': options.exclude });
    const client = startWstest(wstest, 'fuzzingclient', spec, path.join(directory, 'wstest.log'));
    try {
      await casesSelected(directory, client);
      const code = await ended(client, 'wstest');
      if (code !== 0) console.log(`wstest ended with ${code}`);
    } finally {
      await stop(client);
    }
    if (server.exitCode !== null || server.signalCode !== null) {
      console.log(`the echo server ended during the run (${server.exitCode === null ? server.signalCode : server.exitCode})`);
    }
  } finally {
    await stop(server);
  }
}

/** Tests our client: wstest is the server. */
async function testClient(wstest, directory, options) {
  const port = await freePort();
  const url = `${options.scheme}://127.0.0.1:${port}`;
  const spec = writeSpec(directory, { url, cases: options.cases, 'exclude-cases': options.exclude });
  const log = path.join(directory, 'wstest.log');
  const server = startWstest(wstest, 'fuzzingserver', spec, log, options.scheme === 'wss' ? ['-k', KEY, '-c', CERTIFICATE] : []);
  try {
    await casesSelected(directory, server);
    await listening(port, server, log);
    const args = [path.join(PEERS, 'client.js'), url, 'client', ...options.module];
    const client = spawn(process.execPath, args, { cwd: ROOT, env: options.env, stdio: ['ignore', 'inherit', 'inherit'] });
    const code = await ended(client, 'the echo client');
    if (code !== 0) console.log(`the echo client ended with ${code}`);
  } finally {
    await stop(server);
  }
}

/** Reads a role's report and prints it; returns whether every selected case is good. */
function report(role, transport, directory) {
  const cases = selectedCases(directory);
  const file = path.join(directory, 'index.json');
  const [results = {}] = fs.existsSync(file) ? Object.values(JSON.parse(fs.readFileSync(file, 'utf8'))) : [];
  const sections = new Map();
  const bad = [];
  for (const id of cases) {
    const { behavior = 'MISSING', behaviorClose = 'MISSING', remoteCloseCode = null } = results[id] || {};
    const section = id.split('.')[0];
    if (!sections.has(section)) sections.set(section, Object.fromEntries(COLUMNS.map((name) => [name, 0])));
    const row = sections.get(section);
    row[behavior] = (row[behavior] || 0) + 1;
    if (!GOOD.has(behavior) || !GOOD.has(behaviorClose)) bad.push({ id, behavior, behaviorClose, remoteCloseCode });
  }

  console.log(`\nAutobahn, ${role}, transport ${transport}: ${cases.length} cases`);
  console.log(['section', ...COLUMNS].map((name) => name.padStart(14)).join(''));
  for (const [section, row] of sections) {
    console.log([`${section}.*`, ...COLUMNS.map((name) => row[name] || '-')].map((cell) => String(cell).padStart(14)).join(''));
  }
  for (const { id, behavior, behaviorClose, remoteCloseCode } of bad) {
    console.log(`  ${id.padEnd(9)} ${behavior.padEnd(14)} closing: ${behaviorClose}, code ${remoteCloseCode}`);
  }
  console.log(`${role}: ${cases.length - bad.length} of ${cases.length} cases OK (report: ${path.relative(process.cwd(), path.join(directory, 'index.html'))})`);
  return cases.length > 0 && bad.length === 0;
}

async function main() {
  const { values } = parseArgs({
    options: {
      role: { type: 'string', default: 'both' },
      transport: { type: 'string', default: 'auto' },
      cases: { type: 'string' },
      exclude: { type: 'string', default: '' },
      module: { type: 'string' }
    }
  });
  const roles = { server: ['server'], client: ['client'], both: ['server', 'client'] }[values.role];
  if (!roles) throw new Error(`--role is server, client or both, not ${values.role}`);
  const transports = values.transport === 'all' ? TRANSPORTS : list(values.transport);
  for (const transport of transports) {
    if (!TRANSPORTS.includes(transport)) throw new Error(`--transport is some of ${TRANSPORTS}, or all, not ${transport}`);
  }
  const options = {
    cases: values.cases === undefined ? SOME_CASES : list(values.cases),
    exclude: list(values.exclude),
    module: values.module ? [values.module] : []
  };
  if (options.cases.length === 0) throw new Error('--cases names no case');

  const wstest = findWstest();
  let good = true;
  for (const transport of transports) {
    const listener = { listener: 'native', tls: 'tls' }[transport];
    const env = { ...process.env, ...(listener ? { WEBSOCKET_TEST_LISTENER: listener } : { WEBSOCKET_IO: transport }) };
    const scheme = transport === 'tls' ? 'wss' : 'ws';
    for (const role of roles) {
      // A client does not listen.
      if (role === 'client' && transport === 'listener') continue;
      const directory = path.join(REPORTS, transport, role);
      await (role === 'server' ? testServer : testClient)(wstest, directory, { ...options, env, scheme });
      if (!report(role, transport, directory)) good = false;
    }
  }
  console.log(good ? '\nAutobahn: passed' : '\nAutobahn: FAILED');
  if (!good) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`test:autobahn: ${error.message}`);
  process.exitCode = 1;
});
