'use strict';

// `websocket/metrics`: what is counted, the text, and prom-client. The text is read by the parser of Prometheus' own client for
// Python, if that can be installed.

const { after, before, beforeEach, describe, test } = require('node:test');
const assert = require('node:assert');
const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { createRequire } = require('module');
const { contentType, metrics, register } = require('../../metrics');
const { OPCODE, closePayload } = require('../helpers/raw');
const { eventually, openClient, openPair, openRawClient, startServer } = require('../helpers/under-test/endpoints');
const { makeProject } = require('../docs/snippets');

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-metrics-')));
after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));

/** The samples of a text, as `name{labels}` and number. */
function samplesOf(text) {
  return Object.fromEntries(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** By how much each sample has changed; those that have not are left out. */
function changes(from, to) {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return Object.fromEntries([...names].map((name) => [name, (to[name] || 0) - (from[name] || 0)]).filter(([, value]) => value !== 0));
}

const now = () => samplesOf(metrics());

/** What has changed, of the samples with this name. */
function only(name, all) {
  return Object.fromEntries(Object.entries(all).filter(([sample]) => sample.startsWith(`${name}{`) || sample === name));
}

/** Those of the test before may end when this one has begun. */
beforeEach(() => eventually(() => Object.values(only('websocket_connections', now())).every((count) => count === 0),
  'the connections of the test before to end'));

describe('what is counted', () => {
  test('connections of servers and clients, while they are open and after', async (t) => {
    const begin = now();
    const started = await startServer(t, {
      onConnect: (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)),
    });
    const client = await openClient(t, started.url);
    const echoed = new Promise((resolve) => { client.on('message', resolve); });
    client.sendUTF('hello');
    await echoed;
    const open = changes(begin, now());
    const { transport } = client;
    assert.deepStrictEqual(only('websocket_connections', open), {
      [`websocket_connections{role="server",transport="${started.connections[0].transport}"}`]: 1,
      [`websocket_connections{role="client",transport="${transport}"}`]: 1,
    });
    for (const role of ['server', 'client']) {
      assert.strictEqual(open[`websocket_messages_received_total{role="${role}"}`], 1);
      assert.strictEqual(open[`websocket_messages_sent_total{role="${role}"}`], 1);
      assert.ok(open[`websocket_received_bytes_total{role="${role}"}`] > 5);
    }

    client.close(4242);
    await eventually(() => started.closes.length === 1 && client.closeEventEmitted, 'both ends to close');
    const closed = changes(begin, now());
    assert.deepStrictEqual(only('websocket_connections', closed), {});
    for (const role of ['server', 'client']) {
      assert.strictEqual(closed[`websocket_connections_opened_total{role="${role}"}`], 1);
      assert.strictEqual(closed[`websocket_connections_closed_total{role="${role}",code="4xxx"}`], 1);
      assert.strictEqual(closed[`websocket_messages_received_total{role="${role}"}`], 1);
      assert.strictEqual(closed[`websocket_frames_received_total{role="${role}"}`], 2);
    }
  });

  test('the figures are the sums of stats() of all connections', async (t) => {
    const begin = now();
    const pairs = [await openPair(t, 'server'), await openPair(t, 'server')];
    for (const { connection, send } of pairs) {
      connection.sendUTF('x'.repeat(1000));
      connection.ping();
      send({ opcode: OPCODE.PING }, { opcode: OPCODE.TEXT, payload: 'y' });
    }
    for (const pair of pairs) await pair.messages();
    await pairs[0].received(OPCODE.TEXT);
    pairs[0].send({ opcode: OPCODE.CLOSE, payload: closePayload(1000) });
    await pairs[0].closed();
    const stats = pairs.map(({ connection }) => connection.stats());
    const changed = changes(begin, now());
    for (const [name, sample] of [['messagesReceived', 'messages_received_total'], ['messagesSent', 'messages_sent_total'],
      ['bytesReceived', 'received_bytes_total'], ['bytesSent', 'sent_bytes_total'], ['framesReceived', 'frames_received_total'],
      ['pingsReceived', 'pings_received_total'], ['pingsSent', 'pings_sent_total']]) {
      assert.strictEqual(changed[`websocket_${sample}{role="server"}`], stats[0][name] + stats[1][name], name);
    }
  });

  test('requests that wait, that are refused, and attempts that fail', async (t) => {
    const begin = now();
    const requests = [];
    const started = await startServer(t, { config: { maxPendingRequests: 1 }, onRequest: (request) => requests.push(request) });
    const connecting = openClient(t, started.url);
    await eventually(() => requests.length === 1, 'a request');
    await assert.rejects(openClient(t, started.url));
    assert.deepStrictEqual(changes(begin, now()), {
      websocket_pending_requests: 1, websocket_requests_refused_total: 1, websocket_connects_failed_total: 1,
    });
    requests[0].reject(403);
    await assert.rejects(connecting);
    const end = changes(begin, now());
    assert.strictEqual(end.websocket_pending_requests, undefined);
    assert.strictEqual(end.websocket_requests_refused_total, 1, 'those that the program rejects are not counted');
    assert.strictEqual(end.websocket_connects_failed_total, 2);
  });

  test('peers that choose their close codes cannot make more than a few series', async (t) => {
    const started = await startServer(t);
    const codes = [1000, 1001, 1011, 1014, 3000, 3001, 3999, 4000, 4001, 4999];
    for (const code of codes) {
      const peer = await openRawClient(started.port);
      peer.send({ opcode: OPCODE.CLOSE, payload: closePayload(code) });
      await peer.close();
    }
    await eventually(() => started.closes.length === codes.length, 'all to close');
    const series = Object.keys(only('websocket_connections_closed_total', now())).map((name) => /code="(\w+)"/.exec(name)[1]);
    assert.deepStrictEqual([...new Set(series)].filter((code) => !/^(10[01]\d|3xxx|4xxx|other)$/.test(code)), []);
  });

  test('errors of sockets', async (t) => {
    const begin = now();
    const pair = await openPair(t, 'server');
    pair.peer.socket.resetAndDestroy();
    await pair.closed();
    const changed = changes(begin, now());
    assert.strictEqual(changed['websocket_socket_errors_total{role="server"}'], 1);
    assert.strictEqual(changed['websocket_connections_closed_total{role="server",code="1006"}'], 1);
  });

  test('nothing, until websocket/metrics is loaded', () => {
    const program = `
      const { channel } = require('diagnostics_channel');
      const { hasSubscribers } = channel('websocket:connection:open');
      require(${JSON.stringify(path.resolve(__dirname, '../..'))});
      const before = channel('websocket:connection:open').hasSubscribers;
      require(${JSON.stringify(path.resolve(__dirname, '../../metrics'))});
      console.log(hasSubscribers, before, channel('websocket:connection:open').hasSubscribers);`;
    assert.strictEqual(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }).trim(), 'false false true');
  });
});

