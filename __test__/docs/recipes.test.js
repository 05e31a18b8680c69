'use strict';

// docs/recipes: each program runs, with the packages it is about, and does what the page says.
//
// Set FRAMEWORKS to `install`, which installs the packages into a temporary directory, or to a directory to keep them in.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const ts = require('typescript');
const WebSocket = require('../../ws');
const { npm } = require('../../scripts/internal/npm');
const { namedSnippet, linkPackage, withPort } = require('./snippets');

const PACKAGES = ['socket.io@4', 'socket.io-client@4', 'graphql@16', 'graphql-ws@6', 'fastify@5', '@nestjs/common@11', '@nestjs/core@11',
  '@nestjs/platform-express@11', '@nestjs/websockets@11', 'reflect-metadata', 'rxjs@7'];
const { FRAMEWORKS } = process.env;

const keeps = Boolean(FRAMEWORKS) && FRAMEWORKS !== 'install';
const directory = keeps
  ? path.join(path.resolve(FRAMEWORKS), 'recipes')
  : fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-recipes-')));
const isInstalled = (name) => fs.existsSync(path.join(directory, 'node_modules', name));
let missing = 'the packages are not installed; set FRAMEWORKS=install to try it';

before(() => {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'package.json'), '{ "private": true }');
  if (FRAMEWORKS && !isInstalled('socket.io')) {
    try {
      npm(['install', '--no-save', '--prefer-offline', '--ignore-scripts', ...PACKAGES], { cwd: directory, timeout: 600000 });
    } catch (error) {
      missing = `npm cannot install the packages: ${error.message.slice(0, 300)}`;
    }
  }
  linkPackage(directory);
});
after(() => {
  if (!keeps) fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Runs the program of a page; resolves with its port when somebody listens there. */
async function run(t, page, file) {
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await once(free, 'close');

  let { code } = namedSnippet(`docs/recipes/${page}`, file);
  if (file.endsWith('.ts')) {
    code = ts.transpileModule(code, { compilerOptions: {
      module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true, esModuleInterop: true,
    } }).outputText;
  }
  const name = file.replace(/ts$/, 'js');
  fs.writeFileSync(path.join(directory, name), withPort(code, port));
  const child = spawn(process.execPath, [name], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  for (;;) {
    const socket = net.connect(port, 'localhost');
    const [event] = await Promise.race([once(socket, 'connect').then(() => ['connect']), once(socket, 'error').then(() => ['error'])]
      .map((outcome) => outcome.catch(() => ['error'])));
    socket.destroy();
    if (event === 'connect') return port;
    assert.strictEqual(child.exitCode, null, `${file} has ended`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

const load = (name) => require(require.resolve(name, { paths: [directory] }));

function recipe(name, needs, check) {
  test(name, { timeout: 60000 }, async (t) => {
    if (!isInstalled(needs)) t.skip(missing);
    else await check(t);
  });
}

describe('the recipes', () => {
  recipe('Socket.IO answers and sends to rooms, by WebSocket alone and after long-polling', 'socket.io', async (t) => {
    const port = await run(t, 'socket.io.md', 'socket.io.js');
    const { io } = load('socket.io-client');
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
      const client = io(`http://localhost:${port}`, { transports, forceNew: true });
      t.after(() => client.close());
      const upgraded = transports.length === 1 ? null
        : once(client, 'connect').then(() => client.io.engine.transport.name === 'websocket' || once(client.io.engine, 'upgrade'));
      const [news] = await once(client, 'news');
      assert.strictEqual(news, 'somebody has come');
      await upgraded;
      assert.strictEqual(client.io.engine.transport.name, 'websocket');
      assert.strictEqual(await client.emitWithAck('question', 'hi'), 'You said: hi');
    }
  });

  recipe('graphql-ws answers queries and subscriptions', 'graphql-ws', async (t) => {
    const port = await run(t, 'graphql-ws.md', 'graphql-ws.js');
    const { createClient } = load('graphql-ws');
    const client = createClient({ url: `ws://localhost:${port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
    t.after(() => client.dispose());
    const results = async (query) => {
      const all = [];
      for await (const { data } of client.iterate({ query })) all.push({ ...data });
      return all;
    };
    assert.deepStrictEqual(await results('{ hello }'), [{ hello: 'world' }]);
    assert.deepStrictEqual(await results('subscription { countdown }'), [{ countdown: 3 }, { countdown: 2 }, { countdown: 1 }]);
  });

  recipe('Fastify answers HTTP and WebSockets', 'fastify', async (t) => {
    const port = await run(t, 'fastify.md', 'fastify.js');
    assert.strictEqual(await (await fetch(`http://localhost:${port}/`)).text(), 'Hello');
    const client = new WebSocket(`ws://localhost:${port}/ws`);
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send('hi');
    assert.strictEqual((await once(client, 'message'))[0].toString(), 'You said: hi');
    const [error] = await once(new WebSocket(`ws://localhost:${port}/other`), 'error');
    assert.match(error.message, /404/);
  });

  recipe('a gateway of NestJS answers', '@nestjs/websockets', async (t) => {
    const port = await run(t, 'nestjs.md', 'nestjs.ts');
    const client = new WebSocket(`ws://localhost:${port}/ws`);
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send(JSON.stringify({ event: 'question', data: 'hi' }));
    const [data] = await once(client, 'message');
    assert.deepStrictEqual(JSON.parse(data), { event: 'answer', data: 'You said: hi' });
  });
});
