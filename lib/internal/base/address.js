'use strict';

// Addresses as sockets and proxies write them, and one form for all spellings of the same address.

const { isIP, isIPv4 } = require('net');

/** How nginx names a peer at a Unix socket, which has no address. */
const UNIX = 'unix:';

const BRACKETS = /^\[([^\]]*)\](?::\d*)?$/;
const IPV4_IN_IPV6 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * An address as it stands in `X-Forwarded-For`, without what does not belong to it: the port (`192.0.2.1:4711`,
 * `[2001:db8::1]:4711`) and the brackets. Names that are no addresses lose their port, too.
 */
function withoutPort(text) {
  const inBrackets = BRACKETS.exec(text);
  if (inBrackets !== null) return inBrackets[1];
  const colon = text.lastIndexOf(':');
  if (colon === -1 || isIP(text) !== 0 || !/^\d+$/.test(text.slice(colon + 1))) return text;
  const rest = text.slice(0, colon);
  // More than one colon: what is left must be an address, or nobody knows where it ends.
  return rest.includes(':') && isIP(rest) === 0 ? text : rest;
}

/** The one spelling of an address: IPv4 in IPv6 is IPv4, IPv6 is in lower case and shortened as by RFC 5952. */
function canonicalAddress(address) {
  if (typeof address !== 'string') return String(address);
  if (isIPv4(address)) return address;
  if (address.startsWith('::ffff:') && isIPv4(address.slice(7))) return address.slice(7);
  const lowerCase = address.toLowerCase();
  if (isIP(address) === 0) return lowerCase;
  // The zone of a link-local address is no part of a URL.
  const [plain, zone] = lowerCase.split('%');
  const short = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  const mapped = IPV4_IN_IPV6.exec(short);
  if (mapped !== null) {
    const [high, low] = mapped.slice(1).map((group) => parseInt(group, 16));
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return zone === undefined ? short : `${short}%${zone}`;
}

/** The address of a socket's peer: undefined at sockets that have none, and `unix:` at Unix sockets. */
function peerAddress(socket) {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined) return remoteAddress;
  // Not by the missing address alone: a TCP socket that was reset has none either. TLS has the socket below it.
  const { _handle: handle } = socket._parent || socket;
  return handle && handle.constructor.name === 'Pipe' ? UNIX : undefined;
}

module.exports = { UNIX, withoutPort, canonicalAddress, peerAddress };
