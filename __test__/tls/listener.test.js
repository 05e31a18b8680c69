'use strict';

// Servers that listen themselves with the option tls: what clients and the program see. The clients are Node's tls, ws,
// undici, and the command lines of OpenSSL and curl.

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { execFile, spawn } = require('child_process');
const { once } = require('events');
const net = require('net');
const tls = require('tls');
const { promisify } = require('util');
const { websocket } = require('../helpers/under-test');
const { next, eventually, startServer, record } = require('../helpers/under-test/endpoints');
const { RawPeer, OPCODE, encodeFrame, requestHead } = require('../helpers/raw');
const certificates = require('../helpers/certificates');

const { ca, server: pair, other, rsa, client: clientPair, self } = certificates;
const run = promisify(execFile);

/** A server with TLS that echoes. */
async function start(t, options = {}, config = {}) {
  const started = await startServer(t, {
    config: { port: 0, host: '127.0.0.1', tls: { ...pair, ...options }, maxReceivedFrameSize: 1 << 25, maxReceivedMessageSize: 1 << 25, ...config },
    onConnect(connection) {
      connection.on('message', (message) => {
        if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
        else connection.sendBytes(message.binaryData);
      });
    },
  });
  const failures = [];
  started.server.on('tlsClientError', (error, address) => failures.push({ error, address }));
  return { ...started, failures, url: `wss://127.0.0.1:${started.port}/` };
}

/** A connected socket of Node's tls. */
async function connectTls(t, port, options = {}) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...options });
  t.after(() => socket.destroy());
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
}

async function openPeer(t, port, options) {
  const peer = new RawPeer(await connectTls(t, port, options));
  peer.write(requestHead({}));
  await peer.until(() => peer.head !== null || peer.closed, 'a response head');
  assert.strictEqual(peer.status, 101);
  return peer;
}

function openClient(t, url, tlsOptions = {}) {
  const client = new websocket.client({ tlsOptions: { ca, ...tlsOptions }, maxReceivedFrameSize: 1 << 25, maxReceivedMessageSize: 1 << 25 });
  return new Promise((resolve, reject) => {
    client.on('connectFailed', reject);
    client.on('connect', (connection) => {
      connection.on('error', () => {});
      t.after(() => connection.socket.destroy());
      resolve(connection);
    });
    client.connect(url);
  });
}

async function echo(connection, data) {
  const message = next(connection, 'message');
  connection.send(data);
  const [{ utf8Data, binaryData }] = await message;
  return utf8Data === undefined ? binaryData : utf8Data;
}

for (const io of ['loop', 'threads']) {
  describe(`over TLS, io: ${io}`, () => {
    test('messages of all sizes come back', async (t) => {
      const { url, connection } = await start(t, {}, { io });
      const client = await openClient(t, url);
      assert.strictEqual((await connection()).transport, io === 'loop' ? 'loop' : (await connection()).transport);
      for (const size of [0, 1, 125, 126, 16383, 16384, 16385, 65535, 65536, 1 << 20, 10 << 20]) {
        const data = Buffer.alloc(size, size % 251);
        assert.ok(data.equals(await echo(client, data)), `${size} bytes`);
      }
      assert.strictEqual(await echo(client, 'grüße'), 'grüße');
    });

    test('many messages in both directions keep their order', async (t) => {
      const { url } = await start(t, {}, { io });
      const client = await openClient(t, url);
      const seen = [];
      client.on('message', ({ utf8Data }) => seen.push(Number(utf8Data)));
      for (let i = 0; i < 5000; i++) client.sendUTF(String(i));
      await eventually(() => seen.length === 5000, 'all messages');
      assert.ok(seen.every((number, index) => number === index));
    });

    test('a client that does not read makes the server wait, and loses nothing', async (t) => {
      const { port, connection } = await start(t, {}, { io });
      const peer = await openPeer(t, port);
      const opened = await connection();
      peer.socket.pause();
      const drained = next(opened.socket, 'drain', 20000);
      const data = Buffer.alloc(1 << 20, 7);
      let full = false;
      for (let i = 0; i < 16; i++) full = !opened.sendBytes(data) || full;
      assert.ok(full && opened.bufferedAmount > 0);
      peer.socket.resume();
      await drained;
      await peer.until(() => peer.frames.length === 16 * 64, 'all frames', 20000);
      assert.strictEqual(opened.bufferedAmount, 0);
    });

    test('the closing handshake ends with close_notify in both directions', async (t) => {
      const { port, connection } = await start(t, {}, { io });
      const peer = await openPeer(t, port);
      const seen = record(await connection());
      peer.write(encodeFrame({ opcode: OPCODE.CLOSE, payload: Buffer.from([3, 0xe8]), mask: true }));
      await peer.until(() => peer.ended, 'the end of the stream');
      peer.socket.end();
      await eventually(() => seen.closes.length === 1, 'close');
      assert.strictEqual(seen.closes[0].code, 1000);
      assert.deepStrictEqual(seen.errors, []);
    });

    test('an end without close_notify in the midst of a connection is an error', async (t) => {
      const { port, connection } = await start(t, {}, { io });
      const plain = net.connect(port, '127.0.0.1');
      await openPeer(t, port, { socket: plain });
      const seen = record(await connection());
      plain.end();
      await eventually(() => seen.closes.length === 1, 'close');
      assert.deepStrictEqual(seen.errors.map(({ code }) => code), ['ERR_SSL_UNEXPECTED_EOF_WHILE_READING']);
      assert.strictEqual(seen.closes[0].code, 1006);
    });

    test('a record that nobody has encrypted ends that connection only', async (t) => {
      const { port, url, connection } = await start(t, {}, { io });
      const other = await openClient(t, url);
      const plain = net.connect(port, '127.0.0.1');
      await openPeer(t, port, { socket: plain });
      const seen = record(await connection(2));
      plain.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40)]));
      await eventually(() => seen.closes.length === 1, 'close');
      assert.deepStrictEqual(seen.errors.map(({ code }) => code), ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC']);
      assert.strictEqual(await echo(other, 'still here'), 'still here');
    });
  });
}

