'use strict';

// A Redis Cluster: one lane to each master. A channel is published and subscribed at the master of its slot, for plain
// and sharded pub/sub alike, so that the order is kept and no message depends on the bus between the servers.
//
// The connections are our own, made with the options of the program's cluster client (TLS, user, password). The clients'
// own pub/sub for clusters does not say when a subscription was lost or is back.

const { lostError, within } = require('../adapter');
const Lane = require('./lane');
const { slotOf, textInSlot } = require('./slots');

/** How long a server may think about `CLUSTER SLOTS`, in milliseconds. */
const MAX_WAIT = 2000;

/** Milliseconds until servers are asked again that have not told of their slots. */
const RETRY = 250;

class Cluster {
  isUp = false;
  #directory;
  #options;
  #node;
  #message;
  #changed;
  /** Address → lane, of masters with slots. */
  #lanes = new Map();
  /** The ranges `{ first, last, address }`, in order. */
  #ranges = [];
  /** All channels that are subscribed, with their lanes. */
  #channels = new Map();
  #timer = null;
  #isRefreshing = false;
  #retry = null;
  /** The slots are not known yet, or channels are on their way to another lane. */
  #moving = true;
  #isClosed = false;

  /** @param {object} options `directory` knows the servers and makes connections to them; the others as for `Single` */
  constructor({ directory, prefix, node, heartbeat, message, changed }) {
    this.#directory = directory;
    this.#options = { prefix, heartbeat };
    this.#node = node;
    this.#message = message;
    this.#changed = changed;
  }

  open() {
    this.#directory.open((error) => {
      if (!this.isUp) this.#changed(error);
    });
    this.#timer = setInterval(() => this.#refresh(), this.#options.heartbeat);
    this.#timer.unref();
    this.#refresh();
  }

  async subscribe(channels) {
    const groups = this.#byLane(channels);
    await Promise.all([...groups].map(([lane, group]) => lane.subscribe(group)));
    for (const [lane, group] of groups) {
      for (const channel of group) this.#channels.set(channel, lane);
    }
    // The slots may have moved meanwhile.
    if (channels.some((channel) => this.#laneOf(channel) !== this.#channels.get(channel))) this.#refresh();
  }

  async unsubscribe(channels) {
    const groups = new Map();
    for (const channel of channels) {
      // A subscription that has failed may be there nevertheless.
      const lane = this.#channels.get(channel) ?? this.#laneOf(channel);
      this.#channels.delete(channel);
      if (lane !== undefined && !groups.get(lane)?.push(channel)) groups.set(lane, [channel]);
    }
    await Promise.all([...groups].map(([lane, group]) => lane.unsubscribe(group)));
  }

  async publish(channel, bytes) {
    const lane = this.#laneOf(channel);
    if (lane === undefined) throw withoutServer();
    try {
      await lane.publish(channel, bytes);
    } catch (error) {
      if (/^(MOVED|CLUSTERDOWN) /.test(error?.message)) this.#refresh();
      throw error;
    }
  }

  async close() {
    this.#isClosed = true;
    this.isUp = false;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#directory.close();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close({ end: true })));
  }

  #laneOf(channel) {
    const slot = slotOf(channel);
    const range = this.#ranges.find(({ first, last }) => slot >= first && slot <= last);
    return range === undefined ? undefined : this.#lanes.get(range.address);
  }

  #byLane(channels) {
    const groups = new Map();
    for (const channel of channels) {
      const lane = this.#laneOf(channel);
      if (lane === undefined) throw withoutServer();
      if (groups.has(lane)) groups.get(lane).push(channel);
      else groups.set(lane, [channel]);
    }
    return groups;
  }

  #refresh() {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#readSlots().catch((error) => {
      this.#update(error);
      // Once the slots are known, every failed attempt to connect is a reason to ask again.
      if (this.#ranges.length > 0 || this.#isClosed) return;
      this.#retry = setTimeout(() => this.#refresh(), RETRY);
      this.#retry.unref();
    }).finally(() => {
      this.#isRefreshing = false;
    });
  }

  async #readSlots() {
    const known = [...this.#lanes.values()].map((lane) => lane.publisher).filter(({ isReady }) => isReady);
    const ranges = await mostAgreeOn(known.length > 0 ? known : await this.#directory.connections());
    if (this.#isClosed) return;
    const isSame = JSON.stringify(ranges) === JSON.stringify(this.#ranges);
    if (!isSame) this.#useRanges(ranges);
    const moved = [...this.#channels].filter(([channel, lane]) => this.#laneOf(channel) !== lane);
    if (moved.length > 0) {
      this.#moving = true;
      this.#update(lostError('slots of the cluster have moved to other servers'));
      await this.#move(moved);
    }
    this.#moving = false;
    this.#update();
  }

  /** Makes lanes to new masters, and gives those to former ones up. */
  #useRanges(ranges) {
    this.#ranges = ranges;
    for (const [address, lane] of this.#lanes) {
      // The heartbeat of sharded pub/sub needs a slot of its own server.
      if (ranges.some((range) => range.address === address && lane.slot >= range.first && lane.slot <= range.last)) continue;
      this.#lanes.delete(address);
      lane.close({ end: true });
    }
    for (const { address, first: slot } of ranges) {
      if (this.#lanes.has(address)) continue;
      const lane = new Lane({
        slot,
        ...this.#directory.connect(address),
        heartbeatChannel: `${this.#options.prefix}-heartbeat:{${textInSlot(slot)}}${this.#node}`,
        heartbeat: this.#options.heartbeat,
        message: this.#message,
        up: () => this.#update(),
        down: (error) => {
          this.#update(error);
          this.#refresh();
        },
        moved: () => this.#refresh()
      });
      this.#lanes.set(address, lane);
      lane.open();
    }
  }

  async #move(moved) {
    for (const [channel, lane] of moved) {
      if ([...this.#lanes.values()].includes(lane)) await lane.unsubscribe([channel]).catch(() => {});
    }
    const still = moved.map(([channel]) => channel).filter((channel) => this.#channels.has(channel));
    await Promise.all([...this.#byLane(still)].map(([lane, group]) => within(MAX_WAIT, lane.subscribe(group), 'a server of the cluster')));
    for (const channel of still) this.#channels.set(channel, this.#laneOf(channel));
  }

  #update(error) {
    if (this.#isClosed) return;
    this.isUp = !this.#moving && this.#lanes.size > 0 && [...this.#lanes.values()].every((lane) => lane.isUp);
    this.#changed(error);
  }
}

/** Asks all for the slots and takes the answer that most give: a server that was cut off may still tell of former times. */
async function mostAgreeOn(connections) {
  const answers = await Promise.allSettled(connections.map(async (connection) =>
    rangesFrom(await within(MAX_WAIT, connection.call('CLUSTER', 'SLOTS'), 'a server of the cluster'))));
  const votes = new Map();
  for (const { status, value } of answers) {
    if (status !== 'fulfilled' || value.length === 0) continue;
    const key = JSON.stringify(value);
    votes.set(key, (votes.get(key) ?? 0) + 1);
  }
  if (votes.size === 0) {
    throw answers.find(({ status }) => status === 'rejected')?.reason ?? lostError('no server of the cluster has slots');
  }
  return JSON.parse([...votes].sort(([, a], [, b]) => b - a)[0][0]);
}

function rangesFrom(answer) {
  return answer
    .map(([first, last, [host, port]]) => ({ first: Number(first), last: Number(last), address: `${host}:${port}` }))
    .sort((a, b) => a.first - b.first);
}

function withoutServer() {
  return lostError('no server of the cluster has the slot of the channel');
}

module.exports = Cluster;
