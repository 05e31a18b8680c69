'use strict';

// Keys and certificates for tests: those that the tests of src/tls have. The CA has signed all of them but `self`.

const fs = require('fs');
const path = require('path');

const DIRECTORY = path.join(__dirname, '..', '..', 'src', 'tls', 'test_data');

function read(name) {
  return fs.readFileSync(path.join(DIRECTORY, `${name}.pem`), 'utf8');
}

function pair(name) {
  return { key: read(`${name}-key`), cert: read(name) };
}

module.exports = {
  ca: read('ca'),
  /** For localhost and 127.0.0.1. */
  server: pair('server'),
  /** For other.test. */
  other: pair('other'),
  /** For localhost and *.wild.test. */
  rsa: pair('rsa'),
  /** Of a client. */
  client: pair('client'),
  self: pair('self'),
  encryptedKey: read('encrypted-key'),
};
