'use strict';

// Every Error has a code, and docs/errors.md has the code and the text: the source is read and compared.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const http = require('http');
const path = require('path');
const ts = require('typescript');
const websocket = require('../..');
const { startServer, next } = require('../helpers/under-test/endpoints');

const ROOT = path.resolve(__dirname, '../..');
const docs = fs.readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8');
const documentedCodes = [...docs.slice(docs.indexOf('## Codes'), docs.indexOf('## Errors thrown')).matchAll(/^\| `(\w+)` \|/gm)]
  .map(([, code]) => code);

/** What makes Errors. */
const FACTORY = path.join('lib', 'internal', 'base', 'errors.js');
/** Errors in here are caught again, and become reasons in the text of one with a code; or only their stack is read. */
const LOADER = ['binding.js', 'places.js'].map((name) => path.join('lib', 'internal', 'addon', name));

function filesIn(directory) {
  return fs.readdirSync(path.join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(directory, entry.name);
    return entry.isDirectory() ? filesIn(name) : [name];
  });
}

const sources = filesIn('lib').filter((name) => name.endsWith('.js'))
  .map((name) => ts.createSourceFile(name, fs.readFileSync(path.join(ROOT, name), 'utf8'), ts.ScriptTarget.ES2022, true));

function visit(node, callback) {
  callback(node);
  node.forEachChild((child) => visit(child, callback));
}

const hasCode = (node) => node !== undefined && ts.isObjectLiteralExpression(node) &&
  node.properties.some((property) => property.name && property.name.text === 'code');

/** Whether `new Error()` gets a code: `Object.assign(new Error(), { code })`, or `error.code = …` in the same function. */
function getsCode(node) {
  const { parent } = node;
  if (ts.isCallExpression(parent) && parent.arguments.slice(1).some(hasCode)) return true;
  if (!ts.isVariableDeclaration(parent)) return false;
  let scope = parent;
  while (!ts.isFunctionLike(scope) && !ts.isSourceFile(scope)) scope = scope.parent;
  return scope.getText().includes(`${parent.name.text}.code = `);
}

/** The constant parts of a text; null when it is computed. */
function partsOf(node) {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map((span) => span.literal.text)];
  if (ts.isParenthesizedExpression(node)) return partsOf(node.expression);
  if (ts.isBinaryExpression(node)) {
    const [left, right] = [partsOf(node.left), partsOf(node.right)];
    if (left === null || right === null) return null;
    return [...left.slice(0, -1), left[left.length - 1] + right[0], ...right.slice(1)];
  }
  return null;
}

/** All texts of Errors: `{ where, parts }`. A choice between two texts is two of them. */
function textsOf(source) {
  const makers = new Map([['optionError', 0], ['websocketError', 1], ['refusal', 1]]);
  visit(source, (node) => {
    const made = ts.isVariableDeclaration(node) && node.initializer && ts.isCallExpression(node.initializer) &&
      node.initializer.expression.getText() === 'errorsWithCode';
    if (made) makers.set(node.name.text, 0);
  });
  const texts = [];
  visit(source, (node) => {
    const isMaker = (ts.isCallExpression(node) && makers.has(node.expression.getText()));
    const isError = ts.isNewExpression(node) && /(Error|DOMException)$/.test(node.expression.getText());
    if (!isMaker && !isError) return;
    const text = node.arguments[isMaker ? makers.get(node.expression.getText()) : 0];
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    for (const part of ts.isConditionalExpression(text) ? [text.whenTrue, text.whenFalse] : [text]) {
      texts.push({ where: `${source.fileName}:${line + 1}`, parts: partsOf(part) });
    }
  });
  return texts;
}

for (const source of sources) {
  test(`${source.fileName}: every Error has a code`, () => {
    if (source.fileName === FACTORY || LOADER.includes(source.fileName)) return;
    visit(source, (node) => {
      if (!ts.isNewExpression(node) || !/Error$/.test(node.expression.getText())) return;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      assert.ok(getsCode(node), `${source.fileName}:${line + 1}: ${node.getText()}`);
    });
  });

  test(`${source.fileName}: docs/errors.md has the text of every Error`, () => {
    if (LOADER.includes(source.fileName)) return;
    const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    for (const { where, parts } of textsOf(source)) {
      // What is computed, or is that of the system, has nothing to look for.
      if (parts === null || parts.join('').length <= 'write after end'.length) continue;
      const expression = new RegExp(parts.map(escape).join('[^\\n]*?'));
      assert.ok(expression.test(docs), `${where}: ${parts.join('…')}`);
    }
  });
}

test('the table of codes has all there are, and no others', () => {
  const used = new Set();
  for (const source of sources) {
    visit(source, (node) => {
      if (ts.isStringLiteral(node) && /^(ERR_WEBSOCKET_\w+|ABORT_ERR|ETIMEDOUT)$/.test(node.text)) used.add(node.text);
    });
  }
  assert.deepStrictEqual([...documentedCodes].sort(), [...used].sort());
  assert.strictEqual(new Set(documentedCodes).size, documentedCodes.length);
});

test('the table of warnings has all codes', () => {
  const warnings = sources.flatMap((source) => source.text.match(/'WEBSOCKET_[A-Z]+_\w+'/g) || []).filter((name) => !/NATIVE_PATH|IO/.test(name));
  assert.notStrictEqual(warnings.length, 0);
  for (const code of warnings) assert.ok(docs.includes(`\`${code.slice(1, -1)}\``), code);
});

