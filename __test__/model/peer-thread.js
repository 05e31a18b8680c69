'use strict';

// The thread of the peers. Orders come from the thread of the server; what happens goes there, many events at a time.

const { parentPort } = require('worker_threads');
const { Peer } = require('./peer');

let peers = new Map();
let events = [];

function report(number, type, ...values) {
  if (events.length === 0) setImmediate(flush);
  events.push([number, type, ...values]);
}

function flush() {
  if (events.length === 0) return;
  const list = events;
  events = [];
  parentPort.postMessage(list);
}

const ORDERS = {
  connect({ plan, port, path }) {
    const peer = new Peer(plan, port, path, (...event) => report(plan.number, ...event));
    peers.set(plan.number, peer);
    peer.run().catch((error) => report(plan.number, 'violation', `the peer itself failed: ${error.stack}`));
  },
  readAll({ number }) { peers.get(number).readAll(); },
  end({ number, end }) { peers.get(number).end(end); },
  /** Tells that all that has happened here has been told. */
  echo() {
    flush();
    parentPort.postMessage('echo');
  },
  /** Whatever is left of a run. */
  forget() {
    for (const { socket } of peers.values()) socket.destroy();
    peers = new Map();
    events = [];
  },
  stop() { parentPort.close(); },
};

parentPort.on('message', ({ order, ...values }) => ORDERS[order](values));