describe('what the socket says about TLS', () => {
  test('connection.socket and request.socket tell the truth', async (t) => {
    let request;
    const { port, connection, server } = await start(t, {}, { autoAcceptConnections: false });
    server.on('request', (it) => { request = it; it.accept(); });
    await openPeer(t, port, { ALPNProtocols: ['http/1.1'] });
    const { socket } = await connection();
    assert.strictEqual(request.socket, socket);
    const { encrypted, authorized, authorizationError, alpnProtocol, servername } = socket;
    assert.deepStrictEqual({ encrypted, authorized, authorizationError, alpnProtocol, servername },
      { encrypted: true, authorized: false, authorizationError: null, alpnProtocol: 'http/1.1', servername: 'localhost' });
    assert.strictEqual(socket.getProtocol(), 'TLSv1.3');
    assert.match(socket.getCipher().name, /^TLS_/);
    assert.deepStrictEqual(socket.getPeerCertificate(), {});
    assert.strictEqual(socket.isSessionReused(), false);
    assert.strictEqual(request.httpRequest.socket.encrypted, true);
    // As a real net.Socket as well.
    socket.setKeepAlive(true);
    assert.strictEqual(socket.encrypted, true);
    assert.ok(socket instanceof net.Socket);
    assert.strictEqual(socket.getProtocol(), 'TLSv1.3');
  });

  test('TLS 1.2 has the names of OpenSSL', async (t) => {
    const { port, connection } = await start(t);
    const peer = await openPeer(t, port, { maxVersion: 'TLSv1.2' });
    const { socket } = await connection();
    assert.strictEqual(socket.getProtocol(), 'TLSv1.2');
    assert.deepStrictEqual(socket.getCipher(), peer.socket.getCipher());
    assert.strictEqual(socket.alpnProtocol, false);
  });

  test('sockets without TLS have no such members', async (t) => {
    const { url, connection } = await startServer(t, { config: { port: 0, host: '127.0.0.1' } });
    const client = new websocket.client();
    client.connect(url);
    t.after(() => client.abort());
    const { socket } = await connection();
    assert.strictEqual(socket.encrypted, undefined);
    assert.strictEqual(socket.getPeerCertificate, undefined);
    socket.destroy();
  });

  test('a client that shows a certificate is authorized, and its certificate can be seen', async (t) => {
    const { port, connection } = await start(t, { requestCert: true, ca });
    await openPeer(t, port, clientPair);
    const { socket } = await connection();
    assert.strictEqual(socket.authorized, true);
    assert.strictEqual(socket.authorizationError, null);
    assert.strictEqual(socket.getPeerCertificate().subject.CN, 'A client');
    assert.match(socket.getPeerCertificate(true).fingerprint256, /^[\dA-F:]{95}$/);
    assert.strictEqual(socket.getPeerX509Certificate().subject, 'CN=A client');
  });

  test('with rejectUnauthorized: false the program decides', async (t) => {
    const { port, connection } = await start(t, { requestCert: true, ca, rejectUnauthorized: false });
    const expected = [[clientPair, true, null], [self, false, 'DEPTH_ZERO_SELF_SIGNED_CERT'], [{}, false, 'UNABLE_TO_GET_ISSUER_CERT']];
    for (const [index, [identity, authorized, authorizationError]] of expected.entries()) {
      await openPeer(t, port, identity);
      const { socket } = await connection(index + 1);
      assert.deepStrictEqual([socket.authorized, socket.authorizationError], [authorized, authorizationError]);
    }
  });
});

