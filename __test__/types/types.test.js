'use strict';

// The typings under other compiler settings than those of tsconfig.json, and the old program under both typings.

const { test } = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const ts = require('typescript');

const OURS = path.resolve(__dirname, '../../index.d.ts');
const THEIRS = path.resolve(__dirname, '../../node_modules/@types/websocket/index.d.ts');

const COMMONJS = { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10, esModuleInterop: false };
const NODE16 = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, esModuleInterop: true };
const BUNDLER = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, esModuleInterop: true };

/**
 * Compiles programs of this folder with 'websocket' being the given typings.
 * @returns {string[]} the compiler's complaints
 */
function complaints(files, typings, settings) {
  const program = ts.createProgram(files.map((name) => path.join(__dirname, name)), {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    paths: { websocket: [typings], 'types-websocket': [THEIRS] },
    ...settings,
  });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    if (diagnostic.file === undefined) return text;
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    return `${path.basename(diagnostic.file.fileName)}:${line + 1} ${text}`;
  });
}

test('a program written against @types/websocket compiles against it', () => {
  assert.deepStrictEqual(complaints(['legacy.ts'], THEIRS, COMMONJS), []);
});

test('the same program compiles against these typings without esModuleInterop', () => {
  assert.deepStrictEqual(complaints(['legacy.ts', 'assignability.ts'], OURS, COMMONJS), []);
});

test('named and default imports compile in ES modules for a bundler', () => {
  assert.deepStrictEqual(complaints(['server.ts', 'w3c.ts', 'router.ts'], OURS, BUNDLER), []);
});

test('a program that uses what only these typings declare does not compile against @types/websocket', () => {
  const found = complaints(['server.ts'], THEIRS, NODE16);
  assert.ok(found.some((text) => text.includes('upgradeError')), found.join('\n'));
  assert.ok(found.some((text) => text.includes("does not exist in type 'IServerConfig'")), found.join('\n'));
});
