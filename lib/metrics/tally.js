'use strict';

// Counts what is published on the diagnostics channels. So nothing is counted before this is loaded, and where it is not loaded
// nothing costs anything. Only the public members of a connection are used: it may be that of another copy of the package.

const channels = require('../internal/base/channels');
const { SUMS, addTo } = require('../internal/connection/stats');

/** The codes that are counted one by one: peers choose theirs, and each is a series of its own for ever. */
const KNOWN_CODES = new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);

function nameOfCode(code) {
  if (KNOWN_CODES.has(code)) return String(code);
  if (code >= 3000 && code < 4000) return '3xxx';
  return code >= 4000 && code < 5000 ? '4xxx' : 'other';
}

/** What is known of the connections of all servers, or of all clients. */
class Role {
  constructor() {
    this.open = new Set();
    this.opened = 0;
    this.failed = 0;
    this.socketErrors = 0;
    this.closes = new Map();
    /** Of those that are closed. */
    this.sums = Object.fromEntries(SUMS.map((name) => [name, 0]));
  }

  connectionOpened(connection) {
    this.open.add(connection);
    this.opened++;
  }

  connectionClosed(connection, code) {
    // It may have been open before anything was counted, or never.
    if (!this.open.delete(connection)) return;
    const name = nameOfCode(code);
    this.closes.set(name, (this.closes.get(name) || 0) + 1);
    addTo(this.sums, connection.stats());
  }

  snapshot() {
    const { opened, failed, socketErrors, closes } = this;
    const sums = { ...this.sums };
    const transports = { stream: 0, loop: 0, threads: 0 };
    let bufferedAmount = 0;
    for (const connection of this.open) {
      const stats = connection.stats();
      addTo(sums, stats);
      bufferedAmount += stats.bufferedAmount;
      transports[stats.transport]++;
    }
    return { opened, failed, socketErrors, closes: [...closes], transports, bufferedAmount, ...sums };
  }
}

class Tally {
  constructor() {
    this._roles = { server: new Role(), client: new Role() };
    this._pendingRequests = 0;
    const roleOf = (connection) => this._roles[connection.maskOutgoingPackets ? 'client' : 'server'];
    channels.open.subscribe(({ connection }) => roleOf(connection).connectionOpened(connection));
    channels.close.subscribe(({ connection, code }) => roleOf(connection).connectionClosed(connection, code));
    channels.error.subscribe(({ connection }) => { roleOf(connection).socketErrors++; });
    channels.upgradeError.subscribe(() => { this._roles.server.failed++; });
    channels.connectFailed.subscribe(() => { this._roles.client.failed++; });
    channels.serverHandshakeStart.subscribe(() => { this._pendingRequests++; });
    channels.serverHandshakeEnd.subscribe(() => { this._pendingRequests--; });
  }

  /** The figures up to now, `{ server, client }`. Visits every open connection. */
  snapshot() {
    const server = { ...this._roles.server.snapshot(), pendingRequests: this._pendingRequests };
    return { server, client: this._roles.client.snapshot() };
  }
}

module.exports = { Tally };
