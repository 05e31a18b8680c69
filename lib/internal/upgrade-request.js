'use strict';

const { IncomingMessage } = require('http');

/** A request that the addon has read, as far as WebSocket servers look at an IncomingMessage. */
class UpgradeRequest {
  /**
   * @param {import('net').Socket} socket
   * @param {string} lines method, target, names and values of headers, one a line
   */
  constructor(socket, lines) {
    const [method, url, ...rawHeaders] = lines.split('\n');
    this.method = method;
    this.url = url;
    this.rawHeaders = rawHeaders;
    this.socket = socket;
    this._headers = null;
  }

  /** The headers as Node has them: names in lower case, lines of one name joined or dropped as is right for the name. */
  get headers() {
    if (this._headers === null) {
      this._headers = {};
      for (let i = 0; i < this.rawHeaders.length; i += 2) {
        IncomingMessage.prototype._addHeaderLine.call(this, this.rawHeaders[i], this.rawHeaders[i + 1], this._headers);
      }
    }
    return this._headers;
  }

  get connection() {
    return this.socket;
  }
}

Object.assign(UpgradeRequest.prototype, {
  httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true, upgrade: true, statusCode: null,
});

module.exports = { UpgradeRequest };