describe('certificates', () => {
  test('each name has its own, with wildcards; others get the first one', async (t) => {
    const { port } = await start(t, { sni: { 'other.test': other, '*.wild.test': rsa } });
    const expected = { 'other.test': 'other.test', 'a.wild.test': 'localhost', localhost: 'localhost' };
    for (const [servername, subject] of Object.entries(expected)) {
      const socket = await connectTls(t, port, { servername });
      assert.strictEqual(socket.getPeerCertificate().subject.CN, subject);
      assert.strictEqual(socket.getPeerCertificate().asn1Curve === undefined, servername === 'a.wild.test', servername);
    }
  });

  test('a new certificate is for new connections; those that are open go on', async (t) => {
    const { port, url, server } = await start(t, {});
    const client = await openClient(t, url);
    const subject = async () => (await connectTls(t, port, { rejectUnauthorized: false })).getPeerCertificate().subject.CN;
    assert.strictEqual(await subject(), 'localhost');
    server.setSecureContext(other);
    assert.strictEqual(await subject(), 'other.test');
    assert.strictEqual(await echo(client, 'hello'), 'hello');
    assert.throws(() => server.setSecureContext({ ...other, key: pair.key }), { code: 'ERR_WEBSOCKET_TLS' });
    assert.strictEqual(await subject(), 'other.test');
  });

  test('renewal under load loses nothing', async (t) => {
    const { url, server, failures } = await start(t);
    let renewals = 0;
    const timer = setInterval(() => server.setSecureContext(renewals++ % 2 === 0 ? rsa : pair), 5);
    t.after(() => clearInterval(timer));
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 6; i++) {
        const client = await openClient(t, url, { servername: 'localhost' });
        assert.strictEqual(await echo(client, `message ${i}`), `message ${i}`);
        client.drop();
      }
    }));
    assert.ok(renewals > 0);
    assert.deepStrictEqual(failures.map(({ error }) => error.code).filter((code) => code !== 'ECONNRESET'), []);
  });

  test('sessions are resumed, by another server with the same ticketKeys as well', async (t) => {
    const ticketKeys = Buffer.alloc(48, 1);
    const [first, second] = [await start(t, { ticketKeys }), await start(t, { ticketKeys })];
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
      const socket = tls.connect({ port: first.port, host: '127.0.0.1', ca, servername: 'localhost', maxVersion });
      t.after(() => socket.destroy());
      const [session] = await once(socket, 'session');
      for (const { port } of [first, second]) {
        const again = await connectTls(t, port, { session, maxVersion });
        assert.strictEqual(again.isSessionReused(), true);
      }
    }
  });

  test('an answer of OCSP goes with the certificate', async (t) => {
    const ocsp = Buffer.from('an answer');
    const { port } = await start(t, { ocsp });
    const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost', requestOCSP: true });
    t.after(() => socket.destroy());
    const [response] = await once(socket, 'OCSPResponse');
    assert.deepStrictEqual(response, ocsp);
  });

  test('arrays of keys of several kinds, Buffers and DER are taken', async (t) => {
    const der = (pem) => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
    for (const options of [
      { key: [rsa.key, pair.key], cert: [rsa.cert, pair.cert] },
      { key: Buffer.from(pair.key), cert: Buffer.from(pair.cert) },
      { key: der(pair.key), cert: new Uint8Array(der(pair.cert)) },
    ]) {
      const { url } = await start(t, options);
      assert.strictEqual(await echo(await openClient(t, url, { servername: 'localhost' }), 'hello'), 'hello');
    }
  });
});

