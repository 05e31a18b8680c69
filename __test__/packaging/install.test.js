'use strict';

// The tarball in an empty project, installed without running any script: what a user gets from it.

const { after, before, describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { ROOT, temporaryDirectory, packRoot, install, evaluate } = require('./project');

const EXPORTS = ['server', 'client', 'router', 'frame', 'request', 'connection', 'w3cwebsocket', 'deprecation', 'version'];

/** Modules people require by path, and the public export each must be (null: not exported from the root). */
const DEEP = {
  'lib/websocket': null,
  'lib/WebSocketServer': 'server',
  'lib/WebSocketClient': 'client',
  'lib/WebSocketConnection': 'connection',
  'lib/WebSocketRequest': 'request',
  'lib/WebSocketFrame': 'frame',
  'lib/WebSocketRouter': 'router',
  'lib/WebSocketRouterRequest': null,
  'lib/W3CWebSocket': 'w3cwebsocket',
  'lib/Deprecation': 'deprecation',
  'lib/utils': null,
  'lib/version': 'version',
  'lib/browser': null,
  'vendor/FastBufferList': null
};

describe('the packed package in an empty project', () => {
  const directory = temporaryDirectory(after);
  const project = path.join(directory, 'project');
  before(() => {
    install(project, {}, [packRoot(directory)]);
  });

  test("require('websocket') has exactly the documented exports, as writable and configurable data properties", () => {
    const descriptors = evaluate(
      project,
      `const all = Object.getOwnPropertyDescriptors(require('websocket'));
       console.log(JSON.stringify(Object.entries(all).map(([name, d]) =>
         [name, 'value' in d, d.writable, d.configurable, d.enumerable])));`
    );
    assert.deepStrictEqual(
      descriptors.sort(),
      EXPORTS.map((name) => [name, true, true, true, true]).sort()
    );
  });

  test('exports classes that can be called with new, and the version of package.json', () => {
    const { types, version } = evaluate(
      project,
      `const websocket = require('websocket');
       const types = Object.fromEntries(Object.entries(websocket).map(([name, value]) => [name, typeof value]));
       console.log(JSON.stringify({ types, version: websocket.version }));`
    );
    assert.deepStrictEqual(types, {
      server: 'function',
      client: 'function',
      router: 'function',
      frame: 'function',
      request: 'function',
      connection: 'function',
      w3cwebsocket: 'function',
      deprecation: 'object',
      version: 'string'
    });
    assert.strictEqual(version, require('../../package.json').version);
  });

  test("import { server, client } from 'websocket' gives the same classes as require()", () => {
    const same = evaluate(
      project,
      `import { createRequire } from 'module';
       import { ${EXPORTS.join(', ')} } from 'websocket';
       const websocket = createRequire(process.cwd() + '/x.js')('websocket');
       const imported = { ${EXPORTS.join(', ')} };
       console.log(JSON.stringify(Object.entries(imported).filter(([name, value]) => value !== websocket[name])));`,
      { module: true }
    );
    assert.deepStrictEqual(same, []);
  });

  test("import websocket from 'websocket' gives what require() gives", () => {
    const same = evaluate(
      project,
      `import { createRequire } from 'module';
       import websocket from 'websocket';
       console.log(createRequire(process.cwd() + '/x.js')('websocket') === websocket);`,
      { module: true }
    );
    assert.strictEqual(same, true);
  });

  test('replacing an export is seen by everybody who requires the package', () => {
    const seen = evaluate(
      project,
      `require('websocket').client = 'stub';
       console.log(JSON.stringify(require('websocket').client));`
    );
    assert.strictEqual(seen, 'stub');
  });

  for (const [name, exported] of Object.entries(DEEP)) {
    const identity = exported ? `, the public export ${exported}` : '';
    test(`require('websocket/${name}') works with and without .js${identity}`, () => {
      const result = evaluate(
        project,
        `const plain = require('websocket/${name}');
         const full = require('websocket/${name}.js');
         const websocket = require('websocket');
         console.log(JSON.stringify({
           type: typeof plain,
           same: plain === full,
           exported: Object.keys(websocket).find((key) => websocket[key] === plain) || null,
           root: plain === websocket
         }));`
      );
      assert.deepStrictEqual(result, {
        type: name === 'lib/version' ? 'string' : /utils|browser|Deprecation|lib\/websocket/.test(name) ? 'object' : 'function',
        same: true,
        exported,
        root: name === 'lib/websocket'
      });
    });
  }

  test('a deep require before the root gives the same objects as after it', () => {
    const same = evaluate(
      project,
      `const server = require('websocket/lib/WebSocketServer');
       const w3c = require('websocket/lib/W3CWebSocket');
       const websocket = require('websocket');
       console.log(websocket.server === server && websocket.w3cwebsocket === w3c);`
    );
    assert.strictEqual(same, true);
  });

  test('import by path gives the same classes, and the named exports that websocket@1.0.35 has', () => {
    const result = evaluate(
      project,
      `import connection from 'websocket/lib/WebSocketConnection.js';
       import { connection as exported } from 'websocket';
       import * as utils from 'websocket/lib/utils.js';
       console.log(JSON.stringify({ same: connection === exported, utils: Object.keys(utils) }));`,
      { module: true }
    );
    assert.strictEqual(result.same, true);
    for (const name of ['BufferingLogger', 'bufferAllocUnsafe', 'bufferFromString', 'eventEmitterListenerCount', 'extend', 'noop']) {
      assert.ok(result.utils.includes(name), `import { ${name} } from 'websocket/lib/utils.js' does not work`);
    }
  });

  test("lib/browser has the version and the browser's class, and does not load the addon", () => {
    const { keys, native } = evaluate(
      project,
      `const keys = Object.keys(require('websocket/lib/browser')).sort();
       const native = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
       console.log(JSON.stringify({ keys, native }));`
    );
    assert.deepStrictEqual(keys, ['version', 'w3cwebsocket']);
    assert.deepStrictEqual(native, []);
  });

  test("require('websocket/package.json') is readable and names the browser build", () => {
    const manifest = evaluate(project, `console.log(JSON.stringify(require('websocket/package.json')));`);
    assert.strictEqual(manifest.name, 'websocket');
    assert.strictEqual(manifest.browser, 'lib/browser.js');
    assert.strictEqual(manifest.license, 'Apache-2.0');
  });

  test('a message goes round between a server and a client of the installed package', () => {
    const echoed = evaluate(
      project,
      `const http = require('http');
       const { server: Server, client: Client } = require('websocket');
       const httpServer = http.createServer().listen(0, '127.0.0.1', () => {
         const client = new Client();
         client.on('connect', (connection) => {
           connection.on('message', (message) => {
             console.log(JSON.stringify(message.utf8Data));
             connection.close();
           });
           connection.on('close', () => httpServer.close());
           connection.sendUTF('hello');
         });
         client.connect('ws://127.0.0.1:' + httpServer.address().port + '/');
       });
       new Server({ httpServer, autoAcceptConnections: true }).on('connect', (connection) => {
         connection.on('message', (message) => connection.sendUTF(message.utf8Data));
       });`
    );
    assert.strictEqual(echoed, 'hello');
  });

  test('installs no other package than debug and what debug needs', () => {
    const { dependencies } = require('../../package.json');
    assert.deepStrictEqual(Object.keys(dependencies || {}), ['debug']);
    const installed = fs.readdirSync(path.join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    assert.deepStrictEqual(installed.sort(), ['debug', 'ms', 'websocket']);
  });

  test('does not reach into the checkout it was packed from', () => {
    const outside = evaluate(
      project,
      `require('websocket');
       console.log(JSON.stringify(Object.keys(require.cache).filter((file) => !file.startsWith(process.cwd()))));`
    );
    assert.deepStrictEqual(outside, [], `files outside the project were loaded (the checkout is ${ROOT})`);
  });
});
