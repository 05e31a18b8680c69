'use strict';

const { BlockList, isIP } = require('net');
const { UNIX, canonicalAddress } = require('../base/address');
const { optionError } = require('../base/errors');

/**
 * Turns the option `trustProxy` into a function that tells whether the peer at an address may be believed when it names
 * somebody else's address in `X-Forwarded-For`.
 * @param {boolean|string|string[]} option true: anybody; false: nobody; addresses and ranges (`10.0.0.0/8`): those;
 *   `unix:`: peers at Unix sockets
 * @returns {(address: string) => boolean}
 * @throws {Error} that names the option, for what is no address or range
 */
function compileTrustProxy(option) {
  if (option === true || option === false) return () => option;
  const list = new BlockList();
  const entries = Array.isArray(option) ? option : [option];
  for (const entry of entries) {
    if (entry !== UNIX) addEntry(list, entry);
  }
  return (address) => {
    if (address === UNIX) return entries.includes(UNIX);
    const [plain] = canonicalAddress(address).split('%');
    const version = isIP(plain);
    return version !== 0 && list.check(plain, `ipv${version}`);
  };
}

function addEntry(list, entry) {
  const [address, prefix, ...rest] = String(entry).split('/');
  const version = isIP(address);
  // Not by Number() alone, to which an empty text is 0: the range of everybody.
  const bits = prefix === undefined ? null : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
  const most = version === 4 ? 32 : 128;
  if (version === 0 || rest.length > 0 || (bits !== null && !(Number.isInteger(bits) && bits >= 0 && bits <= most))) {
    throw optionError("The option trustProxy takes true, false, addresses, ranges such as 10.0.0.0/8 and 'unix:', not " +
      `${String(entry)}.`);
  }
  if (bits === null) list.addAddress(address, `ipv${version}`);
  else list.addSubnet(address, bits, `ipv${version}`);
}

/**
 * The client's address behind trusted proxies: the last one in the chain that is none of them.
 * @param {string[]} addresses forwarded ones in the order of the header, then the peer's own
 * @param {(address: string) => boolean} isTrusted
 */
function clientAddress(addresses, isTrusted) {
  for (let i = addresses.length - 1; i > 0; i--) {
    if (!isTrusted(addresses[i])) return addresses[i];
  }
  return addresses[0];
}

module.exports = { compileTrustProxy, clientAddress };
