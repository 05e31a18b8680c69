'use strict';

const { canonicalAddress } = require('../base/address');

/** Counts connections by address, however it is spelt, from the opening handshake to the end of their sockets. */
class AddressCounts {
  constructor() {
    this._counts = new Map();
  }

  of(address) {
    return this._counts.get(canonicalAddress(address)) || 0;
  }

  /** Counts a socket until it is closed. */
  add(address, socket) {
    const key = canonicalAddress(address);
    this._counts.set(key, this.of(key) + 1);
    socket.once('close', () => {
      const left = this.of(key) - 1;
      if (left > 0) this._counts.set(key, left);
      else this._counts.delete(key);
    });
  }
}

module.exports = { AddressCounts };
