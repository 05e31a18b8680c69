'use strict';

// index.d.ts and docs/ against the running package: what is declared exists, what exists is declared, and every option
// is documented with the default it has.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const ts = require('typescript');
const websocket = require('../..');

const ROOT = path.resolve(__dirname, '../..');
const declarations = ts.createSourceFile('index.d.ts', fs.readFileSync(path.join(ROOT, 'index.d.ts'), 'utf8'), ts.ScriptTarget.ES2022, true);

/** Members that @types/websocket declares although no version of the package has them; ours must accept the same programs. */
const PHANTOMS = new Set(['connection.bytesWaitingToFlush', 'router.pathToRegEx']);

/** Optional members: those which are not there, or undefined, at some time of the life of an object. */
const NOT_ALWAYS = new Set([
  'server.config', // before mount()
  'connection.remoteAddresses', // on clients
  // Before connect(), before the answer, and without one.
  ...['url', 'protocols', 'origin', 'secure', 'base64nonce', 'protocol', 'socket', 'response', 'firstDataChunk'].map((name) => `client.${name}`),
  'router.server', // before attachServer()
  'w3cwebsocket._protocol', 'w3cwebsocket.protocol', 'w3cwebsocket._connection', // before it is open
]);

/** Members that @types/websocket promises although they are set later: optional ones would not compile in its programs. */
const LATER = new Set([
  'connection.socketHadError', 'connection.webSocketVersion',
  ...['fin', 'rsv1', 'rsv2', 'rsv3', 'mask', 'opcode', 'length', 'binaryPayload', 'dropReason'].map((name) => `frame.${name}`),
  ...['onopen', 'onerror', 'onclose', 'onmessage'].map((name) => `w3cwebsocket.${name}`),
]);

/** Steps of `connect()`: methods because they were in websocket 1.0.35, but nothing to call. */
const INTERNAL = new Set(['client.validateHandshake', 'client.failHandshake', 'client.succeedHandshake']);

/** The members of a declared class or interface: `{ name, isStatic, isOptional, isMethod }`. */
function membersOf(name) {
  const members = [];
  for (const statement of declarations.statements) {
    const named = ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement);
    if (!named || statement.name.text !== name) continue;
    for (const member of statement.members) {
      if (member.name === undefined) continue;
      members.push({
        name: ts.isComputedPropertyName(member.name) ? member.name.getText() : member.name.text,
        isStatic: (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0,
        isOptional: member.questionToken !== undefined,
        isMethod: ts.isMethodDeclaration(member) || ts.isMethodSignature(member),
      });
    }
  }
  return members;
}

const CLASSES = ['server', 'request', 'connection', 'frame', 'client', 'router', 'w3cwebsocket'];

/** One instance of each class, as complete as it gets without a peer. */
function instances(t) {
  const httpServer = http.createServer();
  const server = new websocket.server({ httpServer });
  const socket = new net.Socket();
  const headers = {
    host: 'localhost', upgrade: 'websocket', connection: 'Upgrade', origin: 'http://localhost', 'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const httpRequest = Object.assign(new http.IncomingMessage(socket), { url: '/', method: 'GET', headers });
  const request = new websocket.request(new net.Socket(), httpRequest, server.config);
  request.readHandshake();
  const connection = new websocket.connection(socket, [], null, false, { ...server.config, keepalive: false });
  const w3cwebsocket = new websocket.w3cwebsocket('ws://127.0.0.1:9/');
  t.after(() => {
    w3cwebsocket.close();
    server.unmount();
    socket.destroy();
  });
  return {
    server, request, connection, w3cwebsocket,
    frame: new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), server.config),
    client: new websocket.client(),
    router: new websocket.router(),
  };
}

test('the exports are those that are declared as values', () => {
  const values = declarations.statements
    .filter((statement) => ts.isClassDeclaration(statement) || ts.isVariableStatement(statement))
    .map((statement) => (ts.isClassDeclaration(statement) ? statement : statement.declarationList.declarations[0]).name.text);
  assert.deepStrictEqual(Object.keys(websocket).sort(), values.sort());
});

