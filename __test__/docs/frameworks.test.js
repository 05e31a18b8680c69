'use strict';

// docs/frameworks.md and docs/fallback.md: each example answers HTTP and WebSocket, and stops in order on SIGTERM.
//
// Express is installed here. For the others set FRAMEWORKS to `install`, which installs them into a temporary directory, or to
// a directory to keep them in.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn, spawnSync } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const ts = require('typescript');
const { client: WebSocketClient } = require('../..');
const { npm } = require('../../scripts/internal/npm');
const { ROOT, namedSnippet, linkPackage, withPort } = require('./snippets');

const PAGE = 'docs/frameworks.md';
const PACKAGES = ['fastify@5', 'koa@3', 'hono@4', '@hono/node-server@2', '@nestjs/common@12', '@nestjs/core@12', '@nestjs/platform-express@12',
  'reflect-metadata', 'rxjs@7', 'next@16', 'react@19', 'react-dom@19'];
const { FRAMEWORKS } = process.env;

const keeps = Boolean(FRAMEWORKS) && FRAMEWORKS !== 'install';
const directory = keeps ? path.resolve(FRAMEWORKS) : fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-frameworks-')));
const isInstalled = (name) => fs.existsSync(path.join(directory, 'node_modules', name));

before(() => {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'package.json'), '{ "private": true }');
  if (FRAMEWORKS && !isInstalled('next')) {
    npm(['install', '--no-save', '--prefer-offline', ...PACKAGES], { cwd: directory, timeout: 600000 });
  }
  linkPackage(directory);
  if (!isInstalled('express')) fs.symlinkSync(path.join(ROOT, 'node_modules', 'express'), path.join(directory, 'node_modules', 'express'), 'junction');
  fs.writeFileSync(path.join(directory, 'stop.js'), namedSnippet(PAGE, 'stop.js').code);
});
after(() => {
  if (!keeps) fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The page at `/`, as soon as the program listens. */
async function page(port, child) {
  for (;;) {
    const [response, error] = await new Promise((resolve) => {
      http.get({ port, host: '127.0.0.1', path: '/' }, (answer) => resolve([answer])).on('error', (reason) => resolve([null, reason]));
    });
    if (response !== null) {
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk;
      return text;
    }
    if (child.exitCode !== null) throw new Error(`The program ended with ${child.exitCode}: ${error.message}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

function connect(url) {
  return new Promise((resolve, reject) => {
    const client = new WebSocketClient({ handshakeTimeout: 10000 });
    client.on('connect', resolve);
    client.on('connectFailed', reject);
    client.connect(url);
  });
}

/** What Node runs, for an example in TypeScript. */
function compiled({ file, code }) {
  if (!file.endsWith('.ts')) return { file, code };
  const compilerOptions = {
    module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true, esModuleInterop: true,
  };
  return { file: file.replace(/ts$/, 'js'), code: ts.transpileModule(code, { compilerOptions }).outputText };
}

/** Next.js needs a page, built. */
function buildPage() {
  fs.mkdirSync(path.join(directory, 'app'), { recursive: true });
  fs.writeFileSync(path.join(directory, 'app/layout.js'), 'export default function Layout({ children }) { return <html><body>{children}</body></html>; }');
  fs.writeFileSync(path.join(directory, 'app/page.js'), 'export default function Page() { return <p>Hello</p>; }');
  fs.writeFileSync(path.join(directory, 'next.config.js'), "module.exports = { serverExternalPackages: ['websocket'] };");
  const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve('next/dist/bin/next', { paths: [directory] }), 'build'],
    { cwd: directory, encoding: 'utf8', env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } });
  assert.strictEqual(status, 0, stdout + stderr);
}

describe('the examples', () => {
  for (const [name, needs] of Object.entries({
    'express.js': 'express', 'fastify.js': 'fastify', 'koa.js': 'koa', 'hono.js': 'hono', 'nest.ts': '@nestjs/core', 'next.js': 'next',
    'fallback-express.js': 'express', 'fallback-fastify.js': 'fastify', 'fallback-next.js': 'next',
  })) {
    test(`${name} answers HTTP, WebSockets and SIGTERM`, async (t) => {
      if (!isInstalled(needs)) {
        t.skip(`${needs} is not installed; set FRAMEWORKS=install to try it`);
        return;
      }
      if (needs === 'next') buildPage();
      const port = await freePort();
      const { file, code } = compiled(namedSnippet(name.startsWith('fallback-') ? 'docs/fallback.md' : PAGE, name));
      fs.writeFileSync(path.join(directory, file), withPort(code, port));
      const child = spawn(process.execPath, [file], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } });
      t.after(() => child.kill('SIGKILL'));
      const exit = once(child, 'exit');

      assert.match(await page(port, child), /Hello/);
      const connection = await connect(`ws://127.0.0.1:${port}/ws`);
      connection.sendUTF('hi');
      const [message] = await once(connection, 'message');
      assert.strictEqual(message.utf8Data, 'You said: hi');
      await assert.rejects(connect(`ws://127.0.0.1:${port}/other`), /404 Not Found/);

      const closed = once(connection, 'close');
      const stoppedAt = Date.now();
      child.kill('SIGTERM');
      assert.deepStrictEqual(await closed, [1001, 'Server restarts']);
      const [exitCode, signal] = await exit;
      // Nest ends itself by the signal when its hooks are done.
      assert.ok(exitCode === 0 || (needs === '@nestjs/core' && signal === 'SIGTERM'), `exit ${exitCode} ${signal}`);
      assert.ok(Date.now() - stoppedAt < 8000, 'the process has not waited for the timer');
    });
  }
});