describe('clients that are refused', () => {
  async function refused(t, options, clientOptions) {
    const { port, failures } = await start(t, options);
    const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...clientOptions });
    t.after(() => socket.destroy());
    // In TLS 1.3 a client learns after its handshake that the server does not like its certificate.
    const [error] = await next(socket, 'error');
    await eventually(() => failures.length === 1, 'tlsClientError');
    return [error.code, failures[0].error.code];
  }

  test('h2 alone is refused as RFC 7301 says', async (t) => {
    assert.deepStrictEqual(await refused(t, {}, { ALPNProtocols: ['h2'] }),
      ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'ERR_SSL_NO_APPLICATION_PROTOCOL']);
  });

  test('so is a version that is too old', async (t) => {
    assert.deepStrictEqual(await refused(t, { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }),
      ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_SSL_UNSUPPORTED_PROTOCOL']);
  });

  test('so is a client without the certificate that is asked for', async (t) => {
    const asks = { requestCert: true, ca };
    assert.strictEqual((await refused(t, asks, {}))[1], 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
    assert.strictEqual((await refused(t, asks, self))[1], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('a client that does not trust the certificate says so', async (t) => {
    const { port, failures } = await start(t);
    const socket = tls.connect({ port, host: '127.0.0.1' });
    const [{ code }] = await once(socket, 'error');
    assert.strictEqual(code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await eventually(() => failures.length === 1, 'tlsClientError');
    assert.strictEqual(failures[0].error.code, 'ECONNRESET');
    assert.deepStrictEqual(Object.keys(failures[0].address), ['address', 'family', 'port']);
    assert.strictEqual(failures[0].address.address, '127.0.0.1');
  });

  test('plain HTTP is answered with 400 in clear text', async (t) => {
    const { port, failures } = await start(t);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const chunks = [];
    for await (const chunk of socket) chunks.push(chunk);
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*plain HTTP request/);
    // The answer may be there before the event.
    await eventually(() => failures.length > 0);
    assert.strictEqual(failures[0].error.code, 'ERR_SSL_HTTP_REQUEST');
  });

  test('garbage ends the connection, and others do not notice', async (t) => {
    const { port, url, failures } = await start(t);
    const client = await openClient(t, url);
    for (const bytes of [Buffer.alloc(100), Buffer.from([22, 3, 1, 0xff, 0xff]), Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0]), Buffer.from([0x80, 0x2e, 1, 3, 1])]) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    await eventually(() => failures.length >= 4, 'an error for each');
    assert.strictEqual(failures.length, 4);
    assert.ok(failures.every(({ error }) => error.code.startsWith('ERR_SSL_')));
    assert.strictEqual(await echo(client, 'hello'), 'hello');
  });

  test('a handshake that takes too long is ended (handshakeTimeout), wherever it stops', async (t) => {
    const { port, failures } = await start(t, {}, { handshakeTimeout: 300 });
    const hello = await clientHello();
    const sockets = [];
    for (let length = 1; length < hello.length; length += 13) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(hello.subarray(0, length));
      socket.resume();
      sockets.push(once(socket, 'close'));
    }
    const silent = net.connect(port, '127.0.0.1').resume();
    await Promise.all([...sockets, once(silent, 'close')]);
    // The clients may hear of it first.
    await eventually(() => failures.length >= sockets.length, 'an error for each');
    assert.strictEqual(failures.length, sockets.length);
    assert.deepStrictEqual([...new Set(failures.map(({ error }) => error.code))], ['ERR_TLS_HANDSHAKE_TIMEOUT']);
  });

  test('a client that goes away after any byte of its handshake leaves nothing behind', async (t) => {
    const { port, url, failures } = await start(t);
    const hello = await clientHello();
    for (let length = 0; length < hello.length; length += 17) {
      const socket = net.connect(port, '127.0.0.1');
      socket.end(hello.subarray(0, length));
      socket.resume();
      await once(socket, 'close');
    }
    await eventually(() => failures.length > 0, 'tlsClientError');
    const [{ error }] = failures;
    assert.strictEqual(error.code, 'ECONNRESET');
    assert.strictEqual(await echo(await openClient(t, url), 'hello'), 'hello');
  });

  test('a connection that nothing comes from is nobody\'s error', async (t) => {
    const { port, url, failures } = await start(t);
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    socket.resume();
    await once(socket, 'close');
    await openClient(t, url);
    assert.deepStrictEqual(failures, []);
  });

  test('TLS on a port without TLS ends cleanly', async (t) => {
    const { port } = await startServer(t, { config: { port: 0, host: '127.0.0.1' } });
    const socket = tls.connect({ port, host: '127.0.0.1', ca });
    const [error] = await next(socket, 'error');
    assert.strictEqual(error.code, 'ERR_SSL_WRONG_VERSION_NUMBER');
  });
});

