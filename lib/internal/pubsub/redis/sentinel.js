'use strict';

// A connection to the master that node-redis' Sentinel client names, with the methods of a connection in connections.js.
//
// It is our own, made with the options of the program's client (TLS, user, password). The client's own pub/sub does not say when
// a subscription was lost or is back. Each new connection asks for the master first, and asks the server for its role: a
// former master is a replica that can be reached, and what is published there reaches nobody else.

const { lostError, within } = require('../adapter');
const { connectionOf } = require('./connections');

const ignore = () => {};

/** How long the client, or a server, may think, in milliseconds. */
const MAX_WAIT = 2000;

/** Milliseconds between two attempts. */
const RETRY = 250;

class SentinelConnection {
  #sentinel;
  #sharded;
  #handlers = null;
  /** The connection to a server that was a master when it was made. */
  #current = null;
  #retry = null;
  #isConnecting = false;
  /** The client has named a server that is no master. */
  #isStale = false;
  /** Why the client itself has not connected. */
  #error;
  #isClosed = false;
  #listeners = {
    error: (error) => {
      this.#error = error;
    },
    'topology-change': ({ type }) => {
      if (type === 'MASTER_CHANGE' && this.#current !== null) this.#lose(lostError('Sentinel has named another master'));
    }
  };

  constructor(sentinel, sharded) {
    this.#sentinel = sentinel;
    this.#sharded = sharded;
  }

  get isReady() {
    return this.#current !== null && this.#current.isReady;
  }

  open(handlers) {
    this.#handlers = handlers;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#sentinel.on(event, listener);
    this.#connect();
  }

  async subscribe(channels) {
    await this.#connection().subscribe(channels);
  }

  async unsubscribe(channels) {
    await this.#connection().unsubscribe(channels);
  }

  async publish(channel, bytes) {
    return this.#connection().publish(channel, bytes);
  }

  reconnect() {
    if (this.#current !== null) this.#lose(lostError('nothing came through the connection'));
  }

  /** The connection is our own in any case; the client belongs to the program. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const [event, listener] of Object.entries(this.#listeners)) this.#sentinel.off(event, listener);
    this.#current?.close({ end: true });
    this.#current = null;
  }

  #connection() {
    if (this.#current === null) throw lostError('there is no connection to a master');
    return this.#current;
  }

  async #connect() {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    try {
      const client = await this.#clientOfMaster();
      if (this.#isClosed) client.destroy();
      else this.#use(client);
    } catch (error) {
      if (this.#isClosed) return;
      this.#handlers.down(error);
      this.#retry = setTimeout(() => this.#connect(), RETRY);
      this.#retry.unref();
    } finally {
      this.#isConnecting = false;
    }
  }

  #use(client) {
    const connection = this.#current = connectionOf(client, this.#sharded);
    connection.open({
      ready: () => this.#handlers.ready(),
      down: (error) => {
        if (this.#current === connection) this.#lose(error);
      },
      message: (channel, bytes) => {
        if (this.#current === connection) this.#handlers.message(channel, bytes);
      },
      moved: () => this.#handlers.moved()
    });
  }

  /** A connection never comes back by itself: the next one may have to go to another server. */
  #lose(error) {
    this.#current.close({ end: true });
    this.#current = null;
    this.#handlers.down(error);
    this.#connect();
  }

  /** @returns {Promise<object>} a new client, connected with a master */
  async #clientOfMaster() {
    const template = await this.#ask();
    const client = template.duplicate({
      clientSideCache: undefined,
      socket: { ...template.options.socket, reconnectStrategy: false }
    });
    client.on('error', ignore);
    try {
      await within(MAX_WAIT, client.connect(), 'the master');
      const [role] = await within(MAX_WAIT, client.sendCommand(['ROLE']), 'the master');
      this.#isStale = String(role) !== 'master';
      if (this.#isStale) throw lostError(`Sentinel has named a server whose role is ${role}`);
      return client;
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw error;
    }
  }

  /** The client's own connection to the master, whose options are right for another one. */
  async #ask() {
    const sentinel = this.#sentinel;
    // An attempt of the client consists of many; it fails after some seconds.
    if (!sentinel.isOpen) sentinel.connect().catch(this.#listeners.error);
    try {
      return await within(MAX_WAIT, sentinel._execute(false, (client) => {
        if (!this.#isStale) return client;
        this.#isStale = false;
        // With this error the client asks the sentinels again, and calls once more.
        throw lostError('READONLY The server is not a master any more.');
      }), 'Sentinel');
    } catch (error) {
      // What a client throws that has given up says nothing.
      throw error instanceof TypeError ? lostError(`the client of Sentinel knows no master: ${this.#error?.message ?? error.message}`) : error;
    }
  }
}

module.exports = SentinelConnection;
