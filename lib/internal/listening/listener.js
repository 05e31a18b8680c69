'use strict';

// Servers that listen themselves. The addon does it where it can; otherwise, and with `io: 'stream'`, an HTTP server: that of
// the option `fallback`, or one that answers nothing but upgrades.

const cluster = require('cluster');
const http = require('http');
const net = require('net');
const { isAvailable } = require('../transport/native-batches');
const nativeListener = require('./native-listener');
const { canShare, listensElsewhere, listenItself, share, shareOverTls } = require('./shared-port');
const { createHttpsServer, createTlsServer } = require('../tls/https-server');
const { optionError } = require('../base/errors');

/** The first versions of Node that know the option reusePort of `net.Server`, which earlier ones ignore. */
const KNOWS_REUSE_PORT = { 22: 12, 23: 1 };

/** What Node gives a request to arrive, in milliseconds. */
const DEFAULT_HEAD_TIMEOUT = 60000;

/** How many header fields a request may have: as many as the addon takes, and Node's documentation promises. */
const MAX_HEADER_FIELDS = 2000;

const NOT_FOR_BROWSERS = 'This is a WebSocket server: the request must ask for an upgrade to websocket.\n';

/**
 * Checks the options, and makes a number of a port in digits, as it comes from the environment.
 * @throws {Error} that names the option
 */
function takeListenOptions(options) {
  const { port, host } = options;
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    throw optionError(`The option port must be an integer from 0 to 65535, not ${String(port)}.`);
  }
  options.port = number;
  if (host !== null && host !== undefined && (typeof host !== 'string' || host === '')) {
    throw optionError(`With the option port, host is the address to listen at, not ${String(host)}.`);
  }
  if (options.reusePort) checkReusePort(options);
  if (options.fallback && listensElsewhere(options.fallback)) {
    throw optionError('The HTTP server of the option fallback listens already. The option port takes the place of its listen().');
  }
}

/** @throws {Error} where the system does not spread connections among those who listen, or Node cannot ask it to */
function checkReusePort(options) {
  if (process.platform !== 'linux') {
    throw optionError(`The option reusePort needs Linux: ${process.platform} does not spread connections among the processes that listen.`);
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (listensByAddon(options) || major > 23 || minor >= KNOWS_REUSE_PORT[major]) return;
  throw optionError(`The option reusePort needs Node.js 22.12 or later where the addon does not listen itself; this is ${process.versions.node}.`);
}

/** The time that the head of a request may take: the first one given. */
function headTimeout(...times) {
  const limit = times.find((time) => time > 0 && time < 0x7fffffff);
  return limit === undefined ? DEFAULT_HEAD_TIMEOUT : Math.ceil(limit);
}

function listenOptions({ port, host, reusePort }) {
  return { port, host: typeof host === 'string' ? host : undefined, backlog: 1024, reusePort: Boolean(reusePort) };
}

function answerPlainRequest(request, response) {
  response.writeHead(426, { Connection: 'Upgrade, close', Upgrade: 'websocket', 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(NOT_FOR_BROWSERS);
}

/**
 * Listens at all addresses, if the program has not named one.
 * @returns {{ address(): net.AddressInfo, close(): void }}
 */
function listenNatively(address, ...more) {
  if (address !== undefined) return nativeListener.listen(address, ...more);
  try {
    return nativeListener.listen('::', ...more);
  } catch (error) {
    // There is no IPv6 here.
    if (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL') throw error;
    return nativeListener.listen('0.0.0.0', ...more);
  }
}

/**
 * Whether the addon listens, or else an HTTP server of Node. The port of a cluster is the primary's to open, unless each worker
 * opens it for itself.
 */
function listensByAddon({ io, reusePort }) {
  return io !== 'stream' && (!cluster.isWorker || Boolean(reusePort)) && isAvailable();
}

class Listener {
  /**
   * @param {{ port: number, host?: string, reusePort?: boolean, handshakeTimeout: number, fallback?: http.Server }} options
   * @param {object|null} tls what prepareTls() has made of the option
   * @param {{
   *   onUpgrade(request: object, socket: net.Socket, head?: Buffer): void,
   *   onTlsError(error: Error, address: net.AddressInfo): void,
   *   onListening(error: Error|null): void
   * }} callbacks of which the last one is called once, in a later tick
   * @param {boolean} byAddon see listensByAddon()
   */
  constructor(config, tls, { onUpgrade, onTlsError, onListening }, byAddon) {
    const { port, host, reusePort = false, handshakeTimeout, fallback } = config;
    /** What listens; null while the name of the host is looked up, and when it is closed. */
    this._bound = null;
    this._closed = false;
    const timeout = headTimeout(handshakeTimeout, fallback ? fallback.headersTimeout : 0);
    const done = (error) => process.nextTick(() => { if (!this._closed) onListening(error); });
    if (!byAddon || (fallback && !canShare(fallback))) {
      const options = listenOptions(config);
      if (fallback && tls !== null) {
        const tlsServer = createTlsServer({ handshakeTimeout: timeout, allowHalfOpen: true }, tls, onTlsError);
        this._bound = shareOverTls(fallback, tlsServer, options, done);
      } else if (fallback) this._bound = listenItself(fallback, options, done);
      else this._listenByHttp(config, timeout, tls, onUpgrade, onTlsError, done);
      return;
    }
    const open = (address) => {
      if (this._closed) return;
      try {
        const hosted = { onRequest: onUpgrade, onTlsError };
        const more = { reusePort, tls: tls === null ? null : tls.context };
        this._bound = fallback
          ? share(fallback, (takers) => {
            const maxHeadLength = fallback.maxHeaderSize || http.maxHeaderSize;
            return listenNatively(address, port, timeout, { ...hosted, ...takers }, { ...more, maxHeadLength });
          })
          : listenNatively(address, port, timeout, hosted, more);
      } catch (error) {
        done(error);
        return;
      }
      done(null);
    };
    if (typeof host !== 'string' || net.isIP(host) !== 0) {
      open(typeof host === 'string' ? host : undefined);
    } else {
      // Loaded late, because it opens a handle at once.
      require('dns').lookup(host, (error, address) => {
        if (error) done(error);
        else open(address);
      });
    }
  }

  _listenByHttp(config, timeout, tls, onUpgrade, onTlsError, done) {
    // Node looks for requests that are late every 30 seconds, unless told otherwise; the addon four times a second.
    const options = { connectionsCheckingInterval: Math.min(Math.max(timeout >> 2, 250), 30000) };
    const server = tls === null
      ? http.createServer(options, answerPlainRequest)
      : createHttpsServer({ ...options, handshakeTimeout: timeout }, tls, answerPlainRequest, onTlsError);
    server.headersTimeout = timeout;
    server.maxHeadersCount = MAX_HEADER_FIELDS;
    server.on('upgrade', onUpgrade);
    server.once('error', done);
    server.listen(listenOptions(config), () => {
      server.removeListener('error', done);
      done(null);
    });
    this._bound = {
      address: () => server.address(), secure: (context) => server.setSecureContext(context), close: () => server.close(),
    };
  }

  /** Where it listens; null before and after. */
  address() {
    return this._bound === null ? null : this._bound.address();
  }

  /** New connections get other certificates; see prepareTls(). */
  secure({ context, node }) {
    if (this._bound !== null) this._bound.secure(context || node);
  }

  close() {
    this._closed = true;
    if (this._bound !== null) this._bound.close();
    this._bound = null;
  }
}

module.exports = { Listener, takeListenOptions, listensByAddon };