/** The first bytes of a client. */
async function clientHello() {
  const { Duplex } = require('stream');
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write(chunk) { resolve(chunk); } });
    tls.connect({ socket: wire, servername: 'localhost' }).on('error', () => {});
  });
}

describe('other clients', () => {
  test('ws', async (t) => {
    const { url } = await start(t);
    const { WebSocket } = require('ws');
    const client = new WebSocket(url, { ca });
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send('hello');
    const [data] = await once(client, 'message');
    assert.strictEqual(String(data), 'hello');
    client.close(1000);
    const [code] = await once(client, 'close');
    assert.strictEqual(code, 1000);
  });

  test('openssl s_client, with every version and an update of keys', async (t) => {
    const { port } = await start(t);
    for (const version of ['-tls1_2', '-tls1_3']) {
      const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, version, '-quiet', '-ign_eof', '-servername', 'localhost']);
      t.after(() => client.kill());
      const missing = await Promise.race([once(client, 'spawn').then(() => false), once(client, 'error').then(() => true)]);
      if (missing) {
        t.skip('there is no openssl');
        return;
      }
      let output = '';
      client.stdout.on('data', (chunk) => { output += chunk.toString('latin1'); });
      client.stdin.write(requestHead({}));
      await eventually(() => output.includes('\r\n\r\n'), 'the answer');
      assert.match(output, /^HTTP\/1\.1 101 /);
      client.stdin.write(encodeFrame({ opcode: OPCODE.TEXT, payload: Buffer.from('over OpenSSL'), mask: true }));
      await eventually(() => output.includes('over OpenSSL'), 'the echo');
    }
  });

  test('curl gets 426 for a request that is no upgrade', async (t) => {
    const { port } = await start(t);
    let answer;
    try {
      answer = await run('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', `https://127.0.0.1:${port}/`]);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      t.skip('there is no curl');
      return;
    }
    assert.strictEqual(answer.stdout, '426 1.1');
  });
});

describe('the program takes the bytes of a connection with TLS', () => {
  test('of one that is open: messages go on, in both directions', async (t) => {
    const { url, connection } = await start(t);
    const client = await openClient(t, url);
    const opened = await connection();
    assert.strictEqual(await echo(client, 'before'), 'before');
    const chunks = [];
    opened.socket.on('data', (chunk) => chunks.push(chunk));
    assert.strictEqual(opened.transport, 'stream');
    assert.strictEqual(await echo(client, 'after'), 'after');
    const large = Buffer.alloc(3 << 20, 9);
    assert.ok(large.equals(await echo(client, large)));
    assert.ok(Buffer.concat(chunks).length > large.length);
    assert.strictEqual(opened.socket.encrypted, true);
    client.close();
    const [code] = await next(opened, 'close');
    assert.strictEqual(code, 1000);
  });

  test('of one that was not accepted: it is the program\'s stream', async (t) => {
    const { port, server } = await start(t, {}, { autoAcceptConnections: false });
    server.on('request', ({ socket }) => {
      socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase()));
      socket.on('end', () => socket.end('bye'));
      socket.write('ready\n');
    });
    const socket = await connectTls(t, port);
    socket.setEncoding('utf8');
    let output = '';
    socket.on('data', (chunk) => { output += chunk; });
    socket.write(requestHead({}));
    await eventually(() => output.includes('ready'), 'the first word');
    socket.write('hello');
    await eventually(() => output.includes('HELLO'), 'the answer');
    socket.end();
    await next(socket, 'end');
    assert.ok(output.endsWith('bye'));
  });
});