/** A method by its declared name, such as `close` or `[Symbol.asyncIterator]`. */
function methodOf(className, name) {
  return websocket[className].prototype[name === '[Symbol.asyncIterator]' ? Symbol.asyncIterator : name];
}

for (const name of CLASSES) {
  test(`${name}: what is always there is not declared as optional`, () => {
    const optional = membersOf(name).filter((member) => member.isOptional).map((member) => member.name);
    assert.deepStrictEqual(optional.filter((member) => !NOT_ALWAYS.has(`${name}.${member}`)), []);
  });

  test(`${name}: every declared property is there from the beginning, except for optional ones`, (t) => {
    const instance = instances(t)[name];
    const missing = membersOf(name)
      .filter((member) => !member.isStatic && !member.isMethod && !member.isOptional && !PHANTOMS.has(`${name}.${member.name}`))
      .filter((member) => !(member.name in instance) && !LATER.has(`${name}.${member.name}`))
      .map((member) => member.name);
    assert.deepStrictEqual(missing, []);
  });

  test(`${name}: every declared method and static exists`, () => {
    const missing = membersOf(name)
      .filter((member) => !PHANTOMS.has(`${name}.${member.name}`))
      .filter((member) => {
        if (member.isStatic) return websocket[name][member.name] === undefined;
        return member.isMethod && typeof methodOf(name, member.name) !== 'function';
      })
      .map((member) => member.name);
    assert.deepStrictEqual(missing, []);
  });

  test(`${name}: every public method and static is declared`, () => {
    const declared = new Set(membersOf(name).map((member) => member.name));
    const own = [...Object.getOwnPropertyNames(websocket[name].prototype), ...Object.keys(websocket[name])];
    const undeclared = own.filter((key) =>
      key !== 'constructor' && !key.startsWith('_') && !declared.has(key) && !INTERNAL.has(`${name}.${key}`));
    assert.deepStrictEqual(undeclared, []);
  });

  test(`${name}: every public property of an instance is declared`, (t) => {
    const instance = instances(t)[name];
    const declared = new Set(membersOf(name).map((member) => member.name));
    const ofEmitter = new Set(Object.getOwnPropertyNames(new (require('node:events'))()));
    const undeclared = Object.keys(instance).filter((key) => !key.startsWith('_') && !declared.has(key) && !ofEmitter.has(key));
    assert.deepStrictEqual(undeclared, []);
  });
}

/** The option tables of a page of docs/: name to the text of the column `default`. */
function documentedOptions(page) {
  const options = new Map();
  let inTable = false;
  for (const line of fs.readFileSync(path.join(ROOT, 'docs', page), 'utf8').split('\n')) {
    if (line === '| option | type | default | meaning |') inTable = true;
    else if (!line.startsWith('|')) inTable = false;
    const row = /^\| `(\w+)` \| [^|]* \| ([^|]*) \|/.exec(line);
    if (inTable && row) options.set(row[1], row[2].trim());
  }
  return options;
}

for (const [page, interfaces, configOf] of [
  ['server.md', ['IConfig', 'IServerConfig'], () => new websocket.server({ httpServer: http.createServer() }).config],
  ['client.md', ['IConfig', 'IClientConfig'], () => new websocket.client().config],
]) {
  test(`${page} has exactly the declared options`, () => {
    const declared = interfaces.flatMap(membersOf).map((member) => member.name);
    assert.deepStrictEqual([...documentedOptions(page).keys()].sort(), [...new Set(declared)].sort());
  });

  test(`${page} gives the defaults in force`, () => {
    const options = documentedOptions(page);
    for (const [name, value] of Object.entries(configOf())) {
      // The environment decides about this one.
      if (name === 'httpServer' || (name === 'io' && process.env.WEBSOCKET_IO)) continue;
      const text = options.get(name);
      assert.ok(text !== undefined, `${name} is not documented`);
      const shown = typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? JSON.stringify(value) : String(value);
      assert.ok(text.startsWith(`\`${shown}\``), `${name} is ${shown}, documented as ${text}`);
    }
  });
}
