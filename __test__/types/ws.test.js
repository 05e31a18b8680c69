'use strict';

// The types of `websocket/ws`, from CommonJS and from ESM, where TypeScript finds them as in an installed package.

const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const ts = require('typescript');

const ROOT = path.resolve(__dirname, '../..');

function complaints(files, settings) {
  const program = ts.createProgram(files, {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts'], types: ['node'], esModuleInterop: true,
    typeRoots: [path.join(ROOT, 'node_modules/@types')], ...settings,
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file }) =>
    `${file ? path.basename(file.fileName) : ''} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}

test('programs written for ws compile, as CommonJS, as ESM and for a bundler', (t) => {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-types-')));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const modules = path.join(directory, 'node_modules', 'websocket');
  fs.mkdirSync(modules, { recursive: true });
  for (const file of ['package.json', 'index.d.ts', 'ws.js', 'ws.mjs', 'ws.d.ts', 'ws.d.mts']) fs.copyFileSync(path.join(ROOT, file), path.join(modules, file));
  const source = fs.readFileSync(path.join(__dirname, 'ws.ts'), 'utf8');
  const write = (name, text) => {
    fs.writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const NODE16 = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 };
  const cts = write('program.cts', source);
  assert.deepStrictEqual(complaints([cts], NODE16), []);
  // Without an exports map, a module of ESM names the file.
  const mts = write('program.mts', source.replace("'websocket/ws'", "'websocket/ws.mjs'"));
  assert.deepStrictEqual(complaints([mts], NODE16), []);
  const plain = write('program.ts', source);
  assert.deepStrictEqual(complaints([plain], { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }), []);
  const old = write('old.ts', "import WebSocket = require('websocket/ws');\nconst s: WebSocket = new WebSocket('ws://x');\nexport = s;\n");
  assert.deepStrictEqual(complaints([old], { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 }), []);
});
