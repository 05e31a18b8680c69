'use strict';

/** An IPv4 address in the form in which sockets that listen on `::` report it. */
function withoutMapping(address) {
  return typeof address === 'string' && address.startsWith('::ffff:') ? address.slice(7) : String(address);
}

module.exports = { withoutMapping };
