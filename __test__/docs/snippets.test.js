'use strict';

// Every block of code in README.md and docs/*.md compiles against index.d.ts, and the programs among them run.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const ts = require('typescript');
const { once } = require('events');
const { client: WebSocketClient, server: WebSocketServer } = require('../..');
const { ROOT, PAGES, snippetsOf, linkPackage, withPort } = require('./snippets');

const snippets = PAGES.flatMap(snippetsOf);
const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-docs-')));
after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));

/** Where a block is written to, so that those of a page find each other. */
function placeOf(snippet) {
  return path.join(directory, snippet.page.replace(/\W/g, '-'), snippet.file);
}

/** CommonJS as ES modules: TypeScript allows `await` at the top level in these only. */
function asModule(code) {
  return code
    .replace(/^const (\w+) = require\('([^']+)'\);$/gm, "import $1 from '$2';")
    .replace(/^const (\{[^}]+\}) = require\('([^']+)'\);$/gm, (_, names, from) => `import ${names.replaceAll(':', ' as')} from '${from}';`)
    .replace(/^exports\.(\w+) = function/gm, 'export function')
    .replaceAll('exports.', '');
}

describe('every block of code compiles against index.d.ts', () => {
  const options = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    skipLibCheck: true,
    // The examples are JavaScript, in which nobody writes that something is not undefined.
    strict: false,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    esModuleInterop: true,
    experimentalDecorators: true,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
    paths: {
      websocket: [path.join(ROOT, 'index.d.ts')], 'websocket/ws.mjs': [path.join(ROOT, 'ws.d.mts')], 'websocket/*': [path.join(ROOT, '*')]
    },
  };
  let problems;

  before(() => {
    for (const snippet of snippets) {
      fs.mkdirSync(path.dirname(placeOf(snippet)), { recursive: true });
      fs.writeFileSync(placeOf(snippet), asModule(snippet.code));
    }
    const given = ['surroundings.d.ts', 'packages.d.ts'].map((name) => path.join(__dirname, name));
    const program = ts.createProgram([...given, ...snippets.map(placeOf)], options);
    problems = [...ts.getPreEmitDiagnostics(program)].map(({ file, start, messageText }) => ({
      file: file?.fileName,
      text: `${file ? `line ${file.getLineAndCharacterOfPosition(start).line + 1}: ` : ''}${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    }));
  });

  test('with what the text around it gives', () => {
    const places = new Set(snippets.map(placeOf));
    assert.deepStrictEqual(problems.filter(({ file }) => !places.has(file)), []);
  });

  for (const snippet of snippets.filter(({ isCompiled }) => isCompiled)) {
    test(`${snippet.page}, line ${snippet.line}`, () => {
      const found = problems.filter(({ file }) => file === placeOf(snippet)).map(({ text }) => text);
      assert.deepStrictEqual(found, [], snippet.code);
    });
  }
});

/** A server for the clients of the pages: says back what it hears. */
async function echoServer() {
  const httpServer = http.createServer();
  const wsServer = new WebSocketServer({ httpServer });
  wsServer.on('request', (request) => {
    const connection = request.accept(request.requestedProtocols[0]);
    connection.on('message', (message) => connection.send(message.type === 'utf8' ? message.utf8Data : message.binaryData));
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  return { wsServer, port: httpServer.address().port, close: () => { wsServer.shutDown(); httpServer.close(); } };
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Connects as soon as the server listens, sends text and bytes, and resolves with what came of it. */
function visit(url, child) {
  return new Promise((resolve) => {
    const client = new WebSocketClient();
    client.on('connectFailed', (error) => {
      if (error.code === 'ECONNREFUSED' && child.exitCode === null) setTimeout(() => client.connect(url, null, 'https://example.com'), 50);
      else resolve(error.message);
    });
    client.on('connect', (connection) => {
      connection.sendUTF('hello');
      connection.sendBytes(Buffer.from([0xff]));
      // The answer to the Close comes after whatever the server makes of the two.
      connection.close();
      connection.on('close', () => resolve('connected'));
    });
    client.connect(url, null, 'https://example.com');
  });
}

describe('the programs run', () => {
  before(() => {
    linkPackage(directory);
    // They run as they stand in the page, not as the modules that were compiled.
    for (const snippet of snippets) fs.writeFileSync(placeOf(snippet), snippet.code);
  });

  // Those with a name need packages of others: frameworks.test.js and reconnecting.test.js run them.
  for (const snippet of snippets.filter(({ isProgram, file }) => isProgram && /^\d/.test(file))) {
    test(`${snippet.page}, line ${snippet.line}`, async (t) => {
      const isClient = snippet.code.includes('ws://127.0.0.1:8080');
      const echo = isClient ? await echoServer() : null;
      t.after(() => echo?.close());
      const port = isClient ? echo.port : await freePort();
      const file = placeOf(snippet);
      fs.writeFileSync(file, withPort(snippet.code, port));
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'pipe'] });
      t.after(() => child.kill('SIGKILL'));
      let stderr = '';
      child.stderr.on('data', (data) => { stderr += data; });
      const exit = once(child, 'exit');

      if (isClient) {
        await Promise.race([once(echo.wsServer, 'close'), once(echo.wsServer, 'connect').then(([connection]) => once(connection, 'message')), exit]);
        echo.close();
      } else if (snippet.code.includes('8080')) {
        const results = [];
        for (const where of ['/', '/chat', '/ws']) results.push(await visit(`ws://127.0.0.1:${port}${where}`, child));
        assert.ok(results.includes('connected'), `${results}\n${stderr}`);
        child.kill();
      }
      const [code, signal] = await exit;
      assert.ok(code === 0 || signal === 'SIGTERM', `exit ${code} ${signal}\n${stderr}\n${snippet.code}`);
    });
  }
});
