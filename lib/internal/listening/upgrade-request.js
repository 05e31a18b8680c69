'use strict';

const { IncomingMessage } = require('http');

/** A request that the addon has read: an IncomingMessage without a body. */
class UpgradeRequest extends IncomingMessage {
  /**
   * @param {import('net').Socket} socket
   * @param {string} lines method, target, names and values of headers, one a line
   */
  constructor(socket, lines) {
    super(socket);
    const [method, url, ...rawHeaders] = lines.split('\n');
    this.method = method;
    this.url = url;
    this.httpVersion = '1.1';
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.upgrade = true;
    // The headers are sorted by name when somebody asks for them.
    this._addHeaderLines(rawHeaders, rawHeaders.length);
    this.complete = true;
  }
}

// For those who look: it is an http.IncomingMessage.
Object.defineProperty(UpgradeRequest.prototype, 'constructor', { value: IncomingMessage });

module.exports = { UpgradeRequest };
