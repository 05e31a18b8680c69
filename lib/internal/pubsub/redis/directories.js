'use strict';

// What a program's cluster client knows: the servers to ask first, and how to connect to any of them.
//
//   open(down)           connects a client that is not connected; `down(error)` if that fails
//   connections()        to the servers that the client knows
//   connect(address)     `{ publisher, subscriber }`, two new connections
//   close()

const { connectionOf } = require('./connections');

const ignore = () => {};

/** Where a server is reached that the cluster knows by this address: `map` is a function or an object of the program's. */
function reachedAt(address, map) {
  const mapped = typeof map === 'function' ? map(address) : map?.[address];
  if (mapped) return mapped;
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

class NodeRedisDirectory {
  #cluster;
  #sharded;
  #onError = ignore;

  constructor(cluster, sharded) {
    this.#cluster = cluster;
    this.#sharded = sharded;
  }

  open(down) {
    this.#onError = down;
    this.#cluster.on('error', this.#onError);
  }

  async connections() {
    if (!this.#cluster.isOpen) await this.#cluster.connect();
    const { masters, replicas } = this.#cluster;
    return [...masters, ...replicas].map(({ client }) => client).filter((client) => client?.isReady)
      .map((client) => connectionOf(client, this.#sharded));
  }

  connect(address) {
    const { host, port } = reachedAt(address, this.#cluster._options?.nodeAddressMap);
    const template = this.#cluster.masters.map(({ client }) => client).find(Boolean);
    const make = () => {
      // A URL would win over the socket's address.
      const client = template.duplicate({ url: undefined, readonly: false, socket: { ...template.options.socket, host, port } });
      return connectionOf(client, this.#sharded);
    };
    return { publisher: make(), subscriber: make() };
  }

  close() {
    this.#cluster.off('error', this.#onError);
  }
}

class IoredisDirectory {
  #cluster;
  #sharded;
  #onError = ignore;

  constructor(cluster, sharded) {
    this.#cluster = cluster;
    this.#sharded = sharded;
  }

  open(down) {
    this.#onError = down;
    this.#cluster.on('error', this.#onError);
    if (this.#cluster.status === 'wait') this.#cluster.connect().catch(ignore);
  }

  async connections() {
    return this.#cluster.nodes('all').map((node) => connectionOf(node, this.#sharded));
  }

  connect(address) {
    const { host, port } = reachedAt(address, this.#cluster.options?.natMap);
    const [template] = this.#cluster.nodes('all');
    const make = () => {
      const client = template.duplicate({
        host,
        port,
        readOnly: false,
        lazyConnect: true,
        enableOfflineQueue: true,
        retryStrategy: (attempt) => Math.min(attempt * 100, 2000)
      });
      return connectionOf(client, this.#sharded);
    };
    return { publisher: make(), subscriber: make() };
  }

  close() {
    this.#cluster.off('error', this.#onError);
  }
}

module.exports = { NodeRedisDirectory, IoredisDirectory };