describe('codes of what programs do wrong', () => {
  const { server: Server, client: Client, connection: Connection, router: Router, frame: Frame, w3cwebsocket: W3C } = websocket;
  const mock = () => ({ on() {}, setNoDelay() {}, setTimeout() {}, removeAllListeners() {}, write() {}, end() {}, destroy() {} });
  const connection = () => new Connection(mock(), [], null, false, {});
  for (const [code, call, name = 'Error'] of [
    ['ERR_WEBSOCKET_NOT_MOUNTED', () => new Server().handleUpgrade()],
    ['ERR_WEBSOCKET_DATA', () => new Server().broadcast(null), 'TypeError'],
    ['ERR_WEBSOCKET_URL', () => new Client().connect('/relative')],
    ['ERR_WEBSOCKET_SUBPROTOCOL', () => new Client().connect('ws://127.0.0.1:9/', 'a b')],
    ['ERR_WEBSOCKET_SUBPROTOCOL', () => new Client().connect('ws://127.0.0.1:9/', [''])],
    ['ERR_WEBSOCKET_DATA', () => connection().send(null)],
    ['ERR_WEBSOCKET_DATA', () => connection().sendBytes('text')],
    ['ERR_WEBSOCKET_DATA', () => connection().sendUTF()],
    ['ERR_WEBSOCKET_CLOSE_CODE', () => connection().close(1006)],
    ['ERR_WEBSOCKET_CLOSE_REASON', () => connection().close(1000, 'x'.repeat(124))],
    ['ERR_WEBSOCKET_FRAME', () => connection().fragmentAndSend(Object.assign(new Frame(), { opcode: 9 }))],
    ['ERR_WEBSOCKET_FRAME', () => Object.assign(new Frame(), { binaryPayload: 'text' }).toBuffer(), 'TypeError'],
    ['ERR_WEBSOCKET_ROUTE', () => new Router().mount('/')],
    ['ERR_WEBSOCKET_ROUTE', () => new Router().unmount('/')],
    ['ERR_WEBSOCKET_ROUTE', () => new Router().detachServer()],
    ['ERR_WEBSOCKET_ARGUMENT', () => W3C.prototype.dispatchEvent.call({}, {})],
    ['ERR_WEBSOCKET_ARGUMENT', () => { Object.create(W3C.prototype).binaryType = 'text'; }, 'SyntaxError'],
    ['ERR_WEBSOCKET_NOT_OPEN', () => Object.create(W3C.prototype).send('x')],
  ]) {
    test(`${code}: ${String(call).replace(/^\(\) => /, '')}`, () => {
      assert.throws(call, (error) => {
        assert.deepStrictEqual([error.code, error.name], [code, name]);
        assert.ok(error.stack.startsWith(`${name}: ${error.message}`), error.stack);
        assert.doesNotMatch(error.stack, /internal[\\/]base[\\/]errors/);
        return true;
      });
    });
  }

  test('answers that cannot be sent, and second ones', async (t) => {
    const codes = [];
    const attempt = (call) => {
      try {
        call();
      } catch (error) {
        codes.push(error.code);
      }
    };
    const { url } = await startServer(t, { onRequest: answer });
    function answer(request) {
      attempt(() => request.reject(403, 'no', { 'a b': 'c' }));
      if (request.resource === '/protocol') attempt(() => request.accept('chat'));
      else if (request.resource === '/cookie') attempt(() => request.accept(null, null, [{ name: 'a' }]));
      else attempt(() => request.accept(null, null, null, { headers: { Upgrade: 'x' } }));
      attempt(() => request.reject());
    }
    for (const resource of ['protocol', 'cookie', 'header']) {
      const client = new websocket.client();
      client.connect(new URL(resource, url).href);
      const [error] = await next(client, 'connectFailed');
      assert.deepStrictEqual([error.code, error.statusCode], ['ERR_WEBSOCKET_REFUSED', 500]);
    }
    assert.deepStrictEqual(codes, ['SUBPROTOCOL', 'COOKIE', 'HEADER'].flatMap((name) =>
      ['ERR_WEBSOCKET_HEADER', `ERR_WEBSOCKET_${name}`, 'ERR_WEBSOCKET_ANSWERED']));
  });
});

test('a refused client is told the status, the headers and the reason', async (t) => {
  const { url } = await startServer(t, { onRequest: (request) => request.reject(401, 'no token', { 'WWW-Authenticate': 'Bearer' }) });
  const client = new websocket.client();
  client.connect(url);
  const [error] = await next(client, 'connectFailed');
  assert.strictEqual(error.code, 'ERR_WEBSOCKET_REFUSED');
  assert.strictEqual(error.statusCode, 401);
  assert.strictEqual(error.reason, 'no token');
  assert.strictEqual(error.headers['www-authenticate'], 'Bearer');
});

test('a refused request has the code and the status that was answered', async (t) => {
  const { server, url, port } = await startServer(t, { config: { allowedOrigins: 'https://example.com' } });
  const client = new websocket.client();
  client.connect(url, null, 'https://evil.example');
  const [origin] = await next(server, 'upgradeError');
  assert.deepStrictEqual([origin.code, origin.statusCode], ['ERR_WEBSOCKET_ORIGIN', 403]);
  const request = http.get({ port, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
  request.on('error', () => {});
  const [bad] = await next(server, 'upgradeError');
  assert.deepStrictEqual([bad.code, bad.statusCode], ['ERR_WEBSOCKET_REQUEST', 400]);
});
