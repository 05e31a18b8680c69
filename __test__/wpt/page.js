'use strict';

// Runs one test file as a browser would run its page, in a process of its own: with the harness, `WebSocket` and
// `location` as globals. Prints the results as JSON.
//
//   node page.js '{ "directory", "file", "search", "ports", "timeout" }'

const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { createHarness } = require('./harness');
const { w3cwebsocket } = require('../..');

const page = JSON.parse(process.argv[2]);
const HOST = '127.0.0.1';

/** Fills in what the server of web-platform-tests fills into `.sub.` files. */
function substitute(text, ports) {
  const values = {
    host: HOST, 'hosts[alt][www]': HOST, 'ports[ws][0]': ports.ws, 'ports[wss][0]': ports.wss, 'ports[h2][0]': ports.wss,
    'ports[http][0]': ports.ws, 'ports[https][0]': ports.wss,
  };
  return text.replace(/\{\{([^}]+)\}\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** The scripts of a page in order: `[{ name, text }]`. */
function scripts({ directory, file, ports }) {
  const whole = path.join(directory, file);
  const text = fs.readFileSync(whole, 'latin1');
  const load = (reference) => {
    if (/testharness(report)?\.js$/.test(reference)) return [];
    const name = reference.startsWith('/websockets/') ? path.join(directory, reference.slice('/websockets/'.length)) : path.join(path.dirname(whole), reference);
    return [{ name, text: substitute(fs.readFileSync(name, 'utf8'), ports) }];
  };
  if (file.endsWith('.js')) {
    const references = [...text.matchAll(/^\/\/ META: script=(.*)$/gm)].map((match) => match[1].trim());
    return [...references.flatMap(load), { name: whole, text: substitute(fs.readFileSync(whole, 'utf8'), ports) }];
  }
  const content = /<meta charset=windows-1252>/i.test(text) ? text : fs.readFileSync(whole, 'utf8');
  return [...content.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)].flatMap(([, attributes, inline]) => {
    const source = /src=["']?([^"'\s>]+)/.exec(attributes);
    return source ? load(source[1].split('?')[0]) : [{ name: whole, text: substitute(inline, ports) }];
  });
}

const title = path.basename(page.file);
const harness = createHarness({ title, timeout: page.timeout });
Object.assign(globalThis, harness.globals, {
  WebSocket: w3cwebsocket,
  self: globalThis,
  window: globalThis,
  location: new URL(`http://${HOST}:${page.ports.ws}/websockets/${page.file}${page.search}`),
});
// The little of a page that tests for WebSocket touch.
Object.assign(globalThis, {
  addEventListener() {},
  removeEventListener() {},
  GLOBAL: { isWindow: () => true, isWorker: () => false, isShadowRealm: () => false },
  document: {
    title,
    body: {},
    createEvent: () => ({
      initEvent(type) { this.type = type; },
      initUIEvent(type, bubbles, cancelable, view, detail) { Object.assign(this, { type, detail }); },
    }),
  },
});

process.on('uncaughtException', (error) => harness.uncaught(error));
process.on('unhandledRejection', (error) => harness.uncaught(error));

function attempt(what) {
  try {
    return what();
  } catch (error) {
    harness.uncaught(error);
    return [];
  }
}

for (const { name, text } of attempt(() => scripts(page))) {
  attempt(() => vm.runInThisContext(text, { filename: name }));
}

harness.results().then((results) => {
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
});
