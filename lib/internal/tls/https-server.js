'use strict';

// The option `tls` where the addon cannot listen: an https server of Node.

const https = require('https');

/**
 * @param {object} options of https.createServer() besides those of TLS
 * @param {object} tls from prepareTls()
 * @param {(request: object, response: object) => void} onRequest for requests that are no upgrades
 * @param {(error: Error, address: import('net').AddressInfo) => void} onTlsError
 */
function createHttpsServer(options, tls, onRequest, onTlsError) {
  const server = https.createServer({ ...options, ...tls.node }, onRequest);
  server.on('tlsClientError', (error, { remoteAddress: address, remoteFamily: family, remotePort: port }) => {
    onTlsError(error, { address, family, port });
  });
  if (tls.ocsp.length > 0) server.on('OCSPRequest', (certificate, issuer, callback) => callback(null, tls.ocsp));
  return server;
}

module.exports = { createHttpsServer };
