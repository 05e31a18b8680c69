'use strict';

// The server that the web-platform-tests for WebSocket talk to: what their handlers do, on a raw socket of our own.

const fs = require('fs');
const net = require('net');
const path = require('path');
const tls = require('tls');
const { once } = require('events');
const { Session } = require('../../conformance/lib/session');
const { parseHead, all, tokens } = require('../../conformance/lib/opening');
const { OPCODE, acceptKey, closePayload } = require('../helpers/raw');

const CERTS = path.join(__dirname, '..', '..', 'examples', 'certs');
const FOREVER = 60000;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A connection as the handlers see it. */
class Connection {
  constructor(session) {
    this.session = session;
    this.taken = 0;
    const { startLine, fields } = parseHead(session.head);
    this.url = new URL(startLine.split(' ')[1], 'ws://server');
    this.rawUrl = startLine.split(' ')[1];
    this.fields = fields;
    this.key = this.header('sec-websocket-key');
    this.origin = this.header('origin') || '';
    this.protocols = tokens(all(fields, 'sec-websocket-protocol'));
  }

  header(name) {
    const values = all(this.fields, name);
    return values.length === 0 ? null : values.join(', ');
  }

  write(text) {
    return this.session.write(Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1'));
  }

  send(payload, opcode = OPCODE.TEXT) {
    return this.session.write(this.session.encode({ opcode, payload }));
  }

  accept({ protocol = null, headers = [] } = {}) {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptKey(this.key)}`];
    if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
    return this.write(`${[...lines, ...headers].join('\r\n')}\r\n\r\n`);
  }

  /** The next message, or null when the client closes or goes. */
  async message() {
    const messages = () => this.session.received('text', 'binary');
    await this.session.until(() => messages().length > this.taken || this.session.over, FOREVER);
    const next = messages()[this.taken];
    if (!next) return null;
    this.taken++;
    return next;
  }

  /** Starts or completes the closing handshake; without a code the Close frame is empty. */
  async close(code = null, reason = '') {
    this.closed = true;
    await this.send(code === null ? Buffer.alloc(0) : closePayload(code, reason), OPCODE.CLOSE);
    await this.session.until(() => this.session.over, 5000);
    this.session.socket.end();
  }

  /** Answers the client's Close frame with what it says. */
  async echoClose() {
    const { closeFrame } = this.session;
    if (this.closed) return;
    if (closeFrame) await this.close(closeFrame.code, closeFrame.reason.toString());
    else await this.close(1000);
  }
}

/** Echoes until the client says goodbye. */
async function echo(connection) {
  for (;;) {
    const message = await connection.message();
    if (message === null) return;
    await connection.send(message.payload, message.kind === 'text' ? OPCODE.TEXT : OPCODE.BINARY);
    if (message.kind === 'text' && message.payload.toString() === 'Goodbye') return;
  }
}

const queryOf = ({ rawUrl }) => rawUrl.split('?').slice(1).join('?');
const cookie = (attributes) => ({
  accept: (connection) => connection.accept({ headers: [`Set-Cookie: ws_test_${queryOf(connection)}=test; Path=/${attributes}`] }),
  run: (connection) => connection.message(),
});

/**
 * What is done for a path. `accept` answers the request (default: accepts it), `run` is what follows, `close` answers the
 * client's Close frame (default: with 1000).
 */
const HANDLERS = {
  echo: {
    accept: (c) => c.accept({ protocol: c.protocols.includes('echo') ? 'echo' : null }),
    run: echo,
    close: (c) => c.echoClose(),
  },
  echo_exit: {
    async run(connection) {
      for (;;) {
        const message = await connection.message();
        if (message === null || message.payload.toString() === 'Goodbye') return;
      }
    },
  },
  echo_close_data: {
    async run(connection) {
      for (;;) {
        const message = await connection.message();
        if (message === null || message.payload.toString() === 'Goodbye') return;
      }
    },
  },
  echo_raw: {
    async run(connection) {
      for (;;) {
        const message = await connection.message();
        if (message === null || message.payload.toString() === 'exit') return;
        await connection.write(message.payload);
      }
    },
  },
  'echo-cookie': { run: (c) => c.send(c.header('cookie') || '(none)') },
  'echo-query': { run: (c) => c.send(queryOf(c)) },
  'echo-query_v13': { run: (c) => c.send(c.rawUrl.split('?')[1] || '') },
  'empty-message': {
    async run(connection) {
      const message = await connection.message();
      if (message !== null) await connection.send(message.payload.length === 0 ? 'pass' : 'fail');
    },
  },
  handshake_no_extensions: {},
  handshake_no_protocol: {},
  handshake_protocol: { accept: (c) => c.accept({ protocol: 'foobar' }) },
  handshake_sleep_2: {
    async accept(connection) {
      await pause(2000);
      await connection.accept();
    },
  },
  sleep_10_v13: {
    async accept(connection) {
      await pause(10000);
      await connection.accept();
    },
    run: echo,
  },
  invalid: { accept: (c) => c.write('FOO BAR BAZ\r\n\r\n') },
  origin: { run: (c) => c.send(c.origin) },
  protocol: { accept: (c) => c.accept({ protocol: c.header('sec-websocket-protocol') }), run: (c) => c.send(c.header('sec-websocket-protocol') || '') },
  protocol_array: { accept: (c) => c.accept({ protocol: c.protocols[0] }), run: (c) => c.send(c.protocols[0] || '') },
  referrer: { run: (c) => c.send(c.header('referer') || 'MISSING AS PER FETCH') },
  'remote-close': {
    async run(connection) {
      const { searchParams: parameters } = connection.url;
      if (parameters.has('abrupt')) {
        await connection.send('ping', OPCODE.PING);
        connection.session.socket.end();
        connection.closed = true;
      } else {
        await connection.close(parameters.has('code') ? Number(parameters.get('code')) : null, parameters.get('reason') || '');
      }
    },
  },
  'delayed-passive-close': {
    run: (c) => c.message(),
    async close(connection) {
      await pause(1000);
      await connection.echoClose();
    },
  },
  'passive-close-abort': { run: (c) => c.message(), close: (c) => c.session.socket.end() },
  'receive-many-with-backpressure': {
    async run(connection) {
      for (;;) {
        await pause(100);
        const message = await connection.message();
        if (message === null) return;
        await connection.send(String(message.payload.length));
      }
    },
  },
  'set-cookie': cookie(''),
  'set-cookie_http': cookie('; HttpOnly'),
  'set-cookie-secure': cookie('; Secure'),
  simple_handshake: {
    // Head and Close frame in one segment.
    async accept(connection) {
      const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: WebSocket', 'Set-Cookie: ws_test=test',
        `Sec-WebSocket-Origin: ${connection.origin}`, `Sec-WebSocket-Accept: ${acceptKey(connection.key)}`].join('\r\n');
      const close = connection.session.encode({ opcode: OPCODE.CLOSE, payload: closePayload(1001, 'PASS') });
      await connection.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), close]));
      await connection.session.until(() => connection.session.over, 5000);
      connection.closed = true;
    },
  },
  wrong_accept_key: {
    accept: (c) => c.write(['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: WebSocket',
      `Sec-WebSocket-Origin: ${c.origin}`, 'Sec-WebSocket-Accept: thisisawrongacceptkey'].join('\r\n') + '\r\n\r\n'),
    run: (c) => c.send('test'),
  },
};

/** /basic_auth wants user foo and password bar. */
HANDLERS.basic_auth = {
  async accept(connection) {
    if (connection.header('authorization') === 'Basic Zm9vOmJhcg==') {
      await connection.accept();
      return;
    }
    await connection.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm="camelot"\r\n\r\n');
    connection.session.socket.end();
    connection.closed = true;
  },
};

async function serve(session) {
  if (!await session.until(() => session.head !== null || session.ended !== null, FOREVER) || session.head === null) return;
  const connection = new Connection(session);
  const name = connection.url.pathname.slice(1);
  // A request that is redirected is no handshake; everything the tests do not name is not found.
  if (name.endsWith('redirect_response.py')) {
    await connection.write(`HTTP/1.1 302 Found\r\nLocation: ${connection.url.searchParams.get('location') || '/echo'}\r\nContent-Length: 0\r\n\r\n`);
    session.socket.end();
    return;
  }
  if (!Object.hasOwn(HANDLERS, name)) {
    await connection.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    session.socket.end();
    return;
  }
  const { accept = (c) => c.accept(), run, close } = HANDLERS[name];
  await accept(connection);
  if (run && !connection.closed) await run(connection);
  if (connection.closed) {
    session.socket.end();
    return;
  }
  if (run === undefined) await session.until(() => session.over, FOREVER);
  if (close && session.closeFrame) await close(connection);
  else await connection.close(1000);
}

/**
 * Starts the server, for `ws:` and for `wss:`.
 * @returns {Promise<{ ports: { ws: number, wss: number }, close: () => void }>}
 */
async function startServer() {
  const sockets = new Set();
  const onSocket = (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const session = new Session(socket, 'client');
    serve(session).catch((error) => {
      console.error(error);
      session.destroy();
    });
  };
  const plain = net.createServer({ noDelay: true, allowHalfOpen: true }, onSocket);
  const secure = tls.createServer({
    allowHalfOpen: true, cert: fs.readFileSync(path.join(CERTS, 'cert.pem')), key: fs.readFileSync(path.join(CERTS, 'key.pem')),
  }, onSocket);
  secure.on('tlsClientError', () => {});
  plain.listen(0, '127.0.0.1');
  secure.listen(0, '127.0.0.1');
  await Promise.all([once(plain, 'listening'), once(secure, 'listening')]);
  return {
    ports: { ws: plain.address().port, wss: secure.address().port },
    close() {
      for (const socket of sockets) socket.destroy();
      plain.close();
      secure.close();
    },
  };
}

module.exports = { startServer };
