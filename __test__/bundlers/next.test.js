'use strict';

// `output: 'standalone'` of Next.js: a directory with the server and with what a trace of its files has found.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const path = require('path');
const { BINARY, makeProject, runScript, deploy, environment } = require('./project');

// It takes a minute and 340 MB.
const { directory, skip } = process.env.BUNDLERS === 'all'
  ? makeProject(['next@16', 'react@19', 'react-dom@19'], { release: true, since: '20.9' })
  : { skip: 'runs with BUNDLERS=all' };

/** A page, and a route that opens a server and talks to it with a client. It answers with where the addon lies. */
const FILES = {
  'next.config.mjs': "export default { output: 'standalone', outputFileTracingRoot: import.meta.dirname || process.cwd() };",
  'app/layout.js': "import { createElement } from 'react';\nexport default ({ children }) => createElement('html', null, createElement('body', null, children));",
  'app/page.js': "export default () => 'a page';",
  'app/echo/route.js': `
import { server as WebSocketServer, client as WebSocketClient } from 'websocket';
export const dynamic = 'force-dynamic';
export async function GET() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoAcceptConnections: true });
  server.on('connect', (connection) => connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data)));
  await new Promise((resolve) => server.on('listening', resolve));
  const text = await new Promise((resolve, reject) => {
    const client = new WebSocketClient();
    client.on('connectFailed', reject);
    client.on('connect', (connection) => {
      connection.on('message', ({ utf8Data }) => { connection.close(); resolve(utf8Data); });
      connection.sendUTF('hello');
    });
    client.connect('ws://127.0.0.1:' + server.address().port + '/');
  });
  server.closeAllConnections();
  server.close();
  const addon = process.report.getReport().sharedObjects.filter((file) => /websocket[^/]*\\.node$/.test(file));
  return Response.json({ text, addon });
}
`
};

/** Starts the server of a deployment, asks its route, and ends it. */
async function ask(place) {
  const env = environment({ PORT: '0', HOSTNAME: '127.0.0.1', NEXT_TELEMETRY_DISABLED: '1' });
  const child = spawn(process.execPath, ['server.js'], { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  try {
    const url = await new Promise((resolve, reject) => {
      const look = (data) => {
        output += data;
        const match = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
        if (match && /Ready/.test(output)) resolve(match[0]);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('exit', () => reject(new Error(`the server ended:\n${output}`)));
    });
    const response = await fetch(`${url}/echo`);
    const text = await response.text();
    assert.strictEqual(response.status, 200, `${text}\n${output}`);
    return JSON.parse(text);
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, 'close');
    }
  }
}

describe('a server built by Next.js with output: standalone', { skip }, () => {
  for (const [name, args] of [['Turbopack', ['--turbopack']], ['webpack', ['--webpack']]]) {
    test(`${name}: the addon is part of the output, and is found there`, async () => {
      for (const [file, text] of Object.entries(FILES)) {
        fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
        fs.writeFileSync(path.join(directory, file), text);
      }
      fs.rmSync(path.join(directory, '.next'), { recursive: true, force: true });
      runScript(directory, 'next/dist/bin/next', ['build', ...args], { env: { NEXT_TELEMETRY_DISABLED: '1' } });
      const place = deploy(path.join(directory, '.next', 'standalone'));
      // Nothing may be found in the place where it was built.
      fs.renameSync(directory, `${directory}-elsewhere`);
      try {
        const { text, addon } = await ask(place);
        assert.strictEqual(text, 'hello');
        assert.strictEqual(addon.length, 1);
        assert.ok(addon[0].startsWith(place) && addon[0].endsWith(BINARY), addon[0]);
      } finally {
        fs.renameSync(`${directory}-elsewhere`, directory);
      }
    });
  }
});
