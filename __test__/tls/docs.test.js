'use strict';

// The programs of docs/tls.md and docs/fallback.md that speak TLS, with files such as they expect.

const { after, describe, test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const https = require('https');
const net = require('net');
const os = require('os');
const path = require('path');
const tls = require('tls');
const { snippetsOf, linkPackage } = require('../docs/snippets');
const { ca, server, other, rsa, client } = require('../helpers/certificates');

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-tls-')));
after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
linkPackage(directory);

const write = (name, content) => fs.writeFileSync(path.join(directory, name), content);

function writeFiles() {
  write('privkey.pem', server.key);
  write('fullchain.pem', server.cert);
  write('our-ca.pem', ca);
  for (const [name, pair] of Object.entries({ default: server, chat: other, games: rsa })) {
    write(`${name}.pem`, pair.cert);
    write(`${name}.key.pem`, pair.key);
  }
}

async function freePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

/** Connects as soon as the program listens; resolves with the name in its certificate. */
async function subjectOf(port, options) {
  for (let attempt = 0; ; attempt++) {
    const socket = tls.connect({ port, host: '127.0.0.1', ca, rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerCertificate().subject.CN;
    } catch (error) {
      if (error.code !== 'ECONNREFUSED' || attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
}

const programs = ['docs/tls.md', 'docs/fallback.md'].flatMap(snippetsOf).filter(({ code }) => code.includes('8443'));

/** What a browser gets from the port. */
async function page(port) {
  const [response] = await once(https.get({ host: '127.0.0.1', port, ca }), 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

describe('the programs of the pages run', () => {
  assert.ok(programs.length >= 5);
  for (const { page: where, line, code } of programs) {
    test(`${where}, line ${line}`, async (t) => {
      writeFiles();
      const port = await freePort();
      write('program.js', code.replaceAll('8443', String(port)).replace('interval: 60000', 'interval: 20'));
      const child = spawn(process.execPath, ['program.js'], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
      t.after(() => child.kill());
      assert.strictEqual(await subjectOf(port, client), 'localhost');
      if (code.includes('sni')) assert.strictEqual(await subjectOf(port, { servername: 'chat.example' }), 'other.test');
      if (code.includes('fallback')) assert.strictEqual(await page(port), 'Hello');
      if (!code.includes('watchFile')) return;
      write('privkey.pem', other.key);
      write('fullchain.pem', other.cert);
      while (await subjectOf(port) !== 'other.test') await new Promise((resolve) => setTimeout(resolve, 50));
    });
  }
});
