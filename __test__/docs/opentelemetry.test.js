'use strict';

// docs/diagnostics.md: the spans that its example makes with the packages of OpenTelemetry.

const { after, before, test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { namedSnippet, makeProject } = require('./snippets');

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-opentelemetry-')));
after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));

/** Why the packages could not be installed, or null. */
let problem = null;
before(() => {
  problem = makeProject(directory, ['@opentelemetry/api@1', '@opentelemetry/sdk-trace-node@2']);
  fs.writeFileSync(path.join(directory, 'tracing.js'), namedSnippet('docs/diagnostics.md', 'tracing.js').code);
});

/** One connection with a message each way, and one attempt that is refused. */
const PROGRAM = `
const http = require('http');
const { client: Client, server: Server } = require('websocket');
const httpServer = http.createServer().listen(0, '127.0.0.1', () => {
  const url = 'ws://user:secret@127.0.0.1:' + httpServer.address().port;
  const client = new Client();
  client.on('connect', (connection) => {
    connection.on('message', () => connection.close(4001));
    connection.on('close', () => client.connect(url + '/private'));
    connection.sendUTF('hello');
  });
  client.on('connectFailed', () => httpServer.close());
  client.connect(url + '/chat?token=1');
});
new Server({ httpServer }).on('request', (request) => {
  if (request.resource === '/private') request.reject(403);
  else request.accept().on('message', function echo(message) { this.sendUTF(message.utf8Data); });
});`;

/** The spans on the console, with the values that stand behind some names. */
function spansIn(text) {
  const value = (part, name) => new RegExp(`(?:^  | )'?${name.replaceAll('.', '\\.')}'?: '?([^',\\n ]+)`, 'm').exec(part)?.[1];
  return text.split(/^\{$/m).slice(1).map((part) => ({
    name: /^ {2}name: '(.+)'/m.exec(part)[1],
    trace: value(part, 'traceId'),
    id: value(part, 'id'),
    parent: value(part.slice(part.indexOf('parentSpanContext')), 'spanId'),
    url: value(part, 'url.full') || value(part, 'url.path'),
    status: value(part, 'http.response.status_code'),
    code: value(part, 'websocket.close_code'),
    counts: [value(part, 'websocket.messages.received'), value(part, 'websocket.messages.sent')].join(),
  }));
}

test('OpenTelemetry: handshakes and connections of both sides are spans of one trace', (t) => {
  if (problem !== null) {
    t.skip(problem);
    return;
  }
  fs.writeFileSync(path.join(directory, 'program.js'), PROGRAM);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--require', './tracing.js', 'program.js'],
    { cwd: directory, encoding: 'utf8', timeout: 60000 });
  assert.strictEqual(status, 0, stderr);
  assert.doesNotMatch(stdout, /secret|token/, 'credentials are not exported');
  const spans = spansIn(stdout);
  const of = (name) => spans.filter((span) => span.name === name);
  const [connect, refused] = of('websocket connect');
  const [accept, refusing] = of('websocket accept');
  const connections = of('websocket connection');
  assert.strictEqual(spans.length, 6, stdout);

  assert.match(connect.url, /^ws:\/\/127\.0\.0\.1:\d+\/chat$/);
  assert.strictEqual(accept.url, '/chat');
  assert.deepStrictEqual([accept.trace, accept.parent], [connect.trace, connect.id]);
  assert.deepStrictEqual(new Set(connections.map(({ parent }) => parent)), new Set([connect.id, accept.id]));
  assert.deepStrictEqual(connections.map(({ trace, code, counts }) => [trace, code, counts]),
    [[connect.trace, '4001', '1,1'], [connect.trace, '4001', '1,1']]);
  assert.deepStrictEqual([refusing.status, refusing.trace, refusing.parent], ['403', refused.trace, refused.id]);
  assert.notStrictEqual(refused.trace, connect.trace);
});