describe('loading', () => {
  before(() => makeProject(directory, []));

  test('with require() and with import', () => {
    const run = (file, code) => {
      fs.writeFileSync(path.join(directory, file), `${code} console.log(metrics().endsWith('# EOF\\n'), typeof register, contentType);`);
      return execFileSync(process.execPath, [file], { cwd: directory, encoding: 'utf8' }).trim();
    };
    const expected = `true function ${contentType}`;
    assert.strictEqual(run('load.js', "const { metrics, register, contentType } = require('websocket/metrics');"), expected);
    assert.strictEqual(run('load.mjs', "import { metrics, register, contentType } from 'websocket/metrics.js';"), expected);
  });
});

describe('labels of the program', () => {
  test('are on every sample', () => {
    const samples = Object.keys(samplesOf(metrics({ labels: { worker: 3 } })));
    assert.deepStrictEqual(samples.filter((name) => !name.includes('{worker="3"')), []);
  });

  test('that cannot be are refused', () => {
    for (const labels of [null, 'worker', { 'a b': 1 }, { __name__: 'x' }, { '1st': 1 }, { role: 'x' }, { code: 1 }, { ä: 1 }]) {
      assert.throws(() => metrics({ labels }), { code: 'ERR_WEBSOCKET_OPTION', message: /labels/ }, JSON.stringify(labels));
    }
  });
});

