'use strict';

// What a socket of a server with the option `tls` says about its session: the members that Node's TLSSocket has for it.

const { X509Certificate } = require('crypto');
const binding = require('../addon/binding');
const { kId } = require('../transport/connections-by-id');

/** What was agreed on; null on sockets without TLS. */
const kTls = Symbol('tls');

/** Reads the lines of the addon; see `session_lines` in src/binding/rows/row.rs. */
function parseSession(lines) {
  const [protocol, cipher, alpn, serverName, resumed, authorized, authorizationError] = lines.split('\n');
  return {
    protocol,
    cipher,
    alpn: alpn === '' ? false : alpn,
    serverName: serverName === '' ? false : serverName,
    isResumed: resumed !== '',
    isAuthorized: authorized !== '',
    authorizationError: authorizationError === '' ? null : authorizationError,
  };
}

/** The name that OpenSSL has for a cipher suite. Those of TLS 1.3 are the same. */
function opensslName(name) {
  if (!name.includes('_WITH_')) return name;
  return name.slice('TLS_'.length).replace('_WITH', '').replace('AES_', 'AES').replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replaceAll('_', '-');
}

/** The certificates of the client; null when the connection is gone. */
function certificatesOf(socket) {
  if (socket.destroyed) return null;
  return binding.nativePeerCertificates(socket[kId]).map((der) => new X509Certificate(der));
}

function getPeerX509Certificate() {
  const certificates = certificatesOf(this);
  return certificates === null || certificates.length === 0 ? undefined : certificates[0];
}

function getPeerCertificate(detailed = false) {
  const certificates = certificatesOf(this);
  if (certificates === null) return null;
  const [own = {}, ...issuers] = certificates.map((certificate) => certificate.toLegacyObject());
  if (!detailed) return own;
  let last = own;
  for (const issuer of issuers) {
    last.issuerCertificate = issuer;
    last = issuer;
  }
  return own;
}

function getCipher() {
  const { cipher, protocol } = this[kTls];
  return { name: opensslName(cipher), standardName: cipher, version: protocol };
}

function getProtocol() { return this.destroyed ? null : this[kTls].protocol; }
function isSessionReused() { return this[kTls].isResumed; }

/** Members of sockets, each a function of the session. */
const members = {
  encrypted: () => true,
  authorized: ({ isAuthorized }) => isAuthorized,
  authorizationError: ({ authorizationError }) => authorizationError,
  alpnProtocol: ({ alpn }) => alpn,
  servername: ({ serverName }) => serverName,
  getPeerCertificate: () => getPeerCertificate,
  getPeerX509Certificate: () => getPeerX509Certificate,
  getCipher: () => getCipher,
  getProtocol: () => getProtocol,
  isSessionReused: () => isSessionReused,
};

/** The same as getters, which are undefined on sockets without TLS. */
const tlsProperties = Object.fromEntries(Object.entries(members).map(([name, read]) => [name, function get() {
  const session = this[kTls];
  return session ? read(session) : undefined;
}]));

/** Gives a class of sockets these members. */
function defineTlsProperties(prototype) {
  for (const [name, get] of Object.entries(tlsProperties)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get,
      set(value) { Object.defineProperty(this, name, { configurable: true, writable: true, enumerable: true, value }); },
    });
  }
}

module.exports = { kTls, parseSession, tlsProperties, defineTlsProperties };
