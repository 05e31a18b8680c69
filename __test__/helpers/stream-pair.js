'use strict';

// Two ends of a connection that are plain streams: they have none of the methods that only sockets have.

const { Duplex } = require('stream');

class End extends Duplex {
  constructor() {
    super();
    this.other = null;
    this._whenRead = null;
  }

  _read() {
    const callback = this._whenRead;
    this._whenRead = null;
    if (callback !== null) callback();
  }

  _write(chunk, encoding, callback) {
    if (this.other.push(chunk)) callback();
    else this.other._whenRead = callback;
  }

  _final(callback) {
    this.other.push(null);
    callback();
  }

  _destroy(error, callback) {
    const { other } = this;
    if (!other.destroyed && !other.readableEnded) process.nextTick(() => other.push(null));
    callback(error);
  }
}

/** @returns {[Duplex, Duplex]} */
function streamPair() {
  const ends = [new End(), new End()];
  [ends[0].other, ends[1].other] = [ends[1], ends[0]];
  return ends;
}

module.exports = { streamPair };