describe('options that cannot be used', () => {
  const make = (options, more) => new websocket.server({ port: 0, host: '127.0.0.1', tls: options, ...more });

  test('are an error of the constructor, which says what to change', () => {
    for (const io of ['auto', 'stream']) {
      assert.throws(() => make({ ...pair, key: other.key }, { io }), { code: 'ERR_WEBSOCKET_TLS', message: /^The option tls cannot be used: / });
    }
    const thrown = (options) => {
      try {
        make(options).close();
      } catch (error) {
        return `${error.code}: ${error.message}`;
      }
      return 'nothing';
    };
    assert.match(thrown({ ...pair, key: other.key }), /^ERR_WEBSOCKET_TLS: .*tls\.key does not belong to the certificate in tls\.cert/);
    assert.match(thrown({ ...pair, key: certificates.encryptedKey }), /^ERR_WEBSOCKET_TLS: .*tls\.key is encrypted: decrypt it first/);
    assert.match(thrown({ ...pair, sni: { 'a.test': { ...rsa, key: pair.key } } }), /tls\.sni\['a\.test'\]\.key does not belong/);
    assert.match(thrown({ ...pair, requestCert: true, ca: 'nothing' }), /tls\.ca has no certificate/);
    assert.match(thrown({ key: pair.key }), /^ERR_WEBSOCKET_OPTION: The option tls\.cert must be the content of a file/);
    assert.match(thrown({ ...pair, key: { pem: pair.key } }), /^ERR_WEBSOCKET_OPTION: The option tls\.key must be/);
    assert.match(thrown({ ...pair, key: [pair.key, rsa.key] }), /^ERR_WEBSOCKET_OPTION: .*key has 2, cert 1/);
    assert.match(thrown({ ...pair, rejectUnauthorised: false }), /Did you mean rejectUnauthorized\?/);
    assert.match(thrown({ ...pair, passphrase: 'x' }), /has no member passphrase\. There are key, cert/);
    assert.match(thrown({ ...pair, minVersion: 'TLSv1' }), /tls\.minVersion must be TLSv1\.2 or TLSv1\.3, not TLSv1\./);
    assert.match(thrown({ ...pair, requestCert: 'yes' }), /tls\.requestCert must be true or false/);
    assert.match(thrown({ ...pair, alpn: 'http/1.1' }), /tls\.alpn must be an array/);
    assert.match(thrown({ ...pair, ticketKeys: Buffer.alloc(47) }), /tls\.ticketKeys must have 48 bytes/);
    assert.match(thrown({ ...pair, ocsp: 'x' }), /tls\.ocsp must be a Buffer/);
    assert.match(thrown({ ...pair, sni: { 'a.*.test': other } }), /tls\.sni must have names/);
    assert.match(thrown('x'), /The option tls must be an object/);
  });

  test('tls is for servers that listen themselves', () => {
    const { createServer } = require('http');
    assert.throws(() => new websocket.server({ httpServer: createServer(), tls: pair }), { code: 'ERR_WEBSOCKET_OPTION', message: /tls is for servers/ });
    assert.throws(() => new websocket.server({ noServer: true, tls: pair }), { code: 'ERR_WEBSOCKET_OPTION' });
  });

  test('setSecureContext() needs the option tls', async (t) => {
    const { server } = await startServer(t, { config: { port: 0, host: '127.0.0.1' } });
    assert.throws(() => server.setSecureContext(pair), { code: 'ERR_WEBSOCKET_TLS' });
  });
});

describe('where the addon cannot listen, an https server does it (io: stream)', () => {
  test('behind the same API', async (t) => {
    const { port, url, connection, server, failures } = await start(t, { requestCert: true, ca, rejectUnauthorized: false, sni: { '*.wild.test': other } }, { io: 'stream' });
    const client = await openClient(t, url, clientPair);
    const opened = await connection();
    assert.strictEqual(opened.transport, 'stream');
    assert.strictEqual(opened.socket.authorized, true);
    assert.strictEqual(await echo(client, 'hello'), 'hello');
    const subject = async (servername) => (await connectTls(t, port, { servername, rejectUnauthorized: false })).getPeerCertificate();
    assert.strictEqual((await subject('a.wild.test')).subject.CN, 'other.test');
    assert.strictEqual((await subject('localhost')).subject.CN, 'localhost');
    server.setSecureContext(rsa);
    assert.strictEqual((await subject('localhost')).asn1Curve, undefined);
    net.connect(port, '127.0.0.1').end('garbage');
    await eventually(() => failures.some(({ error }) => error.code.startsWith('ERR_SSL')), 'tlsClientError');
    assert.strictEqual(failures[0].address.address, '127.0.0.1');
  });
});