/** Installs the Python package with the reference parser; returns why that is not possible, or null. */
function installParser() {
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries=0', '--target', path.join(directory, 'python'), 'prometheus_client'];
  const { status, error, stderr } = spawnSync('python3', args, { encoding: 'utf8', timeout: 120000 });
  return status === 0 ? null : `prometheus_client cannot be installed: ${error ? error.message : stderr.trim().split('\n').pop()}`;
}

const PARSE = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.buffer.read().decode())
print(json.dumps([[f.name, f.type, f.unit, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]))`;

/** What the reference parser reads; it throws for everything that the format does not allow. */
function parse(text) {
  const output = execFileSync('python3', ['-c', PARSE], { input: text, encoding: 'utf8', env: { ...process.env, PYTHONPATH: path.join(directory, 'python') } });
  return JSON.parse(output).map(([name, type, unit, help, samples]) => ({ name, type, unit, help, samples }));
}

describe('read by others', () => {
  let noParser;
  let noPromClient;
  before(() => {
    noParser = installParser();
    noPromClient = makeProject(directory, ['prom-client@15']);
  });

  test('the reference parser reads types, units and escaped labels', async (t) => {
    if (noParser !== null) {
      t.skip(noParser);
      return;
    }
    await openPair(t, 'server');
    const worker = 'C:\\temp\n"größe"';
    const families = parse(metrics({ labels: { worker } }));
    const of = (name) => families.find((family) => family.name === name);
    assert.deepStrictEqual([of('websocket_connections').type, of('websocket_received_bytes').type], ['gauge', 'counter']);
    assert.deepStrictEqual(families.filter(({ unit }) => unit !== '').map(({ name, unit }) => name.endsWith(`_${unit}`) && unit),
      Array.from({ length: 5 }, () => 'bytes'));
    assert.ok(families.every(({ help }) => help.length > 0));
    assert.ok(families.every(({ samples }) => samples.every(([, labels]) => labels.worker === worker)));
    const [, , value] = of('websocket_connections_opened').samples.find(([, labels]) => labels.role === 'server');
    assert.strictEqual(value, samplesOf(metrics())['websocket_connections_opened_total{role="server"}']);
  });

  test('prom-client has the same figures, in both of its formats', async (t) => {
    if (noPromClient !== null) {
      t.skip(noPromClient);
      return;
    }
    const promClient = createRequire(path.join(directory, 'index.js'))('prom-client');
    const pair = await openPair(t, 'server');
    pair.connection.sendUTF('hello');
    await pair.received(OPCODE.TEXT);
    const registry = new promClient.Registry();
    register(promClient, [registry]);
    const expected = now();
    assert.deepStrictEqual(samplesOf(await registry.metrics()), expected);
    // Counters are set, not added up, from scrape to scrape.
    assert.deepStrictEqual(samplesOf(await registry.metrics()), now());
    assert.throws(() => register(promClient, [registry]), /already been registered/);

    const openMetrics = new promClient.Registry(promClient.Registry.OPENMETRICS_CONTENT_TYPE);
    register(promClient, [openMetrics]);
    const text = await openMetrics.metrics();
    assert.deepStrictEqual(samplesOf(text), now());
    if (noParser === null) assert.strictEqual(parse(text).length, parse(metrics()).length);
  });

  test('what is not prom-client is refused', () => {
    for (const other of [undefined, null, {}, () => {}]) assert.throws(() => register(other), { code: 'ERR_WEBSOCKET_OPTION' });
  });
});
