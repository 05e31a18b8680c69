'use strict';

// The option `tls` where the addon cannot listen: an https server of Node, or a TLS server in front of the program's HTTP server.

const https = require('https');
const nodeTls = require('tls');

/**
 * @param {object} options of https.createServer() besides those of TLS
 * @param {object} tls from prepareTls()
 * @param {(request: object, response: object) => void} onRequest for requests that are no upgrades
 * @param {(error: Error, address: import('net').AddressInfo) => void} onTlsError
 */
function createHttpsServer(options, tls, onRequest, onTlsError) {
  return watched(https.createServer({ ...options, ...tls.node }, onRequest), tls, onTlsError);
}

/**
 * @param {object} options of tls.createServer() besides those of `tls`
 * @param {object} tls from prepareTls()
 * @param {(error: Error, address: import('net').AddressInfo) => void} onTlsError
 */
function createTlsServer(options, tls, onTlsError) {
  return watched(nodeTls.createServer({ ...options, ...tls.node }), tls, onTlsError);
}

function watched(server, tls, onTlsError) {
  server.on('tlsClientError', (error, { remoteAddress: address, remoteFamily: family, remotePort: port }) => {
    onTlsError(error, { address, family, port });
  });
  if (tls.ocsp.length > 0) server.on('OCSPRequest', (certificate, issuer, callback) => callback(null, tls.ocsp));
  return server;
}

module.exports = { createHttpsServer, createTlsServer };
