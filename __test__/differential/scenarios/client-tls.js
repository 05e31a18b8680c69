'use strict';

// Clients over wss:// and an https server, with a certificate made for these tests.

const fs = require('fs');
const path = require('path');
const https = require('https');

const fixture = (name) => fs.readFileSync(path.join(__dirname, '..', 'fixtures', name));
const key = fixture('key.pem');
const cert = fixture('cert.pem');

/** An https server with a WebSocketServer on it that echoes. */
async function secureServer({ server, listen, trace }) {
  const web = await listen(https.createServer({ key, cert }));
  const it = await server({}, { httpServer: web, watch: [] });
  it.ws.on('request', (request) => {
    trace('request', { host: request.host, resource: request.resource, encrypted: request.socket.encrypted, headers: request.httpRequest.headers['x-extra'], other: request.httpRequest.headers['x-other'] });
    const connection = request.accept();
    connection.on('message', (message) => connection.sendUTF(`${message.utf8Data} back`));
  });
  return { ...it, url: `wss://127.0.0.1:${web.port}/tls` };
}

/** Connects over TLS, exchanges a message, closes. */
const secure = (name, config, { args = [] } = {}) => ({
  name,
  async run(context) {
    const { client, trace, event, watchConnection } = context;
    const { url } = await secureServer(context);
    const it = client(config());
    it.connect(url, ...args);
    const [connection] = await event(it, 'connect');
    watchConnection(connection, 'connection', ['message', 'close']);
    trace('client', { secure: it.secure, encrypted: connection.socket.encrypted, certificate: connection.socket.getPeerCertificate().subject.CN, same: connection.socket === it.socket });
    connection.sendUTF('over TLS');
    await event(connection, 'message');
    const closed = event(connection, 'close');
    connection.close(1000, 'done');
    await closed;
  },
});

module.exports = [
  secure('a wss connection with rejectUnauthorized false', () => ({ tlsOptions: { rejectUnauthorized: false } })),
  secure('a wss connection with the certificate as ca', () => ({ tlsOptions: { ca: cert } })),
  secure('headers in tlsOptions are sent', () => ({ tlsOptions: { rejectUnauthorized: false, headers: { 'X-Extra': 'from tlsOptions', 'X-Other': 'overridden' } } }),
    { args: [null, null, { 'X-Other': 'from the argument' }] }),
  secure('TLS options may also be given as request options', () => undefined, { args: [null, null, null, { rejectUnauthorized: false }] }),
  secure('hostname, port, method, path and headers in tlsOptions do not replace those of the request',
    () => ({ tlsOptions: { rejectUnauthorized: false, hostname: 'x.test', port: 1, method: 'POST', path: '/x' } })),
  secure('an https agent of the caller', () => undefined, { args: [null, null, null, { agent: new https.Agent({ rejectUnauthorized: false }) }] }),
  {
    name: 'a certificate that is not trusted fails the connection with the error of TLS',
    async run(context) {
      const { client, trace, event } = context;
      const { url } = await secureServer(context);
      const it = client();
      it.removeAllListeners('connectFailed');
      it.connect(url);
      const [error] = await event(it, 'connectFailed');
      trace('connectFailed', error instanceof Error, error.code);
    },
  },
  {
    name: 'ws:// to a TLS server fails',
    async run(context) {
      const { client, trace, event } = context;
      const { url } = await secureServer(context);
      const it = client();
      it.removeAllListeners('connectFailed');
      it.connect(url.replace('wss:', 'ws:'));
      const [error] = await event(it, 'connectFailed');
      trace('connectFailed', error instanceof Error);
    },
  },
  {
    name: 'messages of all sizes over TLS',
    async run(context) {
      const { client, event, server, listen, watchConnection, trace } = context;
      const web = await listen(https.createServer({ key, cert }));
      const { ws } = await server({ fragmentationThreshold: 5000 }, { httpServer: web, watch: [] });
      ws.on('request', (request) => {
        const connection = request.accept();
        connection.on('message', (message) => (message.type === 'utf8' ? connection.sendUTF(message.utf8Data) : connection.sendBytes(message.binaryData)));
      });
      const it = client({ tlsOptions: { ca: cert }, fragmentationThreshold: 7000 });
      it.connect(`wss://127.0.0.1:${web.port}/`);
      const [connection] = await event(it, 'connect');
      watchConnection(connection, 'connection', ['message', 'close']);
      for (const size of [0, 1, 125, 126, 5000, 65535, 65536, 100000]) {
        const reply = event(connection, 'message');
        connection.sendBytes(Buffer.alloc(size, size & 0xff));
        await reply;
      }
      const reply = event(connection, 'message');
      connection.sendUTF('ü'.repeat(9000));
      await reply;
      const closed = event(connection, 'close');
      connection.close();
      await closed;
      trace('done');
    },
  },
  {
    name: 'the server closes a TLS connection',
    async run(context) {
      const { client, event, server, listen, watchConnection, lane } = context;
      const web = await listen(https.createServer({ key, cert }));
      const { ws } = await server({}, { httpServer: web, watch: [] });
      ws.on('request', (request) => {
        const connection = request.accept();
        connection.on('close', (...args) => lane('server')('close', ...args));
        setImmediate(() => connection.close(4001, 'server closes'));
      });
      const it = client({ tlsOptions: { ca: cert } });
      it.on('connect', (connection) => watchConnection(connection, 'connection', ['close']));
      it.connect(`wss://127.0.0.1:${web.port}/`);
      const [connection] = await event(it, 'connect');
      await event(connection, 'close');
      if (ws.connections.length > 0) await event(ws, 'close');
    },
  },
];
