'use strict';

/** At a socket: the id of its connection within the addon; null when the addon has let go of it. */
const kId = Symbol('id');

/** The part of an id that is the connection's place; the rest tells apart those that had the place in turn. */
const PLACE_MASK = (1 << 22) - 1;

/** Connections that the addon moves the bytes of, and those that wait for accept(), by their place. */
const connections = [];

/** The connection with an id; undefined when there is none (any more). */
function connectionOf(id) {
  const connection = connections[id & PLACE_MASK];
  return connection !== undefined && connection._nativeId === id ? connection : undefined;
}

/** Whether an id is that of a connection which waits for accept(). */
function isPending(id) {
  return id !== null && connectionOf(id)?.isPending === true;
}

module.exports = { kId, PLACE_MASK, connections, connectionOf, isPending };
