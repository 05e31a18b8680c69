'use strict';

// The option `tls` of a server that listens itself: what it may be, and what the addon and Node's https make of it.

const nodeTls = require('tls');
const { isAnyArrayBuffer, isUint8Array } = require('util').types;
const binding = require('../addon/binding');
const { nearestName } = require('../options/nearest-name');
const { optionError, websocketError } = require('../base/errors');

const MEMBERS = ['key', 'cert', 'ca', 'requestCert', 'rejectUnauthorized', 'minVersion', 'sni', 'alpn', 'ticketKeys', 'ocsp'];
const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/** Bytes of a key of session tickets, as Node has them. */
const TICKET_KEY = 48;

const NOTHING = Buffer.alloc(0);

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isUint8Array(value);
}

function checkMembers(value, members, name) {
  for (const member of Object.keys(value)) {
    if (members.includes(member)) continue;
    const nearest = nearestName(member, members);
    const advice = nearest === null ? `There are ${members.join(', ')}.` : `Did you mean ${nearest}?`;
    throw optionError(`The option ${name} has no member ${member}. ${advice}`);
  }
}

/** One file or several, each as bytes. */
function files(value, name) {
  return (Array.isArray(value) ? value : [value]).map((file) => {
    if (typeof file === 'string' && file !== '') return Buffer.from(file);
    if (isUint8Array(file) && file.length > 0) return Buffer.from(file.buffer, file.byteOffset, file.byteLength);
    throw optionError(`The option ${name} must be the content of a file, as a string or a Buffer, or an array of them, ` +
      `not ${file === null ? 'null' : typeof file}.`);
  });
}

function bytes(value, name) {
  if (isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isAnyArrayBuffer(value)) return Buffer.from(value);
  throw optionError(`The option ${name} must be a Buffer, not ${value === null ? 'null' : typeof value}.`);
}

function flag(value, name, fallback) {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw optionError(`The option ${name} must be true or false, not ${String(value)}.`);
  return value;
}

/** A pair, or several of different kinds: as many keys as certificates. */
function identities(value, whose, name) {
  const keys = files(value.key, `${whose}.key`);
  const certs = files(value.cert, `${whose}.cert`);
  if (keys.length !== certs.length) {
    throw optionError(`The option ${whose} must have a certificate for each key: key has ${keys.length}, cert ${certs.length}.`);
  }
  return { name, keys, certs };
}

function names(sni) {
  if (sni === undefined || sni === null) return [];
  if (!isObject(sni)) throw optionError('The option tls.sni must be an object of names, each with { key, cert }.');
  return Object.entries(sni).map(([name, value]) => {
    const whose = `tls.sni['${name}']`;
    if (!isObject(value)) throw optionError(`The option ${whose} must be an object { key, cert }.`);
    if (!/^(\*\.)?[^*\s]+$/.test(name)) throw optionError(`The option tls.sni must have names such as a.example or *.example, not ${name}.`);
    checkMembers(value, ['key', 'cert'], whose);
    return identities(value, whose, name);
  });
}

function protocols(alpn) {
  if (alpn === undefined || alpn === null) return ['http/1.1'];
  const isName = (name) => typeof name === 'string' && name !== '' && Buffer.byteLength(name) < 256;
  if (!Array.isArray(alpn) || !alpn.every(isName)) {
    throw optionError('The option tls.alpn must be an array of protocols, such as [\'http/1.1\'].');
  }
  return alpn;
}

function ticketKeys(value) {
  if (value === undefined || value === null) return NOTHING;
  const keys = bytes(value, 'tls.ticketKeys');
  if (keys.length === 0 || keys.length % TICKET_KEY !== 0) {
    throw optionError(`The option tls.ticketKeys must have ${TICKET_KEY} bytes, or a multiple for several keys, not ${keys.length}.`);
  }
  return keys;
}

/** What is asked of clients, whose authorities are Node's own ones unless the program names some. */
function clientCertificates(tls) {
  const requestCert = flag(tls.requestCert, 'tls.requestCert', false);
  const isNamed = tls.ca !== undefined && tls.ca !== null;
  let ca = NOTHING;
  if (isNamed) {
    const authorities = files(tls.ca, 'tls.ca');
    ca = authorities.length === 1 ? authorities[0] : Buffer.from(authorities.join('\n'));
  } else if (requestCert) {
    ca = Buffer.from(nodeTls.rootCertificates.join('\n'));
  }
  return { requestCert, rejectUnauthorized: flag(tls.rejectUnauthorized, 'tls.rejectUnauthorized', true), ca, caIsLenient: !isNamed };
}

function minVersion(version) {
  if (version === undefined || version === null) return VERSIONS[0];
  if (!VERSIONS.includes(version)) throw optionError(`The option tls.minVersion must be ${VERSIONS.join(' or ')}, not ${String(version)}.`);
  return version;
}

/** What https.createServer() and setSecureContext() of its servers take. */
function nodeOptions(tls, settings) {
  const { requestCert, rejectUnauthorized, alpn } = settings;
  const options = {
    key: tls.key, cert: tls.cert, requestCert, rejectUnauthorized, minVersion: minVersion(tls.minVersion), ALPNProtocols: alpn,
  };
  if (tls.ca !== undefined && tls.ca !== null) options.ca = tls.ca;
  // Node has one key of tickets.
  if (settings.ticketKeys.length > 0) options.ticketKeys = settings.ticketKeys.subarray(0, TICKET_KEY);
  const contexts = new Map(Object.entries(tls.sni || {}).map(([name, { key, cert }]) =>
    [name.toLowerCase(), nodeTls.createSecureContext({ key, cert, minVersion: options.minVersion, ca: options.ca })]));
  if (contexts.size > 0) {
    options.SNICallback = (name, callback) => {
      const lower = name.toLowerCase();
      callback(null, contexts.get(lower) || contexts.get(`*${lower.slice(lower.indexOf('.'))}`));
    };
  }
  nodeTls.createSecureContext(options);
  return options;
}

/**
 * Checks the option.
 * @param {object} tls
 * @param {boolean} byAddon whether the addon listens, or https of Node
 * @returns {{ context: object|null, node: object|null, ocsp: Buffer }} for the addon, or for https
 * @throws {Error} that names the member which cannot be used
 */
function prepareTls(tls, byAddon) {
  if (!isObject(tls)) throw optionError('The option tls must be an object such as { key, cert }.');
  checkMembers(tls, MEMBERS, 'tls');
  const settings = {
    identities: [identities(tls, 'tls', ''), ...names(tls.sni)],
    ...clientCertificates(tls),
    onlyTls13: minVersion(tls.minVersion) === 'TLSv1.3',
    alpn: protocols(tls.alpn),
    ticketKeys: ticketKeys(tls.ticketKeys),
    ocsp: tls.ocsp === undefined || tls.ocsp === null ? NOTHING : bytes(tls.ocsp, 'tls.ocsp'),
  };
  try {
    return byAddon
      ? { context: binding.nativeTlsContext(settings), node: null, ocsp: settings.ocsp }
      : { context: null, node: nodeOptions(tls, settings), ocsp: settings.ocsp };
  } catch (cause) {
    throw websocketError('ERR_WEBSOCKET_TLS', `The option tls cannot be used: ${cause.message}.`, { cause });
  }
}

module.exports = { prepareTls };
