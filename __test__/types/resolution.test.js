'use strict';

// The typings as the compiler finds them in an installed package: each way of resolving modules, each way of importing, the
// strictest settings.

const { test, before, after } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const ts = require('typescript');

const ROOT = path.resolve(__dirname, '../..');

const USE = `
const server = new Server({ noServer: true });
server.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData, (error) => console.log(error?.code));
  });
});
server.on('upgradeError', (error) => console.log(error.statusCode?.toFixed()));
`;

/** The same program, by how it imports. */
const PROGRAMS = {
  'named.mts': `import { server as Server, connection, type IConfig } from 'websocket';
export const config: IConfig = {};
export const reasons: number = connection.CLOSE_REASON_NORMAL;${USE}`,
  'default.mts': `import websocket from 'websocket';
const { server: Server } = websocket;
export const version: string = websocket.version;
export let open: websocket.connection | undefined;${USE}`,
  'namespace.mts': `import * as websocket from 'websocket';
const Server = websocket.server;
export let open: websocket.connection | undefined;${USE}`,
  'dynamic.mts': `const { server: Server } = await import('websocket');${USE}`,
  'types.mts': `import type { connection, Message } from 'websocket';
export type { IServerConfig } from 'websocket';
export function receive(of: connection, message: Message): void { of.stats(); console.log(message.type); }`,
  'required.cts': `import websocket = require('websocket');
const Server = websocket.server;
const used: websocket.server[] = [];
used.push(new Server());${USE}`,
  'named.cts': `import { server as Server } from 'websocket';
export const used: Server[] = [];${USE}`,
  'plain.cjs': `// @ts-check
const { server: Server } = require('websocket');
/** @type {import('websocket').connection[]} */
const connections = [];
exports.connections = connections;${USE}`,
};
const OF_MODULES = Object.keys(PROGRAMS).filter((name) => name.endsWith('.mts'));
const OF_COMMONJS = Object.keys(PROGRAMS).filter((name) => !name.endsWith('.mts'));

let project;

before(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-types-'));
  const installed = path.join(project, 'node_modules/websocket');
  fs.mkdirSync(installed, { recursive: true });
  for (const name of ['package.json', 'index.d.ts', 'index.js']) fs.copyFileSync(path.join(ROOT, name), path.join(installed, name));
  fs.cpSync(fs.realpathSync(path.join(ROOT, 'node_modules/@types/node')), path.join(project, 'node_modules/@types/node'), { recursive: true });
  const undici = fs.realpathSync(path.join(ROOT, 'node_modules/undici-types'));
  fs.cpSync(undici, path.join(project, 'node_modules/undici-types'), { recursive: true });
  for (const [name, text] of Object.entries(PROGRAMS)) fs.writeFileSync(path.join(project, name), text);
});
after(() => fs.rmSync(project, { recursive: true, force: true }));

/** What the compiler complains about. */
function complaints(names, settings) {
  const program = ts.createProgram(names.map((name) => path.join(project, name)), {
    strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true, allowJs: true, noEmit: true, target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'], typeRoots: [path.join(project, 'node_modules/@types')], ...settings,
  });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const where = diagnostic.file ? `${path.basename(diagnostic.file.fileName)}: ` : '';
    return where + ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
  });
}

const { ModuleKind, ModuleResolutionKind } = ts;
const NODE16 = { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 };
const NODENEXT = { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext, verbatimModuleSyntax: true };
const BUNDLER = { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler };
const CLASSIC_NODE = { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Node10 };

for (const [title, names, settings] of [
  ['node16: ES modules and CommonJS', Object.keys(PROGRAMS), NODE16],
  ['nodenext with verbatimModuleSyntax: ES modules', OF_MODULES, NODENEXT],
  ['nodenext with verbatimModuleSyntax: import = require()', ['required.cts'], NODENEXT],
  ['bundler: ES modules', OF_MODULES, { ...BUNDLER, esModuleInterop: true }],
  ['node10: CommonJS', OF_COMMONJS, { ...CLASSIC_NODE, esModuleInterop: true }],
  ['node10: CommonJS without esModuleInterop', OF_COMMONJS, CLASSIC_NODE],
  ['node16, with the DOM library beside that of Node', Object.keys(PROGRAMS), { ...NODE16, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] }],
]) {
  test(`the installed typings compile in the strictest mode, ${title}`, () => {
    assert.deepStrictEqual(complaints(names, settings), []);
  });
}

test('without @types/node the compiler names it, unless it is told not to look into declarations', () => {
  const hidden = path.join(project, 'node_modules/@types');
  fs.renameSync(hidden, `${hidden}-away`);
  try {
    const browser = { ...BUNDLER, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] };
    const found = complaints(['types.mts'], browser);
    assert.ok(found.some((text) => text === "index.d.ts: Cannot find type definition file for 'node'."), found.join('\n'));
    assert.deepStrictEqual(complaints(['types.mts'], { ...browser, skipLibCheck: true }), []);
  } finally {
    fs.renameSync(`${hidden}-away`, hidden);
  }
});

test('@types/node is an optional peer: package managers link it without installing it', () => {
  const { peerDependencies, peerDependenciesMeta } = require('../../package.json');
  assert.deepStrictEqual(peerDependencies, { '@types/node': '*' });
  assert.deepStrictEqual(peerDependenciesMeta, { '@types/node': { optional: true } });
  const { packages } = require('../../package-lock.json');
  assert.deepStrictEqual(packages[''].peerDependenciesMeta, peerDependenciesMeta, 'package-lock.json is behind package.json');
});
